/* The reader: tables say what may be in an object, what must be, and where it lands. */
#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/wire/value.h"

static int read_value(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest);

/* ---- messages ---- */

const char *
field_where(const struct field_path *at, const char *member, char *buf)
{
	char tail[FIELD_WHERE];

	buf[0] = '\0';
	if (member != NULL)
		snprintf(buf, FIELD_WHERE, "%s", member);
	for (; at != NULL; at = at->up) {
		const char *dot = buf[0] == '\0' || buf[0] == '[' ? "" : ".";

		memcpy(tail, buf, FIELD_WHERE);
		if (at->name == NULL)
			snprintf(buf, FIELD_WHERE, "[%zu]%s%.160s", at->index, dot, tail);
		else
			snprintf(buf, FIELD_WHERE, "%.30s%s%.160s", at->name, dot, tail);
	}
	return buf;
}

const char *
field_quote(struct tsb_view text, char *buf)
{
	size_t n = text.n < FIELD_QUOTE ? text.n : FIELD_QUOTE - 1;

	for (size_t i = 0; i < n; i++)
		buf[i] = (char)(text.p[i] >= 0x20 && text.p[i] < 0x7f ? text.p[i] : '?');
	buf[n] = '\0';
	return buf;
}

/* ---- structure ---- */

static const struct field *
find_row(const struct field_object *object, const char *name)
{
	const struct field *tables[] = {object->fields, object->more};

	for (size_t i = 0; i < TSB_COUNT(tables); i++)
		for (const struct field *f = tables[i]; f != NULL && f->name != NULL; f++)
			if (strcmp(f->name, name) == 0)
				return f;
	return NULL;
}

/* How the bytes of a payload are written: its neighbour says so. */
static enum field_type
payload_form(struct json_object *o)
{
	struct json_object *type;

	if (!json_object_object_get_ex(o, "payloadType", &type) || !tree_is(type, json_type_string))
		return FIELD_BASE64;
	return wire_payload_is_hex(json_object_get_string(type)) ? FIELD_HEX : FIELD_BASE64;
}

/* What an approver's value is searched for. */
static unsigned
approver_form(struct json_object *o)
{
	struct json_object *type;

	if (!json_object_object_get_ex(o, "type", &type) || !tree_is(type, json_type_string))
		return PEM_PUBLIC_KEY | PEM_CERTIFICATE;
	return tsb_streq(json_object_get_string(type), "public_key") ? PEM_PUBLIC_KEY
								     : PEM_CERTIFICATE;
}

static int
read_member(struct reader *r, struct json_object *o, const struct field *f,
    const struct field_path *up, void *dest)
{
	const struct field_path at = {up, f->name, 0};
	struct field own = *f;
	struct json_object *v;

	if (!json_object_object_get_ex(o, f->name, &v) || v == NULL)
		return f->need == REQUIRED ? value_refuse(r, &at, TSB_OK, "is missing") : 0;
	if (f->type == FIELD_PAYLOAD) {
		own.type = payload_form(o);
		f = &own;
	} else if (f->type == FIELD_APPROVER) {
		own.type = FIELD_BASE64;
		own.pem = approver_form(o);
		f = &own;
	}
	if (read_value(r, v, f, &at, dest))
		return -1;
	if (f->tells)
		*(bool *)((char *)dest + f->has) = true;
	return 0;
}

static bool unknown_ignored;

void
wire_unknown_members_ignore(bool ignore)
{
	unknown_ignored = ignore;
}

static int
read_object(struct reader *r, struct json_object *o, const struct field_object *object,
    const struct field_path *at, void *dest)
{
	const struct field *tables[] = {object->fields, object->more};
	const bool outside = r->strict;
	char quoted[FIELD_QUOTE];

	if (!tree_is(o, json_type_object))
		return value_refuse(r, at, TSB_OK, "must be an object");
	r->strict |= object->strict;
	if (!object->open && (r->strict || !unknown_ignored)) {
		json_object_object_foreach(o, name, member)
		{
			const struct field_path here = {at, field_quote(tsb_view_str(name), quoted),
			    0};

			(void)member;
			if (find_row(object, name) == NULL)
				return value_refuse(r, &here, TSB_OK, "is not a known member");
		}
	}
	if (object->init != NULL)
		object->init(dest, r->a);
	for (size_t i = 0; i < TSB_COUNT(tables); i++)
		for (const struct field *f = tables[i]; f != NULL && f->name != NULL; f++)
			if (read_member(r, o, f, at, dest))
				return -1;
	r->strict = outside;
	return object->check != NULL ? object->check(dest, at, r->a, r->err) : 0;
}

static int
read_list(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *up, void *dest)
{
	size_t n;
	char *elements;

	if (!tree_is(v, json_type_array))
		return value_refuse(r, up, TSB_OK, "must be a list");
	n = json_object_array_length(v);
	if (n > (size_t)f->max)
		return value_refuse(r, up, f->code, "has more than %ld elements", f->max);
	elements = n == 0 ? NULL : arena_array(r->a, n, f->element_size);
	for (size_t i = 0; i < n; i++) {
		const struct field_path at = {up, NULL, i};
		struct json_object *element = json_object_array_get_idx(v, i);

		if (element == NULL)
			return value_refuse(r, &at, TSB_OK, "is missing");
		if (read_value(r, element, f->element, &at, elements + i * f->element_size))
			return -1;
	}
	memcpy((char *)dest + f->offset, &elements, sizeof(elements));
	memcpy((char *)dest + f->count, &n, sizeof(n));
	return 0;
}

static int
read_value(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	if (f->type == FIELD_OBJECT)
		return read_object(r, v, f->object, at, (char *)dest + f->offset);
	if (f->type == FIELD_LIST)
		return read_list(r, v, f, at, dest);
	return value_read(r, v, f, at, dest);
}

int
field_read(struct tsb_view body, const struct field_object *object, struct arena *a, void *dest,
    struct tsb_view *compact, struct tsb_err *err)
{
	struct reader r = {.a = a, .err = err};
	struct tsb_view text;
	tree_auto *root = NULL;

	if (jsontext_compact(body, '{', a, &text, err) || tree_open(text, &root, err) ||
	    read_object(&r, root, object, NULL, dest))
		return -1;
	if (compact != NULL)
		*compact = text;
	return 0;
}

int
field_take(struct tsb_view body, const struct field_object *object, struct arena *a, void *out,
    size_t size, struct tsb_err *err)
{
	void *form = arena_alloc(a, size);

	if (field_read(body, object, a, form, NULL, err))
		return -1;
	memcpy(out, form, size);
	return 0;
}

/* What an HSM answers is not the caller's fault. */
static int
blame_hsm(struct tsb_err *err)
{
	err->code = TSB_E_HSM;
	return -1;
}

int
field_read_reply(struct tsb_view body, const struct field_object *object, struct arena *a,
    void *dest, struct tsb_err *err)
{
	return field_read(body, object, a, dest, NULL, err) ? blame_hsm(err) : 0;
}

int
field_read_reply_list(struct tsb_view body, const struct field *row, struct arena *a, void *dest,
    struct tsb_err *err)
{
	const struct field_path at = {NULL, row->name, 0};
	struct reader r = {.a = a, .err = err};
	struct tsb_view text;
	tree_auto *root = NULL;

	if (jsontext_compact(body, '[', a, &text, err) || tree_open(text, &root, err) ||
	    read_list(&r, root, row, &at, dest))
		return blame_hsm(err);
	return 0;
}
