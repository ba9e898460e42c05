#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/base/file.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/private.h"
#include "tests/unit/crypto_help.h"
#include "tests/unit/vectors.h"

static void
assert_key_refused(int rc, const struct tsb_err *err, enum tsb_code code)
{
	assert_refused_as(rc, err, code, "key");
}

static struct crypto_private *
made(const char *type)
{
	struct crypto_private *key;
	struct tsb_err err;

	if (crypto_private_new(type, &key, &err))
		fail_msg("%s: %s", type, err.msg);
	return key;
}

static const struct {
	const char *type;
	enum ska_digest digest;
} types[] = {
    {"p256", DIGEST_SHA256},
    {"rsa", DIGEST_SHA256}, /* odd: valgrind makes one RSA key only */
    {"p384", DIGEST_SHA384},
    {"p521", DIGEST_SHA512},
    {"secp256k1", DIGEST_SHA256},
    {"ed25519", DIGEST_NONE},
    {"ml-dsa-44", DIGEST_NONE},
    {"ml-dsa-65", DIGEST_NONE},
    {"ml-dsa-87", DIGEST_NONE},
};

/* Whether this OpenSSL has such keys; if not, that is what it says. */
static bool
is_offered(const char *type)
{
	struct crypto_private *key = NULL;
	struct tsb_err err = {0};

	if (strncmp(type, "ml-dsa-", 7) != 0)
		return true;
	if (crypto_private_new(type, &key, &err) == 0) {
		crypto_private_free(&key);
		return true;
	}
	assert_int_equal(err.code, TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_non_null(strstr(err.msg, "needs OpenSSL 3.5"));
	return false;
}

static void
test_keys_of_all_types_sign_what_the_public_half_verifies(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(types) && is_offered(types[i].type); i++) {
		crypto_private_auto *key = made(types[i].type);
		tsb_bytes_auto signature = {0};
		enum ska_digest digest;
		struct tsb_err err;

		assert_int_equal(crypto_private_digest(key), types[i].digest);
		assert_int_equal(crypto_spki_digest(crypto_private_spki(key), &digest, &err), 0);
		assert_int_equal(digest, types[i].digest);
		assert_int_equal(crypto_private_sign(key, tsb_view_str("message"), &signature,
				     &err),
		    0);
		assert_int_equal(crypto_verify(crypto_private_spki(key), digest,
				     tsb_view_str("message"), tsb_view_bytes(&signature), &err),
		    0);
		assert_int_equal(crypto_verify(crypto_private_spki(key), digest,
				     tsb_view_str("massage"), tsb_view_bytes(&signature), &err),
		    -1);
		assert_int_equal(err.code, TSB_E_INVALID_SIGNATURE);
	}
}

static void
test_an_unknown_type_is_refused(void **state)
{
	static const char *const wrong[] = {"", "RSA", "p-256", "dsa"};

	for (size_t i = 0; i < TSB_COUNT(wrong); i++) {
		struct crypto_private *key;
		struct tsb_err err;

		assert_key_refused(crypto_private_new(wrong[i], &key, &err), &err, TSB_E_INPUT);
	}
}

static void
test_files_come_back_as_the_same_key(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(types) && is_offered(types[i].type); i += test_stride(2)) {
		crypto_private_auto *key = made(types[i].type);
		crypto_private_auto *again = NULL;
		tsb_bytes_auto pem = {0};
		struct tsb_err err;

		assert_int_equal(crypto_private_pem(key, NULL, &pem, &err), 0);
		assert_non_null(strstr(tsb_bytes_cstr(&pem), "BEGIN PRIVATE KEY"));
		assert_int_equal(crypto_private_load(tsb_view_bytes(&pem), NULL, &again, &err), 0);
		assert_true(tsb_view_eq(crypto_private_spki(key), crypto_private_spki(again)));
	}
}

static void
test_an_encrypted_file_needs_its_passphrase(void **state)
{
	crypto_private_auto *key = made("p256");
	crypto_private_auto *again = NULL;
	struct crypto_private *none = NULL;
	tsb_bytes_auto pem = {0};
	struct tsb_err err;

	assert_int_equal(crypto_private_pem(key, "correct horse", &pem, &err), 0);
	assert_non_null(strstr(tsb_bytes_cstr(&pem), "BEGIN ENCRYPTED PRIVATE KEY"));
	assert_key_refused(crypto_private_load(tsb_view_bytes(&pem), NULL, &none, &err), &err,
	    TSB_E_DECRYPT_FAILED);
	assert_non_null(strstr(err.msg, "encrypted"));
	if (test_stride(2) == 1) { /* each try takes a minute under valgrind */
		assert_key_refused(crypto_private_load(tsb_view_bytes(&pem), "wrong horse", &none,
				       &err),
		    &err, TSB_E_DECRYPT_FAILED);
		assert_non_null(strstr(err.msg, "passphrase is wrong"));
	}
	assert_null(none);
	assert_int_equal(crypto_private_load(tsb_view_bytes(&pem), "correct horse", &again, &err),
	    0);
	assert_true(tsb_view_eq(crypto_private_spki(key), crypto_private_spki(again)));
}

/* "BEGIN EC PRIVATE KEY", in the clear and as openssl ec -aes256 writes it. */
static void
test_older_forms_are_read(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	for (int encrypted = 0; encrypted < 2; encrypted++) {
		crypto_private_auto *again = NULL;
		BIO *bio = BIO_new(BIO_s_mem());
		struct tsb_view pem;
		struct tsb_err err;
		char *p;

		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key,
				     encrypted ? EVP_aes_256_cbc() : NULL,
				     encrypted ? (unsigned char *)"word" : NULL, encrypted ? 4 : 0,
				     NULL, NULL),
		    1);
		pem.n = (size_t)BIO_get_mem_data(bio, &p);
		pem.p = (unsigned char *)p;
		assert_non_null(memmem(pem.p, pem.n, "BEGIN EC PRIVATE KEY", 20));
		if (encrypted)
			assert_key_refused(crypto_private_load(pem, NULL, &again, &err), &err,
			    TSB_E_DECRYPT_FAILED);
		assert_int_equal(crypto_private_load(pem, encrypted ? "word" : NULL, &again, &err),
		    0);
		BIO_free(bio);
	}
	EVP_PKEY_free(key);
}

/*
 * One wrong passphrase in two hundred leaves a good padding behind, and bytes that are no key; old
 * files are under ciphers that may not be there.
 */
static void
test_a_wrong_passphrase_is_not_taken_for_an_old_cipher(void **state)
{
	static const struct {
		const char *file, *passphrase;
	} rows[] = {{"pkcs8-encrypted", "wrong80"}, {"pkcs8-pbe-md5-des", "wrong"}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto a = {0};
		crypto_private_auto *key = NULL;
		const char *path = arena_printf(&a, "%s/tests/fuzz/corpus/credentials/%s",
		    getenv("SRC"), rows[i].file);
		struct crypto_private *none = NULL;
		struct tsb_view pem;
		struct tsb_err err;

		assert_int_equal(tsb_file_load(path, 4096, &a, &pem, &err), 0);
		if (crypto_private_load(pem, "secret", &key, &err)) {
			assert_non_null(strstr(err.msg, "-legacy")); /* not installed */
			continue;
		}
		assert_key_refused(crypto_private_load(pem, rows[i].passphrase, &none, &err), &err,
		    TSB_E_DECRYPT_FAILED);
		assert_non_null(strstr(err.msg, "passphrase is wrong"));
	}
}

static void
test_what_is_no_usable_key_is_refused(void **state)
{
	static const struct {
		const char *name, *algorithm, *curve;
		enum tsb_code code;
	} rows[] = {
	    {"another curve", "EC", "P-224", TSB_E_APPROVER_KEY_TYPE},
	    {"a key that cannot sign", "X25519", NULL, TSB_E_APPROVER_KEY_TYPE},
	};
	static const char *const texts[] = {"", "no key",
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
	struct crypto_private *none = NULL;
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		EVP_PKEY *key = rows[i].curve
		    ? EVP_PKEY_Q_keygen(NULL, NULL, rows[i].algorithm, rows[i].curve)
		    : EVP_PKEY_Q_keygen(NULL, NULL, rows[i].algorithm);
		BIO *bio = BIO_new(BIO_s_mem());
		size_t n;
		char *p;

		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
		    1);
		n = (size_t)BIO_get_mem_data(bio, &p);
		assert_key_refused(crypto_private_load(tsb_view_of(p, n), NULL, &none, &err), &err,
		    rows[i].code);
		BIO_free(bio);
		EVP_PKEY_free(key);
	}
	for (size_t i = 0; i < TSB_COUNT(texts); i++)
		assert_key_refused(crypto_private_load(tsb_view_str(texts[i]), NULL, &none, &err),
		    &err, TSB_E_PARSING_KEY);
	assert_key_refused(crypto_private_decode(tsb_view_str("no key"), &none, &err), &err,
	    TSB_E_PARSING_KEY);
	assert_null(none);
}

static void
test_the_key_of_a_container_is_taken(void **state)
{
	tsb_bytes_auto pkcs8 = {0};
	crypto_private_auto *key = NULL;
	struct tsb_err err;

	assert_int_equal(crypto_rsa_new(2048, tsb_view_str(""), &pkcs8, &err), 0);
	assert_int_equal(crypto_private_decode(tsb_view_bytes(&pkcs8), &key, &err), 0);
	assert_int_equal(crypto_private_digest(key), DIGEST_SHA256);
}

static void
test_public_keys_are_written_as_openssl_does(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(types) && is_offered(types[i].type); i += test_stride(2)) {
		crypto_private_auto *key = made(types[i].type);
		const unsigned char *der = crypto_private_spki(key).p;
		EVP_PKEY *public = d2i_PUBKEY(NULL, &der, (long)crypto_private_spki(key).n);
		BIO *bio = BIO_new(BIO_s_mem());
		tsb_bytes_auto pem = {0};
		struct tsb_view expected;
		char *p;

		assert_int_equal(PEM_write_bio_PUBKEY(bio, public), 1);
		expected.n = (size_t)BIO_get_mem_data(bio, &p);
		expected.p = (unsigned char *)p;
		crypto_spki_pem(crypto_private_spki(key), &pem);
		assert_true(tsb_view_eq(tsb_view_bytes(&pem), expected));
		BIO_free(bio);
		EVP_PKEY_free(public);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys_of_all_types_sign_what_the_public_half_verifies),
	    cmocka_unit_test(test_an_unknown_type_is_refused),
	    cmocka_unit_test(test_files_come_back_as_the_same_key),
	    cmocka_unit_test(test_an_encrypted_file_needs_its_passphrase),
	    cmocka_unit_test(test_older_forms_are_read),
	    cmocka_unit_test(test_a_wrong_passphrase_is_not_taken_for_an_old_cipher),
	    cmocka_unit_test(test_what_is_no_usable_key_is_refused),
	    cmocka_unit_test(test_the_key_of_a_container_is_taken),
	    cmocka_unit_test(test_public_keys_are_written_as_openssl_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
