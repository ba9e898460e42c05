#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "cli/key/commands.h"
#include "cli/key/key.h"
#include "cli/key/policy.h"
#include "cli/key/view.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

/*
 * No approval guards the deletion of a key: with a policy it is destroyable only when that is asked
 * for.
 */
#define DEFAULT_ATTRIBUTES "sign,modifiable,destroyable"
#define POLICY_ATTRIBUTES  "sign,modifiable"
#define DEFAULT_RSA_BITS   3072

static const struct {
	const char *name, *oid;
} curves[] = {
    {"P-256", "1.2.840.10045.3.1.7"},
    {"secp256r1", "1.2.840.10045.3.1.7"},
    {"P-384", "1.3.132.0.34"},
    {"secp384r1", "1.3.132.0.34"},
    {"P-521", "1.3.132.0.35"},
    {"secp521r1", "1.3.132.0.35"},
    {"secp256k1", "1.3.132.0.10"},
    {"secp224r1", "1.3.132.0.33"},
    {"secp224k1", "1.3.132.0.32"},
    {"brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7"},
    {"brainpoolP320r1", "1.3.36.3.3.2.8.1.1.9"},
    {"brainpoolP384r1", "1.3.36.3.3.2.8.1.1.11"},
    {"brainpoolP512r1", "1.3.36.3.3.2.8.1.1.13"},
    {"Ed25519", "1.3.101.112"},
};

static const char *
curve_oid(const char *name)
{
	size_t i;

	for (i = 0; i < TSB_COUNT(curves); i++)
		if (strcasecmp(curves[i].name, name) == 0)
			return curves[i].oid;
	return strspn(name, "0123456789.") == strlen(name) ? name : NULL;
}

/* algorithm, curveOid, keySize */
static int
put_algorithm(struct cli *c, struct tsb_bytes *b)
{
	const char *algorithm = c->opt[OPT_ALGORITHM], *curve = c->opt[OPT_CURVE], *oid;
	long size;

	if (algorithm == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "give --algorithm RSA, EC or ED");
	if (cli_number(c, OPT_SIZE, 1, 65536, DEFAULT_RSA_BITS, &size))
		return -1;
	body_text(b, "algorithm", algorithm);
	if (tsb_streq(algorithm, "EC") || tsb_streq(algorithm, "ED")) {
		if (curve == NULL)
			curve = tsb_streq(algorithm, "EC") ? "P-256" : "Ed25519";
		if ((oid = curve_oid(curve)) == NULL)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--curve %s is not known here; give its OID", curve);
		if (c->opt[OPT_SIZE] != NULL)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--size does not go with %s; see --curve", algorithm);
		body_text(b, "curveOid", oid);
	} else if (curve != NULL) {
		return tsb_fail(&c->err, TSB_E_INPUT, "--curve does not go with %s", algorithm);
	} else if (c->opt[OPT_SIZE] != NULL || tsb_streq(algorithm, "RSA")) {
		body_number(b, "keySize", size);
	}
	return 0;
}

int
key_put_attributes(struct cli *c, const char *dflt, struct tsb_bytes *b)
{
	/* In the order of the API; the first three are required there. */
	static const char *const names[] = {"decrypt", "sign", "unwrap", "derive", "extractable",
	    "modifiable", "destroyable", "sensitive", "copyable", "encrypt", "verify", "wrap",
	    "bip32", "slip10"};
	const char *text = c->opt[OPT_ATTRIBUTES] != NULL ? c->opt[OPT_ATTRIBUTES] : dflt;
	char *rest = arena_str(&c->arena, text), *word;
	signed char value[TSB_COUNT(names)] = {0}; /* 1 yes, -1 no, 0 not given */
	size_t i;

	while ((word = strsep(&rest, ",")) != NULL) {
		bool no = strncmp(word, "no-", 3) == 0;

		if (!*word)
			continue;
		for (i = 0; i < TSB_COUNT(names) && !tsb_streq(names[i], word + (no ? 3 : 0)); i++)
			;
		if (i == TSB_COUNT(names))
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--attributes: there is no attribute '%s'; tsb(1) lists them", word);
		value[i] = no ? -1 : 1;
	}
	body_open(b, "attributes");
	for (i = 0; i < TSB_COUNT(names); i++)
		if (value[i] || i < 3)
			body_bool(b, names[i], value[i] > 0);
		else if (tsb_streq(names[i], "modifiable") || tsb_streq(names[i], "destroyable"))
			body_bool(b, names[i], false);
	body_close(b);
	return 0;
}

/* Whoever answers for a key under a policy must know who can destroy it. */
static void
note_deletion(struct cli *c, struct tsb_view answer)
{
	const struct tsb_view unchecked = {0};
	struct keyview v;

	if (keyview_read(c, answer, unchecked, &v) || !v.attributes.has_policy)
		return; /* the caller reports what is not understood */
	if (v.attributes.flag[ATTR_DESTROYABLE])
		output_note("tsb: warning: whoever has an API key of the role keyManagement can "
			    "destroy %s; its policy does not guard that",
		    c->argv[0]);
	else
		output_note("tsb: nobody can destroy %s: it is not destroyable (--attributes)",
		    c->argv[0]);
}

int
cli_key_create(struct cli *c)
{
	tsb_bytes_auto body = {0}, policy = {0}, answer = {0};
	const char *attributes;

	body_open(&body, NULL);
	body_text(&body, "label", c->argv[0]);
	if (session_put_password(c, &body, "password") || put_algorithm(c, &body) ||
	    policy_of_options(c, true, &policy))
		return -1;
	attributes = policy.n > 0 ? POLICY_ATTRIBUTES : DEFAULT_ATTRIBUTES;
	if (key_put_attributes(c, attributes, &body))
		return -1;
	if (policy.n > 0)
		body_raw(&body, "policy", tsb_view_bytes(&policy));
	body_close(&body);
	if (session_call(c, "POST", "/v1/key", tsb_view_bytes(&body), &answer))
		return -1;
	note_deletion(c, tsb_view_bytes(&answer));
	return keyview_print(c, tsb_view_bytes(&answer));
}

int
cli_key_list(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	const char **labels;
	size_t n, i;

	if (session_call(c, "GET", "/v1/key", tsb_view_of(NULL, 0), &answer))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	if (wire_key_list_parse(tsb_view_bytes(&answer), &c->arena, &labels, &n, &c->err))
		return session_misread(c);
	for (i = 0; i < n; i++)
		output_line(labels[i]);
	return 0;
}

int
key_put_reference(struct cli *c, struct tsb_bytes *body)
{
	body_open(body, NULL);
	body_text(body, "label", c->argv[0]);
	if (session_put_password(c, body, "password"))
		return -1;
	body_close(body);
	return 0;
}

int
cli_key_show(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};

	if (key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/attributes", tsb_view_bytes(&body), &answer))
		return -1;
	return keyview_print(c, tsb_view_bytes(&answer));
}

int
cli_key_delete(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	bool yes = c->opt[OPT_YES] != NULL;
	const char *question = arena_printf(&c->arena, "Destroy the key %s for ever?", c->argv[0]);

	if (!yes && ask_yes(question, &yes, &c->err))
		return -1;
	if (!yes)
		return tsb_fail(&c->err, TSB_E_INPUT, "nothing was deleted");
	if (key_put_reference(c, &body))
		return -1;
	return session_call(c, "POST", "/v1/key/deleteKey", tsb_view_bytes(&body), &answer);
}
