#include "lib/first.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/shown.h"
#include "lib/base/str.h"

#include "cli/lib/printable.h"

#define ESCAPED   4 /* columns of "\x9b" */
#define TAB       8
#define GAP       3 /* blanks: sentences of ours have two */
#define NARROWEST 40 /* of a terminal whose size is believed */

struct character {
	size_t len; /* bytes */
	size_t columns; /* at most: no terminal takes more */
	bool escape, blank;
};

static bool
is_blank(unsigned code)
{
	return code == ' ' || code == 0xa0 || code == 0x1680 ||
	    (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
	    code == 0x2800 || code == 0x3000;
}

static struct character
character_at(struct tsb_view text)
{
	struct character c = {.columns = 1};
	unsigned code = 0;

	c.len = tsb_utf8_next(text, &code);
	if (c.len == 0 || !tsb_shown(code)) {
		c.len = 1;
		c.blank = text.p[0] == '\t';
		c.escape = !c.blank && text.p[0] != '\n';
		c.columns = c.escape ? ESCAPED : c.blank ? TAB : 0;
	} else {
		c.blank = is_blank(code);
		c.columns = code < 0x1100 ? 1 : 2; /* from there on some are wide */
	}
	return c;
}

static void
put(struct tsb_view text, const struct character *c, struct tsb_bytes *out)
{
	if (c->escape)
		tsb_bytes_addf(out, "\\x%02x", text.p[0]);
	else
		tsb_bytes_add(out, text.p, c->len);
}

static struct tsb_view
behind(struct tsb_view text, const struct character *c)
{
	return tsb_view_of(text.p + c->len, text.n - c->len);
}

bool
printable_all(struct tsb_view text)
{
	while (text.n > 0) {
		struct character c = character_at(text);

		if (c.escape)
			return false;
		text = behind(text, &c);
	}
	return true;
}

bool
printable_has_gap(struct tsb_view text)
{
	unsigned blanks = 0;

	while (text.n > 0) {
		struct character c = character_at(text);

		blanks = c.blank ? blanks + (unsigned)c.columns : 0;
		if (blanks >= GAP)
			return true;
		text = behind(text, &c);
	}
	return false;
}

void
printable_add(struct tsb_view text, const char *line_feed, struct tsb_bytes *out)
{
	while (text.n > 0) {
		struct character c = character_at(text);

		if (text.p[0] == '\n')
			tsb_bytes_add_str(out, line_feed);
		else
			put(text, &c, out);
		text = behind(text, &c);
	}
}

/* ---- lines ---- */

/* Columns to the next blank; those beyond max do not count. */
static size_t
word_columns(struct tsb_view text, size_t max)
{
	size_t sum = 0;

	while (text.n > 0 && sum <= max) {
		struct character c = character_at(text);

		if (c.blank || text.p[0] == '\n')
			break;
		sum += c.columns;
		text = behind(text, &c);
	}
	return sum;
}

static void
new_line(size_t indent, struct tsb_bytes *out)
{
	tsb_bytes_addf(out, "\n%*s| ", indent > 2 ? (int)indent - 2 : 0, "");
}

void
printable_lay(struct tsb_view text, size_t column, size_t indent, size_t width,
    struct tsb_bytes *out)
{
	bool word = false; /* within one */

	while (text.n > 0) {
		struct character c = character_at(text);
		size_t need = c.columns;

		if (!word && !c.blank)
			need = word_columns(text, width - indent);
		if (need > width - indent) /* fits no line: broken where the line ends */
			need = c.columns;
		if (text.p[0] == '\n' || (column + need > width && column > indent)) {
			new_line(indent, out);
			column = indent;
		}
		if (text.p[0] != '\n')
			put(text, &c, out);
		column += c.columns;
		word = !c.blank && text.p[0] != '\n';
		text = behind(text, &c);
	}
}

void
printable_cut(struct tsb_view text, size_t columns, struct tsb_bytes *out)
{
	size_t used = 0, kept = out->n;

	while (text.n > 0) {
		struct character c = character_at(text);
		bool feed = text.p[0] == '\n';

		used += feed ? 2 : c.columns;
		if (used > columns) {
			out->n = kept;
			tsb_bytes_add_str(out, "...");
			return;
		}
		if (feed || text.p[0] == '\t')
			tsb_bytes_add_str(out, feed ? "\\n" : "\\t");
		else
			put(text, &c, out);
		if (used + 3 <= columns)
			kept = out->n;
		text = behind(text, &c);
	}
}

size_t
printable_columns(FILE *stream)
{
	struct winsize size;

	if (!isatty(fileno(stream)))
		return 0;
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < NARROWEST ||
	    size.ws_col > PRINTABLE_WIDTH)
		return PRINTABLE_WIDTH;
	return size.ws_col;
}

/* ---- JSON ---- */

static void
put_json_escape(unsigned code, struct tsb_bytes *out)
{
	if (code < 0x10000) {
		tsb_bytes_addf(out, "\\u%04x", code);
		return;
	}
	code -= 0x10000;
	tsb_bytes_addf(out, "\\u%04x\\u%04x", 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
}

void
printable_add_json(struct tsb_view json, struct tsb_bytes *out)
{
	bool string = false, escaped = false;

	while (json.n > 0) {
		unsigned code = 0xfffd; /* stands for bytes that are no UTF-8 */
		size_t len = tsb_utf8_next(json, &code);

		if (!string && memchr("\t\n\r", json.p[0], 3) != NULL)
			tsb_bytes_add_str(out, " ");
		else if (len > 0 && tsb_shown(code))
			tsb_bytes_add(out, json.p, len);
		else
			put_json_escape(code, out);
		if (code == '"' && !escaped)
			string = !string;
		escaped = string && !escaped && code == '\\';
		len = len > 0 ? len : 1;
		json = tsb_view_of(json.p + len, json.n - len);
	}
}
