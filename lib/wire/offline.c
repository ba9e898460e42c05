/*
 * Requests on their way to an offline HSM and results on their way back (api-notes.md 6). The same
 * reader serves both sides, so that neither writes what the other refuses.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/wire/field.h"
#include "lib/wire/offline.h"

#define RESULT_MAX     (256 * 1024) /* bytes of a result after decoding */
#define REFUSAL_MAX    1024
#define REASON_MAX     255
#define ERROR_CODE_MAX 99999

/* ---- text that survives every carrier ---- */

/* One well-formed UTF-8 sequence at p; its length. */
static size_t
decode_character(const unsigned char *p, uint32_t *code)
{
	size_t n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	*code = *p & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		*code = *code << 6 | (p[i] & 0x3f);
	return n;
}

static void
escape_character(uint32_t code, struct tsb_bytes *out)
{
	if (code < 0x10000) {
		tsb_bytes_addf(out, "\\u%04x", (unsigned)code);
		return;
	}
	code -= 0x10000;
	tsb_bytes_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 | code >> 10),
	    (unsigned)(0xdc00 | (code & 0x3ff)));
}

void
wire_ascii(struct tsb_view text, struct tsb_bytes *out)
{
	bool utf8 = tsb_utf8_valid(text);
	size_t plain = 0, i = 0;

	while (i < text.n) {
		uint32_t code = text.p[i];
		size_t n = 1;

		if (code < 0x7f) {
			i++;
			continue;
		}
		tsb_bytes_add(out, text.p + plain, i - plain);
		if (code >= 0x80 && utf8)
			n = decode_character(text.p + i, &code);
		else if (code >= 0x80)
			code = 0xfffd;
		escape_character(code, out);
		i += n;
		plain = i;
	}
	tsb_bytes_add(out, text.p + plain, text.n - plain);
}

static struct tsb_view
ascii(struct tsb_view text, struct arena *a)
{
	tsb_bytes_auto out = {0};

	wire_ascii(text, &out);
	return arena_view(a, tsb_view_bytes(&out));
}

/* ---- requests: reading ---- */

/* The one member of input and the kind that it stands for. */
static int
find_inner(struct tsb_view input, struct wire_offline_request *out, struct tsb_err *err)
{
	struct jsontext_member m, more;
	char quoted[FIELD_QUOTE];

	if (!jsontext_next(&input, &m))
		return tsb_fail(err, TSB_E_INPUT, "inputOfflineHsm must hold a request");
	if (jsontext_next(&input, &more))
		return tsb_fail(err, TSB_E_INPUT, "inputOfflineHsm.%s is a second member",
		    field_quote(more.name, quoted));
	for (int k = 0; k < KIND__MAX; k++)
		if (tsb_kinds[k].executed == (enum tsb_kind)k &&
		    tsb_view_eq(m.name, tsb_view_str(tsb_kinds[k].envelope))) {
			out->kind = out->executed = (enum tsb_kind)k;
			out->inner = m.value;
			return 0;
		}
	return tsb_fail(err, TSB_E_INPUT,
	    "inputOfflineHsm.%s is not a request that an HSM executes",
	    field_quote(m.name, quoted));
}

/* input is compact. The password of a key is given where the key is: it must not travel. */
static int
read_input(struct tsb_view input, struct arena *a, struct wire_offline_request *out,
    struct tsb_err *err)
{
	struct wire_synchronous_in in;
	const struct tsb_kind_row *row;
	struct tsb_view password;

	out->input = ascii(input, a);
	if (out->input.p[0] != '{')
		return tsb_fail(err, TSB_E_INPUT, "inputOfflineHsm must be an object");
	if (find_inner(out->input, out, err) ||
	    wire_synchronous_parse(out->executed, out->input, a, &in, err))
		return -1;
	row = &tsb_kinds[out->executed];
	if (wire_member_text(out->inner, row->password_member, &password) &&
	    !jsontext_is_null(password))
		return tsb_fail(err, TSB_E_INPUT,
		    "%s.%s must not be carried: it is given at the offline site", row->envelope,
		    row->password_member);
	out->key_name = in.request.key_name;
	out->signed_approvals = in.signed_approvals;
	out->napprovals = in.napprovals;
	return 0;
}

struct carried {
	struct wire_offline_request request;
	const char *kind, *created, *status;
};

#define CARRIED(m) AT(struct carried, m)
static const struct field item_fields[] = {
    {"id", FIELD_UUID, REQUIRED, CARRIED(request.id), HAS(struct carried, request.has_id)},
    {"kind", FIELD_TEXT, REQUIRED, .max = 64, CARRIED(kind)},
    {"created", FIELD_TEXT, .max = 64, CARRIED(created)},
    {"keyName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, CARRIED(request.key_name)},
    {"metaData", FIELD_BASE64_TEXT, .max = FIELD_META_MAX, CARRIED(request.meta_data)},
    {"inputOfflineHsm", FIELD_IGNORED, REQUIRED},
    {NULL},
};
static const struct field_object item_object = {item_fields};

/* Only what is used is read: another version's answer may tell more. */
static const struct field answer_fields[] = {
    {"id", FIELD_UUID, REQUIRED, CARRIED(request.id), HAS(struct carried, request.has_id)},
    {"status", FIELD_TEXT, REQUIRED, .max = 64, CARRIED(status)},
    {NULL},
};
static const struct field_object answer_object = {answer_fields, .open = true};

static int
read_item(struct tsb_view text, struct arena *a, struct wire_offline_request *out,
    struct tsb_err *err)
{
	struct carried c = {0};
	struct tsb_view input;
	const char *key_name;
	enum tsb_kind kind;

	if (field_read(text, &item_object, a, &c, NULL, err))
		return -1;
	key_name = c.request.key_name;
	if (c.created != NULL && !clock_iso_parse(c.created, &c.request.created_ms))
		return tsb_fail(err, TSB_E_INPUT,
		    "created must be a date and time with seconds "
		    "and zone, as in 2024-01-31T12:00:00Z");
	if (!wire_member_text(text, "inputOfflineHsm", &input))
		return tsb_fail(err, TSB_E_INPUT, "inputOfflineHsm is missing");
	if (read_input(input, a, &c.request, err))
		return -1;
	if (!tsb_kind_by_name(c.kind, &kind) || tsb_kinds[kind].executed != c.request.executed)
		return tsb_fail(err, TSB_E_INPUT, "kind does not fit inputOfflineHsm.%s",
		    tsb_kinds[c.request.executed].envelope);
	if (!tsb_streq(key_name, c.request.key_name))
		return tsb_fail(err, TSB_E_INPUT, "keyName differs from %s.%s",
		    tsb_kinds[c.request.executed].envelope,
		    tsb_kinds[c.request.executed].key_member);
	c.request.kind = kind;
	*out = c.request;
	return 0;
}

static int
read_answer(struct tsb_view text, struct arena *a, struct wire_offline_request *out,
    struct tsb_err *err)
{
	struct carried c = {0};
	struct tsb_view input;
	char quoted[FIELD_QUOTE];

	if (field_read(text, &answer_object, a, &c, NULL, err))
		return -1;
	if (!wire_member_text(text, "inputOfflineHsm", &input) || jsontext_is_null(input))
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "the request has no inputOfflineHsm, its status is %s",
		    field_quote(tsb_view_str(c.status), quoted));
	if (read_input(input, a, &c.request, err))
		return -1;
	*out = c.request;
	return 0;
}

int
wire_offline_request_parse(struct tsb_view text, struct arena *a, struct wire_offline_request *out,
    struct tsb_err *err)
{
	struct wire_offline_request bare = {0};
	struct tsb_view compact, ignored;

	if (wire_compact(text, a, &compact, err))
		return -1;
	if (wire_member_text(compact, "kind", &ignored))
		return read_item(compact, a, out, err);
	if (wire_member_text(compact, "status", &ignored))
		return read_answer(compact, a, out, err);
	if (read_input(compact, a, &bare, err))
		return -1;
	*out = bare;
	return 0;
}

/* ---- requests: writing ---- */

/* Members without a value are left out: the text may have to fit into a picture. */
static void
emit_text_if(struct tsb_bytes *out, const char *name, const char *text)
{
	if (text != NULL)
		emit_text(out, name, text);
}

static void
emit_time_if(struct tsb_bytes *out, const char *name, int64_t ms)
{
	if (ms != 0)
		emit_time(out, name, ms / 1000);
}

void
wire_offline_request_format(const struct wire_offline_request *r, struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0};

	tsb_bytes_add(&text, "{", 1);
	emit_uuid(&text, "id", &r->id);
	emit_text(&text, "kind", tsb_kinds[r->kind].name);
	emit_time_if(&text, "created", r->created_ms);
	emit_text(&text, "keyName", r->key_name);
	emit_text_if(&text, "metaData", r->meta_data);
	emit_raw(&text, "inputOfflineHsm", r->input);
	emit_close(&text, '}');
	wire_ascii(tsb_view_bytes(&text), out);
}

void
wire_qr_codes_format(const struct tsb_uuid *id, const struct tsb_bytes *pngs, size_t n,
    struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_uuid(out, "id", id);
	emit_uint(out, "parts", n);
	emit_open(out, "qrCodes", '[');
	for (size_t i = 0; i < n; i++) {
		tsb_bytes_add_str(out, i > 0 ? ",\"" : "\"");
		enc_base64(tsb_view_bytes(&pngs[i]), out);
		tsb_bytes_add(out, "\"", 1);
	}
	emit_close(out, ']');
	emit_close(out, '}');
}

/* ---- results ---- */

struct result_form {
	struct wire_offline_result r;
	struct tsb_view signature, payload;
	bool has_signature, has_payload, has_result, has_error;
	const char *execution, *token;
};

#define FORM(m) AT(struct result_form, m)
#define TOLD(m) HAS(struct result_form, m)
static const struct field attributes_fields[] = {
    {"xml", FIELD_VIEW, REQUIRED, .max = FIELD_XML_MAX, FORM(r.attributes.xml)},
    {"xmlSignature", FIELD_BASE64, REQUIRED, .max = FIELD_SIGNATURE_MAX,
	FORM(r.attributes.xml_signature)},
    {"attestationKeyName", FIELD_TEXT, .max = 1024, FORM(r.attributes.attestation_key_name)},
    {NULL},
};
static const struct field_object attributes_object = {attributes_fields};

static const struct field result_fields[] = {
    {"id", FIELD_UUID, FORM(r.id), TOLD(r.has_id)},
    {"signature", FIELD_BASE64, .max = RESULT_MAX, FORM(signature), TOLD(has_signature)},
    {"payload", FIELD_BASE64, .max = RESULT_MAX, FORM(payload), TOLD(has_payload)},
    {"result", FIELD_VIEW, .max = RESULT_MAX, FORM(r.result), TOLD(has_result)},
    {"failed", FIELD_LABEL, .max = REFUSAL_MAX, FORM(r.failed)},
    {"errorCode", FIELD_INT, .max = ERROR_CODE_MAX, FORM(r.error_code), TOLD(has_error)},
    {"reason", FIELD_LABEL, .max = REASON_MAX, FORM(r.error_reason)},
    {"executionTime", FIELD_TEXT, .max = 64, FORM(execution)},
    {"attributes", FIELD_OBJECT, .object = &attributes_object, TOLD(r.has_attributes)},
    {"token", FIELD_TEXT, .max = 2 * TSB_SHA256, FORM(token), TOLD(r.has_token)},
    {NULL},
};

/* An outcome has one reading: done with at most one result, or failed. */
static int
check_outcome(const struct result_form *f, struct tsb_err *err)
{
	int results = f->has_signature + f->has_payload + f->has_result;

	if (results > 1)
		return tsb_fail(err, TSB_E_INPUT, "%s is a second result",
		    f->has_result ? "result" : "payload");
	if (f->r.failed != NULL && results > 0)
		return tsb_fail(err, TSB_E_INPUT, "failed excludes %s",
		    f->has_signature     ? "signature"
			: f->has_payload ? "payload"
					 : "result");
	if (f->r.failed != NULL && f->r.has_attributes)
		return tsb_fail(err, TSB_E_INPUT, "failed excludes attributes");
	if (f->r.failed == NULL && (f->has_error || f->r.error_reason != NULL))
		return tsb_fail(err, TSB_E_INPUT, "%s needs failed",
		    f->has_error ? "errorCode" : "reason");
	return 0;
}

static int
result_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct result_form *f = dest;
	struct tsb_view token;

	if (!f->r.has_id && !f->r.has_token)
		return tsb_fail(err, TSB_E_INPUT, "id is missing, and so is token");
	if (f->r.has_token) {
		if (!enc_hex_decode(tsb_view_str(f->token), a, &token) || token.n != TSB_SHA256)
			return tsb_fail(err, TSB_E_INPUT, "token must be %d hex digits",
			    2 * TSB_SHA256);
		memcpy(f->r.token, token.p, TSB_SHA256);
	}
	if (f->execution != NULL && !clock_iso_parse(f->execution, &f->r.execution_ms))
		return tsb_fail(err, TSB_E_INPUT,
		    "executionTime must be a date and time with "
		    "seconds and zone, as in 2024-01-31T12:00:00Z");
	if (check_outcome(f, err))
		return -1;
	f->r.member = f->has_signature ? "signature"
	    : f->has_payload           ? "payload"
	    : f->has_result            ? "result"
				       : NULL;
	/* one text for the same bytes, however they were written */
	if (f->has_signature || f->has_payload)
		f->r.result =
		    tsb_view_str(enc_base64_str(a, f->has_signature ? f->signature : f->payload));
	return 0;
}

static const struct field_object result_object = {result_fields, .check = result_check};

int
wire_offline_result_parse(struct tsb_view body, struct arena *a, struct wire_offline_result *out,
    struct tsb_err *err)
{
	struct result_form f = {0};

	if (field_read(body, &result_object, a, &f, &f.r.text, err))
		return -1;
	*out = f.r;
	return 0;
}

static void
attributes_format(const struct tsb_key_attributes *k, struct tsb_bytes *out)
{
	emit_open(out, "attributes", '{');
	emit_view(out, "xml", k->xml);
	emit_base64(out, "xmlSignature", k->xml_signature);
	emit_text_if(out, "attestationKeyName", k->attestation_key_name);
	emit_close(out, '}');
}

void
wire_offline_result_format(const struct wire_offline_result *r, const char *member,
    struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0}, token = {0};

	tsb_bytes_add(&text, "{", 1);
	if (r->has_id)
		emit_uuid(&text, "id", &r->id);
	if (r->result.p != NULL)
		emit_view(&text, member != NULL ? member : "result", r->result);
	emit_text_if(&text, "failed", r->failed);
	if (r->failed != NULL && r->error_code != 0)
		emit_uint(&text, "errorCode", (uint64_t)r->error_code);
	if (r->failed != NULL)
		emit_text_if(&text, "reason", r->error_reason);
	emit_time_if(&text, "executionTime", r->execution_ms);
	if (r->has_attributes)
		attributes_format(&r->attributes, &text);
	if (r->has_token) {
		enc_hex(tsb_view_of(r->token, TSB_SHA256), &token);
		emit_view(&text, "token", tsb_view_bytes(&token));
	}
	emit_close(&text, '}');
	wire_ascii(tsb_view_bytes(&text), out);
}
