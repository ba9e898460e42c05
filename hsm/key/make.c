#include "lib/first.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/base/str.h"
#include "lib/ska/token.h"

#include "hsm/key/address.h"
#include "hsm/key/import.h"
#include "hsm/key/make.h"
#include "hsm/key/policy.h"

static const long rsa_sizes[] = {2048, 3072, 4096};

/* Algorithms (api-notes.md 12.5) that this HSM does not make; a prefix stands for a family. */
static const struct {
	const char *prefix;
	bool symmetric;
} foreign[] = {
    {"Camellia", true},
    {"ChaCha20", true},
    {"TDEA", true},
    {"HMACSHA", true},
    {"DSA", false},
    {"ISS", false},
    {"BLS", false},
    {"DILITHIUM", false},
    {"SPHINCS_PLUS", false},
    {"KYBER", false},
    {"ML-KEM", false},
    {"ML-DSA", false},
    {"SLH-DSA", false},
    {"LMS", false},
    {"XMSS", false},
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
		    "keys of algorithm %s are not offered by this HSM (it makes RSA, EC, ED and AES)",
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
take_aes_size(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	if (in->key_size < 0 || !key_aes_size_valid((unsigned)in->key_size))
		return tsb_fail(err, TSB_E_KEY_SIZE, "keySize must be 128, 192 or 256 for AES");
	k->size = (unsigned)in->key_size;
	return 0;
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
	if (kind == KEY_AES)
		return take_aes_size(in, k, err);
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
	if (k->kind == KEY_AES && in->has_policy)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "policy is possible for asymmetric keys only, not for AES");
	if (in->flag[ATTR_EXTRACTABLE] && in->has_policy)
		return refuse(err, "extractable is not possible for a key with a policy");
	if (derivation && k->kind != KEY_EC && k->kind != KEY_ED)
		return refuse(err, "bip32 and slip10 need an EC or ED key");
	if (derivation && !in->flag[ATTR_DERIVE])
		return refuse(err, "bip32 and slip10 need derive");
	if (derivation)
		return tsb_fail(err, TSB_E_NOT_IMPLEMENTED,
		    "attributes: bip32 and slip10 are not offered by this HSM");
	return 0;
}

/*
 * A secret key also encrypts and wraps. Callers that know the private uses only, which every key
 * has, mean both directions.
 */
static void
default_secret_uses(struct wire_key_create *in)
{
	if (!in->has_encrypt)
		in->encrypt = in->flag[ATTR_DECRYPT];
	if (!in->has_wrap)
		in->wrap = in->flag[ATTR_UNWRAP];
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
	case KEY_AES:
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
	return key_set_pair(k, pair, password, err) || key_copy(k, out, err) ? -1 : 0;
}

static int
finish_secret(struct hsm_key *k, struct tsb_view value, struct tsb_view password,
    struct hsm_key **out, struct tsb_err *err)
{
	return key_set_secret(k, value, password, err) || key_copy(k, out, err) ? -1 : 0;
}

static int
generate_secret(struct hsm_key *k, struct tsb_view password, struct hsm_key **out,
    struct tsb_err *err)
{
	unsigned char value[32];
	int rc;

	crypto_random(value, sizeof(value));
	rc = finish_secret(k, tsb_view_of(value, k->size / 8), password, out, err);
	tsb_wipe(value, sizeof(value));
	return rc;
}

/* All that does not depend on the value of the key; k->kind is set. */
static int
check_request(struct wire_key_create *in, const struct hsm_key *k, struct arena *a,
    struct tsb_err *err)
{
	if (check_attributes(in, k, err))
		return -1;
	if (in->address_format && !in->has_policy)
		return tsb_fail(err, TSB_E_ADDRESS, "addressFormat needs a key with a policy");
	return in->has_policy ? keypolicy_check_new(&in->policy, a, err) : 0;
}

static void
take_request(const struct wire_key_create *in, int64_t now, struct hsm_key *k)
{
	take_attributes(in, k);
	k->label = arena_str(&k->arena, in->label);
	k->id = arena_str(&k->arena, in->id);
	k->create_time = now;
	k->has_policy = in->has_policy;
	k->policy = in->policy; /* in the request's arena, which outlives k */
}

int
keygen_from_request(struct wire_key_create *in, struct arena *a, int64_t now, struct hsm_key **out,
    struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	pkey_auto *pair = NULL;

	if (keygen_check_label(in->label, err) || check_id(in->id, err) ||
	    take_algorithm(in, k, err) || check_request(in, k, a, err))
		return -1;
	if (k->kind == KEY_AES)
		default_secret_uses(in);
	take_request(in, now, k);
	if (k->kind == KEY_AES)
		return generate_secret(k, in->password, out, err);
	if (generate_pair(k, &pair, err) || check_address(in, pair, k, err))
		return -1;
	return finish(k, pair, in->password, out, err);
}

/* ---- keys made elsewhere ---- */

int
keygen_check_import(struct wire_key_create *in, enum key_kind kind, struct arena *a,
    struct tsb_err *err)
{
	const struct hsm_key k = {.kind = kind};

	return keygen_check_label(in->label, err) || check_request(in, &k, a, err) ? -1 : 0;
}

int
keygen_import(const struct wire_key_create *in, enum key_kind kind, struct tsb_view value,
    int64_t now, struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	pkey_auto *pair = NULL;

	k->kind = kind;
	take_request(in, now, k);
	/* nobody knows where it was before */
	k->flag[ATTR_ALWAYS_SENSITIVE] = k->flag[ATTR_NEVER_EXTRACTABLE] = false;
	k->extra |= KEY_IMPORTED;
	if (kind == KEY_AES)
		return keyimport_secret(value, k, err) ||
			finish_secret(k, value, in->password, out, err)
		    ? -1
		    : 0;
	if (keyimport_pair(value, k, &pair, err))
		return -1;
	return finish(k, pair, in->password, out, err);
}

/* ---- system keys ---- */

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
	return finish(k, pair, (struct tsb_view){0}, out, err);
}
