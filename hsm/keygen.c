#include "lib/first.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/base/str.h"
#include "lib/ska/token.h"

#include "hsm/address.h"
#include "hsm/keygen.h"

static const long rsa_sizes[] = { 2048, 3072, 4096 };

/* Algorithms of the API (api.md 15.8) that this HSM does not make; a prefix stands for a family. */
static const struct {
	const char *prefix;
	bool symmetric;
} foreign[] = {
	{ "AES", true },
	{ "Camellia", true },
	{ "ChaCha20", true },
	{ "TDEA", true },
	{ "HMACSHA", true },
	{ "DSA", false },
	{ "ISS", false },
	{ "BLS", false },
	{ "DILITHIUM", false },
	{ "SPHINCS_PLUS", false },
	{ "KYBER", false },
	{ "ML-KEM", false },
	{ "ML-DSA", false },
	{ "SLH-DSA", false },
	{ "LMS", false },
	{ "XMSS", false },
};

/* ---- label, id ---- */

int
keygen_check_label(const char *label, struct tsb_err *err)
{
	struct tsb_view v = tsb_view_str(label);

	if (v.n == 0 || v.n > TOKEN_LABEL_MAX || !tsb_label_valid(v))
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "label must be 1 to %d bytes of UTF-8 without control characters",
		    TOKEN_LABEL_MAX);
	if (memchr(v.p, '/', v.n))
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "label must not contain '/': it separates a derivation path");
	return 0;
}

static int
check_id(const char *id, struct tsb_err *err)
{
	struct tsb_view v = tsb_view_str(id);

	if (id && (v.n == 0 || v.n > TOKEN_LABEL_MAX || !tsb_label_valid(v)))
		return tsb_fail(err, TSB_E_KEY_ID,
		    "id must be 1 to %d bytes of UTF-8 without control characters",
		    TOKEN_LABEL_MAX);
	return 0;
}

/* ---- algorithm ---- */

static int
foreign_algorithm(const struct wire_key_create *in, struct tsb_err *err)
{
	const char *name = in->algorithm ? in->algorithm : in->algorithm_oid;

	for (size_t i = 0; name && i < TSB_COUNT(foreign); i++) {
		if (strncmp(name, foreign[i].prefix, strlen(foreign[i].prefix)) != 0)
			continue;
		if (foreign[i].symmetric && in->has_policy)
			return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
			    "policy is possible for asymmetric keys only, not for %s", name);
		return tsb_fail(err, TSB_E_NOT_IMPLEMENTED,
		    "keys of algorithm %s are not offered by this HSM (it makes RSA, EC and ED)",
		    name);
	}
	return tsb_fail(err, TSB_E_INPUT, "Value '%s' is not valid for field algorithm",
	    name ? name : "");
}

static int
take_rsa_size(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	for (size_t i = 0; i < TSB_COUNT(rsa_sizes); i++)
		if (in->key_size == rsa_sizes[i]) {
			k->size = (unsigned)in->key_size;
			return 0;
		}
	return tsb_fail(err, TSB_E_KEY_SIZE, "keySize must be 2048, 3072 or 4096 for RSA");
}

static int
take_curve(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	if (k->kind == KEY_ED) {
		if (!in->curve_oid || tsb_streq(in->curve_oid, key_kinds[KEY_ED].oid))
			return 0;
	} else if (!in->curve_oid) {
		return tsb_fail(err, TSB_E_INPUT, "curveOid is required for EC keys");
	} else {
		k->curve = curve_by_oid(in->curve_oid);
		if (k->curve)
			return 0;
	}
	return tsb_fail(err, TSB_E_INPUT, "Unsupported Curve: '%s'", in->curve_oid);
}

static int
take_algorithm(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	enum key_kind kind = 0;

	while (kind < KEY_KIND__MAX && !tsb_streq(key_kinds[kind].algorithm, in->algorithm) &&
	    !(!in->algorithm && tsb_streq(key_kinds[kind].oid, in->algorithm_oid)))
		kind++;
	if (kind == KEY_KIND__MAX)
		return foreign_algorithm(in, err);
	if (in->algorithm_oid && !tsb_streq(key_kinds[kind].oid, in->algorithm_oid))
		return tsb_fail(err, TSB_E_INPUT, "algorithmOid does not belong to algorithm %s",
		    key_kinds[kind].algorithm);
	k->kind = kind;
	return kind == KEY_RSA ? take_rsa_size(in, k, err) : take_curve(in, k, err);
}

/* ---- attributes ---- */

static int
refuse(struct tsb_err *err, const char *why)
{
	return tsb_fail(err, TSB_E_KEY_ATTRIBUTES, "attributes: %s", why);
}

static int
check_attributes(const struct wire_key_create *in, const struct hsm_key *k, struct tsb_err *err)
{
	const bool derivation = in->bip32 || in->slip10;

	if (!in->flag[ATTR_DECRYPT] && !in->flag[ATTR_SIGN] && !in->flag[ATTR_UNWRAP])
		return refuse(err, "one of decrypt, sign and unwrap must be true");
	if (in->flag[ATTR_EXTRACTABLE] && in->has_policy)
		return refuse(err, "extractable is not possible for a key with a policy");
	if (derivation && k->kind == KEY_RSA)
		return refuse(err, "bip32 and slip10 need an EC or ED key");
	if (derivation && !in->flag[ATTR_DERIVE])
		return refuse(err, "bip32 and slip10 need derive");
	if (derivation)
		return tsb_fail(err, TSB_E_NOT_IMPLEMENTED,
		    "attributes: bip32 and slip10 are not offered by this HSM");
	return 0;
}

static void
take_attributes(const struct wire_key_create *in, struct hsm_key *k)
{
	memcpy(k->flag, in->flag, sizeof(k->flag));
	k->flag[ATTR_ALWAYS_SENSITIVE] = k->flag[ATTR_SENSITIVE];
	k->flag[ATTR_NEVER_EXTRACTABLE] = !k->flag[ATTR_EXTRACTABLE];
	k->flag[ATTR_UNIQUE] = !k->flag[ATTR_COPYABLE];
	k->extra = (in->encrypt ? KEY_ENCRYPT : 0) | (in->verify ? KEY_VERIFY : 0) |
	    (in->wrap ? KEY_WRAP : 0) | (in->rollover ? KEY_ROLLOVER : 0);
}

/* ---- policy ---- */

/* Names of onboarded approvers mean something to the broker alone: it sends their certificates. */
static int
take_approver(struct ska_approver *approver, struct arena *a, struct tsb_err *err)
{
	if (approver->type == APPROVER_ONBOARDED)
		return tsb_fail(err, TSB_E_APPROVER_NOT_EXISTENT,
		    "onboarded_approver_certificate '%s' must be resolved by the broker before the"
		    " key is created",
		    approver->name ? approver->name : "");
	if (approver->type == APPROVER_CERTIFICATE && !approver->name)
		return crypto_cert_common_name(approver->value, a, &approver->name, err);
	return 0;
}

static int
take_approvers(struct ska_rule *rule, struct arena *a, struct tsb_err *err)
{
	for (size_t t = 0; t < rule->ntokens; t++)
		for (size_t g = 0; g < rule->tokens[t].ngroups; g++) {
			struct ska_group *group = &rule->tokens[t].groups[g];

			for (size_t i = 0; i < group->napprovers; i++)
				if (take_approver(&group->approvers[i], a, err))
					return -1;
		}
	return 0;
}

static int
check_policy(struct ska_policy *p, struct arena *a, struct tsb_err *err)
{
	for (int rule = 0; rule < RULE__MAX; rule++)
		if (take_approvers(&p->rule[rule], a, err))
			return -1;
	if (ska_policy_resolve(p, a, crypto_cert_spki, crypto_spki_check, err))
		return -1;
	return ska_policy_check(p, err);
}

/* ---- generation ---- */

static EVP_PKEY *
generate(const struct hsm_key *k)
{
	switch (k->kind) {
	case KEY_RSA:
		return EVP_RSA_gen(k->size);
	case KEY_EC:
		return EVP_EC_gen(k->curve->group);
	case KEY_ED:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case KEY_KIND__MAX:
		break;
	}
	return NULL;
}

static int
generate_pair(const struct hsm_key *k, EVP_PKEY **out, struct tsb_err *err)
{
	*out = generate(k);
	if (*out)
		return 0;
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "the key could not be generated");
}

static int
check_address(const struct wire_key_create *in, EVP_PKEY *pair, struct hsm_key *k,
    struct tsb_err *err)
{
	unsigned char address[ADDRESS_SIZE];

	if (!in->address_format)
		return 0;
	k->address_format = arena_str(&k->arena, in->address_format);
	return address_compute(pair, k->curve, k->address_format, address, err);
}

/* Encodes and decodes: what is handed out is what the file will give back. */
static int
finish(struct hsm_key *k, EVP_PKEY *pair, struct tsb_view password, struct hsm_key **out,
    struct tsb_err *err)
{
	tsb_bytes_auto content = { 0 };

	if (key_set_pair(k, pair, password, err))
		return -1;
	key_encode(k, &content);
	return key_decode(tsb_view_bytes(&content), out, err);
}

int
keygen_from_request(struct wire_key_create *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	pkey_auto *pair = NULL;

	if (keygen_check_label(in->label, err) || check_id(in->id, err) ||
	    take_algorithm(in, k, err) || check_attributes(in, k, err))
		return -1;
	if (in->address_format && !in->has_policy)
		return tsb_fail(err, TSB_E_ADDRESS, "addressFormat needs a key with a policy");
	if (in->has_policy && check_policy(&in->policy, a, err))
		return -1;
	take_attributes(in, k);
	k->label = arena_str(&k->arena, in->label);
	k->id = arena_str(&k->arena, in->id);
	k->create_time = now;
	k->has_policy = in->has_policy;
	k->policy = in->policy; /* in the request's arena, which outlives k */
	if (generate_pair(k, &pair, err) || check_address(in, pair, k, err))
		return -1;
	return finish(k, pair, in->password, out, err);
}

int
keygen_system(enum key_system system, const char *label, int64_t now, struct hsm_key **out,
    struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	pkey_auto *pair = NULL;

	k->label = arena_str(&k->arena, label);
	k->system = system;
	k->create_time = now;
	k->kind = system == KEY_ATTESTATION ? KEY_RSA : KEY_EC;
	k->size = system == KEY_ATTESTATION ? 3072 : 0;
	k->curve = system == KEY_ATTESTATION ? NULL : curve_p256;
	k->flag[ATTR_SIGN] = k->flag[ATTR_SENSITIVE] = k->flag[ATTR_ALWAYS_SENSITIVE] = true;
	k->flag[ATTR_NEVER_EXTRACTABLE] = k->flag[ATTR_UNIQUE] = true;
	if (generate_pair(k, &pair, err))
		return -1;
	return finish(k, pair, (struct tsb_view){ 0 }, out, err);
}
