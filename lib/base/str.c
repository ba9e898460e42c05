#include "lib/first.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

bool
tsb_streq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

char *
tsb_strndup(const char *s, size_t n)
{
	char *copy = strndup(s, n);

	if (copy == NULL)
		fatal("out of memory: a text of %zu bytes", strnlen(s, n));
	return copy;
}

char *
tsb_strdup(const char *s)
{
	return s == NULL ? NULL : tsb_strndup(s, strlen(s));
}

/* Unicode table 3-7. */
size_t
tsb_utf8_next(struct tsb_view text, unsigned *code)
{
	const unsigned char *p = text.p;
	static const struct {
		unsigned char first, last, low, high; /* lead byte range, second byte range */
		unsigned char length;
	} forms[] = {
	    {0x00, 0x7f, 0, 0, 1},
	    {0xc2, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3},
	    {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4},
	    {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < TSB_COUNT(forms); i++) {
		size_t length = forms[i].length;

		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (length > text.n)
			return 0;
		if (length > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
			return 0;
		*code = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));
		for (size_t k = 1; k < length; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
			*code = *code << 6 | (p[k] & 0x3f);
		}
		return length;
	}
	return 0;
}

static bool
text_valid(struct tsb_view v, bool label)
{
	unsigned code = 0;
	size_t length;

	for (size_t i = 0; i < v.n; i += length) {
		length = tsb_utf8_next(tsb_view_of(v.p + i, v.n - i), &code);
		if (length == 0)
			return false;
		if (label && (code < 0x20 || (code >= 0x7f && code <= 0x9f)))
			return false;
	}
	return true;
}

bool
tsb_utf8_valid(struct tsb_view v)
{
	return text_valid(v, false);
}

bool
tsb_label_valid(struct tsb_view v)
{
	return text_valid(v, true);
}

size_t
tsb_utf8_count(struct tsb_view v)
{
	size_t n = 0;

	for (size_t i = 0; i < v.n; i++)
		n += (v.p[i] & 0xc0) != 0x80;
	return n;
}

bool
tsb_str_to_long(const char *s, long min, long max, long *out)
{
	const char *digits = *s == '-' ? s + 1 : s;
	char *end;
	long value;

	if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	value = strtol(s, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max)
		return false;
	*out = value;
	return true;
}
