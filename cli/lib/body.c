#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/wire/wire.h"

#include "cli/lib/body.h"

/* A member follows another one unless its object has just been opened. */
static void
member(struct tsb_bytes *b, const char *name)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		tsb_bytes_add_str(b, ",");
	wire_text_format(tsb_view_str(name), b);
	tsb_bytes_add_str(b, ":");
}

void
body_open(struct tsb_bytes *b, const char *name)
{
	if (name != NULL)
		member(b, name);
	tsb_bytes_add_str(b, "{");
}

void
body_close(struct tsb_bytes *b)
{
	tsb_bytes_add_str(b, "}");
}

void
body_text(struct tsb_bytes *b, const char *name, const char *text)
{
	if (text == NULL)
		return;
	member(b, name);
	wire_text_format(tsb_view_str(text), b);
}

void
body_base64(struct tsb_bytes *b, const char *name, struct tsb_view bytes)
{
	member(b, name);
	tsb_bytes_add_str(b, "\"");
	enc_base64(bytes, b);
	tsb_bytes_add_str(b, "\"");
}

void
body_number(struct tsb_bytes *b, const char *name, long value)
{
	member(b, name);
	tsb_bytes_addf(b, "%ld", value);
}

void
body_bool(struct tsb_bytes *b, const char *name, bool value)
{
	member(b, name);
	tsb_bytes_add_str(b, value ? "true" : "false");
}

void
body_raw(struct tsb_bytes *b, const char *name, struct tsb_view json)
{
	member(b, name);
	tsb_bytes_add_view(b, json);
}
