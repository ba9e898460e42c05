/* Certificates: what is read from them, and which bytes are none. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "lib/crypto/crypto.h"
#include "tests/unit/crypto_help.h"
#include "tests/unit/vectors.h"

#define BEFORE 1700000000
#define AFTER  1800000000

static struct tsb_view
make_certificate(EVP_PKEY *k, const char *cn, int cn_size)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();
	unsigned char *der = NULL;
	struct tsb_view v;
	int n;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	ASN1_TIME_set(X509_getm_notBefore(x), BEFORE);
	ASN1_TIME_set(X509_getm_notAfter(x), AFTER);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Bank", -1, -1,
	    0);
	if (cn != NULL)
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn,
		    cn_size, -1, 0);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, k);
	assert_true(X509_sign(x, k, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	v = arena_view(&memory, tsb_view_of(der, (size_t)n));
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(x);
	return v;
}

static void
test_certificate(void **state)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	struct tsb_view cert = make_certificate(k, "B\xc3\xbcrgi", -1), spki;
	const char *name;
	struct tsb_err err;

	assert_int_equal(crypto_cert_spki(cert, &memory, &spki, &err), 0);
	assert_view_equal(spki, spki_of(k));
	assert_int_equal(crypto_cert_common_name(cert, &memory, &name, &err), 0);
	assert_string_equal(name, "B\xc3\xbcrgi");
	assert_int_equal(crypto_cert_valid_at(cert, BEFORE, &err), 0);
	assert_int_equal(crypto_cert_valid_at(cert, AFTER, &err), 0);
	assert_refused(crypto_cert_valid_at(cert, BEFORE - 1, &err), &err,
	    TSB_E_INVALID_CERTIFICATE);
	assert_refused(crypto_cert_valid_at(cert, AFTER + 1, &err), &err,
	    TSB_E_INVALID_CERTIFICATE);

	cert = make_certificate(k, NULL, 0);
	assert_int_equal(crypto_cert_common_name(cert, &memory, &name, &err), 0);
	assert_null(name);
	cert = make_certificate(k, "evil\0good", 9);
	assert_refused(crypto_cert_common_name(cert, &memory, &name, &err), &err,
	    TSB_E_PARSING_CERTIFICATE);
	EVP_PKEY_free(k);
}

static void
test_damaged_certificates(void **state)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	struct tsb_view cert = make_certificate(k, "a", -1), spki;
	tsb_bytes_auto longer = {0};
	struct tsb_err err;

	for (size_t n = 0; n < cert.n; n += 5)
		assert_refused(crypto_cert_spki((struct tsb_view){cert.p, n}, &memory, &spki, &err),
		    &err, TSB_E_PARSING_CERTIFICATE);
	tsb_bytes_add_view(&longer, cert);
	tsb_bytes_add(&longer, "", 1);
	assert_refused(crypto_cert_spki(tsb_view_bytes(&longer), &memory, &spki, &err), &err,
	    TSB_E_PARSING_CERTIFICATE);
	tsb_bytes_reset(&longer);
	tsb_bytes_add_view(&longer, cert);
	tsb_bytes_add_view(&longer, cert);
	assert_refused(crypto_cert_valid_at(tsb_view_bytes(&longer), BEFORE, &err), &err,
	    TSB_E_PARSING_CERTIFICATE);
	assert_refused(crypto_cert_spki(spki_of(k), &memory, &spki, &err), &err,
	    TSB_E_PARSING_CERTIFICATE);
	EVP_PKEY_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_certificate),
	    cmocka_unit_test(test_damaged_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, memory_clear);
}
