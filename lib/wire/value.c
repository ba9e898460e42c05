#include "lib/first.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/wire/value.h"

#define PEM_TEXT_MAX (64 * 1024) /* beside the block: text, attributes, the rest of a chain */

int
value_refuse(struct reader *r, const struct field_path *at, enum tsb_code code, const char *fmt,
    ...)
{
	char where[FIELD_WHERE], rule[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rule, sizeof(rule), fmt, ap);
	va_end(ap);
	return tsb_fail(r->err, code == TSB_OK ? TSB_E_INPUT : code, "%s %s",
	    field_where(at, NULL, where), rule);
}

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
	if (!tree_is(v, json_type_string))
		return value_refuse(r, at, TSB_OK, "must be a string");
	*text = tree_text(v);
	if (text->n < (size_t)f->min || (f->need == REQUIRED && text->n == 0))
		return value_refuse(r, at, TSB_OK,
		    text->n == 0 ? "must not be empty" : "is too short");
	if (f->max > 0 && text->n > (size_t)f->max)
		return value_refuse(r, at, f->code, "is longer than %ld bytes", f->max);
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
		return value_refuse(r, at, f->code, "must not have control characters");
	if (text.n == 0 && f->type == FIELD_LABEL)
		return value_refuse(r, at, TSB_OK, "must not be empty");
	if (text.n > 0)
		s = arena_strn(r->a, text.p, text.n);
	land(f, dest, &s, sizeof(s));
	return 0;
}

static int
read_remark(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct field bytes = *f;

	/* a character has at most four bytes */
	bytes.type = FIELD_LABEL;
	bytes.max = 4 * f->max;
	if (tree_is(v, json_type_string) && tsb_utf8_count(tree_text(v)) > (size_t)f->max)
		return value_refuse(r, at, f->code, "is longer than %ld characters", f->max);
	return read_label(r, v, &bytes, at, dest);
}

/* Length of a PEM line "-----BEGIN X-----" at the start of text with X as its label; 0 = none. */
static size_t
armour_line(struct tsb_view text, const char *word, struct tsb_view *label)
{
	size_t head = strlen(word), n;

	if (text.n < head || memcmp(text.p, word, head) != 0)
		return 0;
	n = head;
	while (n < text.n && (text.p[n] == ' ' || (text.p[n] >= 'A' && text.p[n] <= 'Z')))
		n++;
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

/* Base64 without PEM armour and line breaks (api-notes.md 1.2); false when the armour is broken. */
static bool
armour_remove(struct tsb_view text, struct arena *a, struct tsb_view *out)
{
	struct tsb_view begin, end;
	unsigned char *bytes;
	size_t n;

	text = trim_lines(tsb_text_start(text));
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
	if (text.n == 0 ||
	    (memchr(text.p, '\n', text.n) == NULL && memchr(text.p, '\r', text.n) == NULL)) {
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

/*
 * The bytes of a member that is a key, a certificate or a request: of PEM as people have it the
 * first block that fits, of a chain its leaf.
 */
static int
decode_pem(struct reader *r, struct tsb_view text, const struct field *f,
    const struct field_path *at, struct tsb_view *out)
{
	struct tsb_err why;

	if (crypto_pem_pick(text, f->pem, r->a, out, &why) == 0)
		return 0;
	return value_refuse(r, at, f->code, "must be base64 or PEM: %s", why.msg);
}

static int
decode_base64(struct reader *r, struct tsb_view text, const struct field *f,
    const struct field_path *at, struct tsb_view *out)
{
	struct tsb_view bare;

	if (f->pem != 0 && crypto_pem_has(text))
		return decode_pem(r, text, f, at, out);
	if (!armour_remove(text, r->a, &bare) || !enc_base64_decode(bare, r->a, out))
		return value_refuse(r, at, f->code, "must be base64");
	return 0;
}

static int
read_base64(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_view text, bytes;
	size_t room;

	if (!tree_is(v, json_type_string))
		return value_refuse(r, at, TSB_OK, "must be a string");
	text = tree_text(v);
	/* twice the size leaves room for digits, line breaks and armour, and bounds the work */
	room = 2 * (size_t)f->max + (f->pem != 0 ? PEM_TEXT_MAX : 256);
	if (text.n > room)
		return value_refuse(r, at, f->code, "is longer than %ld bytes", f->max);
	if (decode_base64(r, text, f, at, &bytes))
		return -1;
	if (bytes.n == 0 && f->need == REQUIRED)
		return value_refuse(r, at, TSB_OK, "must not be empty");
	if (bytes.n > 0 && bytes.n < (size_t)f->min)
		return value_refuse(r, at, f->code, "is shorter than %ld bytes", f->min);
	if (bytes.n > (size_t)f->max)
		return value_refuse(r, at, f->code, "is longer than %ld bytes", f->max);
	if (f->type == FIELD_BASE64_TEXT) {
		const char *s = arena_strn(r->a, text.p, text.n);

		land(f, dest, &s, sizeof(s));
	} else {
		land_view(f, dest, bytes);
	}
	return 0;
}

static int
read_hex(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_view text, bytes;

	if (!tree_is(v, json_type_string))
		return value_refuse(r, at, TSB_OK, "must be a string");
	text = tree_text(v);
	if (text.n > 2 * (size_t)f->max)
		return value_refuse(r, at, f->code, "is longer than %ld bytes", f->max);
	if (text.n == 0 && f->need == REQUIRED)
		return value_refuse(r, at, TSB_OK, "must not be empty");
	if (!enc_hex_decode(text, r->a, &bytes))
		return value_refuse(r, at, TSB_E_PAYLOAD,
		    "must be hex digits, two a byte, with payloadType HEX");
	land_view(f, dest, bytes);
	return 0;
}

/* Exactly one character: one well-formed UTF-8 sequence. */
static bool
is_character(struct json_object *v)
{
	struct tsb_view text;
	size_t starts = 0;

	if (!tree_is(v, json_type_string))
		return false;
	text = tree_text(v);
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

	if (tree_is(v, json_type_string)) {
		struct tsb_view text = tree_text(v);

		if (text.n > FIELD_PASSWORD_MAX)
			return value_refuse(r, at, TSB_OK, "is longer than %d bytes",
			    FIELD_PASSWORD_MAX);
		land_view(f, dest, arena_view(r->a, text));
		return 0;
	}
	if (!tree_is(v, json_type_array))
		return value_refuse(r, at, TSB_OK, "must be a string or a list of characters");
	count = json_object_array_length(v);
	if (count > FIELD_PASSWORD_MAX)
		return value_refuse(r, at, TSB_OK, "is longer than %d bytes", FIELD_PASSWORD_MAX);
	bytes = arena_alloc(r->a, count * 4 + 1);
	for (size_t i = 0; i < count; i++) {
		struct json_object *character = json_object_array_get_idx(v, i);
		struct tsb_view text;

		if (!is_character(character))
			return value_refuse(r, at, TSB_OK, "must be a list of single characters");
		text = tree_text(character);
		memcpy(bytes + n, text.p, text.n);
		n += text.n;
	}
	if (n > FIELD_PASSWORD_MAX)
		return value_refuse(r, at, TSB_OK, "is longer than %d bytes", FIELD_PASSWORD_MAX);
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

	if (!tree_is(v, json_type_int))
		return value_refuse(r, at, TSB_OK, "must be a whole number");
	value = json_object_get_int64(v); /* saturates, and no row reaches that far */
	if (value < f->min || value > f->max)
		return value_refuse(r, at, f->code, "must be from %ld to %ld", f->min, f->max);
	land_int(f, dest, value);
	return 0;
}

static int
read_bool(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	bool value;

	if (!tree_is(v, json_type_boolean))
		return value_refuse(r, at, TSB_OK, "must be true or false");
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

	if (!tree_is(v, json_type_string))
		return value_refuse(r, at, TSB_OK, "must be a string");
	if (find_name(r, tree_text(v), f, at, &i))
		return -1;
	if (f->type == FIELD_INDEX)
		land_int(f, dest, f->min + (int64_t)i);
	else
		land(f, dest, &f->names[i], sizeof(f->names[i]));
	return 0;
}

/* One element: names joined by commas; empty ones do not count (api-notes.md 1.2). */
static int
take_joined(struct reader *r, struct tsb_view text, const struct field *f,
    const struct field_path *at, unsigned *bits)
{
	while (text.n > 0) {
		const unsigned char *comma = memchr(text.p, ',', text.n);
		size_t n = comma == NULL ? text.n : (size_t)(comma - text.p);
		size_t skip = comma == NULL ? n : n + 1, index;

		if (n > 0) {
			if (find_name(r, tsb_view_of(text.p, n), f, at, &index))
				return -1;
			*bits |= 1u << index;
		}
		text = tsb_view_of(text.p + skip, text.n - skip);
	}
	return 0;
}

static int
read_enum_list(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	unsigned bits = 0;

	if (!tree_is(v, json_type_array))
		return value_refuse(r, at, TSB_OK, "must be a list");
	if (json_object_array_length(v) > (size_t)f->max)
		return value_refuse(r, at, TSB_OK, "has more than %ld elements", f->max);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		struct json_object *element = json_object_array_get_idx(v, i);

		if (!tree_is(element, json_type_string))
			return value_refuse(r, at, TSB_OK, "must be a list of strings");
		if (take_joined(r, tree_text(element), f, at, &bits))
			return -1;
	}
	land(f, dest, &bits, sizeof(bits));
	return 0;
}

static int
read_uuid(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest)
{
	struct tsb_uuid id;
	struct tsb_view text;

	if (!tree_is(v, json_type_string))
		return value_refuse(r, at, TSB_OK, "must be a string");
	text = tree_text(v);
	if (text.n != UUID_TEXT - 1 || !uuid_parse((const char *)text.p, &id))
		return value_refuse(r, at, TSB_E_INVALID_UUID, "is not a UUID");
	land(f, dest, &id, sizeof(id));
	return 0;
}

int
value_read(struct reader *r, struct json_object *v, const struct field *f,
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
	case FIELD_REMARK:
		return read_remark(r, v, f, at, dest);
	case FIELD_BASE64:
	case FIELD_BASE64_TEXT:
		return read_base64(r, v, f, at, dest);
	case FIELD_HEX:
		return read_hex(r, v, f, at, dest);
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
		return read_enum_list(r, v, f, at, dest);
	case FIELD_UUID:
		return read_uuid(r, v, f, at, dest);
	case FIELD_NONE:
		return value_refuse(r, at, f->code, "cannot be given here");
	case FIELD_IGNORED:
		return 0;
	case FIELD_APPROVER:
	case FIELD_PAYLOAD:
	case FIELD_OBJECT:
	case FIELD_LIST:
		break;
	}
	fatal("field %s is not a value", f->name);
}
