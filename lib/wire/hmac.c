/* Keyed hashes, made and checked (api-notes.md 8.5). */
#include "lib/first.h"

#include "lib/wire/field.h"

#define VERIFY_ENVELOPE "verifyHmacRequest"

#define HMAC(m) AT(struct wire_hmac, m)
/* clang-format off */
#define HMAC_ROWS                                                                                  \
	{"keyName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,         \
	    HMAC(key_name)},                                                                       \
	    {"keyPassword", FIELD_PASSWORD, HMAC(password)},                                       \
	    {"payload", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, HMAC(payload)},           \
	    {"metaData", FIELD_IGNORED},                                                           \
	{                                                                                          \
		"metaDataSignature", FIELD_IGNORED                                                 \
	}
/* clang-format on */

static const struct field make_inner_fields[] = {
    HMAC_ROWS,
    {NULL},
};
static const struct field_object make_inner = {make_inner_fields};
static const struct field make_fields[] = {
    {"hmacRequest", FIELD_OBJECT, REQUIRED, .object = &make_inner},
    {"requestSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field_object make_object = {make_fields};

static const struct field verify_inner_fields[] = {
    HMAC_ROWS,
    {"signature", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, HMAC(mac)},
    {NULL},
};
static const struct field_object verify_inner = {verify_inner_fields};
static const struct field verify_fields[] = {
    {VERIFY_ENVELOPE, FIELD_OBJECT, REQUIRED, .object = &verify_inner},
    {"requestSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field_object verify_object = {verify_fields};

static int
parse(struct tsb_view body, const struct field_object *object, struct arena *a,
    struct wire_hmac *out, struct tsb_err *err)
{
	return field_take(body, object, a, out, sizeof(*out), err);
}

int
wire_hmac_parse(struct tsb_view body, struct arena *a, struct wire_hmac *out, struct tsb_err *err)
{
	return parse(body, &make_object, a, out, err);
}

int
wire_hmac_verify_parse(struct tsb_view body, struct arena *a, struct wire_hmac *out,
    struct tsb_err *err)
{
	return parse(body, &verify_object, a, out, err);
}

bool
wire_is_hmac_verify(struct tsb_view body, struct arena *a)
{
	struct tsb_view compact, inner;
	struct tsb_err why;

	return wire_compact(body, a, &compact, &why) == 0 &&
	    wire_member_text(compact, VERIFY_ENVELOPE, &inner);
}
