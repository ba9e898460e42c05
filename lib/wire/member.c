/* Answers of one member. */
#include "lib/first.h"

#include "lib/wire/field.h"

void
wire_base64_format(const char *name, struct tsb_view value, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_base64(out, name, value);
	emit_close(out, '}');
}

void
wire_text_member_format(const char *name, struct tsb_view text, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_view(out, name, text);
	emit_close(out, '}');
}

void
wire_bool_format(const char *name, bool value, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_bool(out, name, value);
	emit_close(out, '}');
}

int
wire_text_member_parse(struct tsb_view body, const char *name, struct arena *a,
    struct tsb_view *out, struct tsb_err *err)
{
	struct tsb_view text = {NULL, 0};
	const struct field rows[] = {
	    {name, FIELD_VIEW, REQUIRED, .max = TOKEN_MAX, .size = sizeof(text)},
	    {NULL},
	};
	const struct field_object object = {rows, .open = true};

	if (field_read_reply(body, &object, a, &text, err))
		return -1;
	*out = text;
	return 0;
}
