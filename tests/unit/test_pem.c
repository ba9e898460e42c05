/* PEM as people have it: what is around the block, and which block of several. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/crypto/pem.h"

#define BLOCK(label, base64) "-----BEGIN " label "-----\n" base64 "\n-----END " label "-----\n"

static struct arena memory;

static int
release(void **state)
{
	arena_clear(&memory);
	return 0;
}

static void
test_the_first_fitting_block_is_taken(void **state)
{
	static const struct {
		const char *text;
		unsigned kinds;
		const char *der; /* NULL: refused */
	} rows[] = {
	    {"AAEC", PEM_CERTIFICATE, "\0\1\2"},
	    {"\xef\xbb\xbf" BLOCK("CERTIFICATE", "AAEC"), PEM_CERTIFICATE, "\0\1\2"},
	    {"\xef\xbb\xbf"
	     "AAEC\r\n",
		PEM_CERTIFICATE, "\0\1\2"},
	    {"Certificate:\r\n    Data:\r\n" BLOCK("CERTIFICATE", "AA\r\nEC\r"), PEM_CERTIFICATE,
		"\0\1\2"},
	    {"Bag Attributes\n    localKeyID: 01\nsubject=/CN=x\n" BLOCK("CERTIFICATE",
		 "AAEC") "tail\n",
		PEM_CERTIFICATE | PEM_PUBLIC_KEY, "\0\1\2"},
	    {BLOCK("PRIVATE KEY", "////") BLOCK("PUBLIC KEY", "AAEC"), PEM_PUBLIC_KEY, "\0\1\2"},
	    {BLOCK("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\n////")
		    BLOCK("CERTIFICATE", "AAEC"),
		PEM_CERTIFICATE, "\0\1\2"},
	    {BLOCK("NEW CERTIFICATE REQUEST", "AAEC"), PEM_REQUEST, "\0\1\2"},
	    {BLOCK("CERTIFICATE", "////") BLOCK("CERTIFICATE REQUEST", "AAEC"), PEM_REQUEST,
		"\0\1\2"},
	    {BLOCK("PRIVATE KEY", "AAEC"), PEM_PUBLIC_KEY, NULL},
	    {BLOCK("CERTIFICATE", "AAE"), PEM_CERTIFICATE, NULL},
	    {BLOCK("CERTIFICATE", ""), PEM_CERTIFICATE, NULL},
	    {"-----BEGIN CERTIFICATE-----\nAAEC\n", PEM_CERTIFICATE, NULL},
	    {"-----BEGIN CERTIFICATE-----\nAAEC\n-----END PUBLIC KEY-----\n", PEM_CERTIFICATE,
		NULL},
	    {"-----BEGIN ", PEM_CERTIFICATE, NULL},
	    {"", PEM_CERTIFICATE, NULL},
	    {"\xef\xbb\xbf", PEM_CERTIFICATE, NULL},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view der;
		struct tsb_err err = {0};
		int rc =
		    crypto_pem_pick(tsb_view_str(rows[i].text), rows[i].kinds, &memory, &der, &err);

		if ((rc == 0) != (rows[i].der != NULL))
			fail_msg("row %zu: %d %s", i, rc, err.msg);
		if (rc == 0)
			assert_true(tsb_view_eq(der, tsb_view_of(rows[i].der, 3)));
		else
			assert_int_equal(err.code, TSB_E_READING_PEM);
	}
}

static void
test_the_refusal_names_what_the_text_has(void **state)
{
	struct tsb_view der;
	struct tsb_err err = {0};

	assert_int_equal(crypto_pem_pick(tsb_view_str(BLOCK("PRIVATE KEY", "AAEC")),
			     PEM_CERTIFICATE | PEM_PUBLIC_KEY, &memory, &der, &err),
	    -1);
	assert_non_null(strstr(err.msg, "PRIVATE KEY; give its public half"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_first_fitting_block_is_taken),
	    cmocka_unit_test(test_the_refusal_names_what_the_text_has),
	};

	return cmocka_run_group_tests_name("pem", tests, NULL, release);
}
