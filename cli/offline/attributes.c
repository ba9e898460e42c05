/*
 * tsb key attributes, import: what an HSM without a network signed about its keys, on its way to
 * the broker of the profile air-gapped. A key itself is imported under a name (cli/key/plain.c).
 */
#include "lib/first.h"

#include <ctype.h>

#include "lib/base/file.h"
#include "lib/wire/wire.h"

#include "cli/key/key.h"
#include "cli/key/plain.h"
#include "cli/key/view.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/pinned.h"
#include "cli/lib/session.h"
#include "cli/offline/commands.h"
#include "cli/offline/room.h"

#define ATTRIBUTES_FILE_MAX (4 * 1024 * 1024)

/* Writes the HSM's answer unchanged, after reading it once. */
int
cli_key_attributes(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct pinned_keys keys;
	struct keyview v;

	if (c->opt[OPT_OUT] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "say where they go: --out FILE");
	if (pinned_keys_load(c, &keys) || key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/attributes", tsb_view_bytes(&body), &answer))
		return -1;
	if (keyview_read(c, tsb_view_bytes(&answer), keys.attestation, &v))
		return session_misread(c);
	if (v.wrong)
		return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "the key of --attestation-key did not sign these attributes: %s", v.why.msg);
	if (v.answer.xml_signature.n == 0)
		output_note(
		    "tsb: warning: the HSM did not sign these attributes: no broker can check "
		    "them");
	tsb_bytes_add_str(&answer, "\n");
	return file_write(c->opt[OPT_OUT], FILE_PUBLIC, tsb_view_bytes(&answer), &c->err);
}

static void
show_attestation(struct doc *t, const struct keyview *v)
{
	unsigned char digest[TSB_SHA256];

	crypto_sha256(v->answer.xml, digest);
	keyview_show(t, &v->attributes);
	keyview_show_attestation(t, v);
	room_show_digest(t, "digest", digest);
}

static bool
is_object(struct tsb_view content)
{
	struct tsb_view text = tsb_text_start(content);

	while (text.n > 0 && isspace(text.p[0])) {
		text.p++;
		text.n--;
	}
	return text.n > 0 && text.p[0] == '{';
}

/* Shows the file before it sends it: it says who may approve from then on. */
static int
import_file(struct cli *c, struct tsb_view attestation, const char *path, struct doc *t)
{
	tsb_bytes_auto content = {0}, answer = {0};
	struct keyview v, stored;
	struct tsb_view compact;
	struct tsb_err why;

	if (file_read(path, ATTRIBUTES_FILE_MAX, &content, &c->err))
		return -1;
	if (!is_object(tsb_view_bytes(&content)))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "%s is not from tsb key attributes; to import a key say --name NAME", path);
	if (wire_compact(tsb_view_bytes(&content), &c->arena, &compact, &c->err) ||
	    keyview_read(c, compact, attestation, &v)) {
		why = c->err;
		return tsb_fail(&c->err, why.code, "%s: %s", path, why.msg);
	}
	if (v.wrong)
		return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "%s: the key of --attestation-key did not sign it: %s", path, v.why.msg);
	doc_open(t, "key");
	show_attestation(t, &v);
	if (session_call(c, "POST", "/v1/key/import/attributes", compact, &answer)) {
		doc_close(t);
		return -1;
	}
	if (keyview_read(c, tsb_view_bytes(&answer), attestation, &stored)) {
		doc_close(t);
		return session_misread(c);
	}
	doc_text(t, "imported", "the broker believes these attributes from now on");
	if (stored.attributes.attest_time != v.attributes.attest_time)
		doc_time(t, "in force", (uint64_t)stored.attributes.attest_time);
	doc_close(t);
	return 0;
}

/* What belongs to a key and says nothing about a file of attributes. */
static int
check_no_key(struct cli *c)
{
	static const enum cli_option of_keys[] = {OPT_ALGORITHM, OPT_SEED, OPT_CURVE,
	    OPT_ATTRIBUTES, OPT_ADDRESS, OPT_PASSWORD_FILE, OPT_PASSPHRASE_FILE, OPT_POLICY,
	    OPT_APPROVERS, OPT_QUORUM, OPT_TIMELOCK, OPT_TIMEOUT, OPT_USE_ONLY};

	for (size_t i = 0; i < TSB_COUNT(of_keys); i++)
		if (c->opt[of_keys[i]] != NULL)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--%s is for keys, which are imported with --name NAME",
			    option_rows[of_keys[i]].name);
	return 0;
}

int
cli_key_import(struct cli *c)
{
	struct pinned_keys keys;
	doc_auto t = {0};
	int i, rc = 0;

	if (c->opt[OPT_NAME] != NULL)
		return plain_import(c);
	if (check_no_key(c))
		return -1;
	if (pinned_keys_load(c, &keys))
		return -1;
	doc_start(&t, c->json);
	doc_list(&t, "keys");
	for (i = 0; i < c->argc && rc == 0; i++)
		rc = import_file(c, keys.attestation, c->argv[i], &t);
	doc_close(&t);
	doc_print(&t);
	return rc;
}
