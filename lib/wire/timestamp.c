/* Verification, the timestamp extension (docs/hsm-api.md), and what other servers answer. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/wire/field.h"
#include "lib/wire/names.h"

/* ---- verification (api-notes.md 8.3) ---- */

#define VERIFY(m) AT(struct wire_verify, m)
static const struct field verify_inner_fields[] = {
    {"signKeyName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	VERIFY(key_name)},
    {"signKeyObject", FIELD_NONE, .code = TSB_E_UNSUPPORTED_OPERATION},
    {"masterKeyPassword", FIELD_PASSWORD, VERIFY(password)},
    {"signatureAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_signature), VERIFY(algorithm)},
    {"payload", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, VERIFY(payload)},
    {"signature", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, VERIFY(signature)},
    {"metaData", FIELD_IGNORED},
    {"metaDataSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field_object verify_inner = {verify_inner_fields};

static const struct field verify_fields[] = {
    {"verifySignatureRequest", FIELD_OBJECT, REQUIRED, .object = &verify_inner},
    {"requestSignature", FIELD_IGNORED}, /* nothing secret is used: who asks does not matter */
    {NULL},
};
static const struct field_object verify_object = {verify_fields};

int
wire_verify_parse(struct tsb_view body, struct arena *a, struct wire_verify *out,
    struct tsb_err *err)
{
	struct wire_verify verify = {0};

	if (field_read(body, &verify_object, a, &verify, NULL, err))
		return -1;
	*out = verify;
	return 0;
}

void
wire_base64_format(const char *name, struct tsb_view value, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_base64(out, name, value);
	emit_close(out, '}');
}

void
wire_bool_format(const char *name, bool value, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_bool(out, name, value);
	emit_close(out, '}');
}

/* ---- timestamp extension ---- */

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
	struct wire_timestamp_request request = {0};

	if (field_read(body, &timestamp_object, a, &request, NULL, err))
		return -1;
	*out = request;
	return 0;
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

/* ---- answers of other servers ---- */

struct error_form {
	int number;
	const char *reason, *message;
};

static const struct field error_fields[] = {
    {"errorCode", FIELD_INT, .max = 99999, AT(struct error_form, number)},
    {"reason", FIELD_TEXT, .max = 4096, AT(struct error_form, reason)},
    {"message", FIELD_TEXT, .max = 64 * 1024, AT(struct error_form, message)},
    {NULL},
};
static const struct field_object error_object = {error_fields, .open = true};

int
wire_error_raise(struct tsb_view body, int http_status, struct tsb_err *err)
{
	arena_auto a = {0};
	struct error_form e = {0};
	struct tsb_err ignored = {0};
	enum tsb_code code = TSB_OK;
	const char *text = NULL;
	int n = 0;

	if (field_read(body, &error_object, &a, &e, NULL, &ignored) == 0) {
		code = e.number > 0 ? tsb_err_by_number(e.number) : TSB_OK;
		text = e.message != NULL && *e.message != '\0' ? e.message : e.reason;
	}
	if (text == NULL || *text == '\0')
		return tsb_fail(err, code == TSB_OK ? TSB_E_HSM : code,
		    "the HSM service answered with HTTP status %d", http_status);
	/* cut between characters, so that the sentence stays UTF-8 */
	for (n = (int)strnlen(text, 400); n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return tsb_fail(err, code == TSB_OK ? TSB_E_HSM : code, "%.*s", n, text);
}

bool
wire_error_has_number(struct tsb_view body)
{
	arena_auto a = {0};
	struct error_form e = {0};
	struct tsb_err ignored = {0};

	return field_read(body, &error_object, &a, &e, NULL, &ignored) == 0 && e.number > 0;
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
