/* Lists of requests (docs/openapi.yaml RequestFilter), and those that a package is made of. */
#include "lib/first.h"

#include "lib/base/clock.h"
#include "lib/wire/field.h"
#include "lib/wire/package.h"

/* Without paging a caller gets all there are, up to this bound. */
#define LIST_MAX 10000
#define PAGE_MAX 1000

static const char *const sort_orders[] = {"CREATION_DATE_DESC"};

struct listing_form {
	enum tsb_state *states;
	size_t nstates;
	const char *key_name;
	bool paged;
	long page, page_size;
};

static const struct field state_row = {"requestStatus", FIELD_INDEX, REQUIRED,
    .size = sizeof(enum tsb_state), .names = tsb_state_names, .nnames = STATE__MAX};

static const struct field paging_fields[] = {
    {"pageNumber", FIELD_INT, .max = 1000000, AT(struct listing_form, page)},
    {"pageSize", FIELD_INT, REQUIRED, .min = 1, .max = PAGE_MAX,
	AT(struct listing_form, page_size)},
    {"sortOrder", FIELD_ENUM, NAMES(sort_orders)},
    {NULL},
};
static const struct field_object paging_object = {paging_fields};

static const struct field filter_fields[] = {
    {"requestStatusList", FIELD_LIST, .max = 64, .element = &state_row,
	.element_size = sizeof(enum tsb_state), AT(struct listing_form, states),
	.count = offsetof(struct listing_form, nstates)},
    {"keyName", FIELD_LABEL, .max = FIELD_LABEL_MAX, AT(struct listing_form, key_name)},
    {"paging", FIELD_OBJECT, .object = &paging_object, HAS(struct listing_form, paged)},
    {NULL},
};
static const struct field_object filter_object = {filter_fields};

int
wire_request_filter_parse(struct tsb_view body, struct arena *a, struct wire_request_filter *out,
    struct tsb_err *err)
{
	struct listing_form f = {0};

	if (field_read(body, &filter_object, a, &f, NULL, err))
		return -1;
	*out = (struct wire_request_filter){.key_name = f.key_name, .limit = LIST_MAX};
	for (size_t i = 0; i < f.nstates; i++)
		out->states |= 1u << f.states[i];
	if (f.paged) {
		out->offset = f.page * f.page_size;
		out->limit = f.page_size;
	}
	return 0;
}

/* ---- with details ---- */

struct details_form {
	struct tsb_request_filter filter;
	enum tsb_state *states;
	size_t nstates;
	const char *since;
};

#define DETAILS(m) AT(struct details_form, m)
static const struct field details_fields[] = {
    {"requestId", FIELD_UUID, DETAILS(filter.id), HAS(struct details_form, filter.has_id)},
    {"requestStatusList", FIELD_LIST, .max = 64, .element = &state_row,
	.element_size = sizeof(enum tsb_state), DETAILS(states),
	.count = offsetof(struct details_form, nstates)},
    {"keyName", FIELD_LABEL, .max = FIELD_LABEL_MAX, DETAILS(filter.key_name)},
    {"createdSince", FIELD_TEXT, .max = 64, DETAILS(since)},
    {"after", FIELD_UUID, DETAILS(filter.after), HAS(struct details_form, filter.has_after)},
    {"pageSize", FIELD_INT, .min = 1, .max = PAGE_MAX, DETAILS(filter.limit)},
    {NULL},
};

static void
details_init(void *dest, struct arena *a)
{
	((struct details_form *)dest)->filter.limit = PAGE_MAX;
}

static int
details_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct details_form *f = dest;

	if (f->since != NULL && !clock_iso_parse(f->since, &f->filter.since_ms))
		return tsb_fail(err, TSB_E_INPUT,
		    "createdSince must be a date and time with seconds and zone, "
		    "as in 2024-01-31T12:00:00Z");
	for (size_t i = 0; i < f->nstates; i++)
		f->filter.states |= 1u << f->states[i];
	return 0;
}

static const struct field_object details_object = {details_fields, .init = details_init,
    .check = details_check};

int
wire_request_details_filter_parse(struct tsb_view body, struct arena *a,
    struct tsb_request_filter *out, struct tsb_err *err)
{
	struct details_form f = {0};

	if (field_read(body, &details_object, a, &f, NULL, err))
		return -1;
	*out = f.filter;
	return 0;
}

/* ---- requests that are named ---- */

struct named_form {
	struct tsb_uuid *ids;
	size_t n;
	bool named;
};

static const struct field id_row = {"requestId", FIELD_UUID, REQUIRED,
    .size = sizeof(struct tsb_uuid)};
static const struct field named_fields[] = {
    {"requestIds", FIELD_LIST, .max = PACKAGE_ITEMS_MAX, .element = &id_row,
	.element_size = sizeof(struct tsb_uuid), AT(struct named_form, ids),
	.count = offsetof(struct named_form, n), HAS(struct named_form, named)},
    {NULL},
};
static const struct field_object named_object = {named_fields};

int
wire_request_ids_parse(struct tsb_view body, struct arena *a, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *err)
{
	struct named_form f = {0};

	if (body.n > 0 && field_read(body, &named_object, a, &f, NULL, err))
		return -1;
	/* whoever found none to name does not mean all */
	if (f.named && f.n == 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "requestIds must name a request, or be left out for all that are ready");
	*ids = f.ids;
	*n = f.n;
	return 0;
}

/* ---- lists ---- */

void
wire_request_list_format(const struct tsb_request_row *rows, size_t n, bool more,
    struct tsb_bytes *out)
{
	emit_open(out, NULL, '{');
	emit_open(out, "requests", '[');
	for (size_t i = 0; i < n; i++) {
		emit_open(out, NULL, '{');
		emit_uuid(out, "id", &rows[i].id);
		emit_text(out, "status", tsb_state_names[rows[i].state]);
		emit_close(out, '}');
	}
	emit_close(out, ']');
	if (more)
		emit_bool(out, "more", true);
	emit_close(out, '}');
}

static void
views_format(const char *name, const struct tsb_request_view *views, size_t n, bool more,
    struct tsb_bytes *out)
{
	emit_open(out, NULL, '{');
	emit_open(out, name, '[');
	for (size_t i = 0; i < n; i++) {
		emit_name(out, NULL);
		wire_request_view_format(&views[i], out);
	}
	emit_close(out, ']');
	if (more)
		emit_bool(out, "more", true);
	emit_close(out, '}');
}

void
wire_request_details_format(const struct tsb_request_view *views, size_t n, bool more,
    struct tsb_bytes *out)
{
	views_format("requests", views, n, more, out);
}

void
wire_approved_requests_format(const struct tsb_request_view *views, size_t n, bool more,
    struct tsb_bytes *out)
{
	views_format("approvedRequests", views, n, more, out);
}

/* ---- details of one ---- */

void
details_format(const struct tsb_request *r, const struct tsb_request_details *d,
    struct tsb_bytes *out)
{
	emit_open(out, "details", '{');
	emit_text(out, "operation", tsb_kinds[r->kind].name);
	emit_text(out, "keyName", r->key_name);
	emit_text(out, "metaData", r->meta_data);
	emit_text(out, "payloadType", r->payload_type);
	emit_time(out, "creationTime", r->created_ms / 1000);
	emit_time(out, "expirationTime", r->expires_ms / 1000);
	if (d->has_missing)
		emit_uint(out, "missingApprovals", d->missing);
	else
		emit_null(out, "missingApprovals");
	emit_open(out, "approvers", '[');
	for (size_t i = 0; i < d->npeople; i++) {
		emit_open(out, NULL, '{');
		emit_base64(out, "publicKey", d->people[i].spki);
		emit_text(out, "name", d->people[i].name);
		emit_time(out, "answerTime", d->people[i].at_ms / 1000);
		emit_close(out, '}');
	}
	emit_close(out, ']');
	emit_close(out, '}');
}
