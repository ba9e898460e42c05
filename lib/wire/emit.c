/*
 * Writing JSON. Members without a value are present as null (api-notes.md 1.3). A comma is put
 * wherever the text so far does not end with an opening bracket or a colon.
 */
#include "lib/first.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/wire/field.h"

/* What must be escaped inside quotes (RFC 8259, 7). */
static void
put_escaped(struct tsb_bytes *out, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *s = shorts; *s != '\0'; s += 2)
		if ((unsigned char)*s == c) {
			tsb_bytes_addf(out, "\\%c", s[1]);
			return;
		}
	tsb_bytes_addf(out, "\\u%04x", c);
}

void
wire_text_format(struct tsb_view text, struct tsb_bytes *out)
{
	/* text that is not UTF-8 would make the whole answer unreadable */
	bool utf8 = tsb_utf8_valid(text);
	size_t plain = 0;

	tsb_bytes_add(out, "\"", 1);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = text.p[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && (c < 0x80 || utf8))
			continue;
		tsb_bytes_add(out, text.p + plain, i - plain);
		plain = i + 1;
		if (c >= 0x80)
			tsb_bytes_add_str(out, "\\ufffd");
		else
			put_escaped(out, c);
	}
	if (plain < text.n)
		tsb_bytes_add(out, text.p + plain, text.n - plain);
	tsb_bytes_add(out, "\"", 1);
}

void
emit_name(struct tsb_bytes *out, const char *name)
{
	unsigned char last = out->n > 0 ? out->p[out->n - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		tsb_bytes_add(out, ",", 1);
	if (name == NULL)
		return;
	tsb_bytes_add(out, "\"", 1);
	tsb_bytes_add_str(out, name);
	tsb_bytes_add(out, "\":", 2);
}

void
emit_open(struct tsb_bytes *out, const char *name, char bracket)
{
	emit_name(out, name);
	tsb_bytes_add(out, &bracket, 1);
}

void
emit_close(struct tsb_bytes *out, char bracket)
{
	tsb_bytes_add(out, &bracket, 1);
}

void
emit_null(struct tsb_bytes *out, const char *name)
{
	emit_name(out, name);
	tsb_bytes_add_str(out, "null");
}

void
emit_view(struct tsb_bytes *out, const char *name, struct tsb_view text)
{
	emit_name(out, name);
	wire_text_format(text, out);
}

void
emit_text(struct tsb_bytes *out, const char *name, const char *text)
{
	if (text == NULL)
		emit_null(out, name);
	else
		emit_view(out, name, tsb_view_str(text));
}

void
emit_base64(struct tsb_bytes *out, const char *name, struct tsb_view v)
{
	emit_name(out, name);
	tsb_bytes_add(out, "\"", 1);
	enc_base64(v, out);
	tsb_bytes_add(out, "\"", 1);
}

void
emit_base64_or_null(struct tsb_bytes *out, const char *name, struct tsb_view v)
{
	if (v.n == 0)
		emit_null(out, name);
	else
		emit_base64(out, name, v);
}

void
emit_bool(struct tsb_bytes *out, const char *name, bool value)
{
	emit_name(out, name);
	tsb_bytes_add_str(out, value ? "true" : "false");
}

void
emit_uint(struct tsb_bytes *out, const char *name, uint64_t value)
{
	emit_name(out, name);
	tsb_bytes_addf(out, "%" PRIu64, value);
}

void
emit_time(struct tsb_bytes *out, const char *name, int64_t seconds)
{
	char text[CLOCK_ISO_SIZE];

	if (seconds == 0)
		emit_null(out, name);
	else
		emit_text(out, name, clock_iso(seconds, text));
}

void
emit_raw(struct tsb_bytes *out, const char *name, struct tsb_view json)
{
	emit_name(out, name);
	tsb_bytes_add_view(out, json);
}

void
emit_uuid(struct tsb_bytes *out, const char *name, const struct tsb_uuid *id)
{
	char text[UUID_TEXT];

	emit_text(out, name, uuid_format(id, text));
}
