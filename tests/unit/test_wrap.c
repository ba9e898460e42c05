/* Wrapping: vectors of RFC 3394 and RFC 5649, every method both ways, values that are no keys. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include "lib/base/str.h"

#include "hsm/key/make.h"
#include "hsm/soft/internal.h"
#include "hsm/soft/rsa.h"
#include "tests/unit/hsm_keys.h"

#define KEK  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define P256 "1.2.840.10045.3.1.7"

static const struct wrap_method *
method_of(const struct hsm_key *k, const char *name)
{
	const struct wrap_method *m = NULL;
	struct tsb_err err;

	if (wrap_select(k, name, &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

static void
wrap(struct hsm_key *kek, const char *method, struct tsb_view value, struct tsb_bytes *out)
{
	token_key_auto *opened = hsm_keys_open(kek, NULL);
	struct tsb_err err = {0};

	if (soft_wrap(hsm_keys_soft(opened), kek, method_of(kek, method), value, out, &err))
		fail_msg("%s", err.msg);
}

static int
unwrap(struct hsm_key *kek, const char *method, struct tsb_view wrapped, struct tsb_bytes *out)
{
	token_key_auto *opened = hsm_keys_open(kek, NULL);
	struct tsb_err err = {0};
	int rc;

	tsb_bytes_reset(out);
	rc = soft_unwrap(hsm_keys_soft(opened), method_of(kek, method), wrapped, out, &err);
	if (rc) {
		assert_int_equal(err.code, TSB_E_HSM);
		assert_string_equal(err.msg, "Error unwrapping key");
		assert_int_equal(out->n, 0);
	}
	return rc;
}

/* ---- vectors ---- */

static const struct {
	const char *method, *kek, *value, *wrapped;
} vectors[] = {
    /* RFC 3394, 4.1, 4.3, 4.6 */
    {"AES_WRAP", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
	"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
    {"AES_WRAP", KEK, "00112233445566778899aabbccddeeff",
	"64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
    {"AES_WRAP", KEK, "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
	"28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
    /* RFC 5649, 6 */
    {"AES_WRAP_PAD", "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
	"c37b7e6492584340bed12207808941155068f738",
	"138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"},
    {"AES_WRAP_PAD", "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "466f7250617369",
	"afbeb0f07dfbf5419200f2ccb50bb24f"},
};

static void
test_vectors(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(vectors); i++) {
		hsm_key_auto *kek = hsm_keys_secret(vectors[i].kek, NULL);
		tsb_bytes_auto wrapped = {0};
		tsb_bytes_auto value = {0};

		wrap(kek, vectors[i].method, hsm_keys_hex(vectors[i].value), &wrapped);
		hsm_keys_expect(tsb_view_bytes(&wrapped), vectors[i].wrapped);
		assert_int_equal(unwrap(kek, vectors[i].method, tsb_view_bytes(&wrapped), &value),
		    0);
		hsm_keys_expect(tsb_view_bytes(&value), vectors[i].value);
	}
}

static void
test_every_change_is_refused(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(vectors); i++) {
		hsm_key_auto *kek = hsm_keys_secret(vectors[i].kek, NULL);
		tsb_bytes_auto wrapped = {0};
		tsb_bytes_auto value = {0};

		tsb_bytes_add_view(&wrapped, hsm_keys_hex(vectors[i].wrapped));
		for (size_t b = 0; b < wrapped.n; b++) {
			wrapped.p[b] ^= 4;
			assert_int_equal(unwrap(kek, vectors[i].method, tsb_view_bytes(&wrapped),
					     &value),
			    -1);
			wrapped.p[b] ^= 4;
			assert_int_equal(unwrap(kek, vectors[i].method, tsb_view_of(wrapped.p, b),
					     &value),
			    -1);
		}
	}
}

/* ---- methods and keys ---- */

static void
test_method_must_fit_the_key(void **state)
{
	static const char *const aes[] = {"AES_WRAP", "AES_WRAP_RSA", "AES_WRAP_EC", "AES_WRAP_ED",
	    "AES_WRAP_DSA", "AES_WRAP_PAD", "AES_WRAP_PAD_RSA", "AES_WRAP_PAD_EC",
	    "AES_WRAP_PAD_ED", "AES_WRAP_PAD_DSA"};
	static const char *const nobody[] = {"AES_WRAP_BLS", "AES_WRAP_PAD_BLS"};
	hsm_key_auto *rsa = hsm_keys_make("RSA", NULL);
	hsm_key_auto *ec = hsm_keys_make(P256, NULL);
	hsm_key_auto *kek = hsm_keys_secret(KEK, NULL);
	const struct wrap_method *m;
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(aes); i++) {
		assert_int_equal(wrap_select(kek, aes[i], &m, &err), 0);
		assert_int_equal(wrap_select(rsa, aes[i], &m, &err), -1);
		assert_int_equal(err.code, TSB_E_ALGORITHM_NOT_SUPPORTED);
		assert_int_equal(wrap_select(ec, aes[i], &m, &err), -1);
	}
	for (size_t i = 0; i < TSB_COUNT(nobody); i++)
		assert_int_equal(wrap_select(kek, nobody[i], &m, &err), -1);
	assert_int_equal(wrap_select(kek, "RSA_WRAP_OAEP", &m, &err), -1);
	assert_int_equal(wrap_select(ec, "RSA_WRAP_PAD", &m, &err), -1);
	assert_int_equal(wrap_select(rsa, "RSA_WRAP_PAD", &m, &err), 0);
	assert_int_equal(m->wrapped, KEY_AES);
	assert_int_equal(wrap_select(kek, "AES_WRAP_PAD_ED", &m, &err), 0);
	assert_int_equal(m->wrapped, KEY_ED);
}

static struct wire_key_create
new_key(const char *label)
{
	struct wire_key_create in = {.label = label};

	in.flag[ATTR_SIGN] = in.flag[ATTR_SENSITIVE] = true;
	return in;
}

/* What comes out is the same key, known as one made elsewhere. */
static void
check_carries(const char *method, struct hsm_key *kek, struct hsm_key *k)
{
	struct wire_key_create in = new_key("copy");
	token_key_auto *by = hsm_keys_open(kek, NULL);
	token_key_auto *leaving = hsm_keys_open(k, NULL);
	struct key_wrapped carried = {.by = kek, .opened = by, .method = method_of(kek, method)};
	hsm_key_auto *copy = NULL;
	tsb_bytes_auto wrapped = {0};
	tsb_bytes_auto before = {0};
	tsb_bytes_auto after = {0};
	arena_auto a = {0};
	struct tsb_err err = {0};

	assert_int_equal(key_check_unwrapped(&in, k->kind, &a, &err), 0);
	if (token_wrap(kek->kind == KEY_AES ? by : NULL, kek, carried.method, leaving, &wrapped,
		&err))
		fail_msg("%s %s", method, err.msg);
	carried.value = tsb_view_bytes(&wrapped);
	if (key_make_unwrapped(hsm_keys_tokens(), &in, &carried, HSM_KEYS_NOW, &copy, &err))
		fail_msg("%s %s", method, err.msg);
	hsm_keys_value(k, &before);
	hsm_keys_value(copy, &after);
	assert_true(tsb_view_eq(tsb_view_bytes(&before), tsb_view_bytes(&after)));
	assert_string_equal(copy->label, "copy");
	assert_true(tsb_view_eq(copy->spki, k->spki));
	assert_int_equal(copy->size, k->size);
	assert_ptr_equal(copy->curve, k->curve);
	assert_true(copy->extra & KEY_IMPORTED);
	assert_false(copy->flag[ATTR_ALWAYS_SENSITIVE] || copy->flag[ATTR_NEVER_EXTRACTABLE]);
}

static void
test_each_method_carries_its_kind(void **state)
{
	hsm_key_auto *kek = hsm_keys_secret(KEK, NULL);
	hsm_key_auto *aes =
	    hsm_keys_secret("000102030405060708090a0b0c0d0e0f1011121314151617", NULL);
	hsm_key_auto *rsa = hsm_keys_make("RSA", NULL);
	hsm_key_auto *ed = hsm_keys_make("ED", NULL);
	static const char *const oids[] = {P256, "1.3.132.0.10", "1.3.132.0.34", "1.3.132.0.35",
	    "1.3.132.0.32", "1.3.36.3.3.2.8.1.1.7"};

	check_carries("RSA_WRAP_PAD", rsa, aes);
	check_carries("RSA_WRAP_OAEP", rsa, aes);
	check_carries("AES_WRAP", kek, aes);
	check_carries("AES_WRAP_PAD", kek, aes);
	check_carries("AES_WRAP_RSA", kek, rsa);
	check_carries("AES_WRAP_PAD_RSA", kek, rsa);
	check_carries("AES_WRAP_ED", kek, ed);
	check_carries("AES_WRAP_PAD_ED", kek, ed);
	for (size_t i = 0; i < TSB_COUNT(oids); i++) {
		hsm_key_auto *ec = hsm_keys_make(oids[i], NULL);

		check_carries("AES_WRAP_EC", kek, ec);
		check_carries("AES_WRAP_PAD_EC", kek, ec);
	}
}

/* Only what soft_wrap() puts there is taken off: fewer than eight zeros behind whole PKCS#8. */
static void
test_zeros_behind_pkcs8(void **state)
{
	hsm_key_auto *kek = hsm_keys_secret(KEK, NULL);
	hsm_key_auto *ed = hsm_keys_make("ED", NULL);
	tsb_bytes_auto value = {0};
	tsb_bytes_auto wrapped = {0};
	tsb_bytes_auto again = {0};

	hsm_keys_value(ed, &value);
	assert_int_equal(value.n, 48);
	for (size_t zeros = 8; zeros <= 16; zeros += 8) {
		memset(tsb_bytes_grow(&value, 8), 0, 8);
		tsb_bytes_reset(&wrapped);
		wrap(kek, "AES_WRAP_ED", tsb_view_bytes(&value), &wrapped);
		assert_int_equal(unwrap(kek, "AES_WRAP_ED", tsb_view_bytes(&wrapped), &again), 0);
		assert_int_equal(again.n, 48 + zeros);
	}
}

/* ---- blocks with a wrong padding ---- */

#define MODULUS 256

/* 00 02, then padding and message as they are. */
static void
block_make(unsigned char type, size_t padding, bool zero, unsigned char block[MODULUS])
{
	memset(block, 0xa5, MODULUS);
	block[0] = 0;
	block[1] = type;
	if (zero)
		block[2 + padding] = 0;
}

static int
block_open(struct hsm_key *k, const unsigned char block[MODULUS], struct tsb_bytes *out)
{
	token_key_auto *opened = hsm_keys_open(k, NULL);
	tsb_bytes_auto sealed = {0};
	struct tsb_err err = {0};

	assert_int_equal(rsa_encrypt(k->public_key, RSA_PAD_NONE, HASH_NONE,
			     tsb_view_of(block, MODULUS), &sealed, &err),
	    0);
	tsb_bytes_reset(out);
	return rsa_pkcs1_message(hsm_keys_soft(opened)->pair, tsb_view_bytes(&sealed),
	    tsb_view_of(block, MODULUS), out, &err);
}

/* A wrong block is no failure: it opens to bytes of its own, whatever is wrong with it. */
static void
test_wrong_padding_is_not_told(void **state)
{
	static const struct {
		unsigned char type;
		size_t padding;
		bool zero;
	} wrong[] = {{1, 100, true}, {0, 100, true}, {2, 7, true}, {2, 0, true}, {2, 0, false},
	    {3, 200, true}};
	hsm_key_auto *k = hsm_keys_make("RSA", NULL);
	hsm_key_auto *other = hsm_keys_make("RSA", NULL);
	unsigned char block[MODULUS];
	tsb_bytes_auto first = {0};
	tsb_bytes_auto again = {0};
	tsb_bytes_auto elsewhere = {0};

	for (size_t i = 0; i < TSB_COUNT(wrong); i++) {
		block_make(wrong[i].type, wrong[i].padding, wrong[i].zero, block);
		assert_int_equal(block_open(k, block, &first), 0);
		assert_int_equal(block_open(k, block, &again), 0);
		assert_true(tsb_view_eq(tsb_view_bytes(&first), tsb_view_bytes(&again)));
		assert_true(first.n <= MODULUS - 11);
		assert_int_equal(block_open(other, block, &elsewhere), 0);
		assert_true(first.n + elsewhere.n < 8 ||
		    !tsb_view_eq(tsb_view_bytes(&first), tsb_view_bytes(&elsewhere)));
		for (size_t at = 0; at + 8 <= first.n; at++)
			assert_memory_not_equal(first.p + at, block + MODULUS - 8, 8);
	}
	for (size_t padding = 8; padding < MODULUS - 2; padding += 49) {
		block_make(2, padding, true, block);
		assert_int_equal(block_open(k, block, &first), 0);
		assert_int_equal(first.n, MODULUS - 3 - padding);
		assert_memory_equal(first.p, block + 3 + padding, first.n);
	}
}

/* What OpenSSL does from 3.2 on, and what stands in for it before, is the same. */
static void
test_wrong_padding_opens_alike_everywhere(void **state)
{
	hsm_key_auto *k = hsm_keys_make("RSA", NULL);
	token_key_auto *opened = hsm_keys_open(k, NULL);
	tsb_bytes_auto sealed = {0};
	tsb_bytes_auto ours = {0};
	tsb_bytes_auto theirs = {0};
	unsigned char block[MODULUS];
	struct tsb_err err = {0};

	for (unsigned char type = 0; type < 4; type++) {
		block_make(type, 50, true, block);
		tsb_bytes_reset(&sealed);
		tsb_bytes_reset(&theirs);
		assert_int_equal(rsa_encrypt(k->public_key, RSA_PAD_NONE, HASH_NONE,
				     tsb_view_of(block, MODULUS), &sealed, &err),
		    0);
		assert_int_equal(rsa_decrypt(hsm_keys_soft(opened)->pair, RSA_PAD_PKCS1, HASH_NONE,
				     tsb_view_bytes(&sealed), &theirs, &err),
		    0);
		assert_int_equal(block_open(k, block, &ours), 0);
		assert_true(tsb_view_eq(tsb_view_bytes(&ours), tsb_view_bytes(&theirs)));
	}
}

/* ---- values that are no keys ---- */

static void
refused(enum key_kind kind, struct tsb_view value, const char *says)
{
	hsm_key_auto *k = key_new();
	tsb_bytes_auto part = {0};
	struct tsb_err err = {0};

	k->kind = kind;
	assert_int_equal(soft_import(value, k, &part, &err), -1);
	assert_int_equal(part.n, 0);
	assert_int_equal(err.code, TSB_E_HSM);
	assert_non_null(strstr(err.msg, "Error unwrapping key"));
	assert_non_null(strstr(err.msg, says));
}

static void
test_values_that_are_no_keys(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 17, 31, 33, 64};
	hsm_key_auto *ec = hsm_keys_make(P256, NULL);
	tsb_bytes_auto value = {0};
	const unsigned char bytes[64] = {0};

	for (size_t i = 0; i < TSB_COUNT(sizes); i++)
		refused(KEY_AES, tsb_view_of(bytes, sizes[i]), "Error unwrapping key");
	refused(KEY_EC, tsb_view_of(bytes, 64), "no private key");
	hsm_keys_value(ec, &value);
	refused(KEY_RSA, tsb_view_bytes(&value), "another type");
	refused(KEY_ED, tsb_view_bytes(&value), "another type");
	refused(KEY_EC, tsb_view_of(value.p, value.n - 1), "no private key");
	tsb_bytes_add(&value, "", 1);
	refused(KEY_EC, tsb_view_bytes(&value), "no private key");
}

static struct tsb_view
pkcs8_of(EVP_PKEY *key, struct tsb_bytes *out)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	assert_true(n > 0);
	tsb_bytes_reset(out);
	tsb_bytes_add(out, der, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	OPENSSL_free(der);
	return tsb_view_bytes(out);
}

static void
test_keys_that_this_hsm_could_not_use(void **state)
{
	EVP_PKEY *small = EVP_RSA_gen(1024), *odd = EVP_EC_gen("secp192k1");
	tsb_bytes_auto value = {0};

	refused(KEY_RSA, pkcs8_of(small, &value), "2048");
	refused(KEY_EC, pkcs8_of(odd, &value), "curve");
	EVP_PKEY_free(small);
	EVP_PKEY_free(odd);
}

/* The public key inside PKCS#8 of an EC key is what the sender wrote there. */
static void
test_halves_of_different_keys(void **state)
{
	hsm_key_auto *one = hsm_keys_make(P256, NULL);
	hsm_key_auto *two = hsm_keys_make(P256, NULL);
	tsb_bytes_auto mixed = {0};
	tsb_bytes_auto other = {0};

	hsm_keys_value(one, &mixed);
	hsm_keys_value(two, &other);
	assert_int_equal(mixed.n, other.n);
	memcpy(mixed.p + mixed.n - 64, other.p + other.n - 64, 64);
	refused(KEY_EC, tsb_view_bytes(&mixed), "belong together");
}

/* Compressed points and explicit parameters: the same key, written as this HSM writes it. */
static void
test_other_encodings_of_a_curve(void **state)
{
	static const char *const forms[][2] = {
	    {OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"},
	    {OSSL_PKEY_PARAM_EC_ENCODING, "explicit"},
	};

	for (size_t i = 0; i < TSB_COUNT(forms); i++) {
		EVP_PKEY *pair = EVP_EC_gen("prime256v1");
		tsb_bytes_auto value = {0};
		tsb_bytes_auto part = {0};
		hsm_key_auto *k = key_new();
		unsigned char *spki = NULL;
		struct tsb_err err = {0};
		int n = i2d_PUBKEY(pair, &spki);

		assert_int_equal(EVP_PKEY_set_utf8_string_param(pair, forms[i][0], forms[i][1]), 1);
		pkcs8_of(pair, &value);
		k->kind = KEY_EC;
		if (soft_import(tsb_view_bytes(&value), k, &part, &err))
			fail_msg("%s", err.msg);
		assert_true(tsb_view_eq(k->spki, tsb_view_of(spki, (size_t)n)));
		OPENSSL_free(spki);
		EVP_PKEY_free(pair);
	}
}

/* ---- what a request says of the new key ---- */

static void
test_attributes_are_checked_before_the_value(void **state)
{
	struct wire_key_create slash = new_key("a/b"), useless = new_key("k"),
			       policy = new_key("k"), open_one;
	arena_auto a = {0};
	struct tsb_err err;

	assert_int_equal(key_check_unwrapped(&slash, KEY_AES, &a, &err), -1);
	assert_int_equal(err.code, TSB_E_KEY_NAME);
	useless.flag[ATTR_SIGN] = false;
	assert_int_equal(key_check_unwrapped(&useless, KEY_EC, &a, &err), -1);
	assert_int_equal(err.code, TSB_E_KEY_ATTRIBUTES);
	policy.has_policy = true;
	for (int rule = 0; rule < RULE__MAX; rule++)
		ska_rule_set_always(&policy.policy.rule[rule], &a);
	open_one = policy;
	assert_int_equal(key_check_unwrapped(&open_one, KEY_AES, &a, &err), 0);
	assert_false(open_one.has_policy);
	policy.policy.blocked = true;
	assert_int_equal(key_check_unwrapped(&policy, KEY_AES, &a, &err), -1);
	assert_int_equal(err.code, TSB_E_KEY_ATTRIBUTES);
	assert_int_equal(key_check_unwrapped(&policy, KEY_EC, &a, &err), 0);
	policy.flag[ATTR_EXTRACTABLE] = true;
	assert_int_equal(key_check_unwrapped(&policy, KEY_EC, &a, &err), -1);
	assert_int_equal(err.code, TSB_E_KEY_ATTRIBUTES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_every_change_is_refused),
	    cmocka_unit_test(test_method_must_fit_the_key),
	    cmocka_unit_test(test_each_method_carries_its_kind),
	    cmocka_unit_test(test_zeros_behind_pkcs8),
	    cmocka_unit_test(test_wrong_padding_is_not_told),
	    cmocka_unit_test(test_wrong_padding_opens_alike_everywhere),
	    cmocka_unit_test(test_values_that_are_no_keys),
	    cmocka_unit_test(test_keys_that_this_hsm_could_not_use),
	    cmocka_unit_test(test_halves_of_different_keys),
	    cmocka_unit_test(test_other_encodings_of_a_curve),
	    cmocka_unit_test(test_attributes_are_checked_before_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
