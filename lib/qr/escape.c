#include "lib/first.h"

#include <stdint.h>

#include "lib/base/str.h"
#include "lib/qr/escape.h"

/* One well-formed character of n bytes (RFC 3629); -1 and n = 1 for anything else. */
static int32_t
next_character(const char *text, size_t *n)
{
	const unsigned char *p = (const unsigned char *)text;
	int32_t c;

	*n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	for (size_t i = 1; i < *n; i++)
		if (p[i] == '\0')
			*n = i; /* the text ends inside the character: not well-formed */
	if (!tsb_utf8_valid(tsb_view_of(p, *n))) {
		*n = 1;
		return -1;
	}
	c = *n == 1 ? p[0] : p[0] & (0xff >> (*n + 1));
	for (size_t i = 1; i < *n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/*
 * Unicode 15: general categories Cc and Cf as far as they are in use, separators, non-characters.
 */
static bool
is_hidden(int32_t c)
{
	static const struct {
		int32_t first, last;
	} ranges[] = {
	    {0x0000, 0x001f},
	    {0x007f, 0x009f},
	    {0x00ad, 0x00ad},
	    {0x034f, 0x034f},
	    {0x0600, 0x0605},
	    {0x061c, 0x061c},
	    {0x06dd, 0x06dd},
	    {0x070f, 0x070f},
	    {0x115f, 0x1160},
	    {0x17b4, 0x17b5},
	    {0x180b, 0x180f},
	    {0x200b, 0x200f},
	    {0x2028, 0x202e},
	    {0x2060, 0x206f},
	    {0x3164, 0x3164},
	    {0xd800, 0xf8ff},
	    {0xfe00, 0xfe0f},
	    {0xfeff, 0xfeff},
	    {0xffa0, 0xffa0},
	    {0xfff0, 0xffff},
	    {0x1d173, 0x1d17a},
	    {0xe0000, 0x10ffff},
	};

	for (size_t i = 0; i < TSB_COUNT(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
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
