#include "lib/first.h"

#include <openssl/rsa.h>

#include "lib/base/str.h"
#include "lib/crypto/scheme.h"

enum method { METHOD_PKCS1, METHOD_PSS, METHOD_ECDSA, METHOD_ECDSA_RFC6979, METHOD_EDDSA };

/* What the payload is. */
enum input {
	INPUT_MESSAGE, /* digested here */
	INPUT_DIGEST, /* the digest itself, of exactly its size */
	INPUT_ANY /* PKCS#1: padded as it is; PSS: a digest of any size; ECDSA: a digest */
};

struct scheme {
	const char *name;
	const char *type; /* of the key */
	enum method method;
	enum input input;
	enum hash hash;
};

#define RSA "RSA"
#define EC  "EC"
#define ED  "ED"

/* clang-format off */
#define ROW_RSA(h, hash) \
	{ h "_WITH_RSA", RSA, METHOD_PKCS1, INPUT_MESSAGE, hash }, \
	{ "NONE" h "_WITH_RSA", RSA, METHOD_PKCS1, INPUT_DIGEST, hash }, \
	{ h "_WITH_RSA_PSS", RSA, METHOD_PSS, INPUT_MESSAGE, hash }
#define ROW_NONE_PSS(h, hash) \
	{ "NONE" h "_WITH_RSA_PSS", RSA, METHOD_PSS, INPUT_DIGEST, hash }
#define ROW_EC(h, hash) { h "_WITH_ECDSA", EC, METHOD_ECDSA, INPUT_MESSAGE, hash }
/* clang-format on */

static const struct scheme schemes[] = {
    ROW_RSA("SHA1", HASH_SHA1),
    ROW_RSA("SHA224", HASH_SHA224),
    ROW_RSA("SHA256", HASH_SHA256),
    ROW_RSA("SHA384", HASH_SHA384),
    ROW_RSA("SHA512", HASH_SHA512),
    {"NONE_WITH_RSA", RSA, METHOD_PKCS1, INPUT_ANY, HASH_NONE},
    ROW_NONE_PSS("SHA224", HASH_SHA224),
    ROW_NONE_PSS("SHA256", HASH_SHA256),
    ROW_NONE_PSS("SHA384", HASH_SHA384),
    ROW_NONE_PSS("SHA512", HASH_SHA512),
    {"NONE_WITH_RSA_PSS", RSA, METHOD_PSS, INPUT_ANY, HASH_NONE},
    ROW_EC("SHA1", HASH_SHA1),
    ROW_EC("SHA224", HASH_SHA224),
    ROW_EC("SHA256", HASH_SHA256),
    ROW_EC("SHA384", HASH_SHA384),
    ROW_EC("SHA512", HASH_SHA512),
    ROW_EC("SHA3224", HASH_SHA3_224),
    ROW_EC("SHA3256", HASH_SHA3_256),
    ROW_EC("SHA3384", HASH_SHA3_384),
    ROW_EC("SHA3512", HASH_SHA3_512),
    ROW_EC("KECCAK224", HASH_KECCAK_224),
    ROW_EC("KECCAK256", HASH_KECCAK_256),
    ROW_EC("KECCAK384", HASH_KECCAK_384),
    ROW_EC("KECCAK512", HASH_KECCAK_512),
    ROW_EC("DOUBLE_SHA256", HASH_DOUBLE_SHA256),
    {"NONE_WITH_ECDSA", EC, METHOD_ECDSA, INPUT_ANY, HASH_NONE},
    {"SHA256_WITH_ECDSA_DETERMINISTIC", EC, METHOD_ECDSA_RFC6979, INPUT_MESSAGE, HASH_SHA256},
    {"EDDSA", ED, METHOD_EDDSA, INPUT_MESSAGE, HASH_NONE},
};

/* Names of the API that none of our kinds of key can do. */
static const char *const foreign[] = {"NONE_WITH_DSA", "SHA1_WITH_DSA", "SHA224_WITH_DSA",
    "SHA256_WITH_DSA", "SHA384_WITH_DSA", "SHA512_WITH_DSA", "ISS_KERL", "BLS", "DILITHIUM",
    "SPHINCS_PLUS", "KYBER", "ML_DSA", "ML_DSA_M", "SLH_DSA", "LMS", "XMSS-SHA256_10_256",
    "XMSS-SHAKE256_10_256"};

#define SCHNORR "NONE_WITH_EC_SCHNORR_BIP0340"

/* PKCS#1 v1.5 needs 11 bytes of every block (RFC 8017, 7.2.1). */
#define PKCS1_OVERHEAD 11

/* ---- selection ---- */

static int
unfit(const struct scheme_key *k, const char *name, struct tsb_err *err)
{
	if (!k->label)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "algorithm %s is not supported by this key (%s)", name, k->type);
	return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
	    "algorithm %s is not supported by key '%s' (%s)", name, k->label, k->type);
}

static int
unknown(const struct scheme_key *k, const char *name, struct tsb_err *err)
{
	if (tsb_streq(name, SCHNORR) && tsb_streq(k->type, EC))
		return tsb_fail(err, TSB_E_NOT_IMPLEMENTED,
		    "Schnorr signatures (" SCHNORR ") are not offered by this HSM");
	for (size_t i = 0; i < TSB_COUNT(foreign); i++)
		if (tsb_streq(foreign[i], name))
			return unfit(k, name, err);
	if (tsb_streq(name, SCHNORR))
		return unfit(k, name, err);
	return tsb_fail(err, TSB_E_INPUT, "Value '%s' is not valid for field signatureAlgorithm",
	    name);
}

/* The largest payload that NONE_... may take: more would be cut off or not fit, unnoticed. */
static size_t
any_max(const struct scheme_key *k, const struct scheme *s)
{
	if (s->method == METHOD_PKCS1)
		return (size_t)EVP_PKEY_get_bits(k->public_key) / 8 - PKCS1_OVERHEAD;
	return HASH_SIZE_MAX;
}

/* The digest that counts, which for NONE_WITH_RSA_PSS the size of the payload tells. */
static enum hash
effective_hash(const struct scheme *s, size_t n)
{
	return s->method == METHOD_PSS && s->input == INPUT_ANY ? hash_by_size(n) : s->hash;
}

static int
check_payload(const struct scheme_key *k, const struct scheme *s, size_t n, struct tsb_err *err)
{
	if (s->input == INPUT_DIGEST && n != hash_size(s->hash))
		return tsb_fail(err, TSB_E_PAYLOAD, "payload must have %zu bytes for %s",
		    hash_size(s->hash), s->name);
	if (s->input != INPUT_ANY)
		return 0;
	if (n == 0 || n > any_max(k, s))
		return tsb_fail(err, TSB_E_PAYLOAD, "payload must have 1 to %zu bytes for %s",
		    any_max(k, s), s->name);
	if (s->method == METHOD_PSS && effective_hash(s, n) == HASH_NONE)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must have the size of a digest (20, 28, 32, 48 or 64 bytes) for %s",
		    s->name);
	return 0;
}

int
scheme_select(const struct scheme_key *k, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err)
{
	const struct scheme *s = NULL;

	for (size_t i = 0; i < TSB_COUNT(schemes) && !s; i++)
		if (tsb_streq(schemes[i].name, name))
			s = &schemes[i];
	if (!s)
		return unknown(k, name, err);
	if (!tsb_streq(s->type, k->type))
		return unfit(k, name, err);
	if (check_payload(k, s, n, err))
		return -1;
	*out = s;
	return 0;
}

/* ---- forms ---- */

const char *const scheme_form_names[FORM__MAX] =
    {[FORM_DER] = "DER", [FORM_RAW] = "RAW", [FORM_ETH] = "ETH"};

int
scheme_form_parse(const struct scheme_key *k, const struct scheme *s, const char *text,
    enum scheme_form *out, struct tsb_err *err)
{
	if (!text)
		text = scheme_form_names[FORM_DER];
	for (int i = 0; i < FORM__MAX; i++) {
		if (!tsb_streq(scheme_form_names[i], text))
			continue;
		if (i == FORM_ETH &&
		    (s->hash != HASH_KECCAK_256 || curve_of(k->public_key) != curve_secp256k1))
			return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
			    "signatureType ETH needs KECCAK256_WITH_ECDSA and a secp256k1 key");
		*out = (enum scheme_form)i;
		return 0;
	}
	return tsb_fail(err, TSB_E_INPUT, "Value '%s' is not valid for field signatureType", text);
}

/* ---- use ---- */

bool
scheme_is_ecdsa(const struct scheme *s)
{
	return s->method == METHOD_ECDSA || s->method == METHOD_ECDSA_RFC6979;
}

bool
scheme_is_eddsa(const struct scheme *s)
{
	return s->method == METHOD_EDDSA;
}

bool
scheme_is_deterministic(const struct scheme *s)
{
	return s->method == METHOD_ECDSA_RFC6979;
}

int
scheme_prepare(const struct scheme *s, struct tsb_view payload, unsigned char buf[HASH_SIZE_MAX],
    struct tsb_view *in, struct tsb_err *err)
{
	if (s->input != INPUT_MESSAGE) {
		*in = payload;
		return 0;
	}
	if (hash_compute(s->hash, payload, buf, err))
		return -1;
	*in = tsb_view_of(buf, hash_size(s->hash));
	return 0;
}

/* The payload is a digest already, or goes as it is. */
bool
scheme_set_padding(const struct scheme *s, size_t n, EVP_PKEY_CTX *ctx)
{
	enum hash hash = effective_hash(s, n);

	if (s->method == METHOD_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
		    (hash == HASH_NONE || EVP_PKEY_CTX_set_signature_md(ctx, hash_md(hash)) > 0);
	if (s->method == METHOD_PSS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_signature_md(ctx, hash_md(hash)) > 0 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash_md(hash)) > 0 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	return true;
}
