/*
 * crypto_signature_check(): signatures that OpenSSL made of each family of algorithms, and forms of
 * a published Ethereum transaction; what does not fit the key, the payload or the form asked for.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "lib/base/arena.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/signature.h"

static const char message[] = "pay 100 to harro";

static struct tsb_view
hex(struct arena *a, const char *text)
{
	struct tsb_view v;

	assert_true(enc_hex_decode(tsb_view_str(text), a, &v));
	return v;
}

static void
add_spki(EVP_PKEY *key, struct tsb_bytes *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	assert_true(n > 0);
	tsb_bytes_add(out, der, (size_t)n);
	OPENSSL_free(der);
}

static enum tsb_code
check(EVP_PKEY *key, const char *algorithm, const char *type, struct tsb_view payload,
    struct tsb_view signature)
{
	tsb_bytes_auto spki = {0};
	struct tsb_err err = {0};

	add_spki(key, &spki);
	return crypto_signature_check(tsb_view_bytes(&spki),
		   &(struct crypto_signed){.algorithm = algorithm,
		       .type = type,
		       .payload = payload,
		       .signature = signature},
		   &err)
	    ? err.code
	    : TSB_OK;
}

/* What verifies, and no more once a byte of payload or signature is another or missing. */
static void
check_all(EVP_PKEY *key, const char *algorithm, const char *type, struct tsb_view payload,
    struct tsb_bytes *sig)
{
	tsb_bytes_auto other = {0};
	struct tsb_view v = tsb_view_bytes(sig);

	tsb_bytes_add_view(&other, payload);
	other.p[0] ^= 1;
	if (check(key, algorithm, type, payload, v) != TSB_OK)
		fail_msg("%s does not verify", algorithm);
	assert_int_equal(check(key, algorithm, type, tsb_view_bytes(&other), v),
	    TSB_E_INVALID_SIGNATURE);
	assert_int_equal(check(key, algorithm, type, payload, tsb_view_of(v.p, v.n - 1)),
	    TSB_E_INVALID_SIGNATURE);
	assert_int_equal(check(key, algorithm, type, payload, (struct tsb_view){0}),
	    TSB_E_INVALID_SIGNATURE);
	for (size_t i = 0; i < sig->n; i += 1 + sig->n / 16) {
		sig->p[i] ^= 1;
		assert_int_equal(check(key, algorithm, type, payload, v), TSB_E_INVALID_SIGNATURE);
		sig->p[i] ^= 1;
	}
}

/* Signs in itself: with md NULL, or for a digest that OpenSSL does not have. */
static void
sign_input(EVP_PKEY *key, int padding, const EVP_MD *md, struct tsb_view in, struct tsb_bytes *out)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char sig[1024];
	size_t n = sizeof(sig);

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	if (padding)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 1);
	if (md)
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &n, in.p, in.n), 1);
	tsb_bytes_add(out, sig, n);
}

static struct tsb_view
digest_of(enum hash h, unsigned char out[HASH_SIZE_MAX])
{
	struct tsb_err err;

	assert_int_equal(hash_compute(h, tsb_view_str(message), out, &err), 0);
	return tsb_view_of(out, hash_size(h));
}

/* ---- RSA ---- */

static void
test_rsa(void **state)
{
	static const struct {
		const char *message, *digest;
		enum hash hash;
		int padding;
	} rows[] = {
	    {"SHA1_WITH_RSA", "NONESHA1_WITH_RSA", HASH_SHA1, RSA_PKCS1_PADDING},
	    {"SHA256_WITH_RSA", "NONESHA256_WITH_RSA", HASH_SHA256, RSA_PKCS1_PADDING},
	    {"SHA512_WITH_RSA", "NONESHA512_WITH_RSA", HASH_SHA512, RSA_PKCS1_PADDING},
	    {"SHA224_WITH_RSA_PSS", "NONESHA224_WITH_RSA_PSS", HASH_SHA224, RSA_PKCS1_PSS_PADDING},
	    {"SHA384_WITH_RSA_PSS", "NONE_WITH_RSA_PSS", HASH_SHA384, RSA_PKCS1_PSS_PADDING},
	};
	pkey_auto *key = EVP_RSA_gen(2048);

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		unsigned char buf[HASH_SIZE_MAX];
		struct tsb_view digest = digest_of(rows[i].hash, buf);
		tsb_bytes_auto sig = {0};

		sign_input(key, rows[i].padding, hash_md(rows[i].hash), digest, &sig);
		check_all(key, rows[i].message, NULL, tsb_view_str(message), &sig);
		check_all(key, rows[i].digest, "DER", digest, &sig);
	}
}

static void
test_rsa_over_any_bytes(void **state)
{
	pkey_auto *key = EVP_RSA_gen(2048);
	tsb_bytes_auto sig = {0};

	sign_input(key, RSA_PKCS1_PADDING, NULL, tsb_view_str(message), &sig);
	check_all(key, "NONE_WITH_RSA", NULL, tsb_view_str(message), &sig);
}

/* ---- ECDSA ---- */

static void
check_forms(EVP_PKEY *key, const char *algorithm, struct tsb_view payload, struct tsb_view digest)
{
	tsb_bytes_auto der = {0};
	tsb_bytes_auto raw = {0};
	struct tsb_err err;

	sign_input(key, 0, NULL, digest, &der);
	assert_int_equal(ecdsa_to_raw(curve_of(key), tsb_view_bytes(&der), &raw, &err), 0);
	check_all(key, algorithm, NULL, payload, &der);
	check_all(key, algorithm, "RAW", payload, &raw);
	/* A right signature in the wrong form is not what was asked for. */
	assert_int_equal(check(key, algorithm, "RAW", payload, tsb_view_bytes(&der)),
	    TSB_E_INVALID_SIGNATURE);
	assert_int_equal(check(key, algorithm, "DER", payload, tsb_view_bytes(&raw)),
	    TSB_E_INVALID_SIGNATURE);
}

static void
test_ecdsa(void **state)
{
	static const struct {
		const char *name;
		enum hash hash;
	} rows[] = {
	    {"SHA256_WITH_ECDSA", HASH_SHA256},
	    {"SHA3512_WITH_ECDSA", HASH_SHA3_512},
	    {"KECCAK224_WITH_ECDSA", HASH_KECCAK_224},
	    {"KECCAK256_WITH_ECDSA", HASH_KECCAK_256},
	    {"KECCAK512_WITH_ECDSA", HASH_KECCAK_512},
	    {"DOUBLE_SHA256_WITH_ECDSA", HASH_DOUBLE_SHA256},
	    {"SHA256_WITH_ECDSA_DETERMINISTIC", HASH_SHA256},
	};
	static const char *const groups[] = {"P-256", "secp256k1", "P-521"};

	for (size_t g = 0; g < TSB_COUNT(groups); g++) {
		pkey_auto *key = EVP_EC_gen(groups[g]);

		for (size_t i = 0; i < TSB_COUNT(rows); i++) {
			unsigned char buf[HASH_SIZE_MAX];
			struct tsb_view digest = digest_of(rows[i].hash, buf);

			check_forms(key, rows[i].name, tsb_view_str(message), digest);
			if (digest.n <= 32 || strcmp(groups[g], "P-521") == 0)
				check_forms(key, "NONE_WITH_ECDSA", digest, digest);
		}
	}
}

/* The example of EIP-155: private key 46...46, nonce 9, 1 ether, chain 1. */
#define ETH_SPKI                                                                                   \
	"3056301006072a8648ce3d020106052b8104000a034200044bc2a31265153f07e70e0bab08724e6b85e217f8" \
	"cd628ceb62974247bb493382ce28cab79ad7119ee1ad3ebcdb98a16805211530ecc6cfefa1b88e6dff99232a"
#define ETH_TRANSACTION                                                                            \
	"ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000800180" \
	"80"
#define ETH_R       "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
#define ETH_S       "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
#define ETH_MINUS_S "98341627668089e51348fccfb4c7ff31c55912f2d2e47ef09652acf665fad3be"

static void
test_ethereum_known_answer(void **state)
{
	static const struct {
		const char *type, *signature;
		enum tsb_code code;
	} rows[] = {
	    {"ETH", ETH_R ETH_S "1b", TSB_OK},
	    {"RAW", ETH_R ETH_S, TSB_OK},
	    {"RAW", ETH_R ETH_MINUS_S, TSB_OK}, /* ECDSA has two */
	    {"ETH", ETH_R ETH_S "1c", TSB_E_INVALID_SIGNATURE}, /* another key's */
	    {"ETH", ETH_R ETH_S "00", TSB_E_INVALID_SIGNATURE}, /* not as it is written */
	    {"ETH", ETH_R ETH_S, TSB_E_INVALID_SIGNATURE},
	    {"ETH", ETH_R ETH_MINUS_S "1c", TSB_E_INVALID_SIGNATURE}, /* the upper half */
	    {"RAW", ETH_R ETH_S "1b", TSB_E_INVALID_SIGNATURE},
	    {"DER", ETH_R ETH_S, TSB_E_INVALID_SIGNATURE},
	};
	arena_auto a = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_err err = {0};

		(void)!crypto_signature_check(hex(&a, ETH_SPKI),
		    &(struct crypto_signed){.algorithm = "KECCAK256_WITH_ECDSA",
			.type = rows[i].type,
			.payload = hex(&a, ETH_TRANSACTION),
			.signature = hex(&a, rows[i].signature)},
		    &err);
		if (err.code != rows[i].code)
			fail_msg("row %zu: %d %s", i, err.code, err.msg);
	}
}

/* ---- EdDSA ---- */

/* RFC 8032, 7.1, test 3, and test 1: an empty message. */
static void
test_ed25519_known_answers(void **state)
{
	static const char prefix[] = "302a300506032b6570032100";
	static const struct {
		const char *key, *message, *signature;
	} rows[] = {
	    {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f2"
		"90ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	    {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33b"
		"acc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
	};
	arena_auto a = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto spki = {0};
		struct crypto_signed what = {.algorithm = "EDDSA",
		    .signature = hex(&a, rows[i].signature)};
		struct tsb_err err = {0};

		tsb_bytes_add_view(&spki, hex(&a, prefix));
		tsb_bytes_add_view(&spki, hex(&a, rows[i].key));
		what.payload = hex(&a, rows[i].message);
		assert_int_equal(crypto_signature_check(tsb_view_bytes(&spki), &what, &err), 0);
		what.payload = tsb_view_str("b");
		assert_int_equal(crypto_signature_check(tsb_view_bytes(&spki), &what, &err), -1);
		assert_int_equal(err.code, TSB_E_INVALID_SIGNATURE);
	}
}

/* ---- what does not fit ---- */

static void
test_what_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *algorithm, *type;
		size_t n;
		enum tsb_code code;
	} rows[] = {
	    {"SHA256_WITH_RSA", NULL, 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"EDDSA", NULL, 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ML_DSA", NULL, 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"NONE_WITH_EC_SCHNORR_BIP0340", NULL, 32, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"sha256_with_ecdsa", NULL, 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"", NULL, 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"KECCAK256_WITH_ECDSA", "ETH", 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"KECCAK256_WITH_ECDSA", "PEM", 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"NONE_WITH_ECDSA", NULL, 65, TSB_E_PAYLOAD},
	    {"NONE_WITH_ECDSA", NULL, 48, TSB_E_PAYLOAD},
	    {"NONE_WITH_ECDSA", NULL, 0, TSB_E_PAYLOAD},
	};
	pkey_auto *key = EVP_EC_gen("P-256");
	unsigned char zeros[65] = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (check(key, rows[i].algorithm, rows[i].type, tsb_view_of(zeros, rows[i].n),
			tsb_view_of(zeros, 64)) != rows[i].code)
			fail_msg("row %zu", i);
}

static void
test_keys_that_cannot_sign_are_refused(void **state)
{
	pkey_auto *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	tsb_bytes_auto spki = {0};
	struct tsb_err err = {0};
	const struct crypto_signed what = {.algorithm = "EDDSA",
	    .payload = tsb_view_str("p"),
	    .signature = tsb_view_str("s")};

	assert_int_equal(check(x25519, "EDDSA", NULL, what.payload, what.signature),
	    TSB_E_ALGORITHM_NOT_SUPPORTED);
	add_spki(x25519, &spki);
	for (size_t n = 0; n < spki.n; n++) {
		assert_int_equal(crypto_signature_check(tsb_view_of(spki.p, n), &what, &err), -1);
		assert_int_equal(err.code, TSB_E_PARSING_KEY);
	}
	tsb_bytes_add(&spki, "", 1);
	assert_int_equal(crypto_signature_check(tsb_view_bytes(&spki), &what, &err), -1);
	assert_int_equal(err.code, TSB_E_PARSING_KEY);
}

/* The public key of RFC 8554, F.1, as RFC 9708 writes it: no OpenSSL of today reads it. */
static void
test_signatures_of_lms_are_left_to_the_hsm(void **state)
{
	static const char lms[] =
	    "304e300d060b2a864886f70d0109100311033d0000000002000000050000000461"
	    "a5d57d37f5e46bfb7520806b07a1b850650e3b31fe4a773ea29a07f09cf2ea30"
	    "e579f0df58ef8e298da0434cb2b878";
	const struct crypto_signed what = {.algorithm = "LMS",
	    .payload = tsb_view_str("p"),
	    .signature = tsb_view_str("s")};
	struct tsb_err err = {0};
	arena_auto a = {0};

	assert_int_equal(crypto_signature_check(hex(&a, lms), &what, &err), -1);
	assert_int_equal(err.code, TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_int_equal(crypto_signature_fits(hex(&a, lms), "LMS", 1, &err), 0);
}

static void
test_fits_tells_before_there_is_a_signature(void **state)
{
	static const struct {
		const char *type, *algorithm;
		size_t n;
		enum tsb_code code; /* TSB_OK: it fits, or only an HSM can tell */
	} rows[] = {
	    {"ED25519", "EDDSA", 0, TSB_OK},
	    {"ED25519", "SHA256_WITH_ECDSA", 0, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"P-256", "SHA256_WITH_ECDSA", 1000, TSB_OK},
	    {"P-256", "SHA256_WITH_RSA_PSS", 1000, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"P-256", "NONE_WITH_EC_SCHNORR_BIP0340", 32, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"X25519", "EDDSA", 0, TSB_OK},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		pkey_auto *key = rows[i].type[0] == 'P'
		    ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", rows[i].type)
		    : EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type);
		tsb_bytes_auto spki = {0};
		struct tsb_err err = {0};
		int rc;

		add_spki(key, &spki);
		rc = crypto_signature_fits(tsb_view_bytes(&spki), rows[i].algorithm, rows[i].n,
		    &err);
		if (rc != (rows[i].code == TSB_OK ? 0 : -1) ||
		    (rc != 0 && err.code != rows[i].code))
			fail_msg("row %zu: %d %s", i, err.code, err.msg);
		spki.n--;
		assert_int_equal(crypto_signature_fits(tsb_view_bytes(&spki), rows[i].algorithm,
				     rows[i].n, &err),
		    0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rsa),
	    cmocka_unit_test(test_rsa_over_any_bytes),
	    cmocka_unit_test(test_ecdsa),
	    cmocka_unit_test(test_ethereum_known_answer),
	    cmocka_unit_test(test_ed25519_known_answers),
	    cmocka_unit_test(test_what_does_not_fit_is_refused),
	    cmocka_unit_test(test_keys_that_cannot_sign_are_refused),
	    cmocka_unit_test(test_signatures_of_lms_are_left_to_the_hsm),
	    cmocka_unit_test(test_fits_tells_before_there_is_a_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
