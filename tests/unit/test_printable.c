/* Text from elsewhere on a terminal, in a JSON text and in the log: shown, never obeyed. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "lib/base/enc.h"

#include "cli/lib/printable.h"

#define INDENT 23

/* What terminals obey or readers do not see, and how it is escaped in JSON. */
static const struct {
	const char *text, *json;
} hostile[] = {
    {"\x1b", "\\u001b"}, {"\r", "\\u000d"}, {"\x7f", "\\u007f"},
    {"\x9b", "\\ufffd"}, /* a bare byte */
    {"\xc2\x80", "\\u0080"}, {"\xc2\x9b", "\\u009b"}, /* CSI */
    {"\xc2\x9f", "\\u009f"}, {"\xd8\x9c", "\\u061c"}, {"\xe2\x80\x8b", "\\u200b"},
    {"\xe2\x80\x8e", "\\u200e"}, {"\xe2\x80\x8f", "\\u200f"}, {"\xe2\x80\xa8", "\\u2028"},
    {"\xe2\x80\xa9", "\\u2029"}, {"\xe2\x80\xaa", "\\u202a"}, {"\xe2\x80\xae", "\\u202e"},
    {"\xe2\x81\xa0", "\\u2060"}, {"\xe2\x81\xa6", "\\u2066"}, {"\xe2\x81\xa9", "\\u2069"},
    {"\xef\xb8\x8f", "\\ufe0f"}, {"\xef\xbb\xbf", "\\ufeff"},
    {"\xf3\xa0\x80\xa1", "\\udb40\\udc21"}, /* a tag */
};

static const char *const harmless[] = {"pay 10 EUR", "Z\xc3\xbcrich", "\xe4\xb8\xad\xe6\x96\x87",
    "\xf0\x9f\x92\xb6", "a\tb\nc", "e\xcc\x81"};

static void
test_what_is_obeyed_is_escaped(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(hostile); i++) {
		tsb_bytes_auto out = {0}, json = {0}, quoted = {0};
		size_t n = strlen(hostile[i].text);

		assert_false(printable_all(tsb_view_str(hostile[i].text)));
		printable_add(tsb_view_str(hostile[i].text), "\n", &out);
		assert_int_equal(out.n, 4 * n);
		assert_memory_equal(out.p, "\\x", 2);
		tsb_bytes_addf(&quoted, "\"a%s\"", hostile[i].text);
		printable_add_json(tsb_view_bytes(&quoted), &json);
		tsb_bytes_reset(&quoted);
		tsb_bytes_addf(&quoted, "\"a%s\"", hostile[i].json);
		assert_string_equal(tsb_bytes_cstr(&json), tsb_bytes_cstr(&quoted));
	}
}

static void
test_text_stays(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(harmless); i++) {
		tsb_bytes_auto out = {0};

		assert_true(printable_all(tsb_view_str(harmless[i])));
		printable_add(tsb_view_str(harmless[i]), "\n", &out);
		assert_string_equal(tsb_bytes_cstr(&out), harmless[i]);
	}
}

static void
test_json_is_one_line(void **state)
{
	tsb_bytes_auto out = {0};

	printable_add_json(tsb_view_str("{\n \"a\\\"b\": \"c\nd\\\\\",\r\n\t\"e\": 1}"), &out);
	assert_string_equal(tsb_bytes_cstr(&out), "{  \"a\\\"b\": \"c\\u000ad\\\\\",   \"e\": 1}");
}

/* Every line behind the first begins with blanks and the bar, and none is too long. */
static void
check_lines(const char *text, size_t column, size_t width)
{
	tsb_bytes_auto out = {0};
	char margin[INDENT + 1];
	char *line, *rest;
	size_t number = 0;

	memset(margin, ' ', INDENT);
	memcpy(margin + INDENT - 2, "| ", 3);
	printable_lay(tsb_view_str(text), column, INDENT, width, &out);
	rest = (char *)(uintptr_t)tsb_bytes_cstr(&out);
	for (; (line = strsep(&rest, "\n")) != NULL; number++) {
		assert_true(strlen(line) <= width - (number == 0 ? column : 0));
		if (number > 0)
			assert_memory_equal(line, margin, INDENT);
	}
}

static void
test_no_line_begins_with_foreign_text(void **state)
{
	static const char *const texts[] = {
	    "paid\nkey                    invoices",
	    "                                                         key          invoices   x y",
	    "a word and many more of them until the line is full and goes on in the next one, twice",
	    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567",
	    "\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b",
	    "\n\n\n",
	};

	for (size_t i = 0; i < TSB_COUNT(texts); i++)
		for (size_t column = INDENT; column < 80; column++) {
			check_lines(texts[i], column, 80);
			check_lines(texts[i], column < 40 ? column : 40, 40);
		}
}

static void
test_text_is_cut_at_its_columns(void **state)
{
	static const struct {
		const char *text, *cut;
	} rows[] = {
	    {"0123456789", "0123456789"},
	    {"0123456789a", "0123456..."},
	    {"a\nb\tc", "a\\nb..."}, /* a tab may take eight */
	    {"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87",
		"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad..."},
	    {"0123456\xc2\x9b", "0123456..."},
	    {"", ""},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto out = {0};

		printable_cut(tsb_view_str(rows[i].text), 10, &out);
		assert_string_equal(tsb_bytes_cstr(&out), rows[i].cut);
	}
}

static void
test_columns_of_blanks_are_found(void **state)
{
	assert_true(printable_has_gap(tsb_view_str("a   b")));
	assert_true(printable_has_gap(tsb_view_str("a\tb")));
	assert_true(printable_has_gap(tsb_view_str("a\xc2\xa0\xe2\x80\x83 b")));
	assert_false(printable_has_gap(tsb_view_str("a  b c d")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_obeyed_is_escaped),
	    cmocka_unit_test(test_text_stays),
	    cmocka_unit_test(test_json_is_one_line),
	    cmocka_unit_test(test_no_line_begins_with_foreign_text),
	    cmocka_unit_test(test_text_is_cut_at_its_columns),
	    cmocka_unit_test(test_columns_of_blanks_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
