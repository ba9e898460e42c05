#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "lib/base/str.h"
#include "lib/crypto/dsa.h"
#include "lib/crypto/pq.h"
#include "lib/crypto/scheme_internal.h"

#define EC "EC"

static const struct scheme schemes[] = {
#define SCHEME(name, type, method, input, hash, nid)                                               \
	{name, type, METHOD_##method, INPUT_##input, HASH_##hash, nid},
#include "lib/crypto/scheme_table.h"
#undef SCHEME
};

#define NO_LIBRARY "no library that Debian maintains makes such signatures"

/* Types of keys as OpenSSL knows them. A type without a row is in no OpenSSL. */
static const struct {
	const char *type;
	const char *key; /* what such a key is; NULL = of a parameter set, or of several kinds */
	const char *signature; /* its name in OpenSSL; NULL = none, but Botan may have it */
	const char *lacks; /* what is missing when it has none */
} types[] = {
    {"RSA", "RSA", "RSA", "this OpenSSL does not offer RSA"},
    {EC, "EC", "ECDSA", "this OpenSSL does not offer ECDSA"},
    {"ED", "ED25519", "ED25519", "this OpenSSL does not offer Ed25519"},
    {"DSA", "DSA", "DSA", "this OpenSSL does not offer DSA"},
    {"HMACSHA256", NULL, "HMAC", "this OpenSSL does not offer HMAC"},
    {"ISS", NULL, NULL, NO_LIBRARY},
    {"BLS", NULL, NULL, NO_LIBRARY},
    {"KYBER", NULL, NULL, "it encapsulates keys and signs nothing"},
    {PQ_ML_DSA, NULL, "ML-DSA-65", "ML-DSA needs OpenSSL 3.5"},
    {PQ_SLH_DSA, NULL, "SLH-DSA-SHA2-128s", "SLH-DSA needs OpenSSL 3.5"},
    {"LMS", NULL, NULL, "LMS needs Botan 3"},
    {"XMSS-SHA256_10_256", NULL, NULL, "XMSS needs Botan 3"},
    {"XMSS-SHAKE256_10_256", NULL, NULL, "XMSS needs Botan 3"},
};

/* PKCS#1 v1.5 needs 11 bytes of every block (RFC 8017, 7.2.1). */
#define PKCS1_OVERHEAD 11

/* ---- what is there ---- */

const struct scheme *
scheme_find(const char *name)
{
	for (size_t i = 0; i < TSB_COUNT(schemes); i++)
		if (tsb_streq(schemes[i].name, name))
			return &schemes[i];
	return NULL;
}

const char *
scheme_type_of(EVP_PKEY *key)
{
	const struct pq_set *set;

	for (size_t i = 0; i < TSB_COUNT(types); i++)
		if (types[i].key != NULL && EVP_PKEY_is_a(key, types[i].key))
			return types[i].type;
	set = pq_set_of(key);
	return set == NULL || tsb_streq(set->family, PQ_ML_KEM) ? NULL : set->family;
}

/* OpenSSL is asked once in a process: fetching is dear, and the answer stays. */
static bool
type_is_offered(size_t i)
{
	static enum { UNASKED, OFFERED, LACKING } answers[TSB_COUNT(types)];

	if (types[i].signature == NULL) {
		const struct pq_set *set = pq_set_by_name(types[i].type);

		return set != NULL && pq_set_is_offered(set);
	}
	if (answers[i] == UNASKED) {
		EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(NULL, types[i].signature, NULL);

		answers[i] = signature != NULL ? OFFERED : LACKING;
		EVP_SIGNATURE_free(signature);
		ERR_clear_error();
	}
	return answers[i] == OFFERED;
}

const char *
scheme_missing(const struct scheme *s)
{
	for (size_t i = 0; i < TSB_COUNT(types); i++)
		if (tsb_streq(types[i].type, s->type) && !type_is_offered(i))
			return types[i].lacks;
	if (s->method == METHOD_NONE)
		return "this version does not offer it";
	if (s->method == METHOD_UNPUBLISHED)
		return "nobody has published what it signs";
	return hash_is_offered(s->hash) ? NULL : "this OpenSSL does not offer its digest";
}

/* ---- selection ---- */

static int
unfit(const struct scheme_key *k, const struct scheme *s, struct tsb_err *err)
{
	const char *missing = scheme_missing(s);
	const char *and = missing == NULL ? "" : "; ";

	if (missing == NULL)
		missing = "";
	if (k->label == NULL)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "algorithm %s is not supported by this key (%s)%s%s", s->name, k->type, and,
		    missing);
	return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
	    "algorithm %s is not supported by key '%s' (%s)%s%s", s->name, k->label, k->type, and,
	    missing);
}

/*
 * The digest that fills the curve or the order of DSA, and SHA-256 for small ones. Of a longer one
 * no more would be signed: the rest would be cut off unnoticed.
 */
static size_t
digest_max(EVP_PKEY *key)
{
	static const size_t sizes[] = {32, 48, 64};
	const struct curve *curve = curve_of(key);
	size_t order = curve != NULL ? curve->scalar : dsa_order_size(key);

	for (size_t i = 0; order > 0 && i < TSB_COUNT(sizes); i++)
		if (sizes[i] >= order)
			return sizes[i];
	return HASH_SIZE_MAX;
}

/* NONE_WITH_RSA pads whatever fits; the others take a digest. */
static int
check_any(const struct scheme_key *k, const struct scheme *s, size_t n, struct tsb_err *err)
{
	size_t most;

	if (s->method == METHOD_PKCS1) {
		most = (size_t)EVP_PKEY_get_bits(k->public_key) / 8 - PKCS1_OVERHEAD;
		if (n == 0 || n > most)
			return tsb_fail(err, TSB_E_PAYLOAD,
			    "payload must have 1 to %zu bytes for %s", most, s->name);
		return 0;
	}
	if (hash_by_size(n) == HASH_NONE)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must have the size of a digest (20, 28, 32, 48 or 64 bytes) for %s",
		    s->name);
	most = s->method == METHOD_PSS ? HASH_SIZE_MAX : digest_max(k->public_key);
	if (n > most)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must be a digest of at most %zu bytes for %s with this key", most,
		    s->name);
	return 0;
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
	return s->input == INPUT_ANY ? check_any(k, s, n, err) : 0;
}

int
scheme_fit(const struct scheme_key *k, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err)
{
	const struct scheme *s = scheme_find(name);

	if (s == NULL)
		return tsb_fail(err, TSB_E_INPUT,
		    "Value '%s' is not valid for field signatureAlgorithm", name);
	if (!tsb_streq(s->type, k->type))
		return unfit(k, s, err);
	if (scheme_is_schnorr(s) && curve_of(k->public_key) != curve_secp256k1)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "algorithm %s needs an EC key on secp256k1 (1.3.132.0.10)", s->name);
	if (check_payload(k, s, n, err))
		return -1;
	*out = s;
	return 0;
}

int
scheme_select(const struct scheme_key *k, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err)
{
	const struct scheme *s;

	if (scheme_fit(k, name, n, &s, err))
		return -1;
	if (scheme_missing(s) != NULL)
		return unfit(k, s, err);
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
	if (text == NULL)
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
	return s->method == METHOD_ECDSA || s->method == METHOD_RFC6979;
}

bool
scheme_signs_messages(const struct scheme *s)
{
	return s->method == METHOD_EDDSA || s->method == METHOD_CONTEXT;
}

bool
scheme_is_schnorr(const struct scheme *s)
{
	return s->method == METHOD_SCHNORR;
}

bool
scheme_takes_context(const struct scheme *s)
{
	return tsb_streq(s->type, PQ_ML_DSA) || tsb_streq(s->type, PQ_SLH_DSA);
}

bool
scheme_is_dsa(const struct scheme *s)
{
	return s->method == METHOD_DSA;
}

bool
scheme_is_stateful(const struct scheme *s)
{
	return s->method == METHOD_STATEFUL;
}

bool
scheme_is_hmac(const struct scheme *s)
{
	return s->method == METHOD_HMAC;
}

bool
scheme_is_deterministic(const struct scheme *s)
{
	return s->method == METHOD_RFC6979;
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
