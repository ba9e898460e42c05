#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"
#include "tests/unit/crypto_help.h"
#include "tests/unit/vectors.h"

/* ---- digest and random ---- */

static void
test_sha256(void **state)
{
	unsigned char out[CRYPTO_SHA256_SIZE];

	crypto_sha256(tsb_view_str("abc"), out);
	assert_string_equal(enc_hex_str(&memory, tsb_view_of(out, sizeof(out))),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256((struct tsb_view){NULL, 0}, out);
	assert_string_equal(enc_hex_str(&memory, tsb_view_of(out, sizeof(out))),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
test_random(void **state)
{
	unsigned char a[32] = {0}, b[32] = {0}, zero[32] = {0};

	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, zero, sizeof(a));
}

/* ---- secret boxes ---- */

static const unsigned char box_key[CRYPTO_BOX_KEY_SIZE] = {1, 2, 3};

static void
test_box_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 16, 17, 1000};

	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		tsb_bytes_auto plain = {0};
		tsb_bytes_auto box = {0};
		tsb_bytes_auto other = {0};
		tsb_bytes_auto back = {0};
		struct tsb_err err;

		memset(tsb_bytes_grow(&plain, sizes[i]), 'x', sizes[i]);
		crypto_box_seal(box_key, tsb_view_str("place"), tsb_view_bytes(&plain), &box);
		crypto_box_seal(box_key, tsb_view_str("place"), tsb_view_bytes(&plain), &other);
		assert_int_equal(box.n, sizes[i] + CRYPTO_BOX_OVERHEAD);
		assert_false(tsb_view_eq(tsb_view_bytes(&box), tsb_view_bytes(&other)));
		assert_int_equal(crypto_box_open(box_key, tsb_view_str("place"),
				     tsb_view_bytes(&box), &back, &err),
		    0);
		assert_view_equal(tsb_view_bytes(&back), tsb_view_bytes(&plain));
	}
}

static void
assert_box_closed(const unsigned char *key, const char *place, struct tsb_view box)
{
	tsb_bytes_auto out = {0};
	struct tsb_err err;

	assert_refused(crypto_box_open(key, tsb_view_str(place), box, &out, &err), &err,
	    TSB_E_DECRYPT_FAILED);
	assert_int_equal(out.n, 0);
}

static void
test_box_tampering(void **state)
{
	static const unsigned char other_key[CRYPTO_BOX_KEY_SIZE] = {1, 2, 4};
	tsb_bytes_auto box = {0};

	crypto_box_seal(box_key, tsb_view_str("place"), tsb_view_str("secret"), &box);
	for (size_t bit = 0; bit < box.n * 8; bit++) {
		box.p[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_box_closed(box_key, "place", tsb_view_bytes(&box));
		box.p[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	for (size_t n = 0; n < box.n; n++)
		assert_box_closed(box_key, "place", (struct tsb_view){box.p, n});
	assert_box_closed(other_key, "place", tsb_view_bytes(&box));
	assert_box_closed(box_key, "other place", tsb_view_bytes(&box));
	assert_box_closed(box_key, "", tsb_view_bytes(&box));
	tsb_bytes_add(&box, "", 1);
	assert_box_closed(box_key, "place", tsb_view_bytes(&box));
}

/* Values of RFC 7914 section 12 use other r and p; these were made with Python's hashlib.scrypt. */
static void
test_scrypt(void **state)
{
	unsigned char key[CRYPTO_BOX_KEY_SIZE];
	struct tsb_err err;

	assert_int_equal(crypto_scrypt(tsb_view_str("password"), tsb_view_str("NaCl"), 10, key,
			     &err),
	    0);
	assert_string_equal(enc_hex_str(&memory, tsb_view_of(key, sizeof(key))),
	    "27b418c674c769d12501fbb1f53bac32df6514c0f28d043872b148b348961a79");
	assert_int_equal(crypto_scrypt((struct tsb_view){NULL, 0}, tsb_view_str("salt"), 4, key,
			     &err),
	    0);
	assert_string_equal(enc_hex_str(&memory, tsb_view_of(key, sizeof(key))),
	    "bcda6cb6c38d6459c333688c498370f474cf36a046e49430d82c717893f716bf");
	assert_refused(crypto_scrypt(tsb_view_str("p"), tsb_view_str("s"), 0, key, &err), &err,
	    TSB_E_INPUT);
	assert_refused(crypto_scrypt(tsb_view_str("p"), tsb_view_str("s"), 21, key, &err), &err,
	    TSB_E_INPUT);
	assert_refused(crypto_scrypt(tsb_view_str("p"), tsb_view_str("s"), 42, key, &err), &err,
	    TSB_E_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sha256),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_box_round_trip),
	    cmocka_unit_test(test_box_tampering),
	    cmocka_unit_test(test_scrypt),
	};

	return cmocka_run_group_tests(tests, NULL, memory_clear);
}
