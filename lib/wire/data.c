/* Data objects (api-notes.md 7.8). */
#include "lib/first.h"

#include "lib/wire/field.h"

#define OBJECT(m) AT(struct wire_data_object, m)
static const struct field attribute_fields[] = {
    {"private", FIELD_BOOL, OBJECT(is_private)},
    {"modifiable", FIELD_BOOL, OBJECT(modifiable)},
    {"destroyable", FIELD_BOOL, OBJECT(destroyable)},
    {NULL},
};
static const struct field_object attribute_object = {attribute_fields};

static const struct field data_fields[] = {
    {"name", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME, OBJECT(name)},
    {"value", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, .code = TSB_E_DATA_OBJECT_VALUE,
	OBJECT(value)},
    {"attributes", FIELD_OBJECT, .object = &attribute_object},
    {NULL},
};
static const struct field_object data_object = {data_fields};

int
wire_data_object_parse(struct tsb_view body, struct arena *a, struct wire_data_object *out,
    struct tsb_err *err)
{
	struct wire_data_object in = {.modifiable = true, .destroyable = true};

	if (field_read(body, &data_object, a, &in, NULL, err))
		return -1;
	*out = in;
	return 0;
}

void
wire_data_object_format(const struct wire_data_object *o, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "name", o->name);
	emit_base64(out, "value", o->value);
	emit_open(out, "attributes", '{');
	emit_bool(out, "private", o->is_private);
	emit_bool(out, "modifiable", o->modifiable);
	emit_bool(out, "destroyable", o->destroyable);
	emit_close(out, '}');
	emit_close(out, '}');
}
