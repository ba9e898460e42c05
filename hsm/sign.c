#include "lib/first.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/base/str.h"

#include "hsm/ecdsa.h"
#include "hsm/sign.h"

enum scheme { SCHEME_PKCS1, SCHEME_PSS, SCHEME_ECDSA, SCHEME_ECDSA_RFC6979, SCHEME_EDDSA };

/* What the payload is. */
enum input {
	INPUT_MESSAGE, /* digested here */
	INPUT_DIGEST,  /* the digest itself, of exactly its size */
	INPUT_ANY      /* PKCS#1: padded as it is; PSS: a digest of any size; ECDSA: a digest */
};

struct sign_algorithm {
	const char *name;
	enum key_kind kind;
	enum scheme scheme;
	enum input input;
	enum hash hash;
};

#define ROW_RSA(h, hash)                                                                           \
	{ h "_WITH_RSA", KEY_RSA, SCHEME_PKCS1, INPUT_MESSAGE, hash },                             \
	{ "NONE" h "_WITH_RSA", KEY_RSA, SCHEME_PKCS1, INPUT_DIGEST, hash },                       \
	{ h "_WITH_RSA_PSS", KEY_RSA, SCHEME_PSS, INPUT_MESSAGE, hash }
#define ROW_NONE_PSS(h, hash)                                                                      \
	{ "NONE" h "_WITH_RSA_PSS", KEY_RSA, SCHEME_PSS, INPUT_DIGEST, hash }
#define ROW_EC(h, hash) { h "_WITH_ECDSA", KEY_EC, SCHEME_ECDSA, INPUT_MESSAGE, hash }

static const struct sign_algorithm algorithms[] = {
	ROW_RSA("SHA1", HASH_SHA1),
	ROW_RSA("SHA224", HASH_SHA224),
	ROW_RSA("SHA256", HASH_SHA256),
	ROW_RSA("SHA384", HASH_SHA384),
	ROW_RSA("SHA512", HASH_SHA512),
	{ "NONE_WITH_RSA", KEY_RSA, SCHEME_PKCS1, INPUT_ANY, HASH_NONE },
	ROW_NONE_PSS("SHA224", HASH_SHA224),
	ROW_NONE_PSS("SHA256", HASH_SHA256),
	ROW_NONE_PSS("SHA384", HASH_SHA384),
	ROW_NONE_PSS("SHA512", HASH_SHA512),
	{ "NONE_WITH_RSA_PSS", KEY_RSA, SCHEME_PSS, INPUT_ANY, HASH_NONE },
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
	{ "NONE_WITH_ECDSA", KEY_EC, SCHEME_ECDSA, INPUT_ANY, HASH_NONE },
	{ "SHA256_WITH_ECDSA_DETERMINISTIC", KEY_EC, SCHEME_ECDSA_RFC6979, INPUT_MESSAGE,
	    HASH_SHA256 },
	{ "EDDSA", KEY_ED, SCHEME_EDDSA, INPUT_MESSAGE, HASH_NONE },
};

/* Names of the API that none of our kinds of key can do. */
static const char *const foreign[] = { "NONE_WITH_DSA", "SHA1_WITH_DSA", "SHA224_WITH_DSA",
	"SHA256_WITH_DSA", "SHA384_WITH_DSA", "SHA512_WITH_DSA", "ISS_KERL", "BLS", "DILITHIUM",
	"SPHINCS_PLUS", "KYBER", "ML_DSA", "ML_DSA_M", "SLH_DSA", "LMS", "XMSS-SHA256_10_256",
	"XMSS-SHAKE256_10_256" };

#define SCHNORR "NONE_WITH_EC_SCHNORR_BIP0340"

/* PKCS#1 v1.5 needs 11 bytes of every block (RFC 8017, 7.2.1). */
#define PKCS1_OVERHEAD 11

/* ---- selection ---- */

static int
unfit(const struct hsm_key *k, const char *name, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
	    "algorithm %s is not supported by key '%s' (%s)", name, k->label,
	    key_kinds[k->kind].algorithm);
}

static int
unknown(const struct hsm_key *k, const char *name, struct tsb_err *err)
{
	if (tsb_streq(name, SCHNORR) && k->kind == KEY_EC)
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
any_max(const struct hsm_key *k, const struct sign_algorithm *alg)
{
	if (alg->scheme == SCHEME_PKCS1)
		return k->size / 8 - PKCS1_OVERHEAD;
	return HASH_SIZE_MAX;
}

/* The digest that counts, which for NONE_WITH_RSA_PSS the size of the payload tells. */
static enum hash
effective_hash(const struct sign_algorithm *alg, size_t n)
{
	return alg->scheme == SCHEME_PSS && alg->input == INPUT_ANY ? hash_by_size(n) : alg->hash;
}

static int
check_payload(const struct hsm_key *k, const struct sign_algorithm *alg, size_t n,
    struct tsb_err *err)
{
	if (alg->input == INPUT_DIGEST && n != hash_size(alg->hash))
		return tsb_fail(err, TSB_E_PAYLOAD, "payload must have %zu bytes for %s",
		    hash_size(alg->hash), alg->name);
	if (alg->input != INPUT_ANY)
		return 0;
	if (n == 0 || n > any_max(k, alg))
		return tsb_fail(err, TSB_E_PAYLOAD, "payload must have 1 to %zu bytes for %s",
		    any_max(k, alg), alg->name);
	if (alg->scheme == SCHEME_PSS && effective_hash(alg, n) == HASH_NONE)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must have the size of a digest (20, 28, 32, 48 or 64 bytes) for %s",
		    alg->name);
	return 0;
}

int
sign_select(const struct hsm_key *k, const char *name, size_t n,
    const struct sign_algorithm **out, struct tsb_err *err)
{
	const struct sign_algorithm *alg = NULL;

	for (size_t i = 0; i < TSB_COUNT(algorithms) && !alg; i++)
		if (tsb_streq(algorithms[i].name, name))
			alg = &algorithms[i];
	if (!alg)
		return unknown(k, name, err);
	if (alg->kind != k->kind)
		return unfit(k, name, err);
	if (check_payload(k, alg, n, err))
		return -1;
	*out = alg;
	return 0;
}

int
sign_type_parse(const struct hsm_key *k, const struct sign_algorithm *alg, const char *text,
    enum sign_type *out, struct tsb_err *err)
{
	static const char *const names[] = {
		[SIGN_DER] = "DER", [SIGN_RAW] = "RAW", [SIGN_ETH] = "ETH"
	};

	if (!text)
		text = names[SIGN_DER];
	for (size_t i = 0; i < TSB_COUNT(names); i++) {
		if (!tsb_streq(names[i], text))
			continue;
		if (i == SIGN_ETH && (alg->hash != HASH_KECCAK_256 || k->curve != curve_secp256k1))
			return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
			    "signatureType ETH needs KECCAK256_WITH_ECDSA and a secp256k1 key");
		*out = (enum sign_type)i;
		return 0;
	}
	return tsb_fail(err, TSB_E_INPUT, "Value '%s' is not valid for field signatureType", text);
}

/* ---- OpenSSL ---- */

static void
free_ctx(EVP_PKEY_CTX **p)
{
	EVP_PKEY_CTX_free(*p);
}
#define ctx_auto EVP_PKEY_CTX __attribute__((cleanup(free_ctx)))

static void
free_md_ctx(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}
#define md_ctx_auto EVP_MD_CTX __attribute__((cleanup(free_md_ctx)))

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error creating signature.");
}

/* Padding and digest of RSA; the payload is a digest already, or goes as it is. */
static bool
set_padding(EVP_PKEY_CTX *ctx, const struct sign_algorithm *alg, enum hash hash)
{
	if (alg->scheme == SCHEME_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
		    (hash == HASH_NONE || EVP_PKEY_CTX_set_signature_md(ctx, hash_md(hash)) > 0);
	if (alg->scheme == SCHEME_PSS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_signature_md(ctx, hash_md(hash)) > 0 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash_md(hash)) > 0 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	return true;
}

static int
sign_eddsa(EVP_PKEY *key, struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	unsigned char sig[64];
	size_t n = sizeof(sig);

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) <= 0 ||
	    EVP_DigestSign(ctx, sig, &n, message.p, message.n) <= 0)
		return failed(err);
	tsb_bytes_add(out, sig, n);
	return 0;
}

static int
sign_input(EVP_PKEY *key, const struct sign_algorithm *alg, enum hash hash, struct tsb_view in,
    struct tsb_bytes *out, struct tsb_err *err)
{
	ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char sig[2048];
	size_t n = sizeof(sig);

	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 || !set_padding(ctx, alg, hash) ||
	    EVP_PKEY_sign(ctx, sig, &n, in.p, in.n) <= 0)
		return failed(err);
	tsb_bytes_add(out, sig, n);
	return 0;
}

/* What goes into the padding or the curve: the payload, or its digest in buf. */
static int
prepare(const struct sign_algorithm *alg, struct tsb_view payload,
    unsigned char buf[HASH_SIZE_MAX], struct tsb_view *in, struct tsb_err *err)
{
	if (alg->input != INPUT_MESSAGE) {
		*in = payload;
		return 0;
	}
	if (hash_compute(alg->hash, payload, buf, err))
		return -1;
	*in = tsb_view_of(buf, hash_size(alg->hash));
	return 0;
}

static int
sign_ecdsa(const struct hsm_key *k, EVP_PKEY *key, const struct sign_algorithm *alg,
    enum sign_type type, struct tsb_view digest, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto der = { 0 };
	struct tsb_view v;
	int rc;

	if (alg->scheme == SCHEME_ECDSA_RFC6979)
		rc = ecdsa_sign_deterministic(k->curve, key, digest, &der, err);
	else
		rc = sign_input(key, alg, HASH_NONE, digest, &der, err);
	if (rc)
		return -1;
	v = tsb_view_bytes(&der);
	if (type == SIGN_RAW)
		return ecdsa_to_raw(k->curve, v, out, err);
	if (type == SIGN_ETH)
		return ecdsa_to_eth(k->curve, k->public_key, digest, v, out, err);
	tsb_bytes_add_view(out, v);
	return 0;
}

int
sign_make(const struct hsm_key *k, EVP_PKEY *private_key, const struct sign_algorithm *alg,
    enum sign_type type, struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char digest[HASH_SIZE_MAX];
	struct tsb_view in;

	if (alg->scheme == SCHEME_EDDSA)
		return sign_eddsa(private_key, payload, out, err);
	if (prepare(alg, payload, digest, &in, err))
		return -1;
	if (alg->kind == KEY_EC)
		return sign_ecdsa(k, private_key, alg, type, in, out, err);
	return sign_input(private_key, alg, effective_hash(alg, payload.n), in, out, err);
}

/* ---- verification ---- */

static bool
verify_eddsa(EVP_PKEY *key, struct tsb_view message, struct tsb_view sig)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();

	return ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) > 0 &&
	    EVP_DigestVerify(ctx, sig.p, sig.n, message.p, message.n) == 1;
}

static bool
verify_input(EVP_PKEY *key, const struct sign_algorithm *alg, enum hash hash, struct tsb_view in,
    struct tsb_view sig)
{
	ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	return ctx && EVP_PKEY_verify_init(ctx) > 0 && set_padding(ctx, alg, hash) &&
	    EVP_PKEY_verify(ctx, sig.p, sig.n, in.p, in.n) == 1;
}

/* A raw signature may by chance look like DER: then both readings are tried. */
static bool
verify_ecdsa(const struct hsm_key *k, const struct sign_algorithm *alg, struct tsb_view digest,
    struct tsb_view sig)
{
	tsb_bytes_auto der = { 0 };

	if (ecdsa_is_der(sig) && verify_input(k->public_key, alg, HASH_NONE, digest, sig))
		return true;
	return ecdsa_from_raw(k->curve, sig, &der) &&
	    verify_input(k->public_key, alg, HASH_NONE, digest, tsb_view_bytes(&der));
}

int
sign_verify(const struct hsm_key *k, const struct sign_algorithm *alg, struct tsb_view payload,
    struct tsb_view signature, bool *valid, struct tsb_err *err)
{
	unsigned char digest[HASH_SIZE_MAX];
	struct tsb_view in;

	if (alg->scheme == SCHEME_EDDSA) {
		*valid = verify_eddsa(k->public_key, payload, signature);
	} else {
		if (prepare(alg, payload, digest, &in, err))
			return -1;
		if (alg->kind == KEY_EC)
			*valid = verify_ecdsa(k, alg, in, signature);
		else
			*valid = verify_input(k->public_key, alg,
			    effective_hash(alg, payload.n), in, signature);
	}
	ERR_clear_error();
	return 0;
}
