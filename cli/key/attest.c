/* tsb key attest: what the HSM attests about a key, for those who do not believe the broker. */
#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/base/zip.h"
#include "lib/crypto/crypto.h"
#include "lib/ska/keyattr.h"

#include "cli/key/commands.h"
#include "cli/key/key.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/pinned.h"
#include "cli/lib/session.h"

static int
wrong(struct cli *c, const char *why)
{
	return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE, "nothing was written: %s", why);
}

/* The attested text, signed by the pinned key and about the key that was named. */
static int
check(struct cli *c, struct tsb_view zip, struct tsb_view pinned, struct keyattr *k)
{
	struct tsb_view xml, signature;
	struct tsb_err why;

	if (zip_find(zip, ".xml", &xml, &why) || zip_find(zip, ".sig", &signature, &why))
		return wrong(c, arena_printf(&c->arena, "it cannot be checked: %s", why.msg));
	if (crypto_verify_attestation(pinned, xml, signature, &why))
		return wrong(c,
		    arena_printf(&c->arena, "the key of --attestation-key did not sign it: %s",
			why.msg));
	if (keyattr_parse(xml, &c->arena, k, &why))
		return wrong(c,
		    arena_printf(&c->arena, "the attested text is not understood: %s", why.msg));
	return tsb_streq(k->label, c->argv[0])
	    ? 0
	    : wrong(c, arena_printf(&c->arena, "it attests another key, '%s'", k->label));
}

static void
report(struct cli *c, bool checked, const struct keyattr *k)
{
	doc_auto t = {0};

	doc_start(&t, c->json);
	doc_text(&t, "file", c->opt[OPT_OUT]);
	doc_text(&t, "label", c->argv[0]);
	if (checked) {
		doc_time(&t, "attest time", (uint64_t)k->attest_time);
		if (k->public_key.n > 0)
			doc_key(&t, "key", k->public_key);
		doc_text(&t, "attestation", "verified");
	} else {
		doc_warn(&t, "nothing was checked: give the HSM's key with --attestation-key");
	}
	doc_print(&t);
}

/* The zip file as the HSM made it; its README says how openssl verifies what is inside. */
int
cli_key_attest(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct pinned_keys keys;
	struct keyattr k = {0};
	bool checked;

	if (c->opt[OPT_OUT] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "say where it goes: --out FILE.zip");
	if (pinned_keys_load(c, &keys) || key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/keyAttestation", tsb_view_bytes(&body), &answer))
		return -1;
	checked = keys.attestation.n > 0;
	if ((checked && check(c, tsb_view_bytes(&answer), keys.attestation, &k)) ||
	    file_write(c->opt[OPT_OUT], FILE_PUBLIC, tsb_view_bytes(&answer), &c->err))
		return -1;
	if (!tsb_streq(c->opt[OPT_OUT], "-"))
		report(c, checked, &k);
	return 0;
}
