/* Certificates and requests: built here, read back with OpenSSL. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/x509.h"
#include "tests/unit/crypto_help.h"

#define NOW               1780000000 /* 2026 */
#define SERVER_AUTH       (1U << 1)
#define DIGITAL_SIGNATURE (1U << 0)
#define KEY_CERT_SIGN     (1U << 5)
#define DECIPHER_ONLY     (1U << 8)

/* ---- keys, made once ---- */

enum { RSA_KEY, P256_KEY, P384_KEY, ED_KEY, CA_KEY, NKEYS };
static EVP_PKEY *keys[NKEYS];
static struct tsb_view spkis[NKEYS];

static int
group_setup(void **state)
{
	keys[RSA_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	keys[P256_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	keys[P384_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	keys[ED_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys[CA_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	for (int i = 0; i < NKEYS; i++)
		spkis[i] = spki_of(keys[i]);
	return 0;
}

static int
group_teardown(void **state)
{
	for (int i = 0; i < NKEYS; i++)
		EVP_PKEY_free(keys[i]);
	arena_clear(&memory);
	return 0;
}

/* What an HSM does with "sign these bytes". */
static struct tsb_view
sign(int key, const char *md, bool pss, int salt, struct tsb_view message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	unsigned char sig[512];
	size_t n = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL, keys[key], NULL), 1);
	if (pss) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt) > 0);
	}
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(ctx);
	return arena_view(&memory, tsb_view_of(sig, n));
}

static const struct scheme *
algorithm(const char *name, int key)
{
	const struct scheme *alg = NULL;
	struct tsb_err err = {0};

	if (x509_algorithm(name, spkis[key], &alg, &err))
		fail_msg("%s: %s", name, err.msg);
	return alg;
}

static struct tsb_view
name_of(const char *common_name)
{
	const char *text[DN__MAX] = {[DN_COMMON_NAME] = common_name, [DN_COUNTRY] = "CH"};
	tsb_bytes_auto der = {0};
	struct tsb_err err = {0};

	assert_int_equal(x509_name(text, &der, &err), 0);
	return arena_view(&memory, tsb_view_bytes(&der));
}

static struct tsb_view
key_id(int key)
{
	tsb_bytes_auto id = {0};
	struct tsb_err err = {0};

	assert_int_equal(x509_key_id(spkis[key], &id, &err), 0);
	assert_int_equal(id.n, 20);
	return arena_view(&memory, tsb_view_bytes(&id));
}

static X509 *
read_cert(struct tsb_bytes *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	assert_non_null(x);
	BIO_free(bio);
	return x;
}

static X509_REQ *
read_req(struct tsb_bytes *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509_REQ *r = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	assert_non_null(r);
	BIO_free(bio);
	return r;
}

static struct tsb_view
issue(struct x509_content *c, int key, const char *alg, const char *md, struct tsb_bytes *pem)
{
	tsb_bytes_auto tbs = {0};
	struct tsb_err err = {0};

	c->algorithm = algorithm(alg, key);
	assert_int_equal(x509_certificate_content(c, &tbs, &err), 0);
	if (x509_assemble(X509_KIND_CERTIFICATE, tsb_view_bytes(&tbs), c->algorithm,
		sign(key, md, false, 0, tsb_view_bytes(&tbs)), spkis[key], pem, &err))
		fail_msg("%s", err.msg);
	return arena_view(&memory, tsb_view_bytes(&tbs));
}

static struct x509_content
self_signed(int key, const char *name, bool authority)
{
	return (struct x509_content){
	    .subject = name_of(name),
	    .issuer = name_of(name),
	    .spki = spkis[key],
	    .issuer_key_id = key_id(key),
	    .authority = authority,
	    .not_before = NOW,
	    .days = 365,
	};
}

/* ---- algorithms ---- */

static void
test_every_algorithm_makes_certificates_that_verify(void **state)
{
	static const struct {
		const char *name;
		int key;
		const char *md;
		int salt, nid;
	} rows[] = {
	    {"SHA224_WITH_RSA", RSA_KEY, "SHA2-224", -1, NID_sha224WithRSAEncryption},
	    {"SHA256_WITH_RSA", RSA_KEY, "SHA2-256", -1, NID_sha256WithRSAEncryption},
	    {"SHA384_WITH_RSA", RSA_KEY, "SHA2-384", -1, NID_sha384WithRSAEncryption},
	    {"SHA512_WITH_RSA", RSA_KEY, "SHA2-512", -1, NID_sha512WithRSAEncryption},
	    {"SHA224_WITH_RSA_PSS", RSA_KEY, "SHA2-224", 28, NID_rsassaPss},
	    {"SHA256_WITH_RSA_PSS", RSA_KEY, "SHA2-256", 32, NID_rsassaPss},
	    {"SHA384_WITH_RSA_PSS", RSA_KEY, "SHA2-384", 48, NID_rsassaPss},
	    {"SHA512_WITH_RSA_PSS", RSA_KEY, "SHA2-512", 64, NID_rsassaPss},
	    {"SHA224_WITH_ECDSA", P256_KEY, "SHA2-224", -1, NID_ecdsa_with_SHA224},
	    {"SHA256_WITH_ECDSA", P256_KEY, "SHA2-256", -1, NID_ecdsa_with_SHA256},
	    {"SHA384_WITH_ECDSA", P384_KEY, "SHA2-384", -1, NID_ecdsa_with_SHA384},
	    {"SHA512_WITH_ECDSA", P384_KEY, "SHA2-512", -1, NID_ecdsa_with_SHA512},
	    {"SHA256_WITH_ECDSA_DETERMINISTIC", P256_KEY, "SHA2-256", -1, NID_ecdsa_with_SHA256},
	    {"EDDSA", ED_KEY, NULL, -1, NID_ED25519},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct x509_content c = self_signed(rows[i].key, rows[i].name, true);
		tsb_bytes_auto tbs = {0};
		tsb_bytes_auto pem = {0};
		struct tsb_err err = {0};
		const X509_ALGOR *outer;
		X509 *x;

		c.algorithm = algorithm(rows[i].name, rows[i].key);
		assert_int_equal(x509_certificate_content(&c, &tbs, &err), 0);
		if (x509_assemble(X509_KIND_CERTIFICATE, tsb_view_bytes(&tbs), c.algorithm,
			sign(rows[i].key, rows[i].md, rows[i].salt > 0, rows[i].salt,
			    tsb_view_bytes(&tbs)),
			spkis[rows[i].key], &pem, &err))
			fail_msg("%s: %s", rows[i].name, err.msg);
		x = read_cert(&pem);
		assert_int_equal(X509_get_signature_nid(x), rows[i].nid);
		X509_get0_signature(NULL, &outer, x);
		assert_int_equal(X509_ALGOR_cmp(X509_get0_tbs_sigalg(x), outer), 0);
		assert_int_equal(X509_verify(x, keys[rows[i].key]), 1);
		X509_free(x);
	}
}

static void
test_algorithms_that_do_not_fit(void **state)
{
	static const struct {
		const char *name;
		int key;
		const char *says;
	} rows[] = {
	    {"SHA1_WITH_RSA", RSA_KEY, "makes no certificates"},
	    {"SHA1_WITH_ECDSA", P256_KEY, "makes no certificates"},
	    {"NONE_WITH_RSA", RSA_KEY, "makes no certificates"},
	    {"NONESHA256_WITH_RSA", RSA_KEY, "makes no certificates"},
	    {"NONE_WITH_ECDSA", P256_KEY, "makes no certificates"},
	    {"KECCAK256_WITH_ECDSA", P256_KEY, "makes no certificates"},
	    {"SHA3256_WITH_ECDSA", P256_KEY, "makes no certificates"},

	    {"DOUBLE_SHA256_WITH_ECDSA", P256_KEY, "makes no certificates"},
	    {"NONE_WITH_EC_SCHNORR_BIP0340", P256_KEY, "makes no certificates"},
	    {"SHA256_WITH_DSA", P256_KEY, "makes no certificates"},
	    {"ML_DSA", ED_KEY, "makes no certificates"},
	    {"SHA256_WITH_RSA", P256_KEY, "does not fit the key"},
	    {"SHA256_WITH_RSA_PSS", ED_KEY, "does not fit the key"},
	    {"SHA256_WITH_ECDSA", RSA_KEY, "does not fit the key"},
	    {"EDDSA", P256_KEY, "does not fit the key"},
	};
	const struct scheme *alg;
	struct tsb_err broken = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_err err = {0};

		assert_refused_as(x509_algorithm(rows[i].name, spkis[rows[i].key], &alg, &err),
		    &err, TSB_E_ALGORITHM_NOT_SUPPORTED, rows[i].says);
	}
	assert_refused_as(x509_algorithm("EDDSA", tsb_view_str("junk"), &alg, &broken), &broken,
	    TSB_E_ALGORITHM_NOT_SUPPORTED, "does not fit the key");
}

/* ---- certificates ---- */

static void
assert_critical(const X509 *x, int nid, bool critical)
{
	int at = X509_get_ext_by_NID(x, nid, -1);

	assert_true(at >= 0);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(x, at)), critical);
	assert_int_equal(X509_get_ext_by_NID(x, nid, at), -1);
}

static void
test_self_signed_authority(void **state)
{
	struct x509_content c = self_signed(CA_KEY, "authority", true);
	tsb_bytes_auto pem = {0};
	unsigned char *again = NULL;
	struct tm from, to;
	struct tsb_view tbs;
	X509 *x;
	int n;

	c.key_usage = KEY_CERT_SIGN | 1U << 6;
	tbs = issue(&c, CA_KEY, "SHA256_WITH_ECDSA", "SHA2-256", &pem);
	x = read_cert(&pem);
	assert_int_equal(X509_get_version(x), 2);
	assert_critical(x, NID_basic_constraints, true);
	assert_critical(x, NID_key_usage, true);
	assert_critical(x, NID_subject_key_identifier, false);
	assert_critical(x, NID_authority_key_identifier, false);
	assert_int_equal(X509_get_ext_by_NID(x, NID_ext_key_usage, -1), -1);
	assert_int_equal(X509_get_ext_count(x), 4);
	assert_int_equal(X509_check_ca(x), 1);
	assert_int_equal(X509_get_key_usage(x), X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN);
	assert_int_equal(ASN1_STRING_cmp(X509_get0_subject_key_id(x),
			     X509_get0_authority_key_id(x)),
	    0);
	assert_int_equal(X509_check_issued(x, x), X509_V_OK);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(x), &from), 1);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(x), &to), 1);
	assert_int_equal(timegm(&from), NOW);
	assert_int_equal(timegm(&to), NOW + 365 * 86400L);
	/* approved bytes = bytes inside */
	n = i2d_re_X509_tbs(x, &again);
	assert_true(tsb_view_eq(tbs, tsb_view_of(again, (size_t)n)));
	OPENSSL_free(again);
	X509_free(x);
}

static void
test_chain_verifies(void **state)
{
	struct x509_content ca = self_signed(CA_KEY, "authority", true);
	struct x509_content leaf = {
	    .subject = name_of("server"),
	    .spki = spkis[RSA_KEY],
	    .key_usage = DIGITAL_SIGNATURE,
	    .extended_key_usage = SERVER_AUTH,
	    .not_before = NOW,
	    .days = 30,
	};
	tsb_bytes_auto ca_pem = {0};
	tsb_bytes_auto leaf_pem = {0};
	unsigned char *der = NULL;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	struct tsb_err err = {0};
	X509 *ca_x, *leaf_x;
	struct tsb_view ca_der;
	int n;

	ca.key_usage = KEY_CERT_SIGN;
	issue(&ca, CA_KEY, "SHA256_WITH_ECDSA", "SHA2-256", &ca_pem);
	ca_x = read_cert(&ca_pem);
	n = i2d_X509(ca_x, &der);
	ca_der = tsb_view_of(der, (size_t)n);
	assert_int_equal(crypto_cert_subject(ca_der, &memory, &leaf.issuer, &err), 0);
	assert_int_equal(crypto_cert_key_id(ca_der, &memory, &leaf.issuer_key_id, &err), 0);
	assert_true(tsb_view_eq(leaf.issuer, ca.subject));
	assert_true(tsb_view_eq(leaf.issuer_key_id, key_id(CA_KEY)));
	issue(&leaf, CA_KEY, "SHA256_WITH_ECDSA", "SHA2-256", &leaf_pem);
	leaf_x = read_cert(&leaf_pem);

	assert_critical(leaf_x, NID_basic_constraints, true);
	assert_critical(leaf_x, NID_ext_key_usage, true);
	assert_int_equal(X509_get_extended_key_usage(leaf_x), XKU_SSL_SERVER);
	assert_int_equal(X509_check_ca(leaf_x), 0);
	X509_STORE_add_cert(store, ca_x);
	X509_STORE_CTX_init(ctx, store, leaf_x, NULL);
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), NOW + 60);
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
	X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), X509_PURPOSE_SSL_SERVER);
	if (X509_verify_cert(ctx) != 1)
		fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(ca_x);
	X509_free(leaf_x);
	OPENSSL_free(der);
}

/* OpenSSL writes the same value for the same bits: nine of them need a second octet. */
static void
test_key_usages_are_minimal_der(void **state)
{
	for (unsigned usage = 1; usage < 1U << 9; usage++) {
		struct x509_content c = self_signed(CA_KEY, "u", false);
		ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
		unsigned char *want = NULL;
		tsb_bytes_auto tbs = {0};
		struct tsb_err err = {0};
		int n;

		c.key_usage = usage;
		c.algorithm = algorithm("SHA256_WITH_ECDSA", CA_KEY);
		assert_int_equal(x509_certificate_content(&c, &tbs, &err), 0);
		for (int i = 0; i <= 8; i++)
			assert_true(ASN1_BIT_STRING_set_bit(bits, i, (int)(usage >> i & 1)));
		n = i2d_ASN1_BIT_STRING(bits, &want);
		assert_non_null(memmem(tbs.p, tbs.n, want, (size_t)n));
		OPENSSL_free(want);
		ASN1_BIT_STRING_free(bits);
	}
}

static void
test_all_extended_usages(void **state)
{
	static const int want[] = {NID_anyExtendedKeyUsage, NID_server_auth, NID_client_auth,
	    NID_code_sign, NID_email_protect, NID_time_stamp, NID_OCSP_sign};
	struct x509_content c = self_signed(CA_KEY, "u", false);
	tsb_bytes_auto pem = {0};
	EXTENDED_KEY_USAGE *list;
	X509 *x;

	c.extended_key_usage = (1U << TSB_COUNT(want)) - 1;
	issue(&c, CA_KEY, "SHA256_WITH_ECDSA", "SHA2-256", &pem);
	x = read_cert(&pem);
	list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	assert_int_equal(sk_ASN1_OBJECT_num(list), TSB_COUNT(want));
	for (int i = 0; i < (int)TSB_COUNT(want); i++)
		assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(list, i)), want[i]);
	EXTENDED_KEY_USAGE_free(list);
	X509_free(x);
}

static void
test_serial_numbers_are_random_and_positive(void **state)
{
	unsigned char seen[50][16];

	for (size_t i = 0; i < TSB_COUNT(seen); i++) {
		struct x509_content c = self_signed(ED_KEY, "s", false);
		tsb_bytes_auto pem = {0};
		const ASN1_INTEGER *serial;
		X509 *x;

		issue(&c, ED_KEY, "EDDSA", NULL, &pem);
		x = read_cert(&pem);
		serial = X509_get0_serialNumber(x);
		assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER);
		assert_int_equal(ASN1_STRING_length(serial), 16);
		memcpy(seen[i], ASN1_STRING_get0_data(serial), 16);
		assert_true(seen[i][0] < 0x80);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 16);
		X509_free(x);
	}
}

static void
test_validity_beyond_2049(void **state)
{
	struct x509_content c = self_signed(CA_KEY, "long", false);
	tsb_bytes_auto pem = {0};
	X509 *x;

	c.days = 36525;
	issue(&c, CA_KEY, "SHA256_WITH_ECDSA", "SHA2-256", &pem);
	x = read_cert(&pem);
	assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(x)), V_ASN1_UTCTIME);
	assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(x)), V_ASN1_GENERALIZEDTIME);
	X509_free(x);
}

static void
test_signature_of_another_key_is_not_put_in(void **state)
{
	struct x509_content c = self_signed(CA_KEY, "a", false);
	tsb_bytes_auto tbs = {0};
	tsb_bytes_auto pem = {0};
	struct tsb_err err = {0};
	struct tsb_view v;

	c.algorithm = algorithm("SHA256_WITH_ECDSA", CA_KEY);
	assert_int_equal(x509_certificate_content(&c, &tbs, &err), 0);
	v = tsb_view_bytes(&tbs);
	assert_refused_as(x509_assemble(X509_KIND_CERTIFICATE, v, c.algorithm,
			      sign(P256_KEY, "SHA2-256", false, 0, v), spkis[CA_KEY], &pem, &err),
	    &err, TSB_E_HSM, "does not verify");
	assert_refused_as(x509_assemble(X509_KIND_CERTIFICATE, v, c.algorithm,
			      sign(CA_KEY, "SHA2-384", false, 0, v), spkis[CA_KEY], &pem, &err),
	    &err, TSB_E_HSM, "does not verify");
	assert_refused_as(x509_assemble(X509_KIND_CERTIFICATE, v, c.algorithm, tsb_view_str(""),
			      spkis[CA_KEY], &pem, &err),
	    &err, TSB_E_HSM, "does not verify");
	assert_refused_as(x509_assemble(X509_KIND_REQUEST, v, c.algorithm,
			      sign(CA_KEY, "SHA2-256", false, 0, v), spkis[CA_KEY], &pem, &err),
	    &err, TSB_E_HSM, "does not verify");
	assert_int_equal(pem.n, 0);
}

static void
test_broken_public_key(void **state)
{
	struct x509_content c = self_signed(CA_KEY, "a", false);
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	c.algorithm = algorithm("SHA256_WITH_ECDSA", CA_KEY);
	c.spki = tsb_view_of(c.spki.p, c.spki.n - 1);
	assert_refused_as(x509_certificate_content(&c, &out, &err), &err, TSB_E_PARSING_KEY,
	    "decode");
	assert_int_equal(out.n, 0);
}

static void
test_certificate_and_its_key(void **state)
{
	struct x509_content c = self_signed(CA_KEY, "a", false);
	tsb_bytes_auto pem = {0};
	unsigned char *der = NULL;
	struct tsb_view cert;
	struct tsb_err err = {0};
	X509 *x;

	issue(&c, CA_KEY, "SHA256_WITH_ECDSA", "SHA2-256", &pem);
	x = read_cert(&pem);
	cert = tsb_view_of(NULL, (size_t)i2d_X509(x, &der));
	cert.p = der;
	assert_int_equal(crypto_cert_check_key(cert, spkis[CA_KEY], &err), 0);
	/* the same point, written in another way */
	EVP_PKEY_set_utf8_string_param(keys[CA_KEY], OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
	    "compressed");
	assert_true(spki_of(keys[CA_KEY]).n < spkis[CA_KEY].n);
	assert_int_equal(crypto_cert_check_key(cert, spki_of(keys[CA_KEY]), &err), 0);
	EVP_PKEY_set_utf8_string_param(keys[CA_KEY], OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
	    "uncompressed");
	assert_refused_as(crypto_cert_check_key(cert, spkis[P256_KEY], &err), &err,
	    TSB_E_INVALID_CERTIFICATE, "another key");
	assert_refused_as(crypto_cert_check_key(cert, spkis[RSA_KEY], &err), &err,
	    TSB_E_INVALID_CERTIFICATE, "another key");
	assert_refused_as(crypto_cert_check_key(cert, tsb_view_str("junk"), &err), &err,
	    TSB_E_INVALID_CERTIFICATE, "another key");
	X509_free(x);
	OPENSSL_free(der);
}

/* A certificate without the extension gets the identifier that its key would have. */
static void
test_issuer_without_key_identifier(void **state)
{
	X509 *x = X509_new();
	unsigned char *der = NULL;
	struct tsb_view id, name;
	struct tsb_err err = {0};
	int n;

	X509_set_pubkey(x, keys[CA_KEY]);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 60);
	assert_true(X509_sign(x, keys[CA_KEY], EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert_int_equal(crypto_cert_key_id(tsb_view_of(der, (size_t)n), &memory, &id, &err), 0);
	assert_true(tsb_view_eq(id, key_id(CA_KEY)));
	assert_refused_as(crypto_cert_subject(tsb_view_of(der, (size_t)n), &memory, &name, &err),
	    &err, TSB_E_PARSING_CERTIFICATE, "no subject");
	OPENSSL_free(der);
	X509_free(x);
}

/* ---- requests ---- */

static void
make_request(int key, const char *alg, const char *md, unsigned usage, unsigned extended,
    struct tsb_bytes *pem)
{
	struct x509_content c = {
	    .subject = name_of("applicant"),
	    .spki = spkis[key],
	    .key_usage = usage,
	    .extended_key_usage = extended,
	};
	tsb_bytes_auto info = {0};
	struct tsb_err err = {0};
	struct tsb_view v;

	x509_request_content(&c, &info);
	v = tsb_view_bytes(&info);
	if (x509_assemble(X509_KIND_REQUEST, v, algorithm(alg, key), sign(key, md, false, 0, v),
		spkis[key], pem, &err))
		fail_msg("%s", err.msg);
}

static struct tsb_view
to_der(X509_REQ *r)
{
	unsigned char *der = NULL;
	int n = i2d_X509_REQ(r, &der);
	struct tsb_view v = arena_view(&memory, tsb_view_of(der, (size_t)n));

	OPENSSL_free(der);
	return v;
}

static void
test_request_is_written_and_read_back(void **state)
{
	static const struct {
		int key;
		const char *alg, *md;
	} rows[] = {
	    {RSA_KEY, "SHA256_WITH_RSA", "SHA2-256"},
	    {P384_KEY, "SHA384_WITH_ECDSA", "SHA2-384"},
	    {ED_KEY, "EDDSA", NULL},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto pem = {0};
		struct x509_request back;
		struct tsb_err err = {0};
		STACK_OF(X509_EXTENSION) * list;
		X509_REQ *r;

		make_request(rows[i].key, rows[i].alg, rows[i].md,
		    DIGITAL_SIGNATURE | DECIPHER_ONLY, SERVER_AUTH, &pem);
		assert_memory_equal(pem.p, "-----BEGIN NEW CERTIFICATE REQUEST-----\n", 40);
		r = read_req(&pem);
		assert_int_equal(X509_REQ_get_version(r), 0);
		assert_int_equal(X509_REQ_verify(r, keys[rows[i].key]), 1);
		list = X509_REQ_get_extensions(r);
		assert_int_equal(sk_X509_EXTENSION_num(list), 2);
		for (int e = 0; e < 2; e++)
			assert_true(X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(list, e)));
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
		assert_int_equal(x509_request_read(to_der(r), &memory, &back, &err), 0);
		assert_true(tsb_view_eq(back.subject, name_of("applicant")));
		assert_true(tsb_view_eq(back.spki, spkis[rows[i].key]));
		X509_REQ_free(r);
	}
}

static void
test_requests_that_are_refused(void **state)
{
	tsb_bytes_auto pem = {0};
	struct x509_request back;
	struct tsb_view good;
	unsigned char bad[2048];
	X509_REQ *r;

	make_request(P256_KEY, "SHA256_WITH_ECDSA", "SHA2-256", 0, 0, &pem);
	r = read_req(&pem);
	assert_int_equal(X509_REQ_get_attr_count(r), 0);
	good = to_der(r);
	assert_true(good.n < sizeof(bad));
	X509_REQ_free(r);

	for (size_t n = 0; n < good.n; n++) {
		struct tsb_err err = {0};

		assert_refused_as(x509_request_read(tsb_view_of(good.p, n), &memory, &back, &err),
		    &err, TSB_E_CSR_FORMAT, "certificateSigningRequest");
	}
	memcpy(bad, good.p, good.n);
	bad[good.n] = 0;
	{
		struct tsb_err err = {0};

		assert_refused_as(x509_request_read(tsb_view_of(bad, good.n + 1), &memory, &back,
				      &err),
		    &err, TSB_E_CSR_FORMAT, "behind its end");
	}
	/* every change of one byte is malformed or no longer signed */
	for (size_t i = 0; i < good.n; i++) {
		struct tsb_err err = {0};

		memcpy(bad, good.p, good.n);
		bad[i] ^= 0x01;
		assert_int_equal(x509_request_read(tsb_view_of(bad, good.n), &memory, &back, &err),
		    -1);
		assert_true(err.code == TSB_E_CSR_FORMAT || err.code == TSB_E_INVALID_CSR);
	}
	memcpy(bad, good.p, good.n);
	bad[good.n - 1] ^= 0x01;
	{
		struct tsb_err err = {0};

		assert_refused_as(x509_request_read(tsb_view_of(bad, good.n), &memory, &back, &err),
		    &err, TSB_E_INVALID_CSR, "not signed by its own key");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_algorithm_makes_certificates_that_verify),
	    cmocka_unit_test(test_algorithms_that_do_not_fit),
	    cmocka_unit_test(test_self_signed_authority),
	    cmocka_unit_test(test_chain_verifies),
	    cmocka_unit_test(test_key_usages_are_minimal_der),
	    cmocka_unit_test(test_all_extended_usages),
	    cmocka_unit_test(test_serial_numbers_are_random_and_positive),
	    cmocka_unit_test(test_validity_beyond_2049),
	    cmocka_unit_test(test_signature_of_another_key_is_not_put_in),
	    cmocka_unit_test(test_broken_public_key),
	    cmocka_unit_test(test_certificate_and_its_key),
	    cmocka_unit_test(test_issuer_without_key_identifier),
	    cmocka_unit_test(test_request_is_written_and_read_back),
	    cmocka_unit_test(test_requests_that_are_refused),
	};

	return cmocka_run_group_tests_name("x509", tests, group_setup, group_teardown);
}
