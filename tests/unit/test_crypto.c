#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pq.h"
#include "tests/unit/crypto_help.h"
#include "tests/unit/vectors.h"

/* A test key: 2048/256 bit parameters take too long to make at every run. */
static const char dsa_private_key[] =
    "MIIDVwIBAAKCAQEA/bLpizRrSmniQidnTsEjbkAEgdICxIrKuE6b05RBmE37aYUvP1s6G4cHaFUMocyu"
    "hmwn7EQTF1hwZPeO4LgIgwUsg/GFNVZ/LhxwyewVNQTxs77ProvQMZhs22Q3lwpbdW8BXGbAeDv5cjZi"
    "ILL4isR2uodzymZSYJQIyzTyN42IsMCFpNJOCBkU5ivG6Kcuqq21WICSECwlWX/jPG+B7X5s5nqOUla0"
    "lixHq+gVwYyZJFDBkG18CGlfSKXH6VlOXVFXnNs1f7FPSjXFtcqqbAgOWgT4ZwN9GnS2arm54AGpqMUF"
    "hYDRYe3j1/ncy0f2cy7Olb0TBaRTMTDfGPQqHwIhAOhr+yA4zN6aSTz4GGuNtwkdxV83c4F+D2938DXx"
    "fMDLAoIBAQCGuh5TYv7WEkaVfr9CW/pgJYyWbNFJE0S6d0VeSlC1XQzPTh7s727Ne2KbLXEMjnO3ysZ1"
    "WTSnMocqEdSjkvOaORnaSjpiaWt3Gmptj/jZr4oy0oARXPKjTDz4iZ07CfbIZ0BHtKnIRtuUnbf8LQGw"
    "x6p05WnN6Z2Y+MI84xsMiFM7SyxNKBOywpf9gn8QBMmbvdkikxIAyAJqhq6R94iFsA+PcGEaVhxJBZM3"
    "lZSbXxTSBnflyNm6OlZmk/hGVj7EXl/2A1BQHdwrK4RySOjNICtKu9PxORH1Gp23O6t7m1pab8JQGS7H"
    "IePPxvxoNYaVkDkx6bcUTFcPs/AyqHcHAoIBAQDYuqeUZI5r3QOdVatoKH2CNbdlwSBuUXXgizvEQoZU"
    "R1DrMYfI7HqnCVPvTsMu83k3WRbmRbXx05SyqfNkcw04Yk0pM/mUN1b80kOaksJ7jnIb4W97wfh6TUah"
    "Ny3vbKB7GZdUCHjQrSOU7hFBFOlrkaUIx4Z/1WQr2cm8mL8vmSVxj4nFBot3l+uGeCUk2TanJGm7TO4v"
    "LUQlTRW9N/IwGDpSs1cPG2FnBNzUTHk5lHnu8y8wptEoDVugDEnjHQjxYWTH4FKVpXaHls/2PAnU0+QJ"
    "1h7THVE9A8yu6j9ET3xWdHLwvBNHe/m+GB2hROshyxYcCKYbZXhRAeR+LyhRAiAqi6FWLn70/Kb9RlvP"
    "OfJuQy+zTt8OfuvOi+ZTv0K62g==";

/* ---- keys ---- */

static EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *k;

	if (strncmp(kind, "RSA-", 4) == 0)
		k = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 4));
	else if (tsb_streq(kind, "ED25519") || tsb_streq(kind, "X25519") ||
	    tsb_streq(kind, "ED448") || strncmp(kind, "ML-DSA-", 7) == 0)
		k = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	else if (tsb_streq(kind, "DSA")) {
		struct tsb_view der = {NULL, 0};
		const unsigned char *p;

		assert_true(enc_base64_decode(tsb_view_str(dsa_private_key), &memory, &der));
		p = der.p;
		k = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
	} else
		k = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	assert_non_null(k);
	return k;
}

static struct tsb_view
sign(EVP_PKEY *k, const char *md, struct tsb_view message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char out[8192];
	size_t n = sizeof(out);

	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, md, NULL, NULL, k, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, out, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(ctx);
	return arena_view(&memory, tsb_view_of(out, n));
}

static const char *const md_names[DIGEST__MAX] = {NULL, "SHA2-224", "SHA2-256", "SHA2-384",
    "SHA2-512", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"};

static const struct {
	const char *kind;
	enum ska_key_type type;
} good_keys[] = {
    {"RSA-1024", KEYTYPE_RSA},
    {"RSA-2048", KEYTYPE_RSA},
    {"P-256", KEYTYPE_EC},
    {"P-384", KEYTYPE_EC},
    {"P-521", KEYTYPE_EC},
    {"secp256k1", KEYTYPE_EC},
    {"brainpoolP256r1", KEYTYPE_EC},
    {"brainpoolP384r1", KEYTYPE_EC},
    {"brainpoolP512r1", KEYTYPE_EC},
    {"brainpoolP320t1", KEYTYPE_EC},
    {"DSA", KEYTYPE_DSA},
    {"ED25519", KEYTYPE_ED25519},
    {"ML-DSA-44", KEYTYPE_ML_DSA_44},
    {"ML-DSA-65", KEYTYPE_ML_DSA_65},
    {"ML-DSA-87", KEYTYPE_ML_DSA_87},
};

/* ---- signatures ---- */

static struct tsb_view
with_algorithm(enum ska_key_type type, enum ska_digest digest, struct tsb_view raw)
{
	tsb_bytes_auto der = {0};

	ska_signature_format(type, digest, raw, &der);
	return arena_view(&memory, tsb_view_bytes(&der));
}

/* Every single-bit change of the signature (a share of them) and every cut must fail. */
static void
check_damaged(struct tsb_view spki, enum ska_digest digest, struct tsb_view message,
    struct tsb_view good)
{
	unsigned char copy[8192];
	struct tsb_err err;

	memcpy(copy, good.p, good.n);
	for (size_t bit = 0; bit < good.n * 8; bit += 13 * test_stride(11)) {
		copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_refused(crypto_verify(spki, digest, message, tsb_view_of(copy, good.n),
				   &err),
		    &err, TSB_E_INVALID_SIGNATURE);
		copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	for (size_t n = 0; n < good.n; n += 7 * test_stride(5))
		assert_refused(crypto_verify(spki, digest, message, tsb_view_of(copy, n), &err),
		    &err, TSB_E_INVALID_SIGNATURE);
	copy[good.n] = 0;
	assert_refused(crypto_verify(spki, digest, message, tsb_view_of(copy, good.n + 1), &err),
	    &err, TSB_E_INVALID_SIGNATURE);
}

static void
check_digest(EVP_PKEY *k, enum ska_key_type type, enum ska_digest digest, struct tsb_view other)
{
	struct tsb_view spki = spki_of(k), message = tsb_view_str("message"), raw, der;
	struct tsb_err err;
	enum ska_digest wrong = digest == DIGEST_SHA256 ? DIGEST_SHA3_256 : DIGEST_SHA256;

	raw = sign(k, md_names[digest], message);
	if (crypto_verify(spki, digest, message, raw, &err) != 0)
		fail_msg("refused: %s", err.msg);
	der = with_algorithm(type, digest, raw);
	assert_int_equal(crypto_verify_der(spki, message, der, &err), 0);
	assert_refused(crypto_verify(spki, digest, tsb_view_str("massage"), raw, &err), &err,
	    TSB_E_INVALID_SIGNATURE);
	assert_refused(crypto_verify(spki, digest, tsb_view_str(""), raw, &err), &err,
	    TSB_E_INVALID_SIGNATURE);
	assert_refused(crypto_verify(other, digest, message, raw, &err), &err,
	    TSB_E_INVALID_SIGNATURE);
	if (digest != DIGEST_NONE) {
		assert_refused(crypto_verify(spki, wrong, message, raw, &err), &err,
		    TSB_E_INVALID_SIGNATURE);
		assert_refused(crypto_verify(spki, DIGEST_NONE, message, raw, &err), &err,
		    TSB_E_INVALID_SIGNATURE);
		der = with_algorithm(type, wrong, raw);
		assert_refused(crypto_verify_der(spki, message, der, &err), &err,
		    TSB_E_INVALID_SIGNATURE);
	} else {
		/* the digest name is not applied: one signature whatever a client says */
		assert_int_equal(crypto_verify(spki, DIGEST_SHA256, message, raw, &err), 0);
	}
	if (digest == DIGEST_SHA256 || digest == DIGEST_NONE)
		check_damaged(spki, digest, message, raw);
}

static void
test_all_kinds_of_keys_and_digests(void **state)
{
	EVP_PKEY *other_rsa = make_key("RSA-1024"), *other_ec = make_key("P-256");

	for (size_t i = 0; i < TSB_COUNT(good_keys); i++) {
		const struct pq_set *set = pq_set_by_name(good_keys[i].kind);
		EVP_PKEY *k =
		    set == NULL || pq_set_is_offered(set) ? make_key(good_keys[i].kind) : NULL;
		enum ska_key_type type = KEYTYPE__MAX;
		struct tsb_err err;

		if (k == NULL)
			continue;
		if (crypto_spki_type(spki_of(k), &type, &err) != 0)
			fail_msg("%s: %s", good_keys[i].kind, err.msg);
		assert_int_equal(type, good_keys[i].type);
		assert_int_equal(crypto_spki_check(spki_of(k), &err), 0);
		for (int d = DIGEST_NONE; d < DIGEST__MAX; d++)
			if (ska_key_type_has_digest(type) == (d != DIGEST_NONE))
				check_digest(k, type, (enum ska_digest)d,
				    spki_of(type == KEYTYPE_RSA ? other_rsa : other_ec));
		EVP_PKEY_free(k);
	}
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(other_ec);
}

/* The head of a SubjectPublicKeyInfo of ML-DSA-44 (RFC 9881), and a key of 1312 bytes. */
static struct tsb_view
ml_dsa_spki(const unsigned char key[1312])
{
	static const unsigned char head[] = {0x30, 0x82, 0x05, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60,
	    0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11, 0x03, 0x82, 0x05, 0x21, 0x00};
	tsb_bytes_auto spki = {0};

	tsb_bytes_add(&spki, head, sizeof(head));
	tsb_bytes_add(&spki, key, 1312);
	return arena_view(&memory, tsb_view_bytes(&spki));
}

/* Where OpenSSL does not know such keys, the reason is told; and some belong to nobody. */
static void
test_ml_dsa_keys_of_others(void **state)
{
	unsigned char key[1312];
	struct tsb_err err = {0};

	memset(key, 1, sizeof(key));
	if (!pq_set_is_offered(pq_set_by_name("ML-DSA-44"))) {
		assert_int_equal(crypto_spki_check(ml_dsa_spki(key), &err), -1);
		assert_int_equal(err.code, TSB_E_APPROVER_KEY_TYPE);
		assert_non_null(strstr(err.msg, "ML-DSA-44 needs OpenSSL 3.5"));
		return;
	}
	assert_int_equal(crypto_spki_check(ml_dsa_spki(key), &err), 0);
	memset(key + 32 + 320, 0, 320);
	assert_int_equal(crypto_spki_check(ml_dsa_spki(key), &err), -1);
	assert_int_equal(err.code, TSB_E_APPROVER_KEY_TYPE);
}

static void
test_empty_message(void **state)
{
	EVP_PKEY *k = make_key("P-256");
	struct tsb_view raw = sign(k, "SHA2-256", tsb_view_str(""));
	struct tsb_err err;

	assert_int_equal(crypto_verify(spki_of(k), DIGEST_SHA256, (struct tsb_view){NULL, 0}, raw,
			     &err),
	    0);
	EVP_PKEY_free(k);
}

/* An OID of another kind of key must not be taken for "the right digest". */
static void
test_algorithm_must_fit_the_key(void **state)
{
	EVP_PKEY *rsa = make_key("RSA-1024"), *ec = make_key("P-256"), *ed = make_key("ED25519");
	struct tsb_view message = tsb_view_str("message");
	struct tsb_err err;

	assert_refused(crypto_verify_der(spki_of(rsa), message,
			   with_algorithm(KEYTYPE_EC, DIGEST_SHA256,
			       sign(rsa, "SHA2-256", message)),
			   &err),
	    &err, TSB_E_INVALID_SIGNATURE);
	assert_refused(crypto_verify_der(spki_of(ec), message,
			   with_algorithm(KEYTYPE_DSA, DIGEST_SHA256,
			       sign(ec, "SHA2-256", message)),
			   &err),
	    &err, TSB_E_INVALID_SIGNATURE);
	assert_refused(crypto_verify_der(spki_of(ed), message,
			   with_algorithm(KEYTYPE_RSA, DIGEST_SHA256, sign(ed, NULL, message)),
			   &err),
	    &err, TSB_E_INVALID_SIGNATURE);
	assert_refused(crypto_verify_der(spki_of(ec), message, tsb_view_str("0123"), &err), &err,
	    TSB_E_PAYLOAD);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
}

static void
test_rsa_pss_is_not_used_for_approvals(void **state)
{
	EVP_PKEY *k = make_key("RSA-1024");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	unsigned char out[256];
	size_t n = sizeof(out);
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_PAD_MODE,
				   (char[]){"pss"}, 0),
	    OSSL_PARAM_construct_end()};
	struct tsb_err err;

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, "SHA2-256", NULL, NULL, k, params), 1);
	assert_int_equal(EVP_DigestSign(ctx, out, &n, (const unsigned char *)"message", 7), 1);
	assert_refused(crypto_verify(spki_of(k), DIGEST_SHA256, tsb_view_str("message"),
			   tsb_view_of(out, n), &err),
	    &err, TSB_E_INVALID_SIGNATURE);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
}

/* ---- keys that are refused ---- */

static void
assert_key_refused(struct tsb_view spki, enum tsb_code code)
{
	enum ska_key_type type;
	struct tsb_err err;

	assert_refused(crypto_spki_type(spki, &type, &err), &err, code);
	assert_refused(crypto_spki_check(spki, &err), &err, code);
	assert_refused(crypto_verify(spki, DIGEST_SHA256, tsb_view_str("m"), tsb_view_str("s"),
			   &err),
	    &err, code);
}

static void
assert_hex_key_refused(const char *hex, enum tsb_code code)
{
	struct tsb_view spki;

	assert_true(enc_hex_decode(tsb_view_str(hex), &memory, &spki));
	assert_key_refused(spki, code);
}

static void
test_damaged_keys(void **state)
{
	static const char *const sorts[] = {"P-256", "RSA-1024", "ED25519", "DSA"};

	assert_key_refused(tsb_view_str(""), TSB_E_PARSING_KEY);
	assert_key_refused(tsb_view_str("not a key"), TSB_E_PARSING_KEY);
	for (size_t i = 0; i < TSB_COUNT(sorts); i++) {
		EVP_PKEY *k = make_key(sorts[i]);
		struct tsb_view spki = spki_of(k);
		tsb_bytes_auto longer = {0};

		for (size_t n = 0; n < spki.n; n += 1 + n / 8)
			assert_key_refused((struct tsb_view){spki.p, n}, TSB_E_PARSING_KEY);
		tsb_bytes_add_view(&longer, spki);
		tsb_bytes_add(&longer, "", 1);
		assert_key_refused(tsb_view_bytes(&longer), TSB_E_PARSING_KEY);
		EVP_PKEY_free(k);
	}
}

static void
test_keys_of_other_kinds(void **state)
{
	static const char *const sorts[] = {"X25519", "ED448", "RSA-512", "secp224r1", "secp160k1",
	    "sect283r1"};

	for (size_t i = 0; i < TSB_COUNT(sorts); i++) {
		EVP_PKEY *k = make_key(sorts[i]);

		assert_key_refused(spki_of(k), TSB_E_APPROVER_KEY_TYPE);
		EVP_PKEY_free(k);
	}
}

/* RSA with exponent 1: every padded message is its own signature. */
static void
test_rsa_exponent_one(void **state)
{
	EVP_PKEY *k = make_key("RSA-1024");
	struct tsb_view spki = spki_of(k);
	unsigned char copy[256];

	assert_true(spki.n < sizeof(copy));
	memcpy(copy, spki.p, spki.n);
	assert_memory_equal(copy + spki.n - 5, "\x02\x03\x01\x00\x01", 5);
	memcpy(copy + spki.n - 3, "\x00\x00\x01", 3); /* not minimal: the form is wrong, too */
	assert_key_refused(tsb_view_of(copy, spki.n), TSB_E_PARSING_KEY);
	memcpy(copy + spki.n - 3, "\x01\x00\x02", 3); /* even */
	assert_key_refused(tsb_view_of(copy, spki.n), TSB_E_PARSING_KEY);
	EVP_PKEY_free(k);
	assert_hex_key_refused(/* minimal DER of n = 2^1023 + 1, e = 1 */
	    "30819d300d06092a864886f70d010101050003818b0030818702818100"
	    "8000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000001"
	    "020101",
	    TSB_E_PARSING_KEY);
}

/* The same point, compressed: it must not pass for a second approver. */
static void
test_one_key_has_one_form(void **state)
{
	EVP_PKEY *k = make_key("P-256");
	OSSL_PARAM params[] =
	    {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		 (char[]){"compressed"}, 0),
		OSSL_PARAM_construct_end()};
	struct tsb_view spki = spki_of(k);
	tsb_bytes_auto ber = {0};

	assert_int_equal(EVP_PKEY_set_params(k, params), 1);
	assert_true(spki_of(k).n < spki.n);
	assert_key_refused(spki_of(k), TSB_E_APPROVER_KEY_TYPE);
	/* the outer length in two octets instead of one: BER, not DER */
	tsb_bytes_add(&ber, "\x30\x81", 2);
	tsb_bytes_add(&ber, spki.p + 1, spki.n - 1);
	assert_key_refused(tsb_view_bytes(&ber), TSB_E_PARSING_KEY);
	EVP_PKEY_free(k);
}

static struct tsb_view
ed25519_key(const char *first, char fill, const char *last)
{
	tsb_bytes_auto der = {0};

	tsb_bytes_add(&der, "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21", 11);
	tsb_bytes_add(&der, "\0", 1);
	tsb_bytes_add(&der, first, 1);
	for (int i = 1; i < 31; i++)
		tsb_bytes_add(&der, &fill, 1);
	tsb_bytes_add(&der, last, 1);
	return arena_view(&memory, tsb_view_bytes(&der));
}

/* For these points signatures that anybody can make up verify. */
static void
test_ed25519_points_of_small_order(void **state)
{
	static const char *const order_8[] = {
	    "302a300506032b657003210026e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc",
	    "302a300506032b6570032100c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"};
	char hex[128];

	for (int sign = 0; sign <= 1; sign++) {
		assert_key_refused(ed25519_key("\0", 0, sign ? "\x80" : "\0"),
		    TSB_E_APPROVER_KEY_TYPE);
		assert_key_refused(ed25519_key("\1", 0, sign ? "\x80" : "\0"),
		    TSB_E_APPROVER_KEY_TYPE);
		assert_key_refused(ed25519_key("\xec", '\xff', sign ? "\xff" : "\x7f"),
		    TSB_E_APPROVER_KEY_TYPE);
		snprintf(hex, sizeof(hex), "%s%s", order_8[0], sign ? "85" : "05");
		assert_hex_key_refused(hex, TSB_E_APPROVER_KEY_TYPE);
		snprintf(hex, sizeof(hex), "%s%s", order_8[1], sign ? "fa" : "7a");
		assert_hex_key_refused(hex, TSB_E_APPROVER_KEY_TYPE);
	}
}

/* y + p is the same point: it must not pass for a second approver. */
static void
test_ed25519_point_has_one_form(void **state)
{
	for (int first = 0xed; first <= 0xff; first++) {
		char y = (char)first;

		assert_key_refused(ed25519_key(&y, '\xff', "\x7f"), TSB_E_PARSING_KEY);
		assert_key_refused(ed25519_key(&y, '\xff', "\xff"), TSB_E_PARSING_KEY);
	}
}

/* The key of k with another y: the last INTEGER of its SubjectPublicKeyInfo. */
static struct tsb_view
dsa_key(EVP_PKEY *k, const BIGNUM *y)
{
	unsigned char *der = NULL, *bits = NULL;
	X509_PUBKEY *spki = X509_PUBKEY_new();
	const ASN1_OBJECT *oid;
	const void *parameters;
	X509_ALGOR *algorithm;
	ASN1_INTEGER *number = BN_to_ASN1_INTEGER(y, NULL);
	X509_PUBKEY *original = NULL;
	struct tsb_view v;
	int n = i2d_ASN1_INTEGER(number, &bits), type;

	assert_int_equal(X509_PUBKEY_set(&original, k), 1);
	X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, original);
	X509_ALGOR_get0(&oid, &type, &parameters, algorithm);
	assert_int_equal(X509_PUBKEY_set0_param(spki, OBJ_dup(oid), type,
			     ASN1_STRING_dup(parameters), bits, n),
	    1);
	n = i2d_X509_PUBKEY(spki, &der);
	v = arena_view(&memory, tsb_view_of(der, (size_t)n));
	OPENSSL_free(der);
	X509_PUBKEY_free(spki);
	X509_PUBKEY_free(original);
	ASN1_INTEGER_free(number);
	return v;
}

/* y + p verifies like y, and for y = 1 anybody can sign. */
static void
test_dsa_numbers_of_wrong_order(void **state)
{
	EVP_PKEY *k = make_key("DSA");
	BIGNUM *p = NULL, *y = NULL, *other = BN_new();
	struct tsb_err err;

	assert_int_equal(EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_FFC_P, &p), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_PUB_KEY, &y), 1);
	assert_int_equal(crypto_spki_check(dsa_key(k, y), &err), 0);
	assert_key_refused(dsa_key(k, BN_value_one()), TSB_E_APPROVER_KEY_TYPE);
	assert_int_equal(BN_sub(other, p, BN_value_one()), 1);
	assert_key_refused(dsa_key(k, other), TSB_E_APPROVER_KEY_TYPE);
	assert_int_equal(BN_set_word(other, 2), 1);
	assert_key_refused(dsa_key(k, other), TSB_E_APPROVER_KEY_TYPE);
	assert_int_equal(BN_add(other, y, p), 1);
	assert_key_refused(dsa_key(k, other), TSB_E_APPROVER_KEY_TYPE);
	BN_free(p);
	BN_free(y);
	BN_free(other);
	EVP_PKEY_free(k);
}

/* In new policies; what is in force goes on (crypto_verify). */
static void
test_short_rsa_of_new_approvers(void **state)
{
	EVP_PKEY *k = make_key("RSA-1024"), *longer = make_key("RSA-2048");
	struct tsb_err err;

	assert_int_equal(crypto_spki_check(spki_of(k), &err), 0);
	assert_refused(crypto_approver_check(spki_of(k), &err), &err, TSB_E_APPROVER_KEY_TYPE);
	assert_int_equal(crypto_approver_check(spki_of(longer), &err), 0);
	crypto_approver_rsa_min(1024);
	assert_int_equal(crypto_approver_check(spki_of(k), &err), 0);
	crypto_approver_rsa_min(2048);
	EVP_PKEY_free(k);
	EVP_PKEY_free(longer);
}

static void
test_explicit_curve_parameters(void **state)
{
	EVP_PKEY *k = make_key("P-256");
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING,
				   (char[]){"explicit"}, 0),
	    OSSL_PARAM_construct_end()};

	assert_int_equal(EVP_PKEY_set_params(k, params), 1);
	assert_true(spki_of(k).n > 200);
	assert_key_refused(spki_of(k), TSB_E_APPROVER_KEY_TYPE);
	EVP_PKEY_free(k);
}

static void
test_point_must_be_on_the_curve(void **state)
{
	EVP_PKEY *k = make_key("P-256");
	struct tsb_view spki = spki_of(k);
	unsigned char copy[128];

	memcpy(copy, spki.p, spki.n);
	copy[spki.n - 1] ^= 1;
	assert_key_refused(tsb_view_of(copy, spki.n), TSB_E_PARSING_KEY);
	EVP_PKEY_free(k);
}

/* More keys than the cache holds, asked for again and again, in another order. */
static void
test_cache_never_mixes_keys(void **state)
{
	enum { KEYS = 150 };
	static struct tsb_view spki[KEYS], raw[KEYS];
	struct tsb_err err;

	for (size_t i = 0; i < KEYS; i++) {
		EVP_PKEY *k = make_key("P-256");

		spki[i] = spki_of(k);
		raw[i] = sign(k, "SHA2-256", tsb_view_str("message"));
		EVP_PKEY_free(k);
	}
	for (size_t round = 0; round < 5 * KEYS; round += test_stride(4)) {
		size_t i = round * 7 % KEYS, other = (i + 1) % KEYS;

		assert_int_equal(crypto_verify(spki[i], DIGEST_SHA256, tsb_view_str("message"),
				     raw[i], &err),
		    0);
		assert_refused(crypto_verify(spki[i], DIGEST_SHA256, tsb_view_str("message"),
				   raw[other], &err),
		    &err, TSB_E_INVALID_SIGNATURE);
	}
}

/* ---- PEM ---- */

static void
test_pem(void **state)
{
	static const struct {
		const char *pem;
		bool good;
	} rows[] = {
	    {"AAEC", true},
	    {" AA\r\nEC\n", true},
	    {"-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n", true},
	    {"\n-----BEGIN PUBLIC KEY-----\r\nAA\r\nEC\r\n-----END PUBLIC KEY-----", true},
	    {"-----BEGIN X-----AAEC-----END X-----", true},
	    {"", false},
	    {"-----BEGIN X-----\n-----END X-----", false},
	    {"-----BEGIN X-----\nAAEC\n-----END Y-----", false},
	    {"-----BEGIN X-----\nAAEC\n-----END XX-----", false},
	    {"-----BEGIN X-----\nAAEC\n-----END X----", false},
	    {"-----BEGIN X-----\nAAEC\n", false},
	    {"-----BEGIN X-----\nAAEC", false},
	    {"-----BEGIN ", false},
	    {"-----BEGIN X", false},
	    {"-----BEGIN X-----", false},
	    {"-----BEGIN -----\nAAEC\n-----END -----", false},
	    {"AAEC\n-----END X-----", false},
	    {"x\n-----BEGIN X-----\nAAEC\n-----END X-----", false},
	    {"-----BEGIN X-----\nAAEC\n-----END X-----\ntail", false},
	    {"-----BEGIN X-----\nAAEC\n-----END X-----\n-----BEGIN X-----\nAAEC\n-----END X-----",
		false},
	    {"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAEC\n-----END X-----", false},
	    {"-----BEGIN X-----\nAAE\n-----END X-----", false},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view der;
		struct tsb_err err;
		int rc = crypto_pem_to_der(tsb_view_str(rows[i].pem), &memory, &der, &err);

		if (rows[i].good) {
			if (rc != 0)
				fail_msg("row %zu: %s", i, err.msg);
			assert_view_equal(der, tsb_view_of("\0\1\2", 3));
		} else {
			assert_refused(rc, &err, TSB_E_READING_PEM);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_kinds_of_keys_and_digests),
	    cmocka_unit_test(test_ml_dsa_keys_of_others),
	    cmocka_unit_test(test_empty_message),
	    cmocka_unit_test(test_algorithm_must_fit_the_key),
	    cmocka_unit_test(test_rsa_pss_is_not_used_for_approvals),
	    cmocka_unit_test(test_damaged_keys),
	    cmocka_unit_test(test_keys_of_other_kinds),
	    cmocka_unit_test(test_rsa_exponent_one),
	    cmocka_unit_test(test_one_key_has_one_form),
	    cmocka_unit_test(test_ed25519_points_of_small_order),
	    cmocka_unit_test(test_ed25519_point_has_one_form),
	    cmocka_unit_test(test_dsa_numbers_of_wrong_order),
	    cmocka_unit_test(test_short_rsa_of_new_approvers),
	    cmocka_unit_test(test_explicit_curve_parameters),
	    cmocka_unit_test(test_point_must_be_on_the_curve),
	    cmocka_unit_test(test_cache_never_mixes_keys),
	    cmocka_unit_test(test_pem),
	};

	return cmocka_run_group_tests(tests, NULL, memory_clear);
}
