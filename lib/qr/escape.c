#include "lib/first.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/shown.h"
#include "lib/base/str.h"
#include "lib/qr/escape.h"

/* The character at the start of text and its n bytes; -1 and n = 1 for anything else. */
static int32_t
next_character(const char *text, size_t *n)
{
	unsigned code = 0;

	*n = tsb_utf8_next(tsb_view_of(text, strnlen(text, 4)), &code);
	if (*n > 0)
		return (int32_t)code;
	*n = 1;
	return -1;
}

static bool
is_hidden(int32_t c)
{
	return !tsb_shown((unsigned)c);
}

static void
add_character(const char *text, size_t n, int32_t c, struct tsb_bytes *out)
{
	if (c < 0)
		tsb_bytes_add_str(out, "?");
	else if (c == '&')
		tsb_bytes_add_str(out, "&amp;");
	else if (c == '<')
		tsb_bytes_add_str(out, "&lt;");
	else if (c == '>')
		tsb_bytes_add_str(out, "&gt;");
	else if (c == '"')
		tsb_bytes_add_str(out, "&quot;");
	else if (c == '\'')
		tsb_bytes_add_str(out, "&#39;");
	else if (is_hidden(c))
		tsb_bytes_addf(out, "[U+%04X]", (unsigned)c);
	else
		tsb_bytes_add(out, text, n);
}

#define HIDDEN_WIDTH 8 /* of "[U+202E]" */

/* How much of text fits the columns; whole words if there is a space in the second half. */
static size_t
line_length(const char *text, size_t columns)
{
	size_t at = 0, used = 0, space = 0, n;

	while (text[at] != '\0') {
		int32_t c = next_character(text + at, &n);
		size_t width = c >= 0 && is_hidden(c) ? HIDDEN_WIDTH : 1;

		/* One character is always taken, so that there is an end. */
		if (used + width > columns && used > 0)
			return space > 0 ? space : at;
		used += width;
		at += n;
		if (c == ' ' && used > columns / 2)
			space = at;
	}
	return at;
}

const char *
qr_escape_line(const char *text, size_t columns, struct tsb_bytes *out)
{
	const char *end = text == NULL ? NULL : text + line_length(text, columns);

	for (size_t n; text < end; text += n) {
		int32_t c = next_character(text, &n);

		add_character(text, n, c, out);
	}
	return end;
}

void
qr_escape(const char *text, struct tsb_bytes *out)
{
	qr_escape_line(text, SIZE_MAX, out);
}
