/* tsb key create. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/crypto/curve.h"

#include "cli/key/commands.h"
#include "cli/key/create.h"
#include "cli/key/flags.h"
#include "cli/key/policy.h"
#include "cli/key/view.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

#define DEFAULT_RSA_BITS 3072
#define OID_ED25519      "1.3.101.112"

/* ---- curves ---- */

int
create_curve(struct cli *c, const char *dflt, const char **oid)
{
	const char *name = c->opt[OPT_CURVE] != NULL ? c->opt[OPT_CURVE] : dflt;
	const struct curve *curve =
	    strcasecmp(name, "secp256r1") == 0 ? curve_p256 : curve_by_name(name);

	*oid = curve != NULL ? curve->oid : strcasecmp(name, "Ed25519") == 0 ? OID_ED25519 : name;
	if (strspn(*oid, "0123456789.") != strlen(*oid))
		return tsb_fail(&c->err, TSB_E_INPUT, "--curve %s is not known here; give its OID",
		    name);
	return 0;
}

/* ---- algorithms ---- */

/* A size means RSA, and a curve names its own kind. */
static int
find_algorithm(struct cli *c, const char **out)
{
	const char *oid;

	*out = c->opt[OPT_ALGORITHM];
	if (*out != NULL)
		return 0;
	if (c->opt[OPT_SIZE] != NULL) {
		*out = "RSA";
		return 0;
	}
	if (create_curve(c, "P-256", &oid))
		return -1;
	*out = tsb_streq(oid, OID_ED25519) ? "ED" : "EC";
	return 0;
}

/* algorithm, curveOid, keySize */
static int
put_algorithm(struct cli *c, const char *algorithm, struct tsb_bytes *b)
{
	const bool ed = tsb_streq(algorithm, "ED");
	const char *oid;
	long size;

	if (cli_number(c, OPT_SIZE, 1, 65536, DEFAULT_RSA_BITS, &size))
		return -1;
	body_text(b, "algorithm", algorithm);
	if (ed || tsb_streq(algorithm, "EC")) {
		if (create_curve(c, ed ? "Ed25519" : "P-256", &oid))
			return -1;
		if (c->opt[OPT_SIZE] != NULL)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--size does not go with %s; see --curve", algorithm);
		body_text(b, "curveOid", oid);
	} else if (c->opt[OPT_CURVE] != NULL) {
		return tsb_fail(&c->err, TSB_E_INPUT, "--curve does not go with %s", algorithm);
	} else if (c->opt[OPT_SIZE] != NULL || tsb_streq(algorithm, "RSA")) {
		body_number(b, "keySize", size);
	}
	return 0;
}

const char *
create_uses(const char *algorithm)
{
	static const struct {
		const char *algorithm, *uses;
	} rows[] = {
	    {"AES", "encrypt,decrypt"},
	    {"Camellia", "encrypt,decrypt"},
	    {"ChaCha20", "encrypt,decrypt"},
	    {"TDEA", "encrypt,decrypt"},
	    {"HMACSHA256", "sign,verify"},
	    {"ML-KEM-512", "unwrap"},
	    {"ML-KEM-768", "unwrap"},
	    {"ML-KEM-1024", "unwrap"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (tsb_streq(rows[i].algorithm, algorithm))
			return rows[i].uses;
	return "sign";
}

/* ---- policy and attributes ---- */

/*
 * No approval guards the deletion of a key: with a policy it is destroyable only when that is asked
 * for.
 */
int
create_put_rest(struct cli *c, const char *uses, struct tsb_bytes *body)
{
	tsb_bytes_auto policy = {0};

	if (policy_of_options(c, true, &policy) ||
	    flags_put_new(c,
		arena_printf(&c->arena, "%s,modifiable%s", uses,
		    policy.n > 0 ? "" : ",destroyable"),
		body))
		return -1;
	if (c->opt[OPT_ADDRESS] != NULL) {
		body_open(body, "addressFormat");
		body_text(body, "format", c->opt[OPT_ADDRESS]);
		body_close(body);
	}
	if (policy.n > 0)
		body_raw(body, "policy", tsb_view_bytes(&policy));
	return 0;
}

/* Whoever answers for a key under a policy must know who can destroy it. */
static void
note_deletion(struct cli *c, const char *label, struct tsb_view answer)
{
	const struct tsb_view unchecked = {0};
	struct keyview v;

	if (keyview_read(c, answer, unchecked, &v) || !v.attributes.has_policy)
		return; /* the caller reports what is not understood */
	if (v.attributes.flag[ATTR_DESTROYABLE])
		output_note("tsb: warning: whoever has an API key of the role keyManagement can "
			    "destroy %s; its policy does not guard that",
		    label);
	else
		output_note("tsb: nobody can destroy %s: it is not destroyable (--attributes)",
		    label);
}

int
create_show(struct cli *c, const char *label, struct tsb_view answer)
{
	note_deletion(c, label, answer);
	return keyview_print(c, answer);
}

int
cli_key_create(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	const char *algorithm;

	body_open(&body, NULL);
	body_text(&body, "label", c->argv[0]);
	if (find_algorithm(c, &algorithm) || session_put_password(c, &body, "password") ||
	    put_algorithm(c, algorithm, &body) || create_put_rest(c, create_uses(algorithm), &body))
		return -1;
	body_close(&body);
	if (session_call(c, "POST", "/v1/key", tsb_view_bytes(&body), &answer))
		return -1;
	return create_show(c, c->argv[0], tsb_view_bytes(&answer));
}
