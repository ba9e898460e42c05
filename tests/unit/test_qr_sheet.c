/* Print sheets: well-formed whatever comes in, complete, and with nothing from elsewhere. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <expat.h>

#include "lib/qr/escape.h"
#include "lib/qr/sheet.h"

/* ---- text from outside ---- */

static void
test_text_is_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"", ""},
	    {"plain", "plain"},
	    {"<script>alert(\"1\" && '2')</script>",
		"&lt;script&gt;alert(&quot;1&quot; &amp;&amp; &#39;2&#39;)&lt;/script&gt;"},
	    {"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x91",
		"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x91"},
	    {"a\nb\x7f", "a[U+000A]b[U+007F]"},
	    {"pay \xe2\x80\xae"
	     "001 \xe2\x81\xa6\xe2\x80\x8b",
		"pay [U+202E]001 [U+2066][U+200B]"},
	    {"\xc2\x85\xc2\xad\xef\xbb\xbf", "[U+0085][U+00AD][U+FEFF]"},
	    {"\xee\x80\x80\xf3\xa0\x81\x81", "[U+E000][U+E0041]"},
	    {"\xef\xbf\xbf", "[U+FFFF]"},
	    {"a\xff\xc3(\xe2\x82",
		"a?"
		"?(?"
		"?"},
	    {"\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80", "?????????"},
	    {"\xc3", "?"},
	    {"\xf0\x9f\x94", "???"},
	};
	tsb_bytes_auto out = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_reset(&out);
		qr_escape(rows[i].in, &out);
		assert_string_equal(tsb_bytes_cstr(&out), rows[i].out);
	}
	tsb_bytes_reset(&out);
	qr_escape(NULL, &out);
	assert_int_equal(out.n, 0);
}

static void
test_lines_break_at_spaces(void **state)
{
	static const struct {
		const char *in, *lines;
	} rows[] = {
	    {"", ""},
	    {"0123456789", "0123456789"},
	    {"0123456789a", "0123456789|a"},
	    {"0123456 89a", "0123456 |89a"},
	    {"a 0123456789", "a 01234567|89"},
	    {"\xe2\x80\xae\xe2\x80\xae", "[U+202E]|[U+202E]"},
	    {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9|\xc3\xa9"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto out = {0};
		const char *rest = qr_escape_line(rows[i].in, 10, &out);

		while (*rest != '\0') {
			tsb_bytes_add_str(&out, "|");
			rest = qr_escape_line(rest, 10, &out);
		}
		assert_string_equal(tsb_bytes_cstr(&out), rows[i].lines);
	}
}

/* ---- sheets ---- */

static void
make_sheet(const char *title, const char *text, size_t ncodes, enum qr_sheet_format format,
    struct tsb_bytes *out)
{
	struct qr_sheet_line lines[] = {{"key", "invoice-signing-01"}, {title, text}, {text, NULL}};
	struct qr_sheet sheet = {title, lines, TSB_COUNT(lines), tsb_view_str("abc"), NULL, ncodes};
	arena_auto arena = {0};
	struct qr_code *codes = arena_array(&arena, ncodes, sizeof(*codes));
	struct tsb_err err = {0};

	for (size_t i = 0; i < ncodes; i++)
		assert_int_equal(qr_encode(tsb_view_str("part"), QR_ECC_L, &arena, &codes[i], &err),
		    0);
	sheet.codes = codes;
	tsb_bytes_reset(out);
	qr_sheet_format(&sheet, format, out);
}

struct seen {
	int codes, pages, scripts, references;
	struct tsb_bytes text;
};

static void
on_element(void *user, const XML_Char *name, const XML_Char **attribute)
{
	struct seen *seen = user;

	seen->pages += strcmp(name, "section") == 0;
	seen->scripts += strcmp(name, "script") == 0;
	for (size_t i = 0; attribute[i] != NULL; i += 2) {
		seen->codes += strcmp(name, "path") == 0 && strcmp(attribute[i], "stroke") == 0;
		seen->references += strcmp(attribute[i], "href") == 0 ||
		    strcmp(attribute[i], "src") == 0 || strncmp(attribute[i], "on", 2) == 0;
	}
}

static void
on_text(void *user, const XML_Char *text, int n)
{
	struct seen *seen = user;

	tsb_bytes_add(&seen->text, text, (size_t)n);
}

/* The HTML is written so that it is XML, too. */
static void
read_sheet(const struct tsb_bytes *sheet, struct seen *seen)
{
	XML_Parser parser = XML_ParserCreate("UTF-8");

	assert_non_null(parser);
	XML_SetUserData(parser, seen);
	XML_SetElementHandler(parser, on_element, NULL);
	XML_SetCharacterDataHandler(parser, on_text);
	if (XML_Parse(parser, (const char *)sheet->p, (int)sheet->n, 1) != XML_STATUS_OK)
		fail_msg("the sheet is not well-formed: %s",
		    XML_ErrorString(XML_GetErrorCode(parser)));
	XML_ParserFree(parser);
}

static void
must_have(struct seen *seen, const char *text)
{
	if (strstr(tsb_bytes_cstr(&seen->text), text) == NULL)
		fail_msg("the sheet does not show: %s", text);
}

static void
test_sheets_are_complete(void **state)
{
	static const struct {
		size_t ncodes;
		int pages;
	} rows[] = {{1, 1}, {2, 2}, {4, 2}, {5, 3}, {9, 4}};

	for (size_t i = 0; i < TSB_COUNT(rows) * SHEET__MAX; i++) {
		enum qr_sheet_format format = i % SHEET__MAX;
		size_t n = rows[i / SHEET__MAX].ncodes;
		tsb_bytes_auto out = {0};
		struct seen seen = {0};

		make_sheet("Request 1", "value", n, format, &out);
		read_sheet(&out, &seen);
		assert_int_equal(seen.codes, n);
		assert_int_equal(seen.scripts + seen.references, 0);
		assert_int_equal(seen.pages, format == SHEET_SVG ? 0 : rows[i / SHEET__MAX].pages);
		for (size_t k = 1; k <= n; k++) {
			char number[40];

			snprintf(number, sizeof(number), "%zu of %zu", k, n);
			must_have(&seen, number);
		}
		must_have(&seen, "invoice-signing-01");
		/* SHA-256("abc") begins and ends so */
		must_have(&seen, "ba78 16bf");
		must_have(&seen, "road keys calm runs");
		must_have(&seen, "f200 15ad");
		must_have(&seen, "whiz able buzz poem");
		tsb_bytes_clear(&seen.text);
	}
}

static void
test_printed_sheets_have_page_numbers_and_notes(void **state)
{
	static const char *const boxes[] = {"Page 1 of 3", "Page 3 of 3", "Date and time", "Place",
	    "Operator", "First witness", "Signature of the second witness", "Serial number",
	    "remarks", "tsb offline scan"};
	tsb_bytes_auto out = {0};
	struct seen seen = {0};

	make_sheet("Request 1", "value", 8, SHEET_PDF_READY, &out);
	read_sheet(&out, &seen);
	for (size_t i = 0; i < TSB_COUNT(boxes); i++)
		must_have(&seen, boxes[i]);
	tsb_bytes_clear(&seen.text);
}

/* Every byte, and every pair of a byte and a half of a character. */
static void
test_sheets_are_well_formed_whatever_comes_in(void **state)
{
	for (int i = 1; i < 256; i++)
		for (enum qr_sheet_format format = 0; format < SHEET__MAX; format++) {
			char title[] = {(char)i, '<', (char)i, (char)0xbf, '&', (char)i, '\0'};
			char text[] = {'"', (char)0xef, (char)i, (char)0xbe, ']', '>', (char)i,
			    '\0'};
			tsb_bytes_auto out = {0};
			struct seen seen = {0};

			make_sheet(title, text, 1, format, &out);
			read_sheet(&out, &seen);
			assert_int_equal(seen.codes, 1);
			assert_int_equal(seen.scripts + seen.references, 0);
			tsb_bytes_clear(&seen.text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text_is_escaped),
	    cmocka_unit_test(test_lines_break_at_spaces),
	    cmocka_unit_test(test_sheets_are_complete),
	    cmocka_unit_test(test_printed_sheets_have_page_numbers_and_notes),
	    cmocka_unit_test(test_sheets_are_well_formed_whatever_comes_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
