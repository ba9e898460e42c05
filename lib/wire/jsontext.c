/*
 * JSON text, checked to the byte before any library looks at it: RFC 8259 plus the rules that leave
 * a text one reading only. Approvers and callers sign text, so what is kept is what was sent, only
 * without white space.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/wire/field.h"

#define TEXT_MAX       (16 * 1024 * 1024)
#define DEPTH_MAX      32
#define MEMBERS_MAX    64 /* of one object: names are compared with each other */
#define NUMBER_MAX     32
#define DIGITS_MAX     18 /* of a whole number: fits 64 bits whatever the library does past them */
#define VALUES_MAX     (256 * 1024) /* these two bound the memory of the tree built later */
#define CONTAINERS_MAX (32 * 1024)

struct scan {
	const unsigned char *start, *p, *end;
	unsigned char *out; /* compact text so far ends here */
	unsigned depth;
	size_t values, containers;
	struct tsb_err *err;
};

static int scan_value(struct scan *s);

static int
refuse(struct scan *s, const char *rule)
{
	return tsb_fail(s->err, TSB_E_INPUT,
	    "Invalid request. Cannot parse json string: %s at byte %zu", rule,
	    (size_t)(s->p - s->start));
}

static void
skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
at(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == (unsigned char)c;
}

static void
copy(struct scan *s, size_t n)
{
	memcpy(s->out, s->p, n);
	s->out += n;
	s->p += n;
}

/* Four hex digits at p, or -1. */
static int
hex4(const unsigned char *p, const unsigned char *end)
{
	static const char hex[] = "0123456789abcdef";
	int code = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = p[i] >= 'A' && p[i] <= 'F' ? p[i] + 'a' - 'A' : p[i];
		const char *digit = memchr(hex, c, 16);

		if (digit == NULL)
			return -1;
		code = code << 4 | (int)(digit - hex);
	}
	return code;
}

/* At the backslash. Escaped text must be as valid as plain: no half surrogate pairs, no NUL. */
static int
scan_escape(struct scan *s)
{
	int code, low;

	if (s->end - s->p < 2)
		return refuse(s, "a string does not end");
	if (s->p[1] != 'u') {
		if (memchr("\"\\/bfnrt", s->p[1], 8) == NULL)
			return refuse(s, "unknown escape");
		copy(s, 2);
		return 0;
	}
	code = hex4(s->p + 2, s->end);
	if (code < 0)
		return refuse(s, "\\u without four hex digits");
	if (code == 0)
		return refuse(s, "a NUL character");
	if (code < 0xd800 || code > 0xdfff) {
		copy(s, 6);
		return 0;
	}
	low = -1;
	if (s->end - s->p >= 12 && s->p[6] == '\\' && s->p[7] == 'u')
		low = hex4(s->p + 8, s->end);
	if (code > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return refuse(s, "half of a surrogate pair");
	copy(s, 12);
	return 0;
}

/* At the opening quote. UTF-8 was checked for the whole text before. */
static int
scan_string(struct scan *s)
{
	copy(s, 1);
	while (s->p < s->end && *s->p != '"') {
		if (*s->p < 0x20)
			return refuse(s, "a control character");
		if (*s->p == '\\') {
			if (scan_escape(s))
				return -1;
		} else {
			copy(s, 1);
		}
	}
	if (s->p == s->end)
		return refuse(s, "a string does not end");
	copy(s, 1);
	return 0;
}

static size_t
digits(const unsigned char *p, const unsigned char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* number = [ "-" ] int [ "." digits ] [ e [ sign ] digits ], no leading zeros (RFC 8259, 6). */
static int
scan_number(struct scan *s)
{
	const unsigned char *p = s->p;
	size_t n;

	if (*p == '-')
		p++;
	n = digits(p, s->end);
	if (n == 0 || (n > 1 && *p == '0'))
		return refuse(s, "not a number");
	p += n;
	if (n > DIGITS_MAX)
		return refuse(s, "a number that is too long");
	if (p < s->end && *p == '.') {
		if ((n = digits(p + 1, s->end)) == 0)
			return refuse(s, "not a number");
		p += 1 + n;
	}
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		if ((n = digits(p, s->end)) == 0)
			return refuse(s, "not a number");
		p += n;
	}
	if (p - s->p > NUMBER_MAX)
		return refuse(s, "a number that is too long");
	copy(s, (size_t)(p - s->p));
	return 0;
}

static int
scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return refuse(s, "not a value");
	copy(s, n);
	return 0;
}

/* At the quote of a member name: unescaped, and not among the names before it. */
static int
scan_name(struct scan *s, struct tsb_view *names, size_t n)
{
	const unsigned char *name = s->out + 1;
	char quoted[FIELD_QUOTE];

	if (!at(s, '"'))
		return refuse(s, "a member name is expected");
	if (n == MEMBERS_MAX)
		return refuse(s, "an object with too many members");
	if (scan_string(s))
		return -1;
	names[n] = tsb_view_of(name, (size_t)(s->out - name) - 1);
	if (memchr(name, '\\', names[n].n) != NULL)
		return refuse(s, "a member name with a backslash");
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(names[i], names[n]))
			return tsb_fail(s->err, TSB_E_INPUT, "member '%s' appears twice",
			    field_quote(names[n], quoted));
	return 0;
}

static int
scan_member(struct scan *s, struct tsb_view *names, size_t n)
{
	if (scan_name(s, names, n))
		return -1;
	skip_space(s);
	if (!at(s, ':'))
		return refuse(s, "':' is expected");
	copy(s, 1);
	return scan_value(s);
}

/* Object or array, at its bracket. A comma may stand before the closing one (api-notes.md 1.2). */
static int
scan_container(struct scan *s)
{
	bool object = *s->p == '{';
	char closing = object ? '}' : ']';
	struct tsb_view names[MEMBERS_MAX];
	size_t n = 0;

	if (++s->depth > DEPTH_MAX)
		return refuse(s, "nested too deep");
	if (++s->containers > CONTAINERS_MAX)
		return refuse(s, "too many objects");
	copy(s, 1);
	for (skip_space(s); !at(s, closing); skip_space(s)) {
		if (n > 0) {
			if (!at(s, ','))
				return refuse(s,
				    s->p < s->end ? "',' is expected" : "the text ends early");
			s->p++;
			skip_space(s);
			if (at(s, closing))
				break;
			*s->out++ = ',';
		}
		if (object ? scan_member(s, names, n) : scan_value(s))
			return -1;
		n++;
	}
	copy(s, 1);
	s->depth--;
	return 0;
}

static int
scan_value(struct scan *s)
{
	skip_space(s);
	if (s->p == s->end)
		return refuse(s, "the text ends early");
	if (++s->values > VALUES_MAX)
		return refuse(s, "too many values");
	switch (*s->p) {
	case '{':
	case '[':
		return scan_container(s);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

int
jsontext_compact(struct tsb_view text, char opening, struct arena *a, struct tsb_view *compact,
    struct tsb_err *err)
{
	struct scan s = {.start = text.p, .p = text.p, .err = err};
	unsigned char *out;

	if (text.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "body is missing");
	if (text.n > TEXT_MAX)
		return tsb_fail(err, TSB_E_INPUT, "body is longer than %d bytes", TEXT_MAX);
	s.end = text.p + text.n;
	if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3))
		s.p += 3; /* a byte order mark: RFC 8259, 8.1 lets readers skip it */
	skip_space(&s);
	if (s.p == s.end)
		return tsb_fail(err, TSB_E_INPUT, "body is missing");
	if (!tsb_utf8_valid(text))
		return tsb_fail(err, TSB_E_INPUT, "body is not UTF-8");
	if (!at(&s, opening))
		return refuse(&s, opening == '{' ? "'{' is expected" : "'[' is expected");
	out = s.out = arena_alloc(a, text.n + 1);
	if (scan_value(&s))
		return -1;
	skip_space(&s);
	if (s.p < s.end)
		return refuse(&s, "text after the end");
	*compact = tsb_view_of(out, (size_t)(s.out - out));
	return 0;
}

int
wire_compact(struct tsb_view text, struct arena *a, struct tsb_view *compact, struct tsb_err *err)
{
	return jsontext_compact(text, '{', a, compact, err);
}

/* Length of the string that starts at p, quotes included; 0 when it does not end. */
static size_t
string_length(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *c;

	for (c = p + 1; c < end && *c != '"'; c++)
		if (*c == '\\')
			c++;
	return c < end ? (size_t)(c - p) + 1 : 0;
}

/* Length of the compact value at p; 0 when it does not end. */
static size_t
value_length(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *c = p;
	unsigned depth = 0;

	while (c < end) {
		size_t n = 1;

		if (depth == 0 && (*c == ',' || *c == '}' || *c == ']'))
			return (size_t)(c - p);
		if (*c == '"')
			n = string_length(c, end);
		else if (*c == '{' || *c == '[')
			depth++;
		else if (*c == '}' || *c == ']')
			depth--;
		if (n == 0)
			return 0;
		c += n;
	}
	return 0;
}

bool
jsontext_next(struct tsb_view *rest, struct jsontext_member *m)
{
	const unsigned char *p = rest->p, *end = rest->p + rest->n;
	size_t n;

	if (rest->n < 2 || (*p != '{' && *p != ',') || p[1] != '"')
		return false;
	p++;
	n = string_length(p, end);
	if (n == 0 || p + n >= end || p[n] != ':')
		return false;
	m->name = tsb_view_of(p + 1, n - 2);
	p += n + 1;
	n = value_length(p, end);
	if (n == 0)
		return false;
	m->value = tsb_view_of(p, n);
	*rest = tsb_view_of(p + n, (size_t)(end - p) - n);
	return true;
}

bool
jsontext_next_element(struct tsb_view *rest, struct tsb_view *value)
{
	const unsigned char *p = rest->p, *end = rest->p + rest->n;
	size_t n;

	if (rest->n < 2 || (*p != '[' && *p != ','))
		return false;
	p++;
	n = value_length(p, end);
	if (n == 0)
		return false;
	*value = tsb_view_of(p, n);
	*rest = tsb_view_of(p + n, (size_t)(end - p) - n);
	return true;
}

bool
jsontext_is_null(struct tsb_view value)
{
	return tsb_view_eq(value, tsb_view_str("null"));
}

bool
wire_member_text(struct tsb_view compact, const char *name, struct tsb_view *value)
{
	struct jsontext_member m;

	while (jsontext_next(&compact, &m))
		if (tsb_view_eq(m.name, tsb_view_str(name))) {
			*value = m.value;
			return true;
		}
	return false;
}

void
jsontext_replace(struct tsb_view object, const char *name, struct tsb_view text,
    struct tsb_bytes *out)
{
	struct jsontext_member m;
	bool first = true;

	tsb_bytes_add(out, "{", 1);
	while (jsontext_next(&object, &m)) {
		if (!first)
			tsb_bytes_add(out, ",", 1);
		first = false;
		tsb_bytes_add(out, m.name.p - 1, m.name.n + 3); /* "name": of compact text */
		tsb_bytes_add_view(out, tsb_view_eq(m.name, tsb_view_str(name)) ? text : m.value);
	}
	tsb_bytes_add(out, "}", 1);
}
