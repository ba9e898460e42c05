#include "lib/first.h"

#include <stdio.h>

#include "lib/crypto/crypto.h"
#include "lib/wire/wire.h"

#include "cli/key/policy.h"
#include "cli/key/strength.h"
#include "cli/key/view.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/output.h"
#include "cli/lib/pinned.h"
#include "cli/lib/session.h"

int
keyview_read(struct cli *c, struct tsb_view answer, struct tsb_view attestation,
    struct keyview *out)
{
	struct keyview v = {0};

	if (wire_key_attributes_parse(answer, &c->arena, &v.answer, &c->err) ||
	    keyattr_parse(v.answer.xml, &c->arena, &v.attributes, &c->err))
		return -1;
	strength_identify(&v.attributes.policy, &c->arena);
	v.checked = attestation.n > 0;
	v.wrong = v.checked &&
	    crypto_verify_attestation(attestation, v.answer.xml, v.answer.xml_signature, &v.why) !=
		0;
	*out = v;
	return 0;
}

static void
show_attributes(struct doc *t, const struct keyattr *k)
{
	int i;

	doc_text(t, "label", k->label);
	doc_text(t, "uuid", k->uuid);
	doc_text(t, "id", k->id);
	doc_text(t, "object", k->root);
	doc_text(t, "creation", k->creation);
	doc_text(t, "storage", k->storage);
	doc_time(t, "create time", (uint64_t)k->create_time);
	doc_time(t, "attest time", (uint64_t)k->attest_time);
	if (k->has_use_count)
		doc_number(t, "use count", k->use_count);
	if (k->wears_out)
		doc_number(t, "signatures left", k->signatures_left);
	doc_text(t, "algorithm", k->algorithm);
	doc_text(t, "algorithm OID", k->algorithm_oid);
	doc_text(t, "curve OID", k->curve_oid);
	if (k->key_size)
		doc_number(t, "key size", k->key_size);
	doc_text(t, "address", k->address);
	doc_text(t, "address format", k->address_format);
	doc_text(t, "derivation type", k->derivation_type);
	doc_text(t, "derivation value", k->derivation_value);
	if (k->public_key.n > 0)
		doc_base64(t, "public key", k->public_key);
	doc_open(t, "attributes");
	for (i = 0; i < ATTR__MAX; i++)
		doc_bool(t, keyattr_flag_json[i], k->flag[i]);
	doc_close(t);
}

/* Approval tokens do not say how a key is used, so approvals for one use serve the others too. */
static const char *
warning_of_uses(const struct keyattr *k)
{
	int uses = k->flag[ATTR_SIGN] + k->flag[ATTR_DECRYPT] + k->flag[ATTR_UNWRAP];

	return k->has_policy && uses > 1
	    ? "an approval counts for every use of the same bytes: make a key for each of sign, "
	      "decrypt and unwrap"
	    : NULL;
}

void
keyview_show(struct doc *t, const struct keyattr *k)
{
	show_attributes(t, k);
	if (!k->has_policy) {
		doc_text(t, "policy", t->json ? NULL : "none: an ordinary key, no approvals");
		return;
	}
	doc_open(t, "policy");
	doc_bool(t, "blocked", k->policy.blocked);
	if (warning_of_uses(k) != NULL)
		doc_warn(t, "%s", warning_of_uses(k));
	policy_show(t, &k->policy);
	doc_close(t);
}

void
keyview_show_attestation(struct doc *t, const struct keyview *v)
{
	doc_text(t, "attestation key", v->answer.attestation_key_name);
	if (v->wrong)
		doc_warn(t, "the attestation signature is WRONG: %s", v->why.msg);
	else if (v->checked)
		doc_text(t, "attestation", "verified");
}

/* The answer is printed as it came: the warnings go to stderr. */
static void
note_warnings(struct cli *c, struct tsb_view answer)
{
	const struct tsb_view none = {0};
	struct keyview v;

	if (keyview_read(c, answer, none, &v)) {
		c->err = (struct tsb_err){0}; /* the reader of the JSON will notice */
		return;
	}
	if (warning_of_uses(&v.attributes) != NULL)
		output_note("tsb: warning: %s", warning_of_uses(&v.attributes));
	if (v.attributes.has_policy)
		policy_note_validity(&v.attributes.policy);
}

int
keyview_print(struct cli *c, struct tsb_view answer)
{
	struct pinned_keys keys;
	struct keyview v;
	doc_auto t = {0};

	if (pinned_keys_load(c, &keys))
		return -1;
	if (c->json && c->opt[OPT_ATTESTATION_KEY] == NULL) {
		output_body(answer);
		note_warnings(c, answer);
		if (keys.attestation.n == 0)
			return 0;
	}
	if (keyview_read(c, answer, keys.attestation, &v))
		return session_misread(c);
	if (!c->json || c->opt[OPT_ATTESTATION_KEY] != NULL) {
		doc_start(&t, c->json);
		keyview_show(&t, &v.attributes);
		keyview_show_attestation(&t, &v);
		doc_print(&t);
	}
	if (v.wrong)
		return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "a signature does not verify");
	return 0;
}
