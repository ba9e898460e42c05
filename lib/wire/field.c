/* The reader: json-c gives the tree, the tables say what may be in it and where it lands. */
#include "lib/first.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/wire/field.h"

struct reader {
	struct arena *a;
	struct tsb_err *err;
};

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

static TSB_PRINTF(4, 5) int
refuse(struct reader *r, const struct field_path *at, enum tsb_code code, const char *fmt, ...)
{
	char where[FIELD_WHERE], rule[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rule, sizeof(rule), fmt, ap);
	va_end(ap);
	return tsb_fail(r->err, code == TSB_OK ? TSB_E_INPUT : code, "%s %s",
	    field_where(at, NULL, where), rule);
}

/* ---- the tree ---- */

static bool
is(struct json_object *v, enum json_type type)
{
	return json_object_is_type(v, type);
}

static struct tsb_view
string_view(struct json_object *v)
{
	return tsb_view_of(json_object_get_string(v), (size_t)json_object_get_string_len(v));
}

/* json-c frees without wiping, and any string may have been a password. */
static void
wipe_strings(struct json_object *v)
{
	if (is(v, json_type_string)) {
		struct tsb_view text = string_view(v);

		tsb_wipe((void *)(uintptr_t)text.p, text.n);
	} else if (is(v, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(v); i++)
			wipe_strings(json_object_array_get_idx(v, i));
	} else if (is(v, json_type_object)) {
		json_object_object_foreach(v, name, member) {
			(void)name;
			wipe_strings(member);
		}
	}
}

static void
tree_close(struct json_object **root)
{
	wipe_strings(*root);
	json_object_put(*root);
	*root = NULL;
}
#define tree_auto struct json_object __attribute__((cleanup(tree_close)))

/*
 * Parsing one string of n characters before and after the text makes the tokener's work buffer large
 * enough to stay where it is, and then overwrites it: no password is left in freed memory.
 */
static void
fill_buffer(struct json_tokener *t, size_t n)
{
	tsb_bytes_auto filler = {0};
	struct json_object *v;

	memset(tsb_bytes_grow(&filler, n + 2), 'x', n + 2);
	filler.p[0] = filler.p[n + 1] = '"';
	v = json_tokener_parse_ex(t, (const char *)filler.p, (int)filler.n);
	if (v == NULL)
		fatal("json-c cannot hold a string of %zu bytes", n);
	json_object_put(v);
	json_tokener_reset(t);
}

static bool
holds_secret(struct tsb_view compact)
{
	return memmem(compact.p, compact.n, "assword\":", 9) != NULL;
}

/* The scanner has accepted the text, so that it can only fail where json-c sees less than RFC 8259. */
static int
tree_open(struct tsb_view compact, struct json_object **root, struct tsb_err *err)
{
	struct json_tokener *t = json_tokener_new_ex(64);
	struct json_object *v;
	bool secret = holds_secret(compact);
	enum json_tokener_error error;

	if (t == NULL)
		fatal("out of memory");
	if (secret)
		fill_buffer(t, compact.n);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	v = json_tokener_parse_ex(t, (const char *)compact.p, (int)compact.n);
	error = json_tokener_get_error(t);
	if (error == json_tokener_success && json_tokener_get_parse_end(t) != compact.n)
		error = json_tokener_error_parse_unexpected;
	json_tokener_reset(t);
	if (secret)
		fill_buffer(t, compact.n);
	json_tokener_free(t);
	if (error != json_tokener_success) {
		tree_close(&v);
		return tsb_fail(err, TSB_E_INPUT, "Invalid request. Cannot parse json string: %s",
		    json_tokener_error_desc(error));
	}
	*root = v;
	return 0;
}

/* ---- one value ---- */

static void
land(const struct field *f, void *dest, const void *value, size_t n)
{
	if (f->size != 0)
		memcpy((char *)dest + f->offset, value, n);
}

static void
land_view(const struct field *f, void *dest, struct tsb_view v)
{
	land(f, dest, &v, sizeof(v));
}

/* A string whose bytes are within the limits of the row. */
static int
take_text(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, struct tsb_view *text)
{
	if (!is(v, json_type_string))
		return refuse(r, at, TSB_OK, "must be a string");
	*text = string_view(v);
	if (text->n < (size_t)f->min || (f->need == REQUIRED && text->n == 0))
		return refuse(r, at, TSB_OK, text->n == 0 ? "must not be empty" : "is too short");
	if (f->max > 0 && text->n > (size_t)f->max)
		return refuse(r, at, f->code, "is longer than %ld bytes", f->max);
	return 0;
}

static int
read_text(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_view text;
	const char *s;

	if (take_text(r, v, f, at, &text))
		return -1;
	s = arena_strn(r->a, text.p, text.n);
	land(f, dest, &s, sizeof(s));
	return 0;
}

static int
read_view(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_view text;

	if (take_text(r, v, f, at, &text))
		return -1;
	land_view(f, dest, arena_view(r->a, text));
	return 0;
}

static int
read_label(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_view text;
	const char *s = NULL;

	if (take_text(r, v, f, at, &text))
		return -1;
	if (!tsb_label_valid(text))
		return refuse(r, at, f->code, "must not have control characters");
	if (text.n == 0 && f->type == FIELD_LABEL)
		return refuse(r, at, TSB_OK, "must not be empty");
	if (text.n > 0)
		s = arena_strn(r->a, text.p, text.n);
	land(f, dest, &s, sizeof(s));
	return 0;
}

/* Length of a PEM line "-----BEGIN X-----" at the start of text with X as its label; 0 = none. */
static size_t
armour_line(struct tsb_view text, const char *word, struct tsb_view *label)
{
	size_t head = strlen(word), n;

	if (text.n < head || memcmp(text.p, word, head) != 0)
		return 0;
	for (n = head; n < text.n && (text.p[n] == ' ' || (text.p[n] >= 'A' && text.p[n] <= 'Z')); n++)
		;
	if (n == head || text.n - n < 5 || memcmp(text.p + n, "-----", 5) != 0)
		return 0;
	*label = tsb_view_of(text.p + head, n - head);
	return n + 5;
}

static struct tsb_view
trim_lines(struct tsb_view v)
{
	while (v.n > 0 && (v.p[0] == '\n' || v.p[0] == '\r'))
		v = tsb_view_of(v.p + 1, v.n - 1);
	while (v.n > 0 && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == '\r'))
		v.n--;
	return v;
}

/* Base64 without PEM header, footer and line breaks (api.md 1.3); false when the armour is broken. */
static bool
armour_remove(struct tsb_view text, struct arena *a, struct tsb_view *out)
{
	struct tsb_view begin, end;
	unsigned char *bytes;
	size_t n;

	text = trim_lines(text);
	n = armour_line(text, "-----BEGIN ", &begin);
	if (n > 0) {
		struct tsb_view footer;
		const unsigned char *dashes = memmem(text.p + n, text.n - n, "-----END ", 9);

		if (dashes == NULL)
			return false;
		footer = tsb_view_of(dashes, text.n - (size_t)(dashes - text.p));
		if (armour_line(footer, "-----END ", &end) != footer.n || !tsb_view_eq(begin, end))
			return false;
		text = tsb_view_of(text.p + n, (size_t)(dashes - text.p) - n);
	}
	if (text.n == 0 || (!memchr(text.p, '\n', text.n) && !memchr(text.p, '\r', text.n))) {
		*out = text;
		return true;
	}
	bytes = arena_alloc(a, text.n);
	n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\n' && text.p[i] != '\r')
			bytes[n++] = text.p[i];
	*out = tsb_view_of(bytes, n);
	return true;
}

static int
read_base64(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_view text, bare, bytes;

	if (!is(v, json_type_string))
		return refuse(r, at, TSB_OK, "must be a string");
	text = string_view(v);
	/* twice the size leaves room for digits, line breaks and armour, and bounds the work */
	if (text.n > 2 * (size_t)f->max + 256)
		return refuse(r, at, f->code, "is longer than %ld bytes", f->max);
	if (!armour_remove(text, r->a, &bare) || !enc_base64_decode(bare, r->a, &bytes))
		return refuse(r, at, f->code, "must be base64");
	if (bytes.n == 0 && f->need == REQUIRED)
		return refuse(r, at, TSB_OK, "must not be empty");
	if (bytes.n > 0 && bytes.n < (size_t)f->min)
		return refuse(r, at, f->code, "is shorter than %ld bytes", f->min);
	if (bytes.n > (size_t)f->max)
		return refuse(r, at, f->code, "is longer than %ld bytes", f->max);
	if (f->type == FIELD_BASE64_TEXT) {
		const char *s = arena_strn(r->a, text.p, text.n);

		land(f, dest, &s, sizeof(s));
	} else {
		land_view(f, dest, bytes);
	}
	return 0;
}

/* Exactly one character: one well-formed UTF-8 sequence. */
static bool
is_character(struct json_object *v)
{
	struct tsb_view text;
	size_t starts = 0;

	if (!is(v, json_type_string))
		return false;
	text = string_view(v);
	for (size_t i = 0; i < text.n; i++)
		starts += (text.p[i] & 0xc0) != 0x80;
	return starts == 1;
}

static int
read_password(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	unsigned char *bytes;
	size_t n = 0, count;

	if (is(v, json_type_string)) {
		struct tsb_view text = string_view(v);

		if (text.n > FIELD_PASSWORD_MAX)
			return refuse(r, at, TSB_OK, "is longer than %d bytes", FIELD_PASSWORD_MAX);
		land_view(f, dest, arena_view(r->a, text));
		return 0;
	}
	if (!is(v, json_type_array))
		return refuse(r, at, TSB_OK, "must be a string or a list of characters");
	count = json_object_array_length(v);
	if (count > FIELD_PASSWORD_MAX)
		return refuse(r, at, TSB_OK, "is longer than %d bytes", FIELD_PASSWORD_MAX);
	bytes = arena_alloc(r->a, count * 4 + 1);
	for (size_t i = 0; i < count; i++) {
		struct json_object *character = json_object_array_get_idx(v, i);
		struct tsb_view text;

		if (!is_character(character))
			return refuse(r, at, TSB_OK, "must be a list of single characters");
		text = string_view(character);
		memcpy(bytes + n, text.p, text.n);
		n += text.n;
	}
	if (n > FIELD_PASSWORD_MAX)
		return refuse(r, at, TSB_OK, "is longer than %d bytes", FIELD_PASSWORD_MAX);
	land_view(f, dest, tsb_view_of(bytes, n));
	return 0;
}

static void
land_int(const struct field *f, void *dest, int64_t value)
{
	int32_t narrow = (int32_t)value;

	if (f->size == sizeof(narrow))
		land(f, dest, &narrow, sizeof(narrow));
	else
		land(f, dest, &value, sizeof(value));
}

static int
read_int(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	int64_t value;

	if (!is(v, json_type_int))
		return refuse(r, at, TSB_OK, "must be a whole number");
	value = json_object_get_int64(v); /* saturates, and no row reaches that far */
	if (value < f->min || value > f->max)
		return refuse(r, at, f->code, "must be from %ld to %ld", f->min, f->max);
	land_int(f, dest, value);
	return 0;
}

static int
read_bool(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	bool value;

	if (!is(v, json_type_boolean))
		return refuse(r, at, TSB_OK, "must be true or false");
	value = json_object_get_boolean(v);
	land(f, dest, &value, sizeof(value));
	return 0;
}

static int
find_name(struct reader *r, struct tsb_view text, const struct field *f,
    const struct field_path *at, size_t *index)
{
	char quoted[FIELD_QUOTE];

	for (size_t i = 0; i < f->nnames; i++)
		if (tsb_view_eq(tsb_view_str(f->names[i]), text)) {
			*index = i;
			return 0;
		}
	while (at->name == NULL && at->up != NULL)
		at = at->up;
	return tsb_fail(r->err, f->code == TSB_OK ? TSB_E_INPUT : f->code,
	    "Value '%s' is not valid for field %s", field_quote(text, quoted),
	    at->name != NULL ? at->name : f->name);
}

static int
read_enum(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	size_t i;

	if (!is(v, json_type_string))
		return refuse(r, at, TSB_OK, "must be a string");
	if (find_name(r, string_view(v), f, at, &i))
		return -1;
	if (f->type == FIELD_INDEX)
		land_int(f, dest, f->min + (int64_t)i);
	else
		land(f, dest, &f->names[i], sizeof(f->names[i]));
	return 0;
}

static int
read_enum_list(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at)
{
	if (!is(v, json_type_array))
		return refuse(r, at, TSB_OK, "must be a list");
	if (json_object_array_length(v) > (size_t)f->max)
		return refuse(r, at, TSB_OK, "has more than %ld elements", f->max);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		struct json_object *element = json_object_array_get_idx(v, i);
		struct tsb_view text, one;
		size_t index;

		if (!is(element, json_type_string))
			return refuse(r, at, TSB_OK, "must be a list of strings");
		text = string_view(element);
		for (; text.n > 0; text = tsb_view_of(text.p + one.n, text.n - one.n)) {
			const unsigned char *comma = memchr(text.p, ',', text.n);

			one = comma == NULL ? text : tsb_view_of(text.p, (size_t)(comma - text.p));
			if (one.n > 0 && find_name(r, one, f, at, &index))
				return -1;
			one.n += comma != NULL;
		}
	}
	return 0;
}

static int
read_uuid(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_uuid id;
	struct tsb_view text;

	if (!is(v, json_type_string))
		return refuse(r, at, TSB_OK, "must be a string");
	text = string_view(v);
	if (text.n != UUID_TEXT - 1 || !uuid_parse((const char *)text.p, &id))
		return refuse(r, at, TSB_E_INVALID_UUID, "is not a UUID");
	land(f, dest, &id, sizeof(id));
	return 0;
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

static int
read_member(struct reader *r, struct json_object *o, const struct field *f,
    const struct field_path *up, void *dest)
{
	const struct field_path at = {up, f->name, 0};
	struct json_object *v;

	if (!json_object_object_get_ex(o, f->name, &v) || v == NULL)
		return f->need == REQUIRED ? refuse(r, &at, TSB_OK, "is missing") : 0;
	if (read_value(r, v, f, &at, dest))
		return -1;
	if (f->tells)
		*(bool *)((char *)dest + f->has) = true;
	return 0;
}

static int
read_object(struct reader *r, struct json_object *o, const struct field_object *object,
    const struct field_path *at, void *dest)
{
	const struct field *tables[] = {object->fields, object->more};
	char quoted[FIELD_QUOTE];

	if (!is(o, json_type_object))
		return refuse(r, at, TSB_OK, "must be an object");
	if (!object->open) {
		json_object_object_foreach(o, name, member) {
			const struct field_path here = {
			    at, field_quote(tsb_view_str(name), quoted), 0};

			(void)member;
			if (find_row(object, name) == NULL)
				return refuse(r, &here, TSB_OK, "is not a known member");
		}
	}
	if (object->init != NULL)
		object->init(dest, r->a);
	for (size_t i = 0; i < TSB_COUNT(tables); i++)
		for (const struct field *f = tables[i]; f != NULL && f->name != NULL; f++)
			if (read_member(r, o, f, at, dest))
				return -1;
	return object->check != NULL ? object->check(dest, at, r->a, r->err) : 0;
}

static int
read_list(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *up, void *dest)
{
	size_t n;
	char *elements;

	if (!is(v, json_type_array))
		return refuse(r, up, TSB_OK, "must be a list");
	n = json_object_array_length(v);
	if (n > (size_t)f->max)
		return refuse(r, up, f->code, "has more than %ld elements", f->max);
	elements = n == 0 ? NULL : arena_array(r->a, n, f->element_size);
	for (size_t i = 0; i < n; i++) {
		const struct field_path at = {up, NULL, i};
		struct json_object *element = json_object_array_get_idx(v, i);

		if (element == NULL)
			return refuse(r, &at, TSB_OK, "is missing");
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
	switch (f->type) {
	case FIELD_TEXT:
		return read_text(r, v, f, at, dest);
	case FIELD_VIEW:
		return read_view(r, v, f, at, dest);
	case FIELD_LABEL:
	case FIELD_NAME:
		return read_label(r, v, f, at, dest);
	case FIELD_BASE64:
	case FIELD_BASE64_TEXT:
		return read_base64(r, v, f, at, dest);
	case FIELD_PASSWORD:
		return read_password(r, v, f, at, dest);
	case FIELD_INT:
		return read_int(r, v, f, at, dest);
	case FIELD_BOOL:
		return read_bool(r, v, f, at, dest);
	case FIELD_ENUM:
	case FIELD_INDEX:
		return read_enum(r, v, f, at, dest);
	case FIELD_ENUM_LIST:
		return read_enum_list(r, v, f, at);
	case FIELD_OBJECT:
		return read_object(r, v, f->object, at, (char *)dest + f->offset);
	case FIELD_LIST:
		return read_list(r, v, f, at, dest);
	case FIELD_UUID:
		return read_uuid(r, v, f, at, dest);
	case FIELD_NONE:
		return refuse(r, at, f->code, "cannot be given here");
	case FIELD_IGNORED:
		return 0;
	}
	fatal("field %s has no type", f->name);
}

int
field_read(struct tsb_view body, const struct field_object *object, struct arena *a, void *dest,
    struct tsb_view *compact, struct tsb_err *err)
{
	struct reader r = {a, err};
	struct tsb_view text;
	tree_auto *root = NULL;

	if (jsontext_compact(body, '{', a, &text, err) || tree_open(text, &root, err) ||
	    read_object(&r, root, object, NULL, dest))
		return -1;
	if (compact != NULL)
		*compact = text;
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
	struct reader r = {a, err};
	struct tsb_view text;
	tree_auto *root = NULL;

	if (jsontext_compact(body, '[', a, &text, err) || tree_open(text, &root, err) ||
	    read_list(&r, root, row, &at, dest))
		return blame_hsm(err);
	return 0;
}
