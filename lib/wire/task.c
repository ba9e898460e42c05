/* Approval tasks: how approvers ask for them, see them and answer them (api-notes.md 5). */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/wire/field.h"

/* ---- who asks ---- */

/* clang-format off */
#define SIGNER_ROWS(s, proof) \
	{"approverPublicKey", FIELD_BASE64, .max = POLICY_VALUE_MAX, .pem = PEM_PUBLIC_KEY, \
	    AT(s, proof.spki)}, \
	{"approverCertificate", FIELD_BASE64, .max = POLICY_VALUE_MAX, .pem = PEM_CERTIFICATE, \
	    AT(s, proof.certificate)}
#define PROOF_ROWS(s, proof) \
	{"timestamp", FIELD_TEXT, REQUIRED, .max = 64, AT(s, proof.timestamp)}, \
	{"timestampSignature", FIELD_BASE64, REQUIRED, .max = FIELD_SIGNATURE_MAX, \
	    AT(s, proof.signature)}, \
	{"timestampDigestAlgorithm", FIELD_INDEX, REQUIRED, NAMES(ska_digest_names), \
	    AT(s, proof.digest)}, \
	SIGNER_ROWS(s, proof), \
	{"timestampSigningCertificate", FIELD_BASE64, .max = POLICY_VALUE_MAX, \
	    .pem = PEM_CERTIFICATE, \
	    AT(s, proof.signer_certificate)}
/* clang-format on */

static int
proof_check(struct tsb_approver_proof *p, struct tsb_err *err)
{
	if (!clock_iso_parse(p->timestamp, &p->timestamp_ms))
		return tsb_fail(err, TSB_E_INPUT,
		    "timestamp must be a date and time with seconds and zone, "
		    "as in 2024-01-31T12:00:00Z");
	if (p->spki.n == 0 && p->certificate.n == 0 && p->signer_certificate.n == 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "one of approverPublicKey, approverCertificate and timestampSigningCertificate "
		    "is needed");
	return 0;
}

/* ---- fetching tasks ---- */

static const char *const levels[] = {"level1", "level2", "level3", "level4", "level5", "level6"};
static const char *const orders[] = {
    [SORT_CREATED_ASC] = "CREATION_DATE_ASC",
    [SORT_CREATED_DESC] = "CREATION_DATE_DESC",
    [SORT_FETCHED_ASC] = "LAST_FETCHED_DATE_ASC",
    [SORT_FETCHED_DESC] = "LAST_FETCHED_DATE_DESC",
};

#define FILTER(m) AT(struct tsb_task_filter, m)
static const struct field paging_fields[] = {
    {"pageNumber", FIELD_INT, .max = INT32_MAX, FILTER(page)},
    {"pageSize", FIELD_INT, REQUIRED, .min = 1, .max = 1000, FILTER(page_size)},
    {"sortOrder", FIELD_INDEX, REQUIRED, NAMES(orders), FILTER(sort)},
    {NULL},
};
static const struct field_object paging_object = {paging_fields};

static const struct field filter_fields[] = {
    PROOF_ROWS(struct tsb_task_filter, proof),
    {"id", FIELD_UUID, FILTER(id), HAS(struct tsb_task_filter, has_id)},
    {"requestId", FIELD_UUID, FILTER(request_id), HAS(struct tsb_task_filter, has_request_id)},
    {"detailLevel", FIELD_INDEX, .min = 1, NAMES(levels), FILTER(level)},
    {"freshKeyAttributes", FIELD_BOOL, FILTER(fresh_attributes)},
    {"paging", FIELD_OBJECT, .object = &paging_object, HAS(struct tsb_task_filter, paged)},
    {NULL},
};

static void
filter_init(void *dest, struct arena *a)
{
	((struct tsb_task_filter *)dest)->level = 1;
}

static int
filter_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct tsb_task_filter *filter = dest;

	/* api-notes.md 5.2: the id of a task says it all */
	filter->has_request_id = filter->has_request_id && !filter->has_id;
	if (filter->fresh_attributes && (!filter->has_id || filter->level < 5))
		return tsb_fail(err, TSB_E_INPUT,
		    "freshKeyAttributes goes with an id and detailLevel level5 or level6");
	return proof_check(&filter->proof, err);
}

static const struct field_object filter_object = {filter_fields, .init = filter_init,
    .check = filter_check};

int
wire_task_filter_parse(struct tsb_view body, struct arena *a, struct tsb_task_filter *out,
    struct tsb_err *err)
{
	return field_take(body, &filter_object, a, out, sizeof(*out), err);
}

/* ---- showing tasks ---- */

/* The part of the token that levels 2 and 4 show. */
struct token_parts {
	struct tsb_view payload, timestamp, signature, signature_der;
	const char *algorithm;
};

static const char *
algorithm_name(enum ska_key_type type, enum ska_digest digest, struct arena *a)
{
	static const char *const digests[DIGEST__MAX] = {
	    [DIGEST_SHA224] = "SHA224",
	    [DIGEST_SHA256] = "SHA256",
	    [DIGEST_SHA384] = "SHA384",
	    [DIGEST_SHA512] = "SHA512",
	    [DIGEST_SHA3_224] = "SHA3224",
	    [DIGEST_SHA3_256] = "SHA3256",
	    [DIGEST_SHA3_384] = "SHA3384",
	    [DIGEST_SHA3_512] = "SHA3512",
	};
	static const char *const types[KEYTYPE__MAX] = {
	    [KEYTYPE_RSA] = "RSA",
	    [KEYTYPE_EC] = "ECDSA",
	    [KEYTYPE_DSA] = "DSA",
	};

	if (!ska_key_type_has_digest(type))
		return type == KEYTYPE_ED25519 ? "EDDSA" : "ML_DSA";
	if (digests[digest] == NULL || types[type] == NULL)
		return NULL;
	return arena_printf(a, "%s_WITH_%s", digests[digest], types[type]);
}

static void
token_take_apart(struct tsb_view whole, struct arena *a, struct token_parts *parts)
{
	struct ska_approval_token token;
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_err ignored = {0};

	*parts = (struct token_parts){0};
	/* no token, or one that cannot be read: approvers see nothing rather than a guess */
	if (whole.n == 0 || ska_approval_token_parse(whole, &token, &ignored))
		return;
	if (token.has_payload)
		parts->payload = token.payload;
	if (!token.has_timestamp ||
	    ska_signature_parse(token.timestamp_signature, &type, &digest, &parts->signature,
		&ignored))
		return;
	parts->timestamp = token.timestamp.whole;
	parts->signature_der = token.timestamp_signature;
	parts->algorithm = algorithm_name(type, digest, a);
}

static const char *
shown_payload_type(const struct tsb_request *r)
{
	if (r->payload_type != NULL)
		return r->payload_type;
	return tsb_kinds[r->kind].payload_type;
}

void
wire_task_format(const struct tsb_task_view *t, int level, const struct tsb_request_view *status,
    struct tsb_bytes *out)
{
	const struct tsb_request *r = &t->request;
	arena_auto a = {0};
	struct token_parts token;

	token_take_apart(r->token, &a, &token);
	emit_open(out, NULL, '{');
	emit_text(out, "detailLevel", levels[level - 1]);
	emit_uuid(out, "id", &t->task.id);
	emit_base64_or_null(out, "approvalToBeSigned", r->token);
	emit_base64_or_null(out, "approverPublicKey", t->task.spki);
	if (level >= 2) {
		emit_text(out, "metaData", r->meta_data);
		emit_text(out, "metaDataSignature", r->meta_data_signature);
		emit_base64_or_null(out, "payload", token.payload);
		emit_text(out, "payloadType", shown_payload_type(r));
	}
	if (level >= 3) {
		emit_base64_or_null(out, "requestBase64", r->envelope);
		request_signed_format(r, out);
	}
	if (level >= 4) {
		emit_base64_or_null(out, "timestamp", token.timestamp);
		emit_base64_or_null(out, "timestampSignature", token.signature);
		emit_text(out, "timestampSignatureAlgorithm", token.algorithm);
		emit_base64_or_null(out, "timestampSignatureWithAlgorithm", token.signature_der);
	}
	if (level >= 5) {
		if (t->attributes.xml.n > 0)
			emit_view(out, "keyAttributes", t->attributes.xml);
		else
			emit_null(out, "keyAttributes");
		emit_base64_or_null(out, "keyAttributesSignature", t->attributes.xml_signature);
	}
	if (level >= 6 && status != NULL) {
		emit_name(out, "requestStatus");
		wire_request_view_format(status, out);
	}
	emit_close(out, '}');
}

void
wire_tasks_format(const struct tsb_task_view *tasks, size_t n, int level,
    const struct tsb_request_view *status, bool more, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_open(out, "tasks", '[');
	for (size_t i = 0; i < n; i++)
		wire_task_format(&tasks[i], level, status != NULL ? &status[i] : NULL, out);
	emit_close(out, ']');
	if (more)
		emit_bool(out, "more", true);
	emit_close(out, '}');
}

/* ---- answering tasks ---- */

#define APPROVAL(m) AT(struct tsb_approval_in, m)
static const struct field approval_fields[] = {
    {"id", FIELD_UUID, REQUIRED, APPROVAL(task_id)},
    {"approvalToBeSigned", FIELD_BASE64, REQUIRED, .max = TOKEN_MAX, APPROVAL(token)},
    {"signature", FIELD_BASE64, REQUIRED, .max = FIELD_SIGNATURE_MAX, APPROVAL(signature)},
    {"approvalDigestAlgorithm", FIELD_INDEX, REQUIRED, NAMES(ska_digest_names), APPROVAL(digest)},
    SIGNER_ROWS(struct tsb_approval_in, proof),
    {NULL},
};

static int
approval_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct tsb_approval_in *in = dest;

	if (in->proof.spki.n == 0 && in->proof.certificate.n == 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "one of approverPublicKey and approverCertificate is needed");
	return 0;
}

static const struct field_object approval_object = {approval_fields, .strict = true,
    .check = approval_check};

static const struct field delete_fields[] = {
    {"id", FIELD_UUID, REQUIRED, APPROVAL(task_id)},
    {"reason", FIELD_REMARK, .max = WIRE_REASON_MAX, APPROVAL(reason)},
    PROOF_ROWS(struct tsb_approval_in, proof),
    {NULL},
};

static int
delete_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct tsb_approval_in *in = dest;

	in->rejects = true;
	return proof_check(&in->proof, err);
}

static const struct field_object delete_object = {delete_fields, .check = delete_check};

static int
read_answer(struct tsb_view body, const struct field_object *object, struct arena *a,
    struct tsb_approval_in *out, struct tsb_err *err)
{
	return field_take(body, object, a, out, sizeof(*out), err);
}

int
wire_task_delete_parse(struct tsb_view body, struct arena *a, struct tsb_approval_in *out,
    struct tsb_err *err)
{
	return read_answer(body, &delete_object, a, out, err);
}

static bool
is_given(struct tsb_view compact, const char *name)
{
	struct tsb_view value;

	return wire_member_text(compact, name, &value) && !jsontext_is_null(value);
}

/* Only a body that nowhere looks like an approval is read as a rejection (api-notes.md 5.3). */
int
wire_approval_parse(struct tsb_view body, struct arena *a, struct tsb_approval_in *out,
    struct tsb_err *err)
{
	struct tsb_view compact;
	bool rejects;

	if (wire_compact(body, a, &compact, err))
		return -1;
	rejects = is_given(compact, "timestamp") && is_given(compact, "timestampSignature") &&
	    !is_given(compact, "approvalToBeSigned") && !is_given(compact, "signature");
	return read_answer(compact, rejects ? &delete_object : &approval_object, a, out, err);
}
