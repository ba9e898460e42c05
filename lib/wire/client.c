#include "lib/first.h"

#include <string.h>

#include <json-c/json.h>

#include "lib/base/enc.h"
#include "lib/wire/client.h"
#include "lib/wire/field.h"
#include "lib/wire/tree.h"

#define CLIENT_LIST_MAX 100000

static void
put_object(struct json_object **o)
{
	json_object_put(*o);
}
#define json_auto struct json_object __attribute__((cleanup(put_object)))

/*
 * The whole body as one JSON object, or NULL. Not json-c's strict mode: that of 0.18 refuses every
 * byte above 127, and a key may have such a name.
 */
static struct json_object *
body_object(struct tsb_view body)
{
	struct arena arena = {0};
	struct json_object *o = NULL;
	struct tsb_view compact;
	struct tsb_err err;

	if (jsontext_compact(body, '{', &arena, &compact, &err) || tree_open(compact, &o, &err))
		o = NULL;
	arena_clear(&arena);
	return o;
}

static int
bad(const char *name, const char *rule, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_IO, "%s %s", name, rule);
}

static int
body_open(struct tsb_view body, struct json_object **out, struct tsb_err *err)
{
	*out = body_object(body);
	if (*out == NULL)
		return tsb_fail(err, TSB_E_IO, "it is not a JSON object");
	return 0;
}

/* The member, or NULL when it is absent or null. */
static struct json_object *
member(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

static int
take_text(struct json_object *o, const char *name, bool need, struct arena *a, const char **out,
    struct tsb_err *err)
{
	struct json_object *v = member(o, name);
	size_t n;

	if (v == NULL) {
		*out = NULL;
		return need ? bad(name, "is missing", err) : 0;
	}
	if (!json_object_is_type(v, json_type_string))
		return bad(name, "is not text", err);
	n = (size_t)json_object_get_string_len(v);
	if (memchr(json_object_get_string(v), '\0', n) != NULL)
		return bad(name, "contains a NUL character", err);
	*out = arena_strn(a, json_object_get_string(v), n);
	return 0;
}

static int
value_bytes(struct json_object *v, const char *name, struct arena *a, struct tsb_view *out,
    struct tsb_err *err)
{
	struct tsb_view text;

	if (!json_object_is_type(v, json_type_string))
		return bad(name, "is not text", err);
	text = tsb_view_of(json_object_get_string(v), (size_t)json_object_get_string_len(v));
	if (!enc_base64_decode(text, a, out))
		return bad(name, "is not base64", err);
	return 0;
}

static int
take_bytes(struct json_object *o, const char *name, struct arena *a, bool *has,
    struct tsb_view *out, struct tsb_err *err)
{
	struct json_object *v = member(o, name);

	if (has != NULL)
		*has = v != NULL;
	*out = tsb_view_of(NULL, 0);
	return v != NULL ? value_bytes(v, name, a, out, err) : 0;
}

static int
take_keys(struct json_object *o, const char *name, struct arena *a, struct tsb_view **out,
    size_t *n, struct tsb_err *err)
{
	struct json_object *v = member(o, name);
	size_t i, count;

	*out = NULL;
	*n = 0;
	if (v == NULL)
		return 0;
	if (!json_object_is_type(v, json_type_array))
		return bad(name, "is not a list", err);
	count = json_object_array_length(v);
	*out = arena_array(a, count + 1, sizeof(**out));
	for (i = 0; i < count; i++)
		if (value_bytes(json_object_array_get_idx(v, i), name, a, &(*out)[i], err))
			return -1;
	*n = count;
	return 0;
}

static bool
take_error(struct json_object *o, struct arena *a, struct wire_client_error *out)
{
	struct json_object *number;
	struct tsb_err ignored = {0};
	struct wire_client_error e = {0};

	if ((number = member(o, "errorCode")) == NULL ||
	    !json_object_is_type(number, json_type_int) ||
	    take_text(o, "reason", true, a, &e.reason, &ignored) ||
	    take_text(o, "message", false, a, &e.message, &ignored))
		return false;
	e.number = json_object_get_int(number);
	if (e.message == NULL)
		e.message = "";
	*out = e;
	return true;
}

bool
wire_client_error_parse(struct tsb_view body, struct arena *a, struct wire_client_error *out)
{
	json_auto *root = body_object(body);

	return root != NULL && take_error(root, a, out);
}

static int
take_bool(struct json_object *o, const char *name, bool *out, struct tsb_err *err)
{
	struct json_object *v = member(o, name);

	if (!json_object_is_type(v, json_type_boolean))
		return bad(name, "is not true or false", err);
	*out = json_object_get_boolean(v);
	return 0;
}

static int
take_count(struct json_object *o, const char *name, unsigned *out, struct tsb_err *err)
{
	struct json_object *v = member(o, name);

	if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0 ||
	    json_object_get_int64(v) > INT32_MAX)
		return bad(name, "is not a count", err);
	*out = (unsigned)json_object_get_int64(v);
	return 0;
}

/* The list member of an object; its elements must be objects. */
static int
open_list(struct json_object *root, const char *name, struct json_object **list, size_t *n,
    struct tsb_err *err)
{
	struct json_object *v = member(root, name);
	size_t i, count;

	if (!json_object_is_type(v, json_type_array))
		return bad(name, "is not a list", err);
	count = json_object_array_length(v);
	if (count > CLIENT_LIST_MAX)
		return bad(name, "is too long", err);
	for (i = 0; i < count; i++)
		if (!json_object_is_type(json_object_array_get_idx(v, i), json_type_object))
			return bad(name, "holds something that is not an object", err);
	*list = v;
	*n = count;
	return 0;
}

static int
take_token(struct json_object *o, struct arena *a, struct wire_client_token *t, struct tsb_err *err)
{
	struct json_object *list;

	if (take_text(o, "name", false, a, &t->name, err) || take_bool(o, "met", &t->met, err) ||
	    open_list(o, "groups", &list, &t->ngroups, err))
		return -1;
	t->groups = arena_array(a, t->ngroups + 1, sizeof(*t->groups));
	for (size_t i = 0; i < t->ngroups; i++) {
		struct json_object *group = json_object_array_get_idx(list, i);
		struct wire_client_group *g = &t->groups[i];

		if (take_text(group, "name", false, a, &g->name, err) ||
		    take_count(group, "quorum", &g->quorum, err) ||
		    take_count(group, "approved", &g->approved, err) ||
		    take_count(group, "missing", &g->missing, err))
			return -1;
	}
	return 0;
}

static int
take_progress(struct json_object *o, struct arena *a, struct wire_client_status *s,
    struct tsb_err *err)
{
	struct json_object *progress = member(o, "approvalProgress"), *list;

	if (progress == NULL)
		return 0;
	if (!json_object_is_type(progress, json_type_object))
		return bad("approvalProgress", "is not an object", err);
	if (take_bool(progress, "met", &s->progress_met, err) ||
	    open_list(progress, "tokens", &list, &s->ntokens, err))
		return -1;
	s->tokens = arena_array(a, s->ntokens + 1, sizeof(*s->tokens));
	for (size_t i = 0; i < s->ntokens; i++)
		if (take_token(json_object_array_get_idx(list, i), a, &s->tokens[i], err))
			return -1;
	s->has_progress = true;
	return 0;
}

static int
take_policy_change(struct json_object *o, struct arena *a, struct wire_client_status *s,
    struct tsb_err *err)
{
	struct json_object *change = member(o, "policyChange");

	if (change == NULL)
		return 0;
	if (!json_object_is_type(change, json_type_object))
		return bad("policyChange", "is not an object", err);
	return take_text(change, "time", true, a, &s->policy_changed, err) ||
		take_keys(change, "notCounted", a, &s->uncounted, &s->nuncounted, err)
	    ? -1
	    : 0;
}

static int
take_reasons(struct json_object *o, struct arena *a, struct wire_client_status *s,
    struct tsb_err *err)
{
	struct json_object *list;

	if (member(o, "rejectionReasons") == NULL)
		return 0;
	if (open_list(o, "rejectionReasons", &list, &s->nreasons, err))
		return -1;
	s->reasons = arena_array(a, s->nreasons + 1, sizeof(*s->reasons));
	for (size_t i = 0; i < s->nreasons; i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		struct wire_client_rejection *r = &s->reasons[i];

		if (take_bytes(row, "rejectedBy", a, NULL, &r->approver, err) ||
		    take_text(row, "time", false, a, &r->time, err) ||
		    take_text(row, "reason", true, a, &r->reason, err))
			return -1;
	}
	return 0;
}

static struct tsb_view
compact_text(struct json_object *o, struct arena *a)
{
	return arena_view(a,
	    tsb_view_str(json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
}

static int
take_people(struct json_object *o, struct arena *a, struct wire_client_details *d,
    struct tsb_err *err)
{
	struct json_object *list;

	if (open_list(o, "approvers", &list, &d->npeople, err))
		return -1;
	d->people = arena_array(a, d->npeople + 1, sizeof(*d->people));
	for (size_t i = 0; i < d->npeople; i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		struct wire_client_person *p = &d->people[i];

		if (take_bytes(row, "publicKey", a, NULL, &p->key, err) ||
		    take_text(row, "name", false, a, &p->name, err) ||
		    take_text(row, "answerTime", false, a, &p->time, err))
			return -1;
	}
	return 0;
}

static int
take_details(struct json_object *o, struct arena *a, struct wire_client_status *s,
    struct tsb_err *err)
{
	struct json_object *details = member(o, "details");
	struct wire_client_details *d = &s->details;

	if (details == NULL)
		return 0;
	if (!json_object_is_type(details, json_type_object))
		return bad("details", "is not an object", err);
	if (take_text(details, "operation", true, a, &d->operation, err) ||
	    take_text(details, "keyName", true, a, &d->key_name, err) ||
	    take_text(details, "payloadType", false, a, &d->payload_type, err) ||
	    take_text(details, "creationTime", true, a, &d->created, err) ||
	    take_text(details, "expirationTime", false, a, &d->expires, err) ||
	    take_bytes(details, "metaData", a, &d->has_meta, &d->meta, err) ||
	    take_people(details, a, d, err))
		return -1;
	d->has_missing = member(details, "missingApprovals") != NULL;
	if (d->has_missing && take_count(details, "missingApprovals", &d->missing, err))
		return -1;
	d->text = compact_text(details, a);
	s->has_details = true;
	return 0;
}

static int
take_status(struct json_object *o, struct arena *a, struct wire_client_status *out,
    struct tsb_err *err)
{
	struct wire_client_status s = {0};
	struct json_object *offline = member(o, "inputOfflineHsm");

	if (take_text(o, "id", true, a, &s.id, err) ||
	    take_text(o, "status", true, a, &s.status, err) ||
	    take_text(o, "executionTime", false, a, &s.execution_time, err) ||
	    take_text(o, "result", false, a, &s.result, err) ||
	    take_keys(o, "approvedBy", a, &s.approved, &s.napproved, err) ||
	    take_keys(o, "notYetApprovedBy", a, &s.open, &s.nopen, err) ||
	    take_keys(o, "rejectedBy", a, &s.rejected, &s.nrejected, err) ||
	    take_policy_change(o, a, &s, err) || take_reasons(o, a, &s, err) ||
	    take_progress(o, a, &s, err) || take_details(o, a, &s, err))
		return -1;
	if (offline != NULL) {
		if (!json_object_is_type(offline, json_type_object))
			return bad("inputOfflineHsm", "is not an object", err);
		s.offline = compact_text(offline, a);
	}
	*out = s;
	return 0;
}

int
wire_client_status_parse(struct tsb_view body, struct arena *a, struct wire_client_status *out,
    struct tsb_err *err)
{
	json_auto *root = NULL;

	if (body_open(body, &root, err))
		return -1;
	return take_status(root, a, out, err);
}

int
wire_client_requests_parse(struct tsb_view body, struct arena *a, struct wire_client_request **out,
    size_t *n, struct tsb_err *err)
{
	json_auto *root = NULL;
	struct json_object *list;
	struct wire_client_request *rows;
	size_t i, count;

	if (body_open(body, &root, err) || open_list(root, "requests", &list, &count, err))
		return -1;
	rows = arena_array(a, count + 1, sizeof(*rows));
	for (i = 0; i < count; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (take_text(o, "id", true, a, &rows[i].id, err) ||
		    take_text(o, "status", false, a, &rows[i].status, err))
			return -1;
	}
	*out = rows;
	*n = count;
	return 0;
}

int
wire_client_request_details_parse(struct tsb_view body, struct arena *a,
    struct wire_client_status **out, size_t *n, bool *more, struct tsb_err *err)
{
	json_auto *root = NULL;
	struct json_object *list;
	struct wire_client_status *rows;
	size_t count;
	bool cut = false;

	if (body_open(body, &root, err) || open_list(root, "requests", &list, &count, err) ||
	    (member(root, "more") != NULL && take_bool(root, "more", &cut, err)))
		return -1;
	rows = arena_array(a, count + 1, sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		if (take_status(json_object_array_get_idx(list, i), a, &rows[i], err))
			return -1;
	*out = rows;
	*n = count;
	*more = cut;
	return 0;
}

static int
take_outcome(struct json_object *o, struct arena *a, struct wire_client_outcome *out,
    struct tsb_err *err)
{
	struct json_object *error = member(o, "error");
	struct wire_client_outcome t = {.refused = error != NULL};

	if (take_text(o, "id", !t.refused, a, &t.id, err))
		return -1;
	if (!t.refused && take_status(o, a, &t.status, err))
		return -1;
	if (t.refused &&
	    (!json_object_is_type(error, json_type_object) || !take_error(error, a, &t.error)))
		return bad("error", "is not an error", err);
	*out = t;
	return 0;
}

int
wire_client_outcomes_parse(struct tsb_view body, struct arena *a, struct wire_client_outcome **out,
    size_t *n, struct tsb_err *err)
{
	json_auto *root = NULL;
	struct json_object *list = NULL;
	struct wire_client_outcome *rows;
	size_t i, count = 1;

	if (body_open(body, &root, err) ||
	    (member(root, "requests") != NULL && open_list(root, "requests", &list, &count, err)))
		return -1;
	rows = arena_array(a, count + 1, sizeof(*rows));
	for (i = 0; i < count; i++)
		if (take_outcome(list != NULL ? json_object_array_get_idx(list, i) : root, a,
			&rows[i], err))
			return -1;
	*out = rows;
	*n = count;
	return 0;
}

int
wire_client_bytes_parse(struct tsb_view body, const char *name, struct arena *a,
    struct tsb_view **out, size_t *n, struct tsb_err *err)
{
	json_auto *root = NULL;

	return body_open(body, &root, err) || take_keys(root, name, a, out, n, err) ? -1 : 0;
}

/* Members that only one kind has. */
static int
take_inner(struct json_object *inner, struct arena *a, struct wire_client_task *t,
    struct tsb_err *err)
{
	struct json_object *subject;

	switch (tsb_kinds[t->kind].content) {
	case CONTENT_BYTES:
		if (take_bytes(inner, "context", a, NULL, &t->extra.context, err) ||
		    take_bytes(inner, "taprootTweakData", a, NULL, &t->extra.taproot.tweak, err) ||
		    take_bytes(inner, "merkleRootData", a, NULL, &t->extra.taproot.merkle_root,
			err))
			return -1;
		return take_bytes(inner, tsb_kinds[t->kind].bytes_member, a,
		    &t->has_request_payload, &t->request_payload, err);
	case CONTENT_NEW_KEY:
		if (take_text(inner, "label", false, a, &t->new_label, err) ||
		    take_text(inner, "wrapMethod", false, a, &t->wrap_method, err))
			return -1;
		return take_bytes(inner, "wrappedKey", a, &t->has_wrapped_key, &t->wrapped_key,
		    err);
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_CERTIFICATE:
	case CONTENT_SELF_SIGNED:
		subject = member(inner, "standardCertificateAttributes");
		if (subject != NULL && !json_object_is_type(subject, json_type_object))
			return bad("standardCertificateAttributes", "is not an object", err);
		if (take_text(inner, "certificateSigningRequest", false, a, &t->csr, err) ||
		    take_text(inner, "commonName", false, a, &t->common_name, err))
			return -1;
		return t->common_name == NULL && subject != NULL
		    ? take_text(subject, "commonName", false, a, &t->common_name, err)
		    : 0;
	case CONTENT_NONE:
	case CONTENT_POLICY:
		break;
	}
	return 0;
}

/* What the caller asked for: the one envelope member of level 3 that is not null. */
static int
take_envelope(struct json_object *o, struct arena *a, struct wire_client_task *t,
    struct tsb_err *err)
{
	struct json_object *envelope, *inner, *signature;
	for (int k = 0; k < KIND__MAX; k++) {
		const struct tsb_kind_row *row = &tsb_kinds[k];

		if (row->internal) /* looks like what it is executed as */
			continue;
		if ((envelope = member(o, row->task_member)) == NULL)
			continue;
		if (t->has_kind)
			return bad(row->task_member, "is a second request", err);
		inner = member(envelope, row->envelope);
		if (!json_object_is_type(envelope, json_type_object) ||
		    !json_object_is_type(inner, json_type_object))
			return bad(row->task_member, "is not a request", err);
		t->has_kind = true;
		t->kind = (enum tsb_kind)k;
		if (take_text(inner, row->key_member, true, a, &t->key_name, err) ||
		    (row->algorithm_member != NULL &&
			take_text(inner, row->algorithm_member, false, a, &t->algorithm, err)) ||
		    take_inner(inner, a, t, err))
			return -1;
		signature = member(envelope, "requestSignature");
		if (signature == NULL)
			continue;
		if (!json_object_is_type(signature, json_type_object))
			return bad("requestSignature", "is not an object", err);
		if (take_bytes(signature, "publicKey", a, NULL, &t->requester, err))
			return -1;
	}
	return 0;
}

static int
take_task(struct json_object *o, struct arena *a, struct wire_client_task *t, struct tsb_err *err)
{
	struct json_object *status = member(o, "requestStatus");
	const char *xml;

	if (take_text(o, "id", true, a, &t->id, err) ||
	    take_bytes(o, "approvalToBeSigned", a, NULL, &t->token, err) ||
	    take_bytes(o, "approverPublicKey", a, NULL, &t->approver, err) ||
	    take_bytes(o, "metaData", a, &t->has_meta, &t->meta, err) ||
	    take_bytes(o, "payload", a, &t->has_payload, &t->payload, err) ||
	    take_text(o, "payloadType", false, a, &t->payload_type, err) ||
	    take_text(o, "keyAttributes", false, a, &xml, err) ||
	    take_bytes(o, "keyAttributesSignature", a, NULL, &t->attributes_signature, err) ||
	    take_envelope(o, a, t, err))
		return -1;
	t->attributes = tsb_view_str(xml);
	if (status != NULL) {
		if (!json_object_is_type(status, json_type_object))
			return bad("requestStatus", "is not an object", err);
		t->has_status = true;
		return take_status(status, a, &t->status, err);
	}
	return 0;
}

int
wire_client_tasks_parse(struct tsb_view body, struct arena *a, struct wire_client_task **out,
    size_t *n, struct tsb_err *err)
{
	json_auto *root = NULL;
	struct json_object *list;
	struct wire_client_task *rows;
	size_t i, count;

	if (body_open(body, &root, err) || open_list(root, "tasks", &list, &count, err))
		return -1;
	rows = arena_array(a, count + 1, sizeof(*rows));
	for (i = 0; i < count; i++)
		if (take_task(json_object_array_get_idx(list, i), a, &rows[i], err))
			return -1;
	*out = rows;
	*n = count;
	return 0;
}

int
wire_client_text_parse(struct tsb_view body, const char *name, struct arena *a, const char **out,
    struct tsb_err *err)
{
	json_auto *root = NULL;

	return body_open(body, &root, err) || take_text(root, name, false, a, out, err) ? -1 : 0;
}

int
wire_client_bool_parse(struct tsb_view body, const char *name, bool *out, struct tsb_err *err)
{
	json_auto *root = NULL;

	return body_open(body, &root, err) || take_bool(root, name, out, err) ? -1 : 0;
}
