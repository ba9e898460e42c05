#include "lib/first.h"

#include <string.h>

#include "lib/base/file.h"
#include "lib/base/ini.h"

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct tsb_view
trim(struct tsb_view v)
{
	while (v.n > 0 && is_blank(v.p[0]))
		v = tsb_view_of(v.p + 1, v.n - 1);
	while (v.n > 0 && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

static bool
is_comment(struct tsb_view v)
{
	return v.n > 0 && (v.p[0] == '#' || v.p[0] == ';');
}

/* Nothing, or a comment that a blank separates from what stands before. */
static bool
is_over(struct tsb_view rest)
{
	struct tsb_view text = trim(rest);

	return text.n == 0 || (is_comment(text) && is_blank(rest.p[0]));
}

static struct tsb_view
next_line(struct ini *ini)
{
	const unsigned char *end = memchr(ini->text.p, '\n', ini->text.n);
	size_t n = end == NULL ? ini->text.n : (size_t)(end - ini->text.p);
	struct tsb_view line = tsb_view_of(ini->text.p, n);

	n += end != NULL;
	ini->text = tsb_view_of(ini->text.p + n, ini->text.n - n);
	ini->line++;
	return trim(line);
}

static int
not_a_line(struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_CONFIG_INPUT, "not a section, setting or comment");
}

/* At the bracket. */
static int
take_section(struct ini *ini, struct tsb_view line, struct arena *a, struct tsb_err *err)
{
	const unsigned char *end = memchr(line.p, ']', line.n);
	size_t n = end == NULL ? 0 : (size_t)(end - line.p);

	if (n == 0 || !is_over(tsb_view_of(end + 1, line.n - n - 1)))
		return not_a_line(err);
	ini->section = arena_strn(a, line.p + 1, n - 1);
	return 0;
}

/* v begins with the opening quote. */
static int
take_quoted(struct tsb_view v, struct arena *a, struct ini_entry *out, struct tsb_err *err)
{
	const unsigned char *end = memchr(v.p + 1, v.p[0], v.n - 1);
	struct tsb_view rest;

	if (end == NULL)
		return tsb_fail(err, TSB_E_CONFIG_INPUT, "the value of %s has no closing quote",
		    out->name);
	rest = tsb_view_of(end + 1, v.n - (size_t)(end - v.p) - 1);
	if (!is_over(rest))
		return tsb_fail(err, TSB_E_CONFIG_INPUT,
		    "behind the closing quote of %s stands more than a comment", out->name);
	out->value = arena_strn(a, v.p + 1, (size_t)(end - v.p) - 1);
	out->quoted = true;
	out->comment = rest.n > 0;
	return 0;
}

/* What stands behind the separator. */
static int
take_value(struct tsb_view rest, struct arena *a, struct ini_entry *out, struct tsb_err *err)
{
	struct tsb_view v = trim(rest);
	size_t n = 0;

	if (v.n > 0 && (v.p[0] == '"' || v.p[0] == '\''))
		return take_quoted(v, a, out, err);
	while (n < rest.n &&
	    (n == 0 || !is_blank(rest.p[n - 1]) ||
		!is_comment(tsb_view_of(rest.p + n, rest.n - n))))
		n++;
	out->comment = n < rest.n;
	v = trim(tsb_view_of(rest.p, n));
	out->value = arena_strn(a, v.p, v.n);
	return 0;
}

static int
take_entry(struct ini *ini, struct tsb_view line, struct arena *a, struct ini_entry *out,
    struct tsb_err *err)
{
	struct tsb_view name;
	size_t n = 0;

	while (n < line.n && line.p[n] != '=' && line.p[n] != ':')
		n++;
	name = trim(tsb_view_of(line.p, n));
	if (n == line.n || name.n == 0)
		return not_a_line(err);
	*out = (struct ini_entry){.line = ini->line, .section = ini->section};
	out->name = arena_strn(a, name.p, name.n);
	return take_value(tsb_view_of(line.p + n + 1, line.n - n - 1), a, out, err);
}

void
ini_start(struct ini *ini, struct tsb_view text)
{
	*ini = (struct ini){.text = tsb_text_start(text), .section = ""};
}

int
ini_next(struct ini *ini, struct arena *a, struct ini_entry *out, struct tsb_err *err)
{
	while (ini->text.n > 0) {
		struct tsb_view line = next_line(ini);

		if (line.n == 0 || is_comment(line))
			continue;
		if (line.p[0] != '[')
			return take_entry(ini, line, a, out, err) ? -1 : 1;
		if (take_section(ini, line, a, err))
			return -1;
	}
	return 0;
}
