/* Timestamps: the extension of docs/hsm-api.md, and RFC 3161. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/wire/field.h"
#include "lib/wire/names.h"

static const char *const operations[] = {"USE", "BLOCK", "UNBLOCK", "MODIFY"}; /* from OP_USE on */

#define TIMESTAMP(m) AT(struct wire_timestamp_request, m)
static const struct field timestamp_inner_fields[] = {
    {"keyName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	TIMESTAMP(key_name)},
    {"keyPassword", FIELD_PASSWORD, TIMESTAMP(key_password)},
    {"operation", FIELD_INDEX, REQUIRED, .min = OP_USE, NAMES(operations), TIMESTAMP(operation)},
    {"payload", FIELD_BASE64, .max = TOKEN_PAYLOAD_MAX, TIMESTAMP(payload)},
    {"signatureAlgorithm", FIELD_ENUM, NAMES(names_signature), TIMESTAMP(algorithm)},
    {"cipherAlgorithm", FIELD_ENUM, NAMES(names_cipher), TIMESTAMP(cipher)},
    {"wrapMethod", FIELD_ENUM, NAMES(names_wrap), TIMESTAMP(wrap_method)},
    {NULL},
};

static int
timestamp_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_timestamp_request *r = dest;
	bool needs = r->operation == OP_USE || r->operation == OP_MODIFY;
	int uses = (r->algorithm != NULL) + (r->cipher != NULL) + (r->wrap_method != NULL);
	char where[FIELD_WHERE];

	if (needs != (r->payload.n > 0))
		return tsb_fail(err, TSB_E_INPUT,
		    needs ? "%s is missing" : "%s cannot be given here",
		    field_where(at, "payload", where));
	if (uses > 1 || (uses == 1 && r->operation != OP_USE))
		return tsb_fail(err, TSB_E_INPUT,
		    "%s, cipherAlgorithm and wrapMethod exclude each other and need operation USE",
		    field_where(at, "signatureAlgorithm", where));
	return 0;
}

static const struct field_object timestamp_inner = {timestamp_inner_fields,
    .check = timestamp_check};
static const struct field timestamp_fields[] = {
    {"timestampRequest", FIELD_OBJECT, REQUIRED, .object = &timestamp_inner},
    {NULL},
};
static const struct field_object timestamp_object = {timestamp_fields};

int
wire_timestamp_request_parse(struct tsb_view body, struct arena *a,
    struct wire_timestamp_request *out, struct tsb_err *err)
{
	return field_take(body, &timestamp_object, a, out, sizeof(*out), err);
}

void
wire_timestamp_request_format(const struct wire_timestamp_request *r, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_open(out, "timestampRequest", '{');
	emit_text(out, "keyName", r->key_name);
	if (r->key_password.n > 0)
		emit_view(out, "keyPassword", r->key_password);
	emit_text(out, "operation", operations[r->operation - OP_USE]);
	if (r->payload.n > 0)
		emit_base64(out, "payload", r->payload);
	if (r->algorithm != NULL)
		emit_text(out, "signatureAlgorithm", r->algorithm);
	if (r->cipher != NULL)
		emit_text(out, "cipherAlgorithm", r->cipher);
	if (r->wrap_method != NULL)
		emit_text(out, "wrapMethod", r->wrap_method);
	emit_close(out, '}');
	emit_close(out, '}');
}

void
wire_timestamp_reply_format(const struct wire_timestamp_reply *r, struct tsb_bytes *out)
{
	struct ska_timestamp timestamp;
	struct tsb_view bare = {NULL, 0}, label = {NULL, 0};
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_err ignored = {0};

	/* both only repeat what the first and third member hold */
	if (ska_timestamp_parse(r->timestamp, &timestamp, &ignored) == 0)
		label = timestamp.key_label;
	if (ska_signature_parse(r->signature_with_algorithm, &type, &digest, &bare, &ignored))
		bare = tsb_view_of(NULL, 0);
	tsb_bytes_add(out, "{", 1);
	emit_base64(out, "timestamp", r->timestamp);
	emit_base64_or_null(out, "timestampSignature", bare);
	emit_base64(out, "timestampSignatureWithAlgorithm", r->signature_with_algorithm);
	emit_view(out, "timestampKeyName", label);
	emit_name(out, "keyAttributesDigest");
	tsb_bytes_add(out, "\"", 1);
	enc_hex(tsb_view_of(r->attributes_digest, TSB_SHA256), out);
	tsb_bytes_add_str(out, "\"}");
}

/* ---- RFC 3161 ---- */

static const char *const hashes[] = {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"};

#define RFC(m) AT(struct wire_rfc_timestamp, m)
static const struct field rfc_fields[] = {
    {"payload", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, RFC(payload)},
    {"hashAlgorithm", FIELD_INDEX, REQUIRED, NAMES(hashes), RFC(hash)},
    {NULL},
};
static const struct field_object rfc_object = {rfc_fields};

int
wire_rfc_timestamp_parse(struct tsb_view body, struct arena *a, struct wire_rfc_timestamp *out,
    struct tsb_err *err)
{
	return field_take(body, &rfc_object, a, out, sizeof(*out), err);
}

/* ---- the extension's answer ---- */

struct timestamp_form {
	struct wire_timestamp_reply reply;
	struct tsb_view digest_hex;
};

#define REPLY(m) AT(struct timestamp_form, m)
static const struct field reply_fields[] = {
    {"timestamp", FIELD_BASE64, REQUIRED, .max = TOKEN_MAX, REPLY(reply.timestamp)},
    {"timestampSignatureWithAlgorithm", FIELD_BASE64, REQUIRED, .max = FIELD_SIGNATURE_MAX,
	REPLY(reply.signature_with_algorithm)},
    {"keyAttributesDigest", FIELD_VIEW, REQUIRED, .max = 2 * TSB_SHA256, REPLY(digest_hex)},
    {NULL},
};

static int
reply_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct timestamp_form *f = dest;
	struct tsb_view bytes;

	if (!enc_hex_decode(f->digest_hex, a, &bytes) || bytes.n != TSB_SHA256)
		return tsb_fail(err, TSB_E_HSM, "keyAttributesDigest is not a SHA-256 digest");
	memcpy(f->reply.attributes_digest, bytes.p, bytes.n);
	return 0;
}

static const struct field_object reply_object = {reply_fields, .open = true, .check = reply_check};

int
wire_timestamp_reply_parse(struct tsb_view body, struct arena *a, struct wire_timestamp_reply *out,
    struct tsb_err *err)
{
	struct timestamp_form form = {0};

	if (field_read_reply(body, &reply_object, a, &form, err))
		return -1;
	*out = form.reply;
	return 0;
}
