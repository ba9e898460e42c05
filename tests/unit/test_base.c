/* bytes, arena, text, encodings, clock, ids, errors */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/uuid.h"

static void
test_bytes_grow_and_keep_content(void **state)
{
	tsb_bytes_auto b = {0};

	for (int i = 0; i < 1000; i++)
		tsb_bytes_addf(&b, "%03d", i);
	assert_int_equal(b.n, 3000);
	assert_memory_equal(b.p, "000001002", 9);
	assert_memory_equal(b.p + 2997, "999", 3);
	assert_string_equal(tsb_bytes_cstr(&b) + 2994, "998999");
	tsb_bytes_reset(&b);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.p[10], 0);
}

static void
test_views_compare(void **state)
{
	struct tsb_view a = tsb_view_str("secret"), b = tsb_view_str("secreT");

	assert_true(tsb_view_eq(a, tsb_view_str("secret")));
	assert_false(tsb_view_eq(a, b));
	assert_true(tsb_view_eq_secret(a, tsb_view_str("secret")));
	assert_false(tsb_view_eq_secret(a, b));
	assert_false(tsb_view_eq_secret(a, tsb_view_str("secre")));
	assert_true(tsb_view_eq(tsb_view_str(NULL), tsb_view_str("")));
}

static void
test_arena_gives_zeroed_memory_after_reset(void **state)
{
	arena_auto a = {0};

	for (int round = 0; round < 3; round++) {
		for (size_t n = 1; n < 40000; n = n * 3 + 1) {
			unsigned char *p = arena_alloc(&a, n);

			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xaa, n);
		}
		arena_reset(&a);
	}
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	assert_null(arena_str(&a, NULL));
}

static void
test_base64_both_ways(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	arena_auto a = {0};
	struct tsb_view out;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		assert_string_equal(enc_base64_str(&a, tsb_view_str(rows[i].bytes)), rows[i].text);
		assert_true(enc_base64_decode(tsb_view_str(rows[i].text), &a, &out));
		assert_true(tsb_view_eq(out, tsb_view_str(rows[i].bytes)));
	}
}

static void
test_base64_refuses_second_readings(void **state)
{
	static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Zm8",
	    "Z===", "====", "Zm9v\n", " Zm9v", "Zm9v====", "Zg==Zg==", "Zm-_", "=Zm9"};
	arena_auto a = {0};
	struct tsb_view out;

	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_false(enc_base64_decode(tsb_view_str(bad[i]), &a, &out));
}

static void
test_hex_and_percent(void **state)
{
	arena_auto a = {0};
	struct tsb_view out;

	assert_string_equal(enc_hex_str(&a, tsb_view_of("\x00\xff\x1a", 3)), "00ff1a");
	assert_true(enc_hex_decode(tsb_view_str("00FF1a"), &a, &out));
	assert_memory_equal(out.p, "\x00\xff\x1a", 3);
	assert_false(enc_hex_decode(tsb_view_str("0"), &a, &out));
	assert_false(enc_hex_decode(tsb_view_str("0g"), &a, &out));
	assert_string_equal(enc_percent_str(&a, "a/b'c d~"), "a%2Fb%27c%20d~");
	assert_true(enc_percent_decode(tsb_view_str("a%2Fb%27c+d"), &a, &out));
	assert_string_equal((const char *)out.p, "a/b'c+d");
	assert_false(enc_percent_decode(tsb_view_str("a%2"), &a, &out));
	assert_false(enc_percent_decode(tsb_view_str("%"), &a, &out));
	assert_false(enc_percent_decode(tsb_view_str("%00"), &a, &out));
	assert_false(enc_percent_decode(tsb_view_str("%zz"), &a, &out));
}

static void
test_utf8(void **state)
{
	static const struct {
		const char *bytes;
		bool utf8, label;
	} rows[] = {{"", true, true}, {"key", true, true}, {"schl\xc3\xbcssel", true, true},
	    {"\xf0\x9f\x94\x91", true, true}, {"a\nb", true, false}, {"\x7f", true, false},
	    {"\xc2\x85", true, false}, {"\xc0\x80", false, false}, {"\xed\xa0\x80", false, false},
	    {"\xf4\x90\x80\x80", false, false}, {"\xe2\x82", false, false}, {"\xff", false, false},
	    {"\xe0\x80\x80", false, false}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		assert_int_equal(tsb_utf8_valid(tsb_view_str(rows[i].bytes)), rows[i].utf8);
		assert_int_equal(tsb_label_valid(tsb_view_str(rows[i].bytes)), rows[i].label);
	}
}

static void
test_numbers(void **state)
{
	long n;

	assert_true(tsb_str_to_long("42", 0, 100, &n));
	assert_int_equal(n, 42);
	assert_true(tsb_str_to_long("-5", -10, 0, &n));
	assert_int_equal(n, -5);
	assert_false(tsb_str_to_long("", 0, 100, &n));
	assert_false(tsb_str_to_long("-", -9, 100, &n));
	assert_false(tsb_str_to_long(" 1", 0, 100, &n));
	assert_false(tsb_str_to_long("1x", 0, 100, &n));
	assert_false(tsb_str_to_long("101", 0, 100, &n));
	assert_false(tsb_str_to_long("99999999999999999999", 0, 100, &n));
}

static void
test_iso_times(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t ms;
	} rows[] = {{"2020-06-24T08:54:47Z", true, 1592988887000},
	    {"2024-08-14T20:03:02+02:00", true, 1723658582000},
	    {"2023-10-30T17:30:24+00:00", true, 1698687024000},
	    {"2023-10-30T17:30:24.123Z", true, 1698687024123},
	    {"2023-10-30T17:30:24.123456789-01:30", true, 1698692424123},
	    {"2024-02-29T00:00:00Z", true, 1709164800000}, {"2023-02-29T00:00:00Z", false, 0},
	    {"2023-10-30T17:30:24", false, 0}, {"2023-10-30 17:30:24Z", false, 0},
	    {"2023-10-30T17:30:60Z", false, 0}, {"2023-10-30T24:00:00Z", false, 0},
	    {"2023-13-30T17:30:24Z", false, 0}, {"2023-10-30T17:30:24.Z", false, 0},
	    {"2023-10-30T17:30:24+0100", false, 0}, {"2023-10-30T17:30:24Zx", false, 0},
	    {"2023-10-30T17:30:24+24:00", false, 0}, {"", false, 0}, {"2023-10-30", false, 0}};
	char text[CLOCK_ISO_SIZE];
	int64_t ms;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		assert_int_equal(clock_iso_parse(rows[i].text, &ms), rows[i].good);
		if (rows[i].good)
			assert_int_equal(ms, rows[i].ms);
	}
	assert_string_equal(clock_iso(1592988887, text), "2020-06-24T08:54:47Z");
}

static void
test_uuids_grow_and_read_back(void **state)
{
	struct tsb_uuid last = uuid_new(), next, back;
	char text[UUID_TEXT];

	for (int i = 0; i < 20000; i++) {
		next = uuid_new();
		assert_true(memcmp(last.b, next.b, 16) < 0);
		assert_int_equal(next.b[6] >> 4, 7);
		assert_int_equal(next.b[8] >> 6, 2);
		last = next;
	}
	assert_true(uuid_parse(uuid_format(&last, text), &back));
	assert_true(uuid_eq(&last, &back));
	assert_true(uuid_parse("9F03DA93-2f07-4ca1-a0d1-f41f50f76c25", &back));
	assert_string_equal(uuid_format(&back, text), "9f03da93-2f07-4ca1-a0d1-f41f50f76c25");
	assert_false(uuid_parse("9f03da932f07-4ca1-a0d1-f41f50f76c25-", &back));
	assert_false(uuid_parse("9f03da93-2f07-4ca1-a0d1-f41f50f76c2", &back));
	assert_false(uuid_parse("9f03da93-2f07-4ca1-a0d1-f41f50f76c255", &back));
	assert_false(uuid_parse("9f03da93-2f07-4ca1-a0d1-f41f50f76c2g", &back));
}

static void
test_error_rows(void **state)
{
	static const struct {
		enum tsb_code code;
		int number, http;
	} rows[] = {{TSB_E_API_KEY, 631, 401}, {TSB_E_MISSING_API_KEY, 416, 401},
	    {TSB_E_CLIENT_SUBSCRIPTION, 450, 403}, {TSB_E_KEY_NOT_EXISTENT, 650, 404},
	    {TSB_E_APPROVER_UNKNOWN, 654, 404}, {TSB_E_INPUT, 600, 400},
	    {TSB_E_TIMESTAMP_OFF, 404, 400}, {TSB_E_HSM, 701, 500}, {TSB_E_CONNECTIVITY, 2, 503},
	    {TSB_E_TECHNICAL, 1, 500}, {TSB_E_NOT_IMPLEMENTED, 101, 501},
	    {TSB_E_CONFIG_NOT_EXISTENT, 300, 500}, {TSB_E_DATA_CONSTELLATION, 500, 500}};
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		assert_int_equal(tsb_err_number(rows[i].code), rows[i].number);
		assert_int_equal(tsb_err_http(rows[i].code), rows[i].http);
		assert_int_equal(tsb_err_by_number(rows[i].number), rows[i].code);
	}
	assert_int_equal(tsb_err_by_number(622), TSB_OK);
	assert_int_equal(tsb_fail(&err, TSB_E_INPUT, "a\nb %s", "c\x1b"), -1);
	assert_string_equal(err.msg, "a?b c?");
	assert_string_equal(tsb_err_reason(err.code), "res.error.input.validation.failed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes_grow_and_keep_content),
	    cmocka_unit_test(test_views_compare),
	    cmocka_unit_test(test_arena_gives_zeroed_memory_after_reset),
	    cmocka_unit_test(test_base64_both_ways),
	    cmocka_unit_test(test_base64_refuses_second_readings),
	    cmocka_unit_test(test_hex_and_percent),
	    cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_iso_times),
	    cmocka_unit_test(test_uuids_grow_and_read_back),
	    cmocka_unit_test(test_error_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
