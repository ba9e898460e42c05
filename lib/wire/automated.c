#include "lib/first.h"

#include "lib/wire/automated.h"
#include "lib/wire/field.h"

void
wire_execute_format(struct tsb_view task, long seconds, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_open(out, "executeRequest", '{');
	emit_base64(out, "input", task);
	emit_name(out, "timeout");
	tsb_bytes_addf(out, "\"%lds\"", seconds);
	emit_close(out, '}');
	emit_close(out, '}');
}

#define EXECUTED(m) AT(struct wire_executed, m)
static const struct field executed_fields[] = {
    {"output", FIELD_VIEW, REQUIRED, .max = TOKEN_MAX * 2, EXECUTED(output)},
    {"outputSignature", FIELD_BASE64, .max = FIELD_SIGNATURE_MAX, EXECUTED(signature)},
    {NULL},
};
static const struct field_object executed_object = {executed_fields, .open = true};

int
wire_executed_parse(struct tsb_view body, struct arena *a, struct wire_executed *out,
    struct tsb_err *err)
{
	return field_take(body, &executed_object, a, out, sizeof(*out), err);
}
