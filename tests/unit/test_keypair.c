#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crypto/keypair.h"
#include "tests/unit/crypto_help.h"
#include "tests/unit/vectors.h"

#define NOW 1767225600 /* 2026-01-01 */
#define DAY 86400

/* Made once: keys are dear. */
static struct tsb_bytes key, cert;
static int
group_setup(void **state)
{
	struct tsb_err err = {0};

	return crypto_rsa_new(2048, tsb_view_str("bytes of the HSM"), &key, &err) ||
	    crypto_cert_self_signed(tsb_view_bytes(&key), "officer", NOW, 30, &cert, &err);
}

static int
group_teardown(void **state)
{
	tsb_bytes_clear(&key);
	tsb_bytes_clear(&cert);
	arena_clear(&memory);
	return 0;
}

/* ---- keys and certificates ---- */

static void
test_keys_differ_with_the_same_seed(void **state)
{
	tsb_bytes_auto other = {0};
	struct tsb_err err;

	assert_int_equal(crypto_rsa_new(2048, tsb_view_str("bytes of the HSM"), &other, &err), 0);
	assert_false(tsb_view_eq(tsb_view_bytes(&key), tsb_view_bytes(&other)));
}

static void
test_certificate(void **state)
{
	struct tsb_view der = tsb_view_bytes(&cert), spki;
	const char *name;
	struct tsb_err err;

	assert_int_equal(crypto_cert_common_name(der, &memory, &name, &err), 0);
	assert_string_equal(name, "officer");
	assert_int_equal(crypto_cert_spki(der, &memory, &spki, &err), 0);
	assert_int_equal(crypto_spki_check(spki, &err), 0);
	assert_int_equal(crypto_cert_valid_at(der, NOW, &err), 0);
	assert_int_equal(crypto_cert_valid_at(der, NOW + 30 * DAY, &err), 0);
	assert_refused(crypto_cert_valid_at(der, NOW - 1, &err), &err, TSB_E_INVALID_CERTIFICATE);
	assert_refused(crypto_cert_valid_at(der, NOW + 30 * DAY + 1, &err), &err,
	    TSB_E_INVALID_CERTIFICATE);
}

static void
test_certificate_of_a_long_name_and_a_long_time(void **state)
{
	tsb_bytes_auto out = {0};
	char name[256];
	const char *read;
	struct tsb_err err;

	memset(name, 'n', 255);
	name[255] = '\0';
	memcpy(name, "J\xc3\xb6rg \xe6\xbc\xa2", 9);
	assert_int_equal(crypto_cert_self_signed(tsb_view_bytes(&key), name, NOW, 36525, &out,
			     &err),
	    0);
	assert_int_equal(crypto_cert_common_name(tsb_view_bytes(&out), &memory, &read, &err), 0);
	assert_string_equal(read, name);
	assert_int_equal(crypto_cert_valid_at(tsb_view_bytes(&out), NOW + 36525LL * DAY, &err), 0);
	assert_refused(crypto_cert_valid_at(tsb_view_bytes(&out), NOW + 36525LL * DAY + 1, &err),
	    &err, TSB_E_INVALID_CERTIFICATE);
}

static void
test_broken_private_key(void **state)
{
	tsb_bytes_auto out = {0};
	struct tsb_view whole = tsb_view_bytes(&key);
	struct tsb_err err;

	assert_refused(crypto_cert_self_signed(tsb_view_str("no key"), "x", NOW, 1, &out, &err),
	    &err, TSB_E_DATA_CONSTELLATION);
	assert_refused(crypto_cert_self_signed(tsb_view_of(whole.p, whole.n - 1), "x", NOW, 1, &out,
			   &err),
	    &err, TSB_E_DATA_CONSTELLATION);
	assert_refused(crypto_cert_self_signed(tsb_view_of(NULL, 0), "x", NOW, 1, &out, &err), &err,
	    TSB_E_DATA_CONSTELLATION);
}

/* ---- sealing for a public key ---- */

static void
test_oaep(void **state)
{
	tsb_bytes_auto one = {0}, two = {0};
	struct tsb_view spki;
	struct tsb_err err;
	char big[300];

	memset(big, 'x', sizeof(big));
	assert_int_equal(crypto_cert_spki(tsb_view_bytes(&cert), &memory, &spki, &err), 0);
	assert_int_equal(crypto_rsa_oaep_seal(spki, tsb_view_str("secret"), &one, &err), 0);
	assert_int_equal(crypto_rsa_oaep_seal(spki, tsb_view_str("secret"), &two, &err), 0);
	assert_int_equal(one.n, 256);
	assert_false(tsb_view_eq(tsb_view_bytes(&one), tsb_view_bytes(&two)));
	assert_refused(crypto_rsa_oaep_seal(spki, tsb_view_of(big, sizeof(big)), &one, &err), &err,
	    TSB_E_TECHNICAL);
	assert_refused(crypto_rsa_oaep_seal(tsb_view_str("x"), tsb_view_str("secret"), &one, &err),
	    &err, TSB_E_PARSING_KEY);
	assert_int_equal(one.n, 256);
}

/* ---- containers ---- */

static void
test_container(void **state)
{
	static const char *const passwords[] = {"p", "correct horse",
	    "\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x94\x91"};
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(passwords); i += test_stride(TSB_COUNT(passwords))) {
		tsb_bytes_auto container = {0}, back = {0};

		assert_int_equal(crypto_pkcs12_seal(tsb_view_bytes(&key), tsb_view_bytes(&cert),
				     "alias", tsb_view_str(passwords[i]), &container, &err),
		    0);
		assert_int_equal(crypto_pkcs12_open(tsb_view_bytes(&container),
				     tsb_view_str(passwords[i]), &back, &err),
		    0);
		assert_true(tsb_view_eq(tsb_view_bytes(&back), tsb_view_bytes(&key)));
		tsb_bytes_reset(&back);
		assert_refused(crypto_pkcs12_open(tsb_view_bytes(&container), tsb_view_str("other"),
				   &back, &err),
		    &err, TSB_E_DECRYPT_FAILED);
		assert_refused(crypto_pkcs12_open(tsb_view_bytes(&container), tsb_view_str(""),
				   &back, &err),
		    &err, TSB_E_DECRYPT_FAILED);
		assert_int_equal(back.n, 0);
	}
}

static void
test_container_changed(void **state)
{
	tsb_bytes_auto container = {0}, back = {0};
	struct tsb_err err;

	assert_int_equal(crypto_pkcs12_seal(tsb_view_bytes(&key), tsb_view_bytes(&cert), "alias",
			     tsb_view_str("p"), &container, &err),
	    0);
	container.p[container.n / 2] ^= 1;
	assert_refused(crypto_pkcs12_open(tsb_view_bytes(&container), tsb_view_str("p"), &back,
			   &err),
	    &err, TSB_E_DECRYPT_FAILED);
	assert_refused(crypto_pkcs12_open(tsb_view_of(container.p, 10), tsb_view_str("p"), &back,
			   &err),
	    &err, TSB_E_DECRYPT_FAILED);
	assert_refused(crypto_pkcs12_open(tsb_view_of(NULL, 0), tsb_view_str("p"), &back, &err),
	    &err, TSB_E_DECRYPT_FAILED);
}

/* A password that OpenSSL would cut at the NUL must not become a shorter one. */
static void
test_container_password_with_nul(void **state)
{
	tsb_bytes_auto out = {0};
	struct tsb_err err;

	assert_refused(crypto_pkcs12_seal(tsb_view_bytes(&key), tsb_view_bytes(&cert), "alias",
			   tsb_view_of("a\0b", 3), &out, &err),
	    &err, TSB_E_INPUT);
	assert_refused(crypto_pkcs12_open(tsb_view_bytes(&key), tsb_view_of("a\0b", 3), &out, &err),
	    &err, TSB_E_INPUT);
	assert_int_equal(out.n, 0);
}

/* ---- transport ---- */

static void
test_gcm(void **state)
{
	static const size_t sizes[] = {16, 32};
	const char *password = "0123456789abcdef0123456789abcdef";
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		struct tsb_view k = tsb_view_of(password, sizes[i]), sealed, iv;
		unsigned char nonce[GCM_IV_SIZE];
		tsb_bytes_auto out = {0}, back = {0};

		assert_int_equal(crypto_gcm_seal(k, tsb_view_str("container"), nonce, &out, &err),
		    0);
		assert_int_equal(out.n, 9 + 16);
		sealed = tsb_view_bytes(&out);
		iv = tsb_view_of(nonce, sizeof(nonce));
		assert_int_equal(crypto_gcm_open(k, iv, sealed, &back, &err), 0);
		assert_true(tsb_view_eq(tsb_view_bytes(&back), tsb_view_str("container")));
		tsb_bytes_reset(&back);
		for (size_t at = 0; at < out.n; at++) {
			out.p[at] ^= 1;
			assert_refused(crypto_gcm_open(k, iv, sealed, &back, &err), &err,
			    TSB_E_DECRYPT_FAILED);
			out.p[at] ^= 1;
		}
		assert_refused(crypto_gcm_open(k, iv, tsb_view_of(out.p, 15), &back, &err), &err,
		    TSB_E_DECRYPT_FAILED);
		assert_refused(crypto_gcm_open(k, tsb_view_str("short"), sealed, &back, &err), &err,
		    TSB_E_DECRYPT_FAILED);
		assert_int_equal(back.n, 0);
	}
}

/* NIST SP 800-38D, test case 2 of the GCM specification: zero key, zero IV, one zero block. */
static void
test_gcm_known_answer(void **state)
{
	static const unsigned char zero[16],
	    sealed[] = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9,
		0x71, 0xb2, 0xfe, 0x78, 0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd, 0xf5, 0x3a,
		0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf};
	tsb_bytes_auto back = {0};
	struct tsb_err err;

	assert_int_equal(crypto_gcm_open(tsb_view_of(zero, 16), tsb_view_of(zero, 12),
			     tsb_view_of(sealed, sizeof(sealed)), &back, &err),
	    0);
	assert_true(tsb_view_eq(tsb_view_bytes(&back), tsb_view_of(zero, 16)));
}

static void
test_gcm_keys_of_other_lengths(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 17, 24, 31, 33};
	unsigned char bytes[33] = {0}, nonce[GCM_IV_SIZE];
	tsb_bytes_auto out = {0};
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		struct tsb_view k = tsb_view_of(bytes, sizes[i]);

		assert_refused(crypto_gcm_seal(k, tsb_view_str("x"), nonce, &out, &err), &err,
		    TSB_E_INPUT);
		assert_refused(crypto_gcm_open(k, tsb_view_of(nonce, 12), tsb_view_of(bytes, 20),
				   &out, &err),
		    &err, TSB_E_INPUT);
	}
	assert_int_equal(out.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys_differ_with_the_same_seed),
	    cmocka_unit_test(test_certificate),
	    cmocka_unit_test(test_certificate_of_a_long_name_and_a_long_time),
	    cmocka_unit_test(test_broken_private_key),
	    cmocka_unit_test(test_oaep),
	    cmocka_unit_test(test_container),
	    cmocka_unit_test(test_container_changed),
	    cmocka_unit_test(test_container_password_with_nul),
	    cmocka_unit_test(test_gcm),
	    cmocka_unit_test(test_gcm_known_answer),
	    cmocka_unit_test(test_gcm_keys_of_other_lengths),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
