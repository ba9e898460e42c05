#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pq.h"

#define SPKI_MAX      (16 * 1024)
#define RSA_BITS_MIN  1024
#define RSA_BITS_MAX  8192
#define DSA_BITS_MIN  1024
#define DSA_BITS_MAX  4096
#define ED25519_SIZE  64
#define ED25519_POINT 32

/* Names as OpenSSL reports the group of a key. */
static const char *const curves[] = {
    "prime256v1",
    "secp384r1",
    "secp521r1",
    "secp256k1",
    "brainpoolP224r1",
    "brainpoolP224t1",
    "brainpoolP256r1",
    "brainpoolP256t1",
    "brainpoolP320r1",
    "brainpoolP320t1",
    "brainpoolP384r1",
    "brainpoolP384t1",
    "brainpoolP512r1",
    "brainpoolP512t1",
};

static const char *const digest_openssl[DIGEST__MAX] = {
    [DIGEST_SHA224] = "SHA2-224",
    [DIGEST_SHA256] = "SHA2-256",
    [DIGEST_SHA384] = "SHA2-384",
    [DIGEST_SHA512] = "SHA2-512",
    [DIGEST_SHA3_224] = "SHA3-224",
    [DIGEST_SHA3_256] = "SHA3-256",
    [DIGEST_SHA3_384] = "SHA3-384",
    [DIGEST_SHA3_512] = "SHA3-512",
};

/* ---- which keys an approver may have ---- */

static int
fail_key(enum tsb_code code, const char *why, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, code, "public key: %s", why);
}

/* An exponent of 1 would make every message its own signature. */
static int
check_rsa(EVP_PKEY *k, struct tsb_err *err)
{
	bn_auto *n = NULL;
	bn_auto *e = NULL;
	int bits = EVP_PKEY_get_bits(k);

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return fail_key(TSB_E_APPROVER_KEY_TYPE, "RSA has 1024 to 8192 bits", err);
	if (EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return fail_key(TSB_E_PARSING_KEY, "RSA numbers are missing", err);
	if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 64)
		return fail_key(TSB_E_PARSING_KEY, "RSA modulus or exponent is unfit", err);
	return 0;
}

/*
 * Named curves in the table, points uncompressed: the same point in another form would pass for
 * another approver.
 */
static int
check_ec(EVP_PKEY *k, struct tsb_err *err)
{
	char group[64];
	unsigned char point[256];
	size_t n;
	int explicit_parameters = 0;

	if (EVP_PKEY_get_int_param(k, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
		&explicit_parameters) != 1 ||
	    explicit_parameters != 0)
		return fail_key(TSB_E_APPROVER_KEY_TYPE, "EC curves must be named", err);
	if (EVP_PKEY_get_utf8_string_param(k, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
		&n) != 1)
		return fail_key(TSB_E_APPROVER_KEY_TYPE, "EC curve has no name", err);
	for (size_t i = 0; strcmp(curves[i], group) != 0;)
		if (++i == TSB_COUNT(curves))
			return fail_key(TSB_E_APPROVER_KEY_TYPE, "EC curve is not supported", err);
	if (EVP_PKEY_get_octet_string_param(k, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) !=
		1 ||
	    n == 0 || point[0] != 0x04)
		return fail_key(TSB_E_APPROVER_KEY_TYPE,
		    "EC points must be uncompressed (openssl pkey -pubin -ec_conv_form uncompressed)",
		    err);
	return 0;
}

/* Of order q: 1 < v < p and v^q = 1 mod p. */
static bool
has_order(const BIGNUM *v, const BIGNUM *p, const BIGNUM *q)
{
	BN_CTX *ctx = BN_CTX_new();
	bn_auto *power = BN_new();
	bool ok = ctx != NULL && power != NULL && BN_cmp(v, BN_value_one()) > 0 &&
	    BN_cmp(v, p) < 0 && BN_is_odd(p) && BN_mod_exp(power, v, q, p, ctx) == 1 &&
	    BN_is_one(power);

	BN_CTX_free(ctx);
	return ok;
}

/* y and y + p verify alike, and for y = 1 everybody can sign; so for g = 1. */
static bool
dsa_is_sound(EVP_PKEY *k)
{
	bn_auto *p = NULL;
	bn_auto *q = NULL;
	bn_auto *g = NULL;
	bn_auto *y = NULL;

	return EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
	    EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_FFC_Q, &q) == 1 &&
	    EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_FFC_G, &g) == 1 &&
	    EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_PUB_KEY, &y) == 1 && has_order(g, p, q) &&
	    has_order(y, p, q);
}

static int
check_dsa(EVP_PKEY *k, struct tsb_err *err)
{
	int bits = EVP_PKEY_get_bits(k);

	if (bits < DSA_BITS_MIN || bits > DSA_BITS_MAX)
		return fail_key(TSB_E_APPROVER_KEY_TYPE, "DSA has 1024 to 4096 bits", err);
	if (EVP_PKEY_get_security_bits(k) <= 0)
		return fail_key(TSB_E_PARSING_KEY, "DSA parameters are missing", err);
	if (!dsa_is_sound(k))
		return fail_key(TSB_E_APPROVER_KEY_TYPE, "DSA numbers are unfit", err);
	return 0;
}

/* y (RFC 8032, 5.1.2, little-endian) of the eight points that are not of large order. */
static const unsigned char small_order[][ED25519_POINT] = {
    {0},
    {1},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x7f},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc,
	0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03,
	0x7a},
};

/* The same point has a second form where y is below 19: y + p, p = 2^255 - 19. */
static bool
is_above_field(const unsigned char y[ED25519_POINT])
{
	for (size_t i = 1; i < ED25519_POINT; i++)
		if (y[i] != (i == ED25519_POINT - 1 ? 0x7f : 0xff))
			return false;
	return y[0] >= 0xed;
}

/* With a point of small order, signatures that anybody can make up verify. */
static int
check_ed25519(EVP_PKEY *k, struct tsb_err *err)
{
	unsigned char y[ED25519_POINT];
	size_t n = sizeof(y);

	if (EVP_PKEY_get_raw_public_key(k, y, &n) != 1 || n != sizeof(y))
		return fail_key(TSB_E_PARSING_KEY, "Ed25519 point is missing", err);
	y[ED25519_POINT - 1] &= 0x7f; /* the sign of x */
	if (is_above_field(y))
		return fail_key(TSB_E_PARSING_KEY, "not in its one form", err);
	for (size_t i = 0; i < TSB_COUNT(small_order); i++)
		if (memcmp(small_order[i], y, sizeof(y)) == 0)
			return fail_key(TSB_E_APPROVER_KEY_TYPE,
			    "Ed25519 points of small order belong to nobody", err);
	return 0;
}

#define ML_DSA_RHO  32 /* bytes of the seed of the matrix in front of t1 (FIPS 204, 7.2) */
#define ML_DSA_POLY 320 /* bytes of one polynomial of t1 */

/*
 * A verifier subtracts c * t1 * 2^d: where t1 is zero there is nothing that only the owner of the
 * key could make up for. A key that was made by the rules has no such polynomial.
 */
static int
check_ml_dsa(EVP_PKEY *k, struct tsb_err *err)
{
	static const unsigned char zero[ML_DSA_POLY];
	unsigned char raw[ML_DSA_RHO + 8 * ML_DSA_POLY];
	size_t n = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(k, raw, &n) != 1 || n <= ML_DSA_RHO)
		return fail_key(TSB_E_PARSING_KEY, "ML-DSA key is missing", err);
	for (size_t at = ML_DSA_RHO; at + ML_DSA_POLY <= n; at += ML_DSA_POLY)
		if (memcmp(raw + at, zero, ML_DSA_POLY) == 0)
			return fail_key(TSB_E_APPROVER_KEY_TYPE,
			    "ML-DSA keys with a zero polynomial belong to nobody", err);
	return 0;
}

static const struct {
	const char *openssl;
	int (*check)(EVP_PKEY *, struct tsb_err *);
} key_types[KEYTYPE__MAX] = {
    [KEYTYPE_RSA] = {"RSA", check_rsa},
    [KEYTYPE_EC] = {"EC", check_ec},
    [KEYTYPE_DSA] = {"DSA", check_dsa},
    [KEYTYPE_ED25519] = {"ED25519", check_ed25519},
    [KEYTYPE_ML_DSA_44] = {"ML-DSA-44", check_ml_dsa},
    [KEYTYPE_ML_DSA_65] = {"ML-DSA-65", check_ml_dsa},
    [KEYTYPE_ML_DSA_87] = {"ML-DSA-87", check_ml_dsa},
};

/* Why OpenSSL does not decode it: it may be a key that a newer one knows. */
static int
fail_undecoded(struct tsb_view spki, struct tsb_err *err)
{
	const struct pq_set *set = pq_set_of_spki(spki);

	if (set != NULL && !pq_set_is_offered(set))
		return tsb_fail(err, TSB_E_APPROVER_KEY_TYPE, "public key: %s needs %s", set->name,
		    set->needs);
	return fail_key(TSB_E_PARSING_KEY, "not one SubjectPublicKeyInfo in DER", err);
}

/*
 * Approvers are told apart by the bytes of their keys, so one key must have one form only: exact
 * DER that OpenSSL writes again as it was.
 */
static int
check_form(EVP_PKEY *k, struct tsb_view spki, struct tsb_err *err)
{
	unsigned char *again = NULL;
	int n = i2d_PUBKEY(k, &again);
	bool same = n > 0 && tsb_view_eq(spki, tsb_view_of(again, (size_t)n));

	OPENSSL_free(again);
	if (!same)
		return fail_key(TSB_E_PARSING_KEY, "not in its one DER form", err);
	return 0;
}

static int
parse_key(struct tsb_view spki, EVP_PKEY **out, enum ska_key_type *type, struct tsb_err *err)
{
	const unsigned char *p = spki.p;
	pkey_auto *k = NULL;

	if (spki.n == 0 || spki.n > SPKI_MAX)
		return fail_key(TSB_E_PARSING_KEY, "has a wrong length", err);
	k = d2i_PUBKEY(NULL, &p, (long)spki.n);
	if (k == NULL || p != spki.p + spki.n)
		return fail_undecoded(spki, err);
	for (int t = 0; t < KEYTYPE__MAX; t++) {
		if (!EVP_PKEY_is_a(k, key_types[t].openssl))
			continue;
		if (key_types[t].check(k, err) || check_form(k, spki, err))
			return -1;
		*type = (enum ska_key_type)t;
		*out = k;
		k = NULL;
		return 0;
	}
	return fail_key(TSB_E_APPROVER_KEY_TYPE,
	    "approvers have RSA, EC, DSA, Ed25519 or ML-DSA keys", err);
}

/* ---- cache: parsing costs more than verifying ---- */

#define CACHE_SIZE 64

struct cached {
	unsigned char id[CRYPTO_SHA256_SIZE];
	EVP_PKEY *key; /* NULL: free */
	enum ska_key_type type;
	uint64_t used;
};

static struct cached cache[CACHE_SIZE];
static uint64_t cache_clock;

/* The entry of this key, or the free or least recently used one to put it in. */
static struct cached *
cache_find(const unsigned char id[CRYPTO_SHA256_SIZE])
{
	struct cached *oldest = &cache[0];

	for (size_t i = 0; i < CACHE_SIZE; i++) {
		struct cached *c = &cache[i];

		if (c->key != NULL && memcmp(c->id, id, CRYPTO_SHA256_SIZE) == 0)
			return c;
		if (c->used < oldest->used)
			oldest = c;
	}
	return oldest;
}

/* The key stays the cache's, and is valid until the next call. */
static int
get_key(struct tsb_view spki, const struct cached **out, struct tsb_err *err)
{
	unsigned char id[CRYPTO_SHA256_SIZE];
	enum ska_key_type type;
	struct cached *c;
	EVP_PKEY *k;

	crypto_sha256(spki, id);
	c = cache_find(id);
	if (c->key == NULL || memcmp(c->id, id, sizeof(id)) != 0) {
		if (parse_key(spki, &k, &type, err))
			return -1;
		EVP_PKEY_free(c->key);
		c->key = k;
		c->type = type;
		memcpy(c->id, id, sizeof(id));
	}
	c->used = ++cache_clock;
	*out = c;
	return 0;
}

/* ---- interface ---- */

int
crypto_spki_type(struct tsb_view spki, enum ska_key_type *type, struct tsb_err *err)
{
	const struct cached *c;

	if (get_key(spki, &c, err))
		return -1;
	*type = c->type;
	return 0;
}

int
crypto_spki_check(struct tsb_view spki, struct tsb_err *err)
{
	enum ska_key_type type;

	return crypto_spki_type(spki, &type, err);
}

static unsigned approver_rsa_min = 2048;

void
crypto_approver_rsa_min(unsigned bits)
{
	approver_rsa_min = bits;
}

int
crypto_approver_check(struct tsb_view spki, struct tsb_err *err)
{
	const struct cached *c;

	if (get_key(spki, &c, err))
		return -1;
	if (c->type == KEYTYPE_RSA && (unsigned)EVP_PKEY_get_bits(c->key) < approver_rsa_min)
		return tsb_fail(err, TSB_E_APPROVER_KEY_TYPE,
		    "public key: RSA of an approver has at least %u bits (setting approverRsaBits)",
		    approver_rsa_min);
	return 0;
}

static int
verify_with(const struct cached *c, enum ska_digest digest, struct tsb_view message,
    struct tsb_view signature, struct tsb_err *err)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	const char *md = NULL;
	int rc;

	if (ctx == NULL)
		fatal("out of memory: no digest context");
	if (ska_key_type_has_digest(c->type)) {
		if (digest <= DIGEST_NONE || digest >= DIGEST__MAX)
			return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
			    "signature: a digest is needed with this kind of key");
		md = digest_openssl[digest];
	} else if (c->type == KEYTYPE_ED25519 && signature.n != ED25519_SIZE) {
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "signature: Ed25519 signatures have 64 bytes");
	}
	rc = EVP_DigestVerifyInit_ex(ctx, NULL, md, NULL, NULL, c->key, NULL);
	if (rc == 1)
		rc = EVP_DigestVerify(ctx, signature.p, signature.n,
		    message.n == 0 ? (const unsigned char *)"" : message.p, message.n);
	if (rc == 1)
		return 0;
	ERR_clear_error();
	return tsb_fail(err, TSB_E_INVALID_SIGNATURE, "signature: does not verify");
}

int
crypto_verify(struct tsb_view spki, enum ska_digest digest, struct tsb_view message,
    struct tsb_view signature, struct tsb_err *err)
{
	const struct cached *c;

	if (get_key(spki, &c, err))
		return -1;
	return verify_with(c, digest, message, signature, err);
}

int
crypto_verify_der(struct tsb_view spki, struct tsb_view message, struct tsb_view der,
    struct tsb_err *err)
{
	const struct cached *c;
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_view raw;

	if (ska_signature_parse(der, &type, &digest, &raw, err) || get_key(spki, &c, err))
		return -1;
	if (type != c->type)
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "signature: its algorithm does not fit the kind of key");
	return verify_with(c, digest, message, raw, err);
}

int
crypto_verify_attestation(struct tsb_view spki, struct tsb_view xml, struct tsb_view signature,
    struct tsb_err *err)
{
	return crypto_verify(spki, DIGEST_SHA256, xml, signature, err);
}
