/* Subjects of certificates, read back with OpenSSL. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/x509.h"
#include "tests/unit/crypto_help.h"

static void
test_subject_has_all_attributes_in_order(void **state)
{
	static const char *const text[DN__MAX] = {"common \xc3\xa9", "CH", "state", "locality",
	    "organization", "unit", "NTRCH-1", "a@example.com", "title", "surname", "given", "g.s.",
	    "pseudonym", "III"};
	static const struct {
		int nid, type;
	} want[DN__MAX] = {
	    {NID_commonName, V_ASN1_UTF8STRING},
	    {NID_countryName, V_ASN1_PRINTABLESTRING},
	    {NID_stateOrProvinceName, V_ASN1_UTF8STRING},
	    {NID_localityName, V_ASN1_UTF8STRING},
	    {NID_organizationName, V_ASN1_UTF8STRING},
	    {NID_organizationalUnitName, V_ASN1_UTF8STRING},
	    {NID_organizationIdentifier, V_ASN1_UTF8STRING},
	    {NID_pkcs9_emailAddress, V_ASN1_IA5STRING},
	    {NID_title, V_ASN1_UTF8STRING},
	    {NID_surname, V_ASN1_UTF8STRING},
	    {NID_givenName, V_ASN1_UTF8STRING},
	    {NID_initials, V_ASN1_UTF8STRING},
	    {NID_pseudonym, V_ASN1_UTF8STRING},
	    {NID_generationQualifier, V_ASN1_UTF8STRING},
	};
	tsb_bytes_auto der = {0};
	struct tsb_err err = {0};
	const unsigned char *p;
	X509_NAME *name;

	assert_int_equal(x509_name(text, &der, &err), 0);
	p = der.p;
	name = d2i_X509_NAME(NULL, &p, (long)der.n);
	assert_int_equal(X509_NAME_entry_count(name), DN__MAX);
	for (int i = 0; i < DN__MAX; i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		ASN1_STRING *s = X509_NAME_ENTRY_get_data(e);

		assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)), want[i].nid);
		assert_int_equal(ASN1_STRING_type(s), want[i].type);
		assert_int_equal(X509_NAME_ENTRY_set(e), i);
		assert_true(tsb_view_eq(tsb_view_of(ASN1_STRING_get0_data(s),
					    (size_t)ASN1_STRING_length(s)),
		    tsb_view_str(text[i])));
	}
	X509_NAME_free(name);
}

static void
test_subject_refusals(void **state)
{
	static const char longest[] =
	    "0123456789012345678901234567890123456789012345678901234567890123";
	static const struct {
		enum x509_attribute at;
		const char *text, *says;
	} rows[] = {
	    {DN_COMMON_NAME, "", "commonName"},
	    {DN_COMMON_NAME, "01234567890123456789012345678901234567890123456789012345678901234",
		"commonName must have 1 to 64 characters"},
	    {DN_COUNTRY, "CHE", "country"},
	    {DN_COUNTRY, "C", "country"},
	    {DN_COUNTRY, "C1", "country"},
	    {DN_COUNTRY, "\xc3\xa9", "country"},
	    {DN_EMAIL, "\xc3\xa9@example.com", "email must have printable ASCII"},
	    {DN_EMAIL, "a b@example.com", "email must have printable ASCII"},
	};
	tsb_bytes_auto der = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *text[DN__MAX] = {NULL};
		struct tsb_err err = {0};

		text[rows[i].at] = rows[i].text;
		assert_refused_as(x509_name(text, &der, &err), &err, TSB_E_INPUT, rows[i].says);
		assert_int_equal(der.n, 0);
	}
	{
		const char *text[DN__MAX] = {longest};
		struct tsb_err err = {0};

		assert_int_equal(x509_name(text, &der, &err), 0);
	}
}

static void
put(X509_NAME *name, int nid, const char *text, int set)
{
	assert_int_equal(X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING,
			     (const unsigned char *)text, -1, -1, set),
	    1);
}

/* Renames and gives the name back as OpenSSL prints it; "+" stands inside a set. */
static char *
renamed(X509_NAME *name, const char *common_name)
{
	unsigned char *der = NULL;
	const unsigned char *p;
	int n = i2d_X509_NAME(name, &der);
	BIO *bio = BIO_new(BIO_s_mem());
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};
	char *text, *copy;
	X509_NAME *back;
	long len;

	assert_int_equal(x509_name_with_common_name(tsb_view_of(der, (size_t)n), common_name, &out,
			     &err),
	    0);
	p = out.p;
	back = d2i_X509_NAME(NULL, &p, (long)out.n);
	assert_non_null(back);
	assert_true(X509_NAME_print_ex(bio, back, 0, XN_FLAG_SEP_COMMA_PLUS) >= 0);
	len = BIO_get_mem_data(bio, &text);
	copy = arena_strn(&memory, text, (size_t)len);
	OPENSSL_free(der);
	X509_NAME_free(back);
	X509_NAME_free(name);
	BIO_free(bio);
	return copy;
}

static void
test_common_name_is_replaced_in_its_place(void **state)
{
	X509_NAME *name = X509_NAME_new();

	put(name, NID_organizationName, "o", 0);
	put(name, NID_commonName, "old", 0);
	put(name, NID_localityName, "l", 0);
	assert_string_equal(renamed(name, "new"), "O=o,CN=new,L=l");

	name = X509_NAME_new();
	put(name, NID_commonName, "one", 0);
	put(name, NID_organizationName, "o", 0);
	put(name, NID_commonName, "two", 0);
	assert_string_equal(renamed(name, "new"), "CN=new,O=o");

	name = X509_NAME_new();
	put(name, NID_organizationName, "o", 0);
	assert_string_equal(renamed(name, "new"), "O=o,CN=new");
	assert_string_equal(renamed(X509_NAME_new(), "new"), "CN=new");
}

static void
test_common_name_inside_a_set_leaves_the_set_whole(void **state)
{
	X509_NAME *name = X509_NAME_new();

	put(name, NID_localityName, "l", 0);
	put(name, NID_commonName, "old", -1);
	put(name, NID_organizationName, "o", -1);
	/* DER sorts a set */
	assert_string_equal(renamed(name, "new"), "L=l+O=o+CN=new");
}

/* A name in forms that are not ours (a set, PrintableString) is the applicant's choice. */
static void
test_a_name_whose_common_name_stays_is_kept_bit_by_bit(void **state)
{
	static const unsigned char name[] = "\x30\x29\x31\x10\x30\x0e\x06\x03\x55\x04\x0a\x13"
					    "\x07"
					    "Example\x31\x15\x30\x0a\x06\x03\x55\x04\x03\x13\x03"
					    "pay\x30\x07\x06\x03\x55\x04\x05\x13\x00";
	struct tsb_view in = tsb_view_of(name, sizeof(name) - 1);
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	if (x509_name_with_common_name(in, "pay", &out, &err) != 0)
		fail_msg("%s", err.msg);
	assert_true(tsb_view_eq(in, tsb_view_bytes(&out)));
}

static void
test_common_name_refusals(void **state)
{
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	assert_refused_as(x509_name_with_common_name(tsb_view_str("0\1"), "n", &out, &err), &err,
	    TSB_E_ENCODING, "name");
	assert_refused_as(x509_name_with_common_name(tsb_view_of("0\0", 2), "", &out, &err), &err,
	    TSB_E_INPUT, "commonName");
	assert_int_equal(out.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_subject_has_all_attributes_in_order),
	    cmocka_unit_test(test_subject_refusals),
	    cmocka_unit_test(test_common_name_is_replaced_in_its_place),
	    cmocka_unit_test(test_common_name_inside_a_set_leaves_the_set_whole),
	    cmocka_unit_test(test_a_name_whose_common_name_stays_is_kept_bit_by_bit),
	    cmocka_unit_test(test_common_name_refusals),
	};

	return cmocka_run_group_tests_name("x509_name", tests, NULL, memory_clear);
}
