/* Requests that a policy guards (api-notes.md 4, 8, 9): members, and the request to the HSM. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/wire/field.h"
#include "lib/wire/names.h"

/* ---- targets of the inner objects ---- */

struct form {
	struct tsb_request_in in;
	struct ska_policy policy;
	bool has_policy;
	struct tsb_view *approvals;
	size_t napprovals;
	const char *signature_type;
	const char *common_name;
	struct scheme_extra extra;
	bool has_authority;
	struct wire_cipher cipher;
	struct key_form key; /* attributes of an unwrapped key */
};

#define IN(m)          AT(struct form, in.m)
#define BYTES(maximum) .max = (maximum)
/* clang-format off */
#define KEY_NAME(name) \
	{ \
		name, FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME, \
		    IN(key_name) \
	}
#define PASSWORD(name) \
	{ \
		name, FIELD_PASSWORD, IN(key_password) \
	}
/* clang-format on */
/* Places of the metadata in the order of api-notes.md 4.5; the second table says what they are. */
/* clang-format off */
#define META_ROWS \
	{"metaData", FIELD_BASE64_TEXT, BYTES(FIELD_META_MAX), IN(meta_data)}, \
	{"metaDataSignature", FIELD_BASE64_TEXT, BYTES(FIELD_SIGNATURE_MAX), \
	    IN(meta_data_signature)}
/* clang-format on */

static const struct field sign_fields[] = {
    {"payload", FIELD_PAYLOAD, REQUIRED, BYTES(WIRE_PAYLOAD_MAX), IN(payload)},
    {"payloadType", FIELD_ENUM, NAMES(names_payload), IN(payload_type)},
    KEY_NAME("signKeyName"),
    PASSWORD("keyPassword"),
    {"signatureAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_signature), IN(algorithm)},
    {"signatureType", FIELD_ENUM, NAMES(names_form), AT(struct form, signature_type)},
    FIELD_CONTEXT(struct form),
    {"auxiliaryRandomData", FIELD_BASE64, .min = K256_SIZE, .max = K256_SIZE,
	AT(struct form, extra.aux)},
    FIELD_TAPROOT(struct form),
    {NULL},
};

static int
sign_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct form *f = dest;
	char where[FIELD_WHERE];

	if (tsb_streq(f->signature_type, "ETH") &&
	    !tsb_streq(f->in.algorithm, "KECCAK256_WITH_ECDSA"))
		return tsb_fail(err, TSB_E_INPUT,
		    "%s ETH needs signatureAlgorithm KECCAK256_WITH_ECDSA",
		    field_where(at, "signatureType", where));
	return field_check_extra(&f->extra, f->in.algorithm, at, err);
}

static const struct field decrypt_fields[] = {
    {"encryptedPayload", FIELD_BASE64, REQUIRED, BYTES(WIRE_PAYLOAD_MAX), IN(payload)},
    KEY_NAME("decryptKeyName"),
    PASSWORD("keyPassword"),
    {"cipherAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_cipher), IN(algorithm)},
    {"initializationVector", FIELD_BASE64, BYTES(64), AT(struct form, cipher.iv)},
    {"additionalAuthenticationData", FIELD_BASE64, BYTES(WIRE_PAYLOAD_MAX),
	AT(struct form, cipher.additional)},
    {"tagLength", FIELD_INT, .max = 128, .code = TSB_E_TAG_LENGTH,
	AT(struct form, cipher.tag_length)},
    {NULL},
};

static int
decrypt_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct form *f = dest;

	f->cipher.algorithm = f->in.algorithm;
	return field_check_tag_length(f->cipher.tag_length, at, err);
}

static const struct field unwrap_fields[] = {
    {"wrappedKey", FIELD_BASE64, REQUIRED, BYTES(FIELD_KEY_OBJECT_MAX), IN(unwrap.wrapped_key)},
    {"label", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	IN(unwrap.label)},
    {"attributes", FIELD_OBJECT, REQUIRED, .object = &key_attributes_object,
	.offset = offsetof(struct form, key)},
    KEY_NAME("unwrapKeyName"),
    PASSWORD("unwrapKeyPassword"),
    {"wrapMethod", FIELD_ENUM, REQUIRED, NAMES(names_wrap), IN(wrap_method)},
    {NULL},
};

static int
unwrap_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct form *f = dest;
	const struct wire_key_create *key = &f->key.create;
	char where[FIELD_WHERE];

	/* text after the first '/' is a derivation path (api-notes.md 1.5) */
	if (strchr(f->in.unwrap.label, '/') != NULL)
		return tsb_fail(err, TSB_E_KEY_NAME, "%s must not contain '/'",
		    field_where(at, "label", where));
	memcpy(f->in.unwrap.flag, key->flag, sizeof(key->flag));
	f->in.unwrap.encrypt = key->encrypt;
	f->in.unwrap.verify = key->verify;
	f->in.unwrap.wrap = key->wrap;
	return 0;
}

static const struct field block_fields[] = {
    KEY_NAME("blockKeyName"),
    PASSWORD("keyPassword"),
    {NULL},
};

static const struct field unblock_fields[] = {
    KEY_NAME("unblockKeyName"),
    PASSWORD("keyPassword"),
    {NULL},
};

static const struct field modify_fields[] = {
    KEY_NAME("modifyKeyName"),
    PASSWORD("keyPassword"),
    {"policy", FIELD_OBJECT, REQUIRED, .object = &policy_modify_object,
	.offset = offsetof(struct form, policy), HAS(struct form, has_policy)},
    {NULL},
};

/* clang-format off */
#define SUBJECT(name, index) {name, FIELD_NAME, .max = 255, IN(certificate.subject[index])}
/* clang-format on */
static const struct field subject_fields[] = {
    {"commonName", FIELD_LABEL, REQUIRED, .max = 255, IN(certificate.subject[SUBJECT_COMMON_NAME])},
    SUBJECT("country", SUBJECT_COUNTRY),
    SUBJECT("stateOrProvinceName", SUBJECT_STATE),
    SUBJECT("locality", SUBJECT_LOCALITY),
    SUBJECT("organizationName", SUBJECT_ORGANIZATION),
    SUBJECT("organizationUnitName", SUBJECT_ORGANIZATION_UNIT),
    SUBJECT("organizationIdentifier", SUBJECT_ORGANIZATION_IDENTIFIER),
    SUBJECT("email", SUBJECT_EMAIL),
    SUBJECT("title", SUBJECT_TITLE),
    SUBJECT("surname", SUBJECT_SURNAME),
    SUBJECT("givenName", SUBJECT_GIVEN_NAME),
    SUBJECT("initials", SUBJECT_INITIALS),
    SUBJECT("pseudonym", SUBJECT_PSEUDONYM),
    SUBJECT("generationQualifier", SUBJECT_GENERATION_QUALIFIER),
    {NULL},
};
static const struct field_object subject_object = {subject_fields};

#define VALIDITY_DEFAULT 365 /* days */
#define VALIDITY_MAX     36525
/* clang-format off */
#define VALIDITY \
	{"validity", FIELD_INT, .min = 1, .max = VALIDITY_MAX, IN(certificate.validity)}
#define USAGES \
	{"keyUsage", FIELD_ENUM_LIST, .max = 32, NAMES(names_usage), IN(certificate.key_usage)}, \
	{"extendedKeyUsage", FIELD_ENUM_LIST, .max = 32, NAMES(names_extended_usage), \
	    IN(certificate.extended_key_usage)}
/* clang-format on */

static const struct field certificate_request_fields[] = {
    KEY_NAME("signKeyName"),
    PASSWORD("keyPassword"),
    {"signatureAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_signature), IN(algorithm)},
    VALIDITY,
    {"standardCertificateAttributes", FIELD_OBJECT, REQUIRED, .object = &subject_object},
    USAGES,
    {NULL},
};

static const struct field sign_certificate_fields[] = {
    KEY_NAME("signKeyName"),
    PASSWORD("keyPassword"),
    {"signatureAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_signature), IN(algorithm)},
    VALIDITY,
    {"commonName", FIELD_LABEL, .max = 255, AT(struct form, common_name)},
    {"standardCertificateAttributes", FIELD_OBJECT, .object = &subject_object,
	HAS(struct form, in.certificate.named)},
    {"keyName", FIELD_LABEL, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	IN(certificate.holder)},
    {"certificateAuthority", FIELD_BOOL, REQUIRED, IN(certificate.authority)},
    {"certificateSigningRequest", FIELD_BASE64, REQUIRED, BYTES(WIRE_PAYLOAD_MAX),
	.pem = PEM_REQUEST, .code = TSB_E_CSR_FORMAT, IN(certificate.csr)},
    USAGES,
    {NULL},
};

static const struct field self_sign_fields[] = {
    KEY_NAME("signKeyName"),
    PASSWORD("keyPassword"),
    {"signatureAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_signature), IN(algorithm)},
    VALIDITY,
    {"commonName", FIELD_LABEL, .max = 255, AT(struct form, common_name)},
    {"standardCertificateAttributes", FIELD_OBJECT, .object = &subject_object},
    {"certificateAuthority", FIELD_BOOL, HAS(struct form, has_authority),
	IN(certificate.authority)},
    USAGES,
    {NULL},
};

/* The common name may be given by itself, or as one of the attributes, or twice the same. */
static int
subject_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct form *f = dest;
	const char **name = &f->in.certificate.subject[SUBJECT_COMMON_NAME];
	char where[FIELD_WHERE];

	if (f->common_name != NULL && *name != NULL && !tsb_streq(f->common_name, *name))
		return tsb_fail(err, TSB_E_INPUT,
		    "%s differs from the one of "
		    "standardCertificateAttributes",
		    field_where(at, "commonName", where));
	if (f->common_name != NULL)
		*name = f->common_name;
	if (*name == NULL)
		return tsb_fail(err, TSB_E_INPUT, "%s is missing",
		    field_where(at, "commonName", where));
	return 0;
}

/* Members that every request of the workflow has, and those of the same request to the HSM. */
static const struct field workflow_fields[] = {META_ROWS, {NULL}};

static const struct field approval_row = {"approval", FIELD_BASE64, REQUIRED, BYTES(TOKEN_MAX),
    .size = sizeof(struct tsb_view)};
/* clang-format off */
#define SIGNED_APPROVALS \
	{"metaData", FIELD_IGNORED}, {"metaDataSignature", FIELD_IGNORED}, \
	    {"signedApprovals", FIELD_LIST, .max = FIELD_APPROVALS_MAX, .element = &approval_row, \
		.element_size = sizeof(struct tsb_view), AT(struct form, approvals), \
		.count = offsetof(struct form, napprovals)}
/* clang-format on */
static const struct field synchronous_fields[] = {SIGNED_APPROVALS, {NULL}};
/* An external key of the caller is another key than the one named: never silently the wrong one. */
static const struct field synchronous_sign_fields[] = {
    SIGNED_APPROVALS,
    {"signKeyObject", FIELD_NONE, .code = TSB_E_UNSUPPORTED_OPERATION},
    {NULL},
};
static const struct field synchronous_unwrap_fields[] = {
    SIGNED_APPROVALS,
    {"policy", FIELD_OBJECT, .object = &policy_object, .offset = offsetof(struct form, policy),
	HAS(struct form, has_policy)},
    {NULL},
};

/* Certificate operations at once have no approvals, and an envelope only where it is signed
 * (api-notes.md 9.3). */
static const struct field bare_fields[] = {
    {"metaData", FIELD_IGNORED},
    {"metaDataSignature", FIELD_IGNORED},
    {NULL},
};

typedef int check_fn(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err);

static const struct {
	const struct field *fields, *synchronous;
	check_fn *check;
} shapes[KIND__MAX] = {
    [KIND_SIGN] = {sign_fields, synchronous_sign_fields, sign_check},
    [KIND_DECRYPT] = {decrypt_fields, synchronous_fields, decrypt_check},
    [KIND_UNWRAP] = {unwrap_fields, synchronous_unwrap_fields, unwrap_check},
    [KIND_BLOCK] = {block_fields, synchronous_fields, NULL},
    [KIND_UNBLOCK] = {unblock_fields, synchronous_fields, NULL},
    [KIND_MODIFY] = {modify_fields, synchronous_fields, NULL},
    [KIND_CERTIFICATE_REQUEST] = {certificate_request_fields, synchronous_fields, NULL},
    [KIND_SIGN_CERTIFICATE] = {sign_certificate_fields, synchronous_fields, subject_check},
    [KIND_SELF_SIGN_CERTIFICATE] = {self_sign_fields, synchronous_fields, subject_check},
    [KIND_RESTORE_APPROVER] = {decrypt_fields, synchronous_fields, decrypt_check},
};

/* ---- requestSignature (api-notes.md 4.6) ---- */

#define SIGNATURE(m) AT(struct tsb_request_signature, m)
static const struct field signature_fields[] = {
    {"signature", FIELD_BASE64, REQUIRED, BYTES(FIELD_SIGNATURE_MAX), SIGNATURE(signature)},
    {"digestAlgorithm", FIELD_INDEX, REQUIRED, NAMES(ska_digest_names), SIGNATURE(digest)},
    {"publicKey", FIELD_BASE64, REQUIRED, BYTES(POLICY_VALUE_MAX), .pem = PEM_PUBLIC_KEY,
	SIGNATURE(spki)},
    {NULL},
};
static const struct field_object signature_object = {signature_fields};

/* ---- reading ---- */

/* Not for the HSM, or given to it in another form. */
static bool
is_kept_back(struct tsb_view name)
{
	static const char *const names[] = {"keyPassword", "unwrapKeyPassword", "metaData",
	    "metaDataSignature", "signedApprovals"};

	for (size_t i = 0; i < TSB_COUNT(names); i++)
		if (tsb_view_eq(name, tsb_view_str(names[i])))
			return true;
	return false;
}

static struct tsb_view
inner_clean(const struct form *f, struct arena *a)
{
	struct tsb_view inner = f->in.inner;
	unsigned char *text = arena_alloc(a, inner.n + 1), *end = text;
	tsb_bytes_auto base64 = {0};
	struct jsontext_member m;

	*end++ = '{';
	while (jsontext_next(&inner, &m)) {
		size_t n = m.name.n + m.value.n + 3;

		if (is_kept_back(m.name) || jsontext_is_null(m.value))
			continue;
		if (end > text + 1)
			*end++ = ',';
		memcpy(end, m.name.p - 1, n); /* "name":value stand together in compact text */
		end += n;
	}
	*end++ = '}';
	if (!wire_payload_is_hex(f->in.payload_type))
		return tsb_view_of(text, (size_t)(end - text));
	wire_payload_replace(tsb_view_of(text, (size_t)(end - text)), f->in.payload, &base64);
	return arena_view(a, tsb_view_bytes(&base64));
}

/*
 * The signature is over the inner object alone, which therefore has to tell its kind. The names of
 * keys and required members do so for all kinds but this one: every object that asks for a
 * certificate request would also ask for a self-signed certificate, if it lacked both members.
 */
static bool
says_self_signed(const struct form *f)
{
	return f->common_name != NULL || f->has_authority;
}

static int
read_request(enum tsb_kind kind, const struct field *more, struct tsb_view body, struct arena *a,
    struct form *f, struct tsb_err *err)
{
	const char *envelope = tsb_kinds[kind].envelope;
	const struct field_object inner = {shapes[kind].fields, more,
	    .strict = more == workflow_fields, .check = shapes[kind].check};
	const struct field rows[] = {
	    {envelope, FIELD_OBJECT, REQUIRED, .object = &inner},
	    {"requestSignature", FIELD_OBJECT, .object = &signature_object,
		.offset = offsetof(struct form, in.signature),
		HAS(struct form, in.signature.present)},
	    {NULL},
	};
	const struct field_object object = {rows};

	f->in.certificate.validity = VALIDITY_DEFAULT;
	if (field_read(body, &object, a, f, &f->in.envelope, err))
		return -1;
	f->in.kind = kind;
	if (!wire_member_text(f->in.envelope, envelope, &f->in.inner))
		return tsb_fail(err, TSB_E_INPUT, "%s is missing", envelope);
	if (f->in.signature.present && tsb_kinds[kind].content == CONTENT_SELF_SIGNED &&
	    !says_self_signed(f))
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "requestSignature of %s counts only for an object with commonName or "
		    "certificateAuthority: without them the signed text is that of a request for "
		    "a certificate as well",
		    envelope);
	f->in.inner_clean = inner_clean(f, a);
	if (f->has_policy) {
		f->in.policy = arena_alloc(a, sizeof(*f->in.policy));
		*f->in.policy = f->policy;
	}
	return 0;
}

int
wire_signed_parse(struct tsb_view body, const char *envelope, struct arena *a,
    struct tsb_view *inner, struct tsb_request_signature *out, struct tsb_err *err)
{
	const struct field rows[] = {
	    {envelope, FIELD_IGNORED},
	    {"requestSignature", FIELD_OBJECT, .object = &signature_object,
		.has = offsetof(struct tsb_request_signature, present), .tells = true},
	    {NULL},
	};
	const struct field_object object = {rows};
	struct tsb_view compact;

	if (field_read(body, &object, a, out, &compact, err))
		return -1;
	if (!wire_member_text(compact, envelope, inner))
		*inner = tsb_view_of(NULL, 0);
	return 0;
}

int
wire_request_parse(enum tsb_kind kind, struct tsb_view body, struct arena *a,
    struct tsb_request_in *out, struct tsb_err *err)
{
	struct form f = {0};

	if (read_request(kind, workflow_fields, body, a, &f, err))
		return -1;
	*out = f.in;
	return 0;
}

static bool
has_envelope(enum tsb_kind kind, struct tsb_view body, struct arena *a)
{
	struct tsb_view compact, inner;
	struct tsb_err ignored;

	return wire_compact(body, a, &compact, &ignored) == 0 &&
	    wire_member_text(compact, tsb_kinds[kind].envelope, &inner);
}

int
wire_certificate_parse(enum tsb_kind kind, struct tsb_view body, struct arena *a,
    struct tsb_request_in *out, struct tsb_err *err)
{
	const struct field_object object = {shapes[kind].fields, bare_fields,
	    .check = shapes[kind].check};
	struct form f = {.in = {.kind = kind, .certificate.validity = VALIDITY_DEFAULT}};

	if (has_envelope(kind, body, a)) {
		if (read_request(kind, bare_fields, body, a, &f, err))
			return -1;
	} else if (field_read(body, &object, a, &f, NULL, err)) {
		return -1;
	}
	*out = f.in;
	return 0;
}

int
wire_synchronous_parse(enum tsb_kind kind, struct tsb_view body, struct arena *a,
    struct wire_synchronous_in *out, struct tsb_err *err)
{
	struct form f = {0};

	if (read_request(kind, shapes[kind].synchronous, body, a, &f, err))
		return -1;
	*out = (struct wire_synchronous_in){
	    .request = f.in,
	    .signed_approvals = f.approvals,
	    .napprovals = f.napprovals,
	    .signature_type = f.signature_type != NULL ? f.signature_type : "DER",
	    .extra = f.extra,
	    .cipher = f.cipher,
	    .new_key = f.key.create,
	};
	out->new_key.label = f.in.unwrap.label;
	out->new_key.has_policy = f.has_policy;
	out->new_key.policy = f.policy;
	return 0;
}

/* ---- writing ---- */

void
wire_request_id_format(enum tsb_kind kind, const struct tsb_uuid *id, const struct tsb_uuid *twin,
    struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_uuid(out, tsb_kinds[kind].id_member, id);
	if (twin != NULL)
		emit_uuid(out, "sameTokenAs", twin);
	emit_close(out, '}');
}

int
wire_synchronous_format(enum tsb_kind kind, struct tsb_view inner, struct tsb_view password,
    const struct tsb_view *signed_approvals, size_t n, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct tsb_kind_row *row = &tsb_kinds[kind];

	if (inner.n < 2 || inner.p[0] != '{' || inner.p[inner.n - 1] != '}')
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "%s is not an object",
		    row->envelope);
	if (!tsb_utf8_valid(password))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "%s is not UTF-8",
		    row->password_member);
	tsb_bytes_add(out, "{", 1);
	emit_raw(out, row->envelope, tsb_view_of(inner.p, inner.n - 1));
	if (password.n > 0)
		emit_view(out, row->password_member, password);
	emit_open(out, "signedApprovals", '[');
	for (size_t i = 0; i < n; i++)
		emit_base64(out, NULL, signed_approvals[i]);
	tsb_bytes_add_str(out, "]}}");
	return 0;
}

static void
keys_format(const char *name, const struct tsb_view *keys, size_t n, struct tsb_bytes *out)
{
	emit_open(out, name, '[');
	for (size_t i = 0; i < n; i++)
		emit_base64(out, NULL, keys[i]);
	emit_close(out, ']');
}

/* Present as long as the request may go to the offline HSM (api-notes.md 6.2). */
#define OFFLINE_RESULT "Execution shall be made with offline HSM"

static void
progress_group_format(const struct tsb_progress_group *g, struct tsb_bytes *out)
{
	emit_open(out, NULL, '{');
	emit_text(out, "name", g->name);
	emit_uint(out, "quorum", g->quorum);
	emit_uint(out, "approved", g->approved);
	emit_uint(out, "missing", g->approved < g->quorum ? g->quorum - g->approved : 0);
	emit_close(out, '}');
}

static void
progress_format(const struct tsb_request_view *v, struct tsb_bytes *out)
{
	bool met = false;

	for (size_t i = 0; i < v->ntokens; i++)
		met |= v->tokens[i].met;
	emit_open(out, "approvalProgress", '{');
	emit_bool(out, "met", met);
	emit_open(out, "tokens", '[');
	for (size_t i = 0; i < v->ntokens; i++) {
		emit_open(out, NULL, '{');
		emit_text(out, "name", v->tokens[i].name);
		emit_bool(out, "met", v->tokens[i].met);
		emit_open(out, "groups", '[');
		for (size_t k = 0; k < v->tokens[i].ngroups; k++)
			progress_group_format(&v->tokens[i].groups[k], out);
		emit_close(out, ']');
		emit_close(out, '}');
	}
	emit_close(out, ']');
	emit_close(out, '}');
}

static void
policy_change_format(const struct tsb_request_view *v, struct tsb_bytes *out)
{
	emit_open(out, "policyChange", '{');
	emit_time(out, "time", v->request.planned_ms / 1000);
	keys_format("notCounted", v->uncounted, v->nuncounted, out);
	emit_close(out, '}');
}

static void
reasons_format(const struct tsb_request_view *v, struct tsb_bytes *out)
{
	emit_open(out, "rejectionReasons", '[');
	for (size_t i = 0; i < v->nreasons; i++) {
		emit_open(out, NULL, '{');
		emit_base64(out, "rejectedBy", v->reasons[i].spki);
		emit_time(out, "time", v->reasons[i].at_ms / 1000);
		emit_text(out, "reason", v->reasons[i].reason);
		emit_close(out, '}');
	}
	emit_close(out, ']');
}

void
wire_request_view_format(const struct tsb_request_view *v, struct tsb_bytes *out)
{
	const struct tsb_request *r = &v->request;

	tsb_bytes_add(out, "{", 1);
	emit_uuid(out, "id", &r->id);
	emit_text(out, "status", tsb_state_names[r->state]);
	emit_time(out, "executionTime", r->execution_ms / 1000);
	keys_format("approvedBy", v->approved, v->napproved, out);
	keys_format("notYetApprovedBy", v->open, v->nopen, out);
	keys_format("rejectedBy", v->rejected, v->nrejected, out);
	if (v->input.n > 0)
		emit_text(out, "result", OFFLINE_RESULT);
	else if (r->state == STATE_FAILED)
		emit_text(out, "result", r->reason);
	else if (r->result.n > 0)
		emit_view(out, "result", r->result);
	else
		emit_null(out, "result");
	if (v->input.n > 0)
		emit_raw(out, "inputOfflineHsm", v->input);
	if (v->has_progress)
		progress_format(v, out);
	if (v->request.planned_ms != 0)
		policy_change_format(v, out);
	if (v->nreasons > 0)
		reasons_format(v, out);
	if (v->details != NULL)
		details_format(r, v->details, out);
	emit_close(out, '}');
}

/* The caller may have written bytes in another form than they are kept. */
static struct tsb_view
inner_as_given(const struct tsb_request *r)
{
	struct tsb_view inner;

	if (tsb_kinds[r->kind].content == CONTENT_BYTES &&
	    wire_member_text(r->envelope, tsb_kinds[r->kind].envelope, &inner))
		return inner;
	return r->inner_clean;
}

/* One member of the inner object as the caller gave it; passwords never leave. */
static void
signed_member_format(const struct tsb_request *r, struct tsb_view inner, const struct field *f,
    struct tsb_bytes *out)
{
	struct tsb_view value;

	if (f->type != FIELD_PASSWORD && wire_member_text(inner, f->name, &value))
		emit_raw(out, f->name, value);
	else
		emit_null(out, f->name);
	if (f->type != FIELD_PASSWORD)
		return;
	/* their place in the published sample (api-notes.md 5.2) */
	emit_text(out, "metaData", r->meta_data);
	emit_text(out, "metaDataSignature", r->meta_data_signature);
}

static void
signed_request_format(const struct tsb_request *r, struct tsb_bytes *out)
{
	const struct tsb_kind_row *row = &tsb_kinds[r->kind];
	struct tsb_view signature, inner = inner_as_given(r);

	emit_open(out, row->task_member, '{');
	emit_open(out, row->envelope, '{');
	for (const struct field *f = shapes[r->kind].fields; f->name != NULL; f++)
		signed_member_format(r, inner, f, out);
	emit_close(out, '}');
	if (wire_member_text(r->envelope, "requestSignature", &signature))
		emit_raw(out, "requestSignature", signature);
	else
		emit_null(out, "requestSignature");
	emit_close(out, '}');
}

void
request_signed_format(const struct tsb_request *r, struct tsb_bytes *out)
{
	static const enum tsb_kind order[] = {KIND_SIGN, KIND_MODIFY, KIND_BLOCK, KIND_UNBLOCK,
	    KIND_DECRYPT, KIND_UNWRAP, KIND_CERTIFICATE_REQUEST, KIND_SIGN_CERTIFICATE,
	    KIND_SELF_SIGN_CERTIFICATE};

	for (size_t i = 0; i < TSB_COUNT(order); i++)
		if (tsb_streq(tsb_kinds[order[i]].task_member, tsb_kinds[r->kind].task_member))
			signed_request_format(r, out);
		else
			emit_null(out, tsb_kinds[order[i]].task_member);
}
