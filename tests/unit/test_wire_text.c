/* JSON text before any reader: grammar, limits, time. */
#include "lib/first.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/wire/client.h"
#include "tests/unit/wire_help.h"

/* ---- text ---- */

static void
test_text_is_compacted(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} rows[] = {
	    {"empty object", " \t\r\n{ } \n", "{}"},
	    {"byte order mark", "\xef\xbb\xbf {\"a\":\"\xef\xbb\xbf\"}",
		"{\"a\":\"\xef\xbb\xbf\"}"},
	    {"space everywhere", "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }", "{\"a\":[1,2],\"b\":{}}"},
	    {"space inside strings stays", "{\"a\": \" b \"}", "{\"a\":\" b \"}"},
	    {"bytes of strings stay", "{\"a\":\"\\u00e9\\/\xc3\xa9\\\"\"}",
		"{\"a\":\"\\u00e9\\/\xc3\xa9\\\"\"}"},
	    {"numbers stay as written", "{\"a\":[0,-0,1.50,1E+2,-2e-3]}",
		"{\"a\":[0,-0,1.50,1E+2,-2e-3]}"},
	    {"trailing comma in object", "{\"a\":1, }", "{\"a\":1}"},
	    {"trailing comma in array", "{\"a\":[1 , ]}", "{\"a\":[1]}"},
	    {"trailing commas on each level", "{\"a\":{\"b\":[true,],},}",
		"{\"a\":{\"b\":[true]}}"},
	    {"words", "{\"a\":[true,false,null]}", "{\"a\":[true,false,null]}"},
	    {"surrogate pair", "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}"},
	    {"same name in different objects", "{\"a\":{\"a\":{\"a\":1}}}",
		"{\"a\":{\"a\":{\"a\":1}}}"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view once, twice;
		struct tsb_err err = {0};

		if (wire_compact(text(rows[i].in), &arena, &once, &err))
			fail_msg("%s: %s", rows[i].name, err.msg);
		assert_view(once, rows[i].out);
		assert_int_equal(wire_compact(once, &arena, &twice, &err), 0);
		assert_true(tsb_view_eq(once, twice));
	}
}

static void
test_text_outside_the_grammar_is_refused(void **state)
{
	static const struct {
		const char *name, *in, *message;
	} rows[] = {
	    {"nothing", "", "body is missing"},
	    {"only space", " \r\n\t", "body is missing"},
	    {"array", "[]", "'{' is expected"},
	    {"string", "\"a\"", "'{' is expected"},
	    {"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{}", "'{' is expected"},
	    {"open object", "{", "member name"},
	    {"open object after a member", "{\"a\":1", "ends early"},
	    {"open after comma", "{\"a\":1,", "member name"},
	    {"open array", "{\"a\":[1", "ends early"},
	    {"no value", "{\"a\":", "ends early"},
	    {"no colon", "{\"a\" 1}", "':' is expected"},
	    {"only a comma", "{,}", "member name"},
	    {"only a comma in array", "{\"a\":[,]}", "not a number"},
	    {"two trailing commas", "{\"a\":1,,}", "member name"},
	    {"two trailing commas in array", "{\"a\":[1,,]}", "not a number"},
	    {"wrong bracket", "{\"a\":[1}", "',' is expected"},
	    {"text behind", "{} {}", "text after the end"},
	    {"NUL behind", "{}\\u0000", "text after the end"},
	    {"unquoted name", "{a:1}", "member name"},
	    {"single quotes", "{'a':1}", "member name"},
	    {"comment", "{/**/}", "member name"},
	    {"duplicate member", "{\"a\":1,\"b\":2,\"a\":1}", "member 'a' appears twice"},
	    {"duplicate below", "{\"x\":[{\"a\":1,\"a\":null}]}", "member 'a' appears twice"},
	    {"escaped name", "{\"\\u0061\":1}", "backslash"},
	    {"escaped quote in name", "{\"a\\\"\":1}", "backslash"},
	    {"plus sign", "{\"a\":+1}", "not a number"},
	    {"leading zero", "{\"a\":01}", "not a number"},
	    {"bare minus", "{\"a\":-}", "not a number"},
	    {"no digit after point", "{\"a\":1.}", "not a number"},
	    {"no digit before point", "{\"a\":.5}", "not a number"},
	    {"no exponent digits", "{\"a\":1e+}", "not a number"},
	    {"hexadecimal", "{\"a\":0x10}", "',' is expected"},
	    {"NaN", "{\"a\":NaN}", "not a number"},
	    {"Infinity", "{\"a\":-Infinity}", "not a number"},
	    {"huge number", "{\"a\":100000000000000000000000000000000000}", "too long"},
	    {"whole number of 19 digits", "{\"a\":9223372036854775808}", "too long"},
	    {"negative number of 19 digits", "{\"a\":-9223372036854775809}", "too long"},
	    {"long fraction", "{\"a\":0.1234567890123456789012345678901}", "too long"},
	    {"upper case word", "{\"a\":True}", "not a number"},
	    {"short word", "{\"a\":nul}", "not a value"},
	    {"long word", "{\"a\":nulll}", "',' is expected"},
	    {"open string", "{\"a\":\"b", "does not end"},
	    {"open string after escape", "{\"a\":\"b\\", "does not end"},
	    {"line feed in string", "{\"a\":\"\n\"}", "control character"},
	    {"unknown escape", "{\"a\":\"\\x41\"}", "unknown escape"},
	    {"escaped NUL", "{\"a\":\"\\u0000\"}", "NUL"},
	    {"short escape", "{\"a\":\"\\u00g0\"}", "four hex digits"},
	    {"escape at the end", "{\"a\":\"\\u12", "four hex digits"},
	    {"high surrogate alone", "{\"a\":\"\\ud83d\"}", "surrogate"},
	    {"high surrogate and letter", "{\"a\":\"\\ud83dx\\ude00\"}", "surrogate"},
	    {"two high surrogates", "{\"a\":\"\\ud83d\\ud83d\"}", "surrogate"},
	    {"low surrogate first", "{\"a\":\"\\ude00\\ud83d\"}", "surrogate"},
	    {"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", "not UTF-8"},
	    {"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"},
	    {"cut UTF-8", "{\"a\":\"\xe2\x82\"}", "not UTF-8"},
	    {"Latin-1", "{\"a\":\"\xe9\"}", "not UTF-8"},
	    {"UTF-8 outside strings", "{\xc2\xa0}", "member name"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view out;
		struct tsb_err err = {0};

		assert_refused(rows[i].name, wire_compact(text(rows[i].in), &arena, &out, &err),
		    &err, TSB_E_INPUT, rows[i].message);
	}
}

static void
test_text_with_raw_nul_is_refused(void **state)
{
	static const char inside[] = "{\"a\":\"x\0y\"}", behind[] = "{}\0";
	struct tsb_view out;
	struct tsb_err err = {0};

	assert_int_equal(wire_compact(tsb_view_of(inside, sizeof(inside) - 1), &arena, &out, &err),
	    -1);
	assert_int_equal(wire_compact(tsb_view_of(behind, sizeof(behind) - 1), &arena, &out, &err),
	    -1);
}

/* Pointers into no memory at all are not counted on. */
static void
test_text_without_memory_is_missing(void **state)
{
	struct tsb_view out;
	struct tsb_err err = {0};

	assert_refused("no memory", wire_compact(tsb_view_of(NULL, 0), &arena, &out, &err), &err,
	    TSB_E_INPUT, "body is missing");
}

static void
test_text_limits(void **state)
{
	tsb_bytes_auto b = {0};
	struct tsb_view out;
	struct tsb_err err = {0};

	repeated(&b, "{\"a\":", "[", 31, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}");
	assert_int_equal(wire_compact(tsb_view_bytes(&b), &arena, &out, &err), 0);
	repeated(&b, "{\"a\":", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}");
	assert_refused("depth 33", wire_compact(tsb_view_bytes(&b), &arena, &out, &err), &err,
	    TSB_E_INPUT, "nested too deep");
	assert_refused("depth bomb",
	    wire_compact(repeated(&b, "", "{\"a\":", 700000, ""), &arena, &out, &err), &err,
	    TSB_E_INPUT, "nested too deep");
	assert_refused("array bomb",
	    wire_compact(repeated(&b, "{\"a\":[", "[],", 1000000, "]}"), &arena, &out, &err), &err,
	    TSB_E_INPUT, "too many objects");
	assert_refused("value bomb",
	    wire_compact(repeated(&b, "{\"a\":[", "0,", 2000000, "]}"), &arena, &out, &err), &err,
	    TSB_E_INPUT, "too many values");
}

static void
test_text_member_count_is_bounded(void **state)
{
	tsb_bytes_auto b = {0};
	struct tsb_view out;
	struct tsb_err err = {0};

	for (int members = 64; members <= 65; members++) {
		tsb_bytes_reset(&b);
		tsb_bytes_add_str(&b, "{");
		for (int i = 0; i < members; i++)
			tsb_bytes_addf(&b, "\"m%d\":%d,", i, i);
		tsb_bytes_add_str(&b, "}");
		assert_int_equal(wire_compact(tsb_view_bytes(&b), &arena, &out, &err),
		    members == 64 ? 0 : -1);
	}
	assert_refused("65 members", -1, &err, TSB_E_INPUT, "too many members");
}

/* 4 MiB of the most costly text for each rule, read to its end. */
static void
test_text_hostile_input_takes_linear_time(void **state)
{
	static const char *const units[] = {
	    "\"\\\\\\\"\\ud83d\\ude00\",",
	    "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1,\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\":2},",
	    "[[[[[[[[[[]]]]]]]]]],",
	};
	int64_t start = clock_monotonic_ms();

	for (size_t i = 0; i < TSB_COUNT(units); i++) {
		tsb_bytes_auto b = {0};
		struct tsb_request_in in;
		struct tsb_err err = {0};

		repeated(&b, "{\"signRequest\":{\"keyPassword\":[", units[i],
		    4 * 1024 * 1024 / strlen(units[i]), "]}}");
		assert_int_equal(wire_request_parse(KIND_SIGN, tsb_view_bytes(&b), &arena, &in,
				     &err),
		    -1);
		arena_reset(&arena);
	}
	assert_true(clock_monotonic_ms() - start < 20000);
}

static void
test_member_text_gives_the_callers_bytes(void **state)
{
	struct tsb_view compact, v;
	struct tsb_err err = {0};

	assert_int_equal(wire_compact(text(
					  "{\"x\":\"a\\\\\\\",}\", \"a\":{\"b\":[1,{\"b\":\"]\"}]},"
					  "\"b\" : [ 1 ] ,\"c\":null, \"d\":-1.0}"),
			     &arena, &compact, &err),
	    0);
	assert_true(wire_member_text(compact, "x", &v));
	assert_view(v, "\"a\\\\\\\",}\"");
	assert_true(wire_member_text(compact, "a", &v));
	assert_view(v, "{\"b\":[1,{\"b\":\"]\"}]}");
	assert_true(wire_member_text(compact, "b", &v));
	assert_view(v, "[1]");
	assert_true(wire_member_text(compact, "c", &v));
	assert_view(v, "null");
	assert_true(wire_member_text(compact, "d", &v));
	assert_view(v, "-1.0");
	assert_false(wire_member_text(compact, "e", &v));
	assert_false(wire_member_text(text("{}"), "e", &v));
	assert_false(wire_member_text(text(""), "e", &v));
	assert_false(wire_member_text(text("{\"e\":\"open"), "e", &v));
}

/* Whether freed memory still holds the text: new blocks are old ones, as they were left. */
static bool
left_in_free_memory(const char *secret)
{
	static void *volatile blocks[4096];
	size_t n = 0;
	bool found = false;

	/* every size class of small blocks, then ever larger ones */
	for (size_t size = 24; size <= 64 * 1024; size += size < 1040 ? 16 : size / 4)
		for (int i = 0; i < 8 && n < TSB_COUNT(blocks); i++) {
			blocks[n] = malloc(size);
			assert_non_null(blocks[n]);
			found |= memmem(blocks[n], size, secret, strlen(secret)) != NULL;
			n++;
		}
	while (n > 0)
		free(blocks[--n]);
	return found;
}

static void
test_text_leaves_no_password_in_free_memory(void **state)
{
	static const char secret[] = "allocators overwrite the start, correct horse battery staple";
	const char *preload = getenv("LD_PRELOAD");
	static const size_t before[] = {0, 10, 300, 5000};

	if (preload != NULL && strstr(preload, "vgpreload") != NULL) {
		print_message("skipped: valgrind forbids to read such memory\n");
		skip();
	}
	for (size_t i = 0; i < TSB_COUNT(before); i++) {
		tsb_bytes_auto body = {0};
		struct tsb_request_in in;
		struct tsb_err err = {0};

		repeated(&body, "{\"signRequest\":{\"metaData\":\"", "AAAA", before[i],
		    "\",\"payload\":\"AA==\",\"signKeyName\":\"k\","
		    "\"signatureAlgorithm\":\"EDDSA\",\"keyPassword\":\"");
		tsb_bytes_add_str(&body, secret);
		tsb_bytes_add_str(&body, "\"}}");
		assert_int_equal(wire_request_parse(KIND_SIGN, tsb_view_bytes(&body), &arena, &in,
				     &err),
		    0);
		assert_view(in.key_password, secret);
		arena_clear(&arena);
		tsb_bytes_clear(&body);
		assert_false(left_in_free_memory("correct horse battery"));
	}
}

/* Answers are read as strictly as requests, and a message may be in any language. */
static void
test_answers_outside_ascii_and_outside_the_grammar(void **state)
{
	static const char *const bad[] = {
	    "",
	    "[]",
	    "{'errorCode':650}",
	    "{\"errorCode\":650} x",
	    "{\"errorCode\":NaN}",
	    "{\"message\":\"\xff\"}",
	};
	struct wire_client_error e;

	assert_true(wire_client_error_parse(
	    text("{\"errorCode\": 650, \"reason\": \"res.error.key.not.existent\", "
		 "\"message\": \"Schl\xc3\xbcssel \xe6\xbc\xa2\"}"),
	    &arena, &e));
	assert_int_equal(e.number, 650);
	assert_string_equal(e.message, "Schl\xc3\xbcssel \xe6\xbc\xa2");
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_false(wire_client_error_parse(text(bad[i]), &arena, &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_text_is_compacted),
	    WIRE_TEST(test_text_outside_the_grammar_is_refused),
	    WIRE_TEST(test_text_with_raw_nul_is_refused),
	    WIRE_TEST(test_text_without_memory_is_missing),
	    WIRE_TEST(test_text_limits),
	    WIRE_TEST(test_text_member_count_is_bounded),
	    WIRE_TEST(test_text_hostile_input_takes_linear_time),
	    WIRE_TEST(test_text_leaves_no_password_in_free_memory),
	    WIRE_TEST(test_member_text_gives_the_callers_bytes),
	    WIRE_TEST(test_answers_outside_ascii_and_outside_the_grammar),
	};

	return cmocka_run_group_tests_name("wire_text", tests, NULL, group_teardown);
}
