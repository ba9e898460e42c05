/* The table of signature algorithms: every row, with every type of key. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/objects.h>

#include "lib/base/str.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/scheme_internal.h"

static const char *const names[] = {
#define SCHEME(name, ...) name,
#include "lib/crypto/scheme_table.h"
#undef SCHEME
};

static struct scheme_key keys[] = {{.type = "RSA"}, {.type = "EC"}, {.type = "ED"}, {.type = "AES"},
    {.type = "EC"}};

static int
make_keys(void **state)
{
	keys[0].public_key = EVP_RSA_gen(2048);
	keys[1].public_key = EVP_EC_gen("P-256");
	keys[4].public_key = EVP_EC_gen("secp256k1");
	keys[2].public_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return 0;
}

static int
free_keys(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(keys); i++)
		EVP_PKEY_free(keys[i].public_key);
	return 0;
}

static void
test_names_are_found_and_one_of_a_kind(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(names); i++) {
		const struct scheme *s = scheme_find(names[i]);

		assert_non_null(s);
		assert_string_equal(s->name, names[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(names[k], names[i]);
	}
	assert_null(scheme_find("ML-DSA"));
	assert_null(scheme_find(""));
	assert_null(scheme_find(NULL));
}

static void
test_types_of_keys(void **state)
{
	pkey_auto *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	for (size_t i = 0; i < 3; i++)
		assert_string_equal(scheme_type_of(keys[i].public_key), keys[i].type);
	assert_null(scheme_type_of(x25519));
}

/* A known name is taken or 607 (or 612 for its payload), never an unknown value. */
static void
test_every_name_with_every_key(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(names) * TSB_COUNT(keys); i++) {
		const struct scheme_key *k = &keys[i % TSB_COUNT(keys)];
		const struct scheme *s = scheme_find(names[i / TSB_COUNT(keys)]), *out = NULL;
		bool fits = tsb_streq(s->type, k->type) &&
		    (!scheme_is_schnorr(s) || curve_of(k->public_key) == curve_secp256k1);
		size_t n = s->input == INPUT_DIGEST ? hash_size(s->hash) : 32;
		struct tsb_err err = {0};
		int rc = scheme_select(k, s->name, n, &out, &err);

		if (rc != (fits && scheme_missing(s) == NULL ? 0 : -1))
			fail_msg("%s with %s: %s", s->name, k->type, err.msg);
		if (rc == 0)
			assert_ptr_equal(out, s);
		else
			assert_int_equal(err.code, TSB_E_ALGORITHM_NOT_SUPPORTED);
		if (rc != 0 && scheme_missing(s) != NULL)
			assert_non_null(strstr(err.msg, scheme_missing(s)));
		/* what this build lacks is no matter for a key that somebody else holds */
		assert_int_equal(scheme_fit(k, s->name, n, &out, &err), fits ? 0 : -1);
	}
}

static bool
openssl_signs(const char *name)
{
	EVP_SIGNATURE *s = EVP_SIGNATURE_fetch(NULL, name, NULL);

	EVP_SIGNATURE_free(s);
	return s != NULL;
}

static void
assert_botan(const char *missing)
{
#ifdef HAVE_BOTAN
	assert_null(missing);
#else
	assert_non_null(strstr(missing, "needs Botan 3"));
#endif
}

static void
test_what_is_missing_is_told(void **state)
{
	static const struct {
		const char *name, *signature, *lacks;
	} rows[] = {
	    {"ML_DSA", "ML-DSA-65", "ML-DSA needs OpenSSL 3.5"},
	    {"DILITHIUM", "ML-DSA-65", "ML-DSA needs OpenSSL 3.5"},
	    {"SHA2_512_WITH_ML_DSA", "ML-DSA-65", "ML-DSA needs OpenSSL 3.5"},
	    {"SLH_DSA", "SLH-DSA-SHA2-128s", "SLH-DSA needs OpenSSL 3.5"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (openssl_signs(rows[i].signature))
			assert_null(scheme_missing(scheme_find(rows[i].name)));
		else
			assert_string_equal(scheme_missing(scheme_find(rows[i].name)),
			    rows[i].lacks);
	assert_string_equal(scheme_missing(scheme_find("BLS")),
	    "no library that Debian maintains makes such signatures");
	for (size_t i = 0; i < TSB_COUNT(names); i++) {
		const struct scheme *s = scheme_find(names[i]);

		if (s->method == METHOD_NONE || s->method == METHOD_UNPUBLISHED)
			assert_non_null(scheme_missing(s));
		else if (s->method == METHOD_STATEFUL)
			assert_botan(scheme_missing(s));
		else if (hash_is_offered(s->hash) && s->method != METHOD_CONTEXT)
			assert_null(scheme_missing(s));
	}
}

/* An identifier belongs to what is digested here by a digest that OpenSSL has a number for. */
static void
test_identifiers_of_certificates(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(names); i++) {
		const struct scheme *s = scheme_find(names[i]);
		int digest, pkey;

		if (s->x509 == NID_undef)
			continue;
		assert_int_equal(s->input, INPUT_MESSAGE);
		assert_int_equal(OBJ_find_sigid_algs(s->x509, &digest, &pkey), 1);
		if (s->method == METHOD_PKCS1 || s->method == METHOD_ECDSA)
			assert_int_equal(digest, EVP_MD_get_type(hash_md(s->hash)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_are_found_and_one_of_a_kind),
	    cmocka_unit_test(test_types_of_keys),
	    cmocka_unit_test(test_every_name_with_every_key),
	    cmocka_unit_test(test_what_is_missing_is_told),
	    cmocka_unit_test(test_identifiers_of_certificates),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
