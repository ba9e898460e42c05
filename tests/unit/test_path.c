/* Derivation paths, extended keys as bytes and text. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"

#include "hsm/key/chain.h"
#include "hsm/key/path.h"

#define H KEY_PATH_HARDENED

static void
test_path_is_read(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		uint32_t v[5];
	} rows[] = {
	    {"0", 1, {0}},
	    {"0'", 1, {H}},
	    {"2147483647'", 1, {H | 2147483647}},
	    {"44'/0'/0'/0/17", 5, {H | 44, H, H, 0, 17}},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct key_path path = {0};
		struct tsb_err err = {0};

		assert_int_equal(key_path_parse(tsb_view_str(rows[i].text), &path, &err), 0);
		assert_int_equal(path.n, rows[i].n);
		assert_memory_equal(path.v, rows[i].v, path.n * sizeof(path.v[0]));
	}
}

/* Every key has one name only. */
static void
test_other_spellings_are_refused(void **state)
{
	static const char *const rows[] = {"", "/", "0/", "/0", "0//1", "00", "044'", "-1", "+1",
	    " 1", "1 ", "44h", "44H", "44''", "'", "m", "m/0", "2147483648", "4294967296",
	    "99999999999999999999", "0x1", "1.", "44'0"};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct key_path path = {0};
		struct tsb_err err = {0};

		assert_int_equal(key_path_parse(tsb_view_str(rows[i]), &path, &err), -1);
		assert_int_equal(err.code, TSB_E_KEY_NAME);
		assert_int_equal(path.n, 0);
	}
}

static void
test_path_has_a_greatest_length(void **state)
{
	char text[2 * (KEY_PATH_MAX + 1) + 1];
	struct key_path path;
	struct tsb_err err = {0};

	for (size_t i = 0; i < KEY_PATH_MAX + 1; i++)
		memcpy(text + 2 * i, "1/", 2);
	assert_int_equal(key_path_parse(tsb_view_of(text, 2 * KEY_PATH_MAX - 1), &path, &err), 0);
	assert_int_equal(path.n, KEY_PATH_MAX);
	assert_int_equal(key_path_parse(tsb_view_of(text, 2 * KEY_PATH_MAX + 1), &path, &err), -1);
}

static void
test_name_is_split_at_its_first_slash(void **state)
{
	struct tsb_view master, path;

	assert_true(key_path_split(tsb_view_str("k/0'/1"), &master, &path));
	assert_true(tsb_view_eq(master, tsb_view_str("k")));
	assert_true(tsb_view_eq(path, tsb_view_str("0'/1")));
	assert_true(key_path_split(tsb_view_str("k/"), &master, &path));
	assert_int_equal(path.n, 0);
	assert_false(key_path_split(tsb_view_str("k"), &master, &path));
	assert_false(key_path_split(tsb_view_of(NULL, 0), &master, &path));
}

static void
test_base58_of_known_values(void **state)
{
	static const struct {
		const char *hex, *text;
	} rows[] = {
	    {"", ""},
	    {"00", "1"},
	    {"0000ff", "115Q"},
	    {"61", "2g"},
	    {"626262", "a3gV"},
	    {"516b6fcd0f", "ABnLTmg"},
	    {"00eb15231dfceb60925886b67d065299925915aeb172c06647",
		"1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto a = {0};
		tsb_bytes_auto out = {0};
		struct tsb_view in;

		assert_true(enc_hex_decode(tsb_view_str(rows[i].hex), &a, &in));
		enc_base58(in, &out);
		assert_string_equal(tsb_bytes_cstr(&out), rows[i].text);
	}
}

static void
test_chain_is_read_as_it_is_written(void **state)
{
	const struct chain c = {3, {1, 2, 3, 4}, H | 5, {6, 7}};
	struct chain got = {0};
	tsb_bytes_auto out = {0};

	chain_encode(&c, &out);
	assert_int_equal(out.n, CHAIN_SIZE);
	assert_true(chain_decode(tsb_view_bytes(&out), &got));
	assert_int_equal(got.depth, 3);
	assert_int_equal(got.child, H | 5);
	assert_memory_equal(got.parent, c.parent, sizeof(c.parent));
	assert_memory_equal(got.code, c.code, sizeof(c.code));
	assert_false(chain_decode(tsb_view_of(out.p, out.n - 1), &got));
	out.p[0] = 0; /* a master key has no parent */
	assert_false(chain_decode(tsb_view_bytes(&out), &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_path_is_read),
	    cmocka_unit_test(test_other_spellings_are_refused),
	    cmocka_unit_test(test_path_has_a_greatest_length),
	    cmocka_unit_test(test_name_is_split_at_its_first_slash),
	    cmocka_unit_test(test_base58_of_known_values),
	    cmocka_unit_test(test_chain_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
