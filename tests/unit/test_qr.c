/* Parts of a text: splitting, joining and every way in which a part can be wrong. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/qr/part.h"

#define ID       "0190a3c1-7f00-7abc-8def-0123456789ab"
#define OTHER_ID "0190a3c1-7f00-7abc-8def-0123456789ac"
#define ABC      "ba7816bf" /* of SHA-256("abc") */
#define HEAD     QR_PART_MARK ID

static struct tsb_uuid
request_id(void)
{
	struct tsb_uuid id;

	assert_true(uuid_parse(ID, &id));
	return id;
}

static struct tsb_view
numbered_text(struct arena *a, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(' ' + (i * 7 + i / 95) % 95);
	return tsb_view_of(p, n);
}

static int
split_once(struct tsb_view text, const struct tsb_uuid *id, size_t chunk, size_t k,
    struct tsb_bytes *out, struct tsb_err *err)
{
	struct qr_split split;

	if (qr_split_init(&split, text, id, chunk, err) || qr_split_part(&split, k, out, err))
		return -1;
	return 0;
}

static void
make_part(struct tsb_view text, size_t chunk, size_t k, struct tsb_bytes *out)
{
	struct tsb_uuid id = request_id();
	struct tsb_err err = {0};

	tsb_bytes_reset(out);
	if (split_once(text, &id, chunk, k, out, &err) != 0)
		fail_msg("part %zu: %s", k, err.msg);
}

static int
add(struct qr_join *j, const char *part, struct tsb_err *err)
{
	return qr_join_add(j, tsb_view_str(part), NULL, err);
}

/* ---- splitting ---- */

static void
test_part_text(void **state)
{
	tsb_bytes_auto part = {0};

	make_part(tsb_view_str("abc"), QR_CHUNK_MAX, 1, &part);
	assert_string_equal(tsb_bytes_cstr(&part), HEAD "|1|1|" ABC "|abc");
	make_part(tsb_view_str("abc"), 2, 2, &part);
	assert_string_equal(tsb_bytes_cstr(&part), HEAD "|2|2|" ABC "|c");
	make_part(tsb_view_str(""), 2, 1, &part);
	assert_string_equal(tsb_bytes_cstr(&part), HEAD "|1|1|e3b0c442|");
	assert_true(qr_is_part(tsb_view_bytes(&part)));
	assert_false(qr_is_part(tsb_view_str("{\"signRequest\":{}}")));
	assert_false(qr_is_part(tsb_view_str("TSBQR1")));
	assert_false(qr_is_part((struct tsb_view){NULL, 0}));
}

static void
test_count(void **state)
{
	arena_auto arena = {0};
	static const struct {
		size_t bytes, chunk, parts;
	} rows[] = {{0, 1, 1}, {1, 1, 1}, {2, 1, 2}, {1800, 1800, 1}, {1801, 1800, 2},
	    {3600, 1800, 2}, {3601, 1800, 3}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		assert_int_equal(qr_part_count(numbered_text(&arena, rows[i].bytes), rows[i].chunk),
		    rows[i].parts);
}

static void
test_what_cannot_be_split(void **state)
{
	arena_auto arena = {0};
	tsb_bytes_auto out = {0};
	struct tsb_uuid id = request_id();
	struct tsb_view longest = numbered_text(&arena, QR_TEXT_MAX);
	const struct {
		const char *name, *message;
		struct tsb_view text;
		size_t chunk, k;
	} rows[] = {
	    {"no bytes a part", "1 to 1800 bytes, not 0", tsb_view_str("a"), 0, 1},
	    {"long chunks", "not 1801", tsb_view_str("a"), QR_CHUNK_MAX + 1, 1},
	    {"part 0", "no part 0", tsb_view_str("a"), 1, 0},
	    {"behind the last", "no part 2: the text has 1", tsb_view_str("a"), 1, 2},
	    {"too many parts", "too long", longest, 1000, 1},
	    {"too long", "too long", tsb_view_of(longest.p, QR_TEXT_MAX + (size_t)1), 1800, 1},
	    {"line feed", "printable ASCII", tsb_view_str("a\n"), 1, 1},
	    {"DEL", "printable ASCII", tsb_view_str("a\x7f"), 1, 1},
	    {"UTF-8", "printable ASCII", tsb_view_str("\xc3\xa9"), 1, 1},
	    {"NUL", "printable ASCII", tsb_view_of("a\0b", 3), 1, 1},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_err err = {0};

		if (split_once(rows[i].text, &id, rows[i].chunk, rows[i].k, &out, &err) == 0)
			fail_msg("%s was split", rows[i].name);
		assert_int_equal(err.code, TSB_E_INPUT);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: %s", rows[i].name, err.msg);
		assert_int_equal(out.n, 0);
	}
	/* as many parts as there may be */
	make_part(longest, 1024, 4096, &out);
	make_part(longest, QR_CHUNK_MAX, 1, &out);
}

/* ---- joining ---- */

/*
 * Any length, chunk and order, chunks that end with a space too: the same text, each part fresh
 * once.
 */
static void
test_split_and_joined_is_the_same(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 16, 17, 1799, 1800, 1801, 5400, 20011};
	static const size_t chunks[] = {7, 100, 1799, QR_CHUNK_MAX};
	arena_auto arena = {0};

	for (size_t i = 0; i < TSB_COUNT(sizes) * TSB_COUNT(chunks); i++) {
		size_t chunk = chunks[i % TSB_COUNT(chunks)];
		struct tsb_view text = numbered_text(&arena, sizes[i / TSB_COUNT(chunks)]), again;
		size_t n = qr_part_count(text, chunk), step = n % 7 == 0 ? 11 : 7;
		qr_join_auto join = {0};
		struct tsb_err err = {0};

		for (size_t t = 0; t < 2 * n; t++) { /* a permutation, twice */
			tsb_bytes_auto part = {0};
			bool fresh;

			if (n % step == 0)
				step = 1;
			make_part(text, chunk, t * step % n + 1, &part);
			tsb_bytes_add_str(&part, t % 3 == 0 ? "\r\n" : t % 3 == 1 ? "\n" : "");
			if (qr_join_add(&join, tsb_view_bytes(&part), &fresh, &err) != 0)
				fail_msg("%zu bytes by %zu: %s", text.n, chunk, err.msg);
			assert_int_equal(fresh, t < n);
			assert_int_equal(qr_join_complete(&join), t + 1 >= n);
		}
		assert_int_equal(qr_join_text(&join, &arena, &again, &err), 0);
		assert_true(tsb_view_eq(text, again));
	}
}

static void
test_missing_parts_are_named(void **state)
{
	static const struct {
		size_t have[9];
		const char *missing;
	} rows[] = {
	    {{1}, "2 to 9"},
	    {{9}, "1 to 8"},
	    {{2, 5}, "1, 3, 4, 6 to 9"},
	    {{1, 3, 4, 8}, "2, 5 to 7, 9"},
	    {{1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		qr_join_auto join = {0};
		tsb_bytes_auto part = {0}, missing = {0};
		arena_auto arena = {0};
		struct tsb_err err = {0};
		struct tsb_view text;
		char message[200];

		qr_join_missing(&join, &missing);
		assert_int_equal(missing.n, 0);
		for (size_t k = 0; k < 9 && rows[i].have[k] > 0; k++) {
			make_part(tsb_view_str("123456789"), 1, rows[i].have[k], &part);
			assert_int_equal(qr_join_add(&join, tsb_view_bytes(&part), NULL, &err), 0);
		}
		qr_join_missing(&join, &missing);
		assert_string_equal(tsb_bytes_cstr(&missing), rows[i].missing);
		if (rows[i].missing[0] == '\0')
			continue;
		assert_int_equal(qr_join_text(&join, &arena, &text, &err), -1);
		assert_int_equal(err.code, TSB_E_PAYLOAD);
		snprintf(message, sizeof(message),
		    "request " ID ": of 9 parts these are missing: %s", rows[i].missing);
		assert_string_equal(err.msg, message);
	}
}

static void
test_nothing_joins_to_nothing(void **state)
{
	qr_join_auto join = {0};
	arena_auto arena = {0};
	struct tsb_err err = {0};
	struct tsb_view text;

	assert_false(qr_join_complete(&join));
	assert_int_equal(qr_join_text(&join, &arena, &text, &err), -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
}

/* ---- parts that are none ---- */

static void
test_malformed_parts_are_refused(void **state)
{
	static const struct {
		const char *part, *message;
	} rows[] = {
	    {"", "does not begin with TSBQR1|"},
	    {" " HEAD "|1|2|" ABC "|a", "does not begin with"},
	    {"TSBQR2|" ID "|1|2|" ABC "|a", "does not begin with"},
	    {"tsbqr1|" ID "|1|2|" ABC "|a", "does not begin with"},
	    {"{\"signRequest\":{}}", "does not begin with"},
	    {"TSBQR1;" ID ";1;2;" ABC ";a", "does not begin with"},
	    {"TSBQR1|", "UUID"},
	    {"TSBQR1|" ID, "UUID"},
	    {"TSBQR1||1|2|" ABC "|a", "UUID"},
	    {"TSBQR1|0190A3C1-7F00-7ABC-8DEF-0123456789AB|1|2|" ABC "|a", "lower case"},
	    {"TSBQR1|0190a3c17f007abc8def0123456789ab|1|2|" ABC "|a", "UUID"},
	    {"TSBQR1| 190a3c1-7f00-7abc-8def-0123456789ab|1|2|" ABC "|a", "UUID"},
	    {HEAD ",1,2," ABC ",a", "UUID"},
	    {HEAD "|", "no number"},
	    {HEAD "||2|" ABC "|a", "no number"},
	    {HEAD "|0|2|" ABC "|a", "no number"},
	    {HEAD "|01|2|" ABC "|a", "no number"},
	    {HEAD "|+1|2|" ABC "|a", "no number"},
	    {HEAD "|-1|2|" ABC "|a", "no number"},
	    {HEAD "| 1|2|" ABC "|a", "no number"},
	    {HEAD "|1 |2|" ABC "|a", "no number"},
	    {HEAD "|1.0|2|" ABC "|a", "no number"},
	    {HEAD "|0x1|2|" ABC "|a", "no number"},
	    {HEAD "|1;2;" ABC ";a", "no number"},
	    {HEAD "|4097|4097|" ABC "|a", "no number from 1 to 4096"},
	    {HEAD "|18446744073709551617|2|" ABC "|a", "no number"},
	    {HEAD "|1", "no number"},
	    {HEAD "|1|", "part 1 does not say of how many"},
	    {HEAD "|1||" ABC "|a", "of how many"},
	    {HEAD "|1|0|" ABC "|a", "of how many"},
	    {HEAD "|1|02|" ABC "|a", "of how many"},
	    {HEAD "|1|4097|" ABC "|a", "of how many (1 to 4096)"},
	    {HEAD "|1|4294967298|" ABC "|a", "of how many"},
	    {HEAD "|3|2|" ABC "|a", "part 3 of 2: there is no such part"},
	    {HEAD "|1|2|", "part 1 of 2 has no hash"},
	    {HEAD "|1|2|" ABC, "no hash"},
	    {HEAD "|1|2|BA7816BF|a", "no hash"},
	    {HEAD "|1|2|ba7816b|a", "no hash"},
	    {HEAD "|1|2|ba7816bff|a", "no hash"},
	    {HEAD "|1|2|ba7816bg|a", "no hash"},
	    {HEAD "|1|2|" ABC "|", "part 1 of 2 is empty"},
	    {HEAD "|1|2|" ABC "|\r\n", "part 1 of 2 is empty"},
	    {HEAD "|1|2|" ABC "|a\nb", "content of part 1 of 2 is not printable ASCII"},
	    {HEAD "|1|2|" ABC "|a\tb", "not printable ASCII"},
	    {HEAD "|1|2|" ABC "|\xc3\xa9", "not printable ASCII"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		qr_join_auto join = {0};
		struct tsb_err err = {0};

		if (add(&join, rows[i].part, &err) == 0)
			fail_msg("taken: %s", rows[i].part);
		assert_int_equal(err.code, TSB_E_PAYLOAD);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: %s", rows[i].part, err.msg);
		assert_false(join.begun);
	}
}

static void
test_nul_inside_a_part_is_refused(void **state)
{
	static const char *const parts[] = {HEAD "|1|1|" ABC "|abc", HEAD "|1|1|" ABC "|a"};

	for (size_t p = 0; p < TSB_COUNT(parts); p++)
		for (size_t i = 0; i < strlen(parts[p]); i++) {
			char copy[100];
			qr_join_auto join = {0};
			struct tsb_err err = {0};

			strcpy(copy, parts[p]);
			copy[i] = '\0';
			assert_int_equal(qr_join_add(&join, tsb_view_of(copy, strlen(parts[p])),
					     NULL, &err),
			    -1);
			assert_int_equal(err.code, TSB_E_PAYLOAD);
		}
}

static void
test_overlong_chunk_is_refused(void **state)
{
	arena_auto arena = {0};
	tsb_bytes_auto part = {0};
	qr_join_auto join = {0};
	struct tsb_err err = {0};

	tsb_bytes_add_str(&part, HEAD "|1|2|" ABC "|");
	tsb_bytes_add_view(&part, numbered_text(&arena, QR_CHUNK_MAX + 1));
	tsb_bytes_add_str(&part, "x");
	assert_int_equal(qr_join_add(&join, tsb_view_bytes(&part), NULL, &err), -1);
	assert_non_null(strstr(err.msg, "at most 1800 bytes"));
}

/* Parts that are sound alone and do not fit those before; nothing of the join changes. */
static void
test_parts_that_do_not_belong_are_refused(void **state)
{
	static const struct {
		const char *name, *part, *message;
	} rows[] = {
	    {"another request", QR_PART_MARK OTHER_ID "|1|3|" ABC "|a",
		"part 1 of 3 belongs to request " OTHER_ID ", the parts before to request " ID},
	    {"another text", HEAD "|1|3|00000000|a",
		"part 1 of 3 is of another text of request " ID},
	    {"another count", HEAD "|1|4|" ABC "|a",
		"part 1 says it is one of 4, the parts before are of 3"},
	    {"edited", HEAD "|2|3|" ABC "|B", "part 2 of 3 is there already with other content"},
	    {"shortened", HEAD "|3|3|" ABC "|", "part 3 of 3 is empty"},
	    {"lengthened", HEAD "|2|3|" ABC "|bb", "part 2 of 3 is there already"},
	};
	qr_join_auto join = {0};
	arena_auto arena = {0};
	struct tsb_err err = {0};
	struct tsb_view text;

	assert_int_equal(add(&join, HEAD "|2|3|" ABC "|b", &err), 0);
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		if (add(&join, rows[i].part, &err) == 0)
			fail_msg("%s was taken", rows[i].name);
		assert_int_equal(err.code, TSB_E_PAYLOAD);
		if (strstr(err.msg, rows[i].message) == NULL)
			fail_msg("%s: %s", rows[i].name, err.msg);
		assert_int_equal(join.have, 1);
	}
	assert_int_equal(add(&join, HEAD "|1|3|" ABC "|a", &err), 0);
	assert_int_equal(add(&join, HEAD "|3|3|" ABC "|c\t\r\n", &err), 0);
	assert_int_equal(qr_join_text(&join, &arena, &text, &err), 0);
	assert_true(tsb_view_eq(text, tsb_view_str("abc")));
}

static void
test_changed_text_is_found_at_the_end(void **state)
{
	qr_join_auto join = {0};
	arena_auto arena = {0};
	struct tsb_err err = {0};
	struct tsb_view text = {NULL, 0};

	assert_int_equal(add(&join, HEAD "|1|2|" ABC "|ab", &err), 0);
	assert_int_equal(add(&join, HEAD "|2|2|" ABC "|d", &err), 0);
	assert_true(qr_join_complete(&join));
	assert_int_equal(qr_join_text(&join, &arena, &text, &err), -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
	assert_non_null(strstr(err.msg, "give a text with hash a52d159f, but they name " ABC));
	assert_null(text.p);
}

/* Tools cut spaces at line ends; a chunk of a key name may end there. */
static void
test_spaces_that_were_cut_off_are_restored(void **state)
{
	static const struct {
		const char *text;
		size_t chunk;
	} rows[] = {{"ab cd ef gh", 3}, {"ab  ef", 4}, {"a   b", 4}, {"a b c d", 2},
	    {"a               b", 16}};
	arena_auto arena = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view text = tsb_view_str(rows[i].text), again;
		qr_join_auto join = {0};
		struct tsb_err err = {0};

		for (size_t t = 0; t < 2 * qr_part_count(text, rows[i].chunk); t++) {
			tsb_bytes_auto part = {0};

			make_part(text, rows[i].chunk, t / 2 + 1, &part);
			while (part.p[part.n - 1] == ' ')
				part.n--;
			if (qr_join_add(&join, tsb_view_bytes(&part), NULL, &err) != 0)
				fail_msg("\"%s\": %s", rows[i].text, err.msg);
		}
		if (qr_join_text(&join, &arena, &again, &err) != 0)
			fail_msg("\"%s\": %s", rows[i].text, err.msg);
		assert_true(tsb_view_eq(text, again));
	}
}

/* The same part with and without its space is one part, and the longer one is kept. */
static void
test_part_with_and_without_its_space(void **state)
{
	static const char *const orders[2][2] = {{"a", "a "}, {"a ", "a"}};
	arena_auto arena = {0};

	for (size_t i = 0; i < 2; i++) {
		qr_join_auto join = {0};
		struct tsb_err err = {0};
		struct tsb_view text;

		for (size_t k = 0; k < 2; k++) {
			tsb_bytes_auto part = {0};

			/*
			 * SHA-256("ba ") is not among the restored ones: the last chunk is as it
			 * came
			 */
			tsb_bytes_addf(&part, HEAD "|2|2|1d62f63d|%s", orders[i][k]);
			assert_int_equal(qr_join_add(&join, tsb_view_bytes(&part), NULL, &err), 0);
		}
		assert_int_equal(add(&join, HEAD "|1|2|1d62f63d|b", &err), 0);
		assert_int_equal(join.have, 2);
		if (qr_join_text(&join, &arena, &text, &err) != 0)
			fail_msg("%s", err.msg);
		assert_true(tsb_view_eq(text, tsb_view_str("ba ")));
	}
}

/* After clearing, the same join takes another request. */
static void
test_cleared_join_begins_again(void **state)
{
	qr_join_auto join = {0};
	struct tsb_err err = {0};

	assert_int_equal(add(&join, HEAD "|1|2|" ABC "|a", &err), 0);
	qr_join_clear(&join);
	assert_int_equal(add(&join, QR_PART_MARK OTHER_ID "|1|1|" ABC "|abc", &err), 0);
	assert_true(qr_join_complete(&join));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_part_text),
	    cmocka_unit_test(test_count),
	    cmocka_unit_test(test_what_cannot_be_split),
	    cmocka_unit_test(test_split_and_joined_is_the_same),
	    cmocka_unit_test(test_missing_parts_are_named),
	    cmocka_unit_test(test_nothing_joins_to_nothing),
	    cmocka_unit_test(test_malformed_parts_are_refused),
	    cmocka_unit_test(test_nul_inside_a_part_is_refused),
	    cmocka_unit_test(test_overlong_chunk_is_refused),
	    cmocka_unit_test(test_parts_that_do_not_belong_are_refused),
	    cmocka_unit_test(test_changed_text_is_found_at_the_end),
	    cmocka_unit_test(test_spaces_that_were_cut_off_are_restored),
	    cmocka_unit_test(test_part_with_and_without_its_space),
	    cmocka_unit_test(test_cleared_join_begins_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
