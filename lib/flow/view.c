#include "lib/first.h"

#include "lib/base/hook.h"
#include "lib/flow/approver.h"
#include "lib/flow/details.h"
#include "lib/flow/ending.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/rooms.h"
#include "lib/flow/view.h"

/* Without paging an approver gets all requests that it has approved, up to this many. */
#define APPROVED_MAX 1000

static bool
listed(const struct tsb_view *list, size_t n, struct tsb_view spki)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(list[i], spki))
			return true;
	return false;
}

static struct tsb_view
voter(const struct tsb_approval *row)
{
	return row->service.n > 0 ? row->service : row->spki;
}

/*
 * Who answered. An approver has one row; a notification service is named once, though it rejected
 * for several approvers or has answered for itself too.
 */
static struct tsb_view *
voters(const struct tsb_approval *rows, size_t n, bool approves, struct arena *a, size_t *count)
{
	struct tsb_view *spkis = arena_array(a, n, sizeof(*spkis));
	bool services = false;

	*count = 0;
	for (size_t i = 0; i < n; i++) {
		struct tsb_view who = voter(&rows[i]);

		services = services || rows[i].service.n > 0;
		if (rows[i].approves == approves && !(services && listed(spkis, *count, who)))
			spkis[(*count)++] = who;
	}
	return spkis;
}

static void
fill_reasons(const struct tsb_approval *rows, size_t n, struct arena *a,
    struct tsb_request_view *out)
{
	out->reasons = arena_array(a, n, sizeof(*out->reasons));
	for (size_t i = 0; i < n; i++)
		if (rows[i].reason != NULL)
			out->reasons[out->nreasons++] =
			    (struct tsb_rejection){voter(&rows[i]), rows[i].at_ms, rows[i].reason};
}

static bool
has_voted(const struct tsb_approval *rows, size_t n, struct tsb_view spki)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(rows[i].spki, spki))
			return true;
	return false;
}

/* Approvers who could still approve; none once the request is finished or under way. */
static void
fill_open(const struct flow_key *key, const struct tsb_approval *rows, size_t n, struct arena *a,
    int64_t now_ms, struct tsb_request_view *out)
{
	const struct tsb_request *rq = &out->request;
	const struct ska_rule *rule = key == NULL ? NULL : flow_request_rule(key, rq->kind);
	struct tsb_view *all;
	size_t count;

	if (rule == NULL || !flow_request_open(rq, now_ms))
		return;
	all = ska_rule_asks(rule, a, rq->hsm_seconds != 0, flow_request_t0(rq),
	    flow_request_hsm_now(rq, now_ms), &count);
	out->open = arena_array(a, count, sizeof(*out->open));
	for (size_t i = 0; i < count; i++)
		if (!has_voted(rows, n, all[i]))
			out->open[out->nopen++] = arena_view(a, all[i]);
}

/* Approvals of those whom a changed policy does not name any more. */
static void
fill_uncounted(const struct flow_key *key, const struct tsb_approval *rows, size_t n,
    struct arena *a, struct tsb_request_view *out)
{
	const struct ska_rule *rule = flow_request_rule(key, out->request.kind);

	if (rule == NULL)
		return;
	out->uncounted = arena_array(a, n, sizeof(*out->uncounted));
	for (size_t i = 0; i < n; i++)
		if (rows[i].approves && !ska_rule_has_approver(rule, rows[i].spki))
			out->uncounted[out->nuncounted++] = rows[i].spki;
}

enum {
	VIEW_INPUT = 1, /* inputOfflineHsm, which is as long as the request */
	VIEW_DETAILS = 2,
};

/* rows: the n answers to it; with their approvals if the view shows its input. */
static int
fill_answered(struct flow *f, struct store_tx *tx, struct arena *a, int64_t now_ms, unsigned with,
    const struct tsb_approval *rows, size_t n, struct tsb_request_view *out, struct tsb_err *err)
{
	struct tsb_request_view view = {.request = out->request};
	const struct flow_key *key;

	view.approved = voters(rows, n, true, a, &view.napproved);
	view.rejected = voters(rows, n, false, a, &view.nrejected);
	fill_reasons(rows, n, a, &view);
	if (view.request.planned_ms != 0 && flow_request_key(f, tx, &view.request, &key, err))
		return -1;
	if (view.request.planned_ms != 0 && key != NULL)
		fill_uncounted(key, rows, n, a, &view);
	if (!tsb_state_terminal(view.request.state)) {
		if (flow_request_key(f, tx, &view.request, &key, err))
			return -1;
		fill_open(key, rows, n, a, now_ms, &view);
		if (f->air_gapped)
			f->rooms->gap->progress(key, rows, n, a, &view);
	}
	if (with & VIEW_INPUT && f->air_gapped &&
	    f->rooms->gap->input(f, tx, &view.request, rows, n, a, &view.input, err))
		return -1;
	if (with & VIEW_DETAILS && flow_details_fill(f, tx, rows, n, a, now_ms, &view, err))
		return -1;
	*out = view;
	return 0;
}

static int
fill_view(struct flow *f, struct store_tx *tx, struct arena *a, int64_t now_ms, unsigned with,
    struct tsb_request_view *out, struct tsb_err *err)
{
	struct tsb_approval *rows;
	size_t n;

	return (with & VIEW_INPUT ? store_approvals_load : store_votes_load)(tx, &out->request.id,
		   a, &rows, &n, err) ||
		fill_answered(f, tx, a, now_ms, with, rows, n, out, err)
	    ? -1
	    : 0;
}

int
flow_request_fill_view(struct flow *f, struct store_tx *tx, struct arena *a, int64_t now_ms,
    struct tsb_request_view *out, struct tsb_err *err)
{
	return fill_view(f, tx, a, now_ms, 0, out, err);
}

struct reading {
	struct flow *f;
	const struct tsb_uuid *id;
	struct arena *arena;
	int64_t now_ms;
	struct tsb_request_view *view;
};

static int
view_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct reading *r = ctx;
	struct tsb_approval *rows;
	size_t n;

	if (r->f->air_gapped)
		return store_request_load(tx, r->id, false, r->arena, &r->view->request, err) ||
			fill_view(r->f, tx, r->arena, r->now_ms, VIEW_INPUT, r->view, err)
		    ? -1
		    : 0;
	return store_request_view(tx, r->id, r->arena, &r->view->request, &rows, &n, err) ||
		fill_answered(r->f, tx, r->arena, r->now_ms, 0, rows, n, r->view, err)
	    ? -1
	    : 0;
}

/* Delivers the result and erases it in one transaction; of two callers one gets it. */
static int
fetch_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct reading *r = ctx;
	struct tsb_request *rq = &r->view->request;
	struct store_audit audit = {.request_id = r->id,
	    .action = "fetch result",
	    .actor = "keyOperation"};
	struct tsb_request erased_rq;
	bool erased;

	if (store_request_load(tx, r->id, true, r->arena, rq, err) ||
	    fill_view(r->f, tx, r->arena, r->now_ms, VIEW_INPUT, r->view, err))
		return -1;
	if (rq->state != STATE_EXECUTED || rq->result.n == 0)
		return 0;
	erased_rq = *rq;
	if (store_request_erase_result(tx, &erased_rq, &erased, err))
		return -1;
	if (!erased) {
		rq->result = tsb_view_of(NULL, 0);
		return 0;
	}
	audit.from = audit.to = tsb_state_names[STATE_EXECUTED];
	return store_audit_insert(tx, &audit, err);
}

static int
view_load(struct flow *f, const struct tsb_uuid *id, bool fetch_once, struct arena *a,
    int64_t now_ms, struct tsb_request_view *out, struct tsb_err *err)
{
	struct reading r = {f, id, a, now_ms, out};

	if (store_read(f->store, "request_view", view_body, &r, err))
		return -1;
	if (flow_request_overdue(&out->request, now_ms))
		return flow_request_expire(f, id, a, now_ms, err) ||
			store_read(f->store, "request_view", view_body, &r, err)
		    ? -1
		    : 0;
	if ((fetch_once || f->conf->fetch_result_once) && out->request.result.n > 0)
		return store_transact(f->store, "request_fetch", fetch_body, &r, err);
	return 0;
}

int
flow_request_view(struct flow *f, const struct tsb_uuid *id, bool fetch_once, struct arena *a,
    int64_t now_ms, struct tsb_request_view *out, struct tsb_err *err)
{
	return view_load(f, id, fetch_once, a, now_ms, out, err) ||
		f->rooms->restore->reveal(f, &out->request, a, err)
	    ? -1
	    : 0;
}

struct twins {
	const struct tsb_uuid *id;
	struct arena *arena;
	struct tsb_uuid *twin;
	bool found;
};

static int
twin_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct twins *t = ctx;
	struct tsb_request rq;

	t->found = false;
	if (store_request_load(tx, t->id, false, t->arena, &rq, err))
		return -1;
	if (tsb_kinds[rq.kind].content != CONTENT_BYTES || rq.token.n == 0)
		return 0;
	return store_request_twin(tx, &rq, t->twin, &t->found, err);
}

bool
flow_request_twin(struct flow *f, const struct tsb_uuid *id, struct arena *a, struct tsb_uuid *twin)
{
	struct twins t = {.id = id, .arena = a, .twin = twin};
	struct tsb_err err;

	if (!f->air_gapped)
		return false;
	if (store_read(f->store, "request_twin", twin_body, &t, &err) == 0)
		return t.found;
	log_failure(LOG_WARN, "search for another request of the same token", &err);
	return false;
}

struct listing {
	unsigned states;
	const char *key_name;
	long offset, limit; /* one more than is shown */
	struct arena *arena;
	struct tsb_request_row *rows;
	size_t n;
};

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct listing *l = ctx;

	return store_requests_list(tx, l->states, l->key_name, l->offset, l->limit, l->arena,
	    &l->rows, &l->n, err);
}

int
flow_requests_list(struct flow *f, unsigned states, const char *key_name, long offset, long limit,
    struct arena *a, struct tsb_request_row **rows, size_t *n, bool *more, struct tsb_err *err)
{
	struct listing l = {states, key_name, offset, limit + 1, a, NULL, 0};

	if (store_read(f->store, "requests_list", list_body, &l, err))
		return -1;
	*more = l.n > (size_t)limit;
	*rows = l.rows;
	*n = *more ? (size_t)limit : l.n;
	return 0;
}

struct page {
	size_t before, bytes; /* in the arena at the beginning, and most of its own */
	struct flow *f;
	const struct tsb_request_filter *filter;
	struct arena *arena;
	int64_t now_ms;
	struct tsb_request_view *views;
	size_t n;
	bool more;
};

/* Requests that are loaded at once: their notes may be long. */
#define PAGE_PART 32

/*
 * Takes what was loaded, until the page is full or has its bytes. More is said only when
 * there is another request.
 */
static int
page_take(struct page *p, struct store_tx *tx, const struct tsb_request *rows, size_t n,
    struct tsb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		p->more = p->n == (size_t)p->filter->limit ||
		    (p->n > 0 && arena_size(p->arena) - p->before > p->bytes);
		if (p->more)
			return 0;
		p->views[p->n].request = rows[i];
		if (fill_view(p->f, tx, p->arena, p->now_ms, VIEW_DETAILS, &p->views[p->n], err))
			return -1;
		p->n++;
	}
	return 0;
}

static int
page_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct page *p = ctx;
	struct tsb_request *rows;
	struct store_place place;
	size_t got;

	p->before = arena_size(p->arena);
	p->bytes = flow_list_bytes();
	p->n = 0;
	p->more = false;
	p->views = arena_array(p->arena, (size_t)p->filter->limit, sizeof(*p->views));
	store_place_first(&place);
	if (p->filter->has_after && store_place_of(tx, &p->filter->after, &place, err))
		return -1;
	do {
		if (store_requests_page(tx, p->filter, &place, PAGE_PART, p->arena, &rows, &got,
			err) ||
		    page_take(p, tx, rows, got, err))
			return -1;
	} while (got == PAGE_PART && !p->more);
	return 0;
}

int
flow_requests_details(struct flow *f, const struct tsb_request_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_request_view **views, size_t *n, bool *more, struct tsb_err *err)
{
	struct page p = {.f = f, .filter = filter, .arena = a, .now_ms = now_ms};

	if (store_read(f->store, "requests_details", page_body, &p, err))
		return -1;
	*views = p.views;
	*n = p.n;
	*more = p.more;
	return 0;
}

size_t
flow_list_bytes(void)
{
	int bytes = hook_fault("list.bytes");

	return bytes > 0 ? (size_t)bytes : FLOW_LIST_BYTES;
}

int
flow_page_refuse(size_t fit, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_INPUT,
	    "this page has more than %zu MiB, ask for pages of %zu entries (paging.pageSize)",
	    FLOW_LIST_BYTES >> 20, fit);
}

struct approved {
	struct flow *f;
	const struct tsb_task_filter *filter;
	const struct flow_approver *who;
	struct arena *arena;
	int64_t now_ms;
	struct tsb_request_view *views;
	size_t n;
	bool more;
};

static int
approved_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct approved *x = ctx;
	const struct tsb_task_filter *filter = x->filter;
	long size = filter->paged ? filter->page_size : APPROVED_MAX;
	size_t before = arena_size(x->arena), bytes = flow_list_bytes(), fit = 0;
	struct tsb_uuid *ids;

	x->more = false;
	if (store_requests_approved_by(tx, x->who->id, filter->page * size, size, x->arena, &ids,
		&x->n, err))
		return -1;
	x->views = arena_array(x->arena, x->n, sizeof(*x->views));
	for (; fit < x->n && !x->more; fit++) {
		if (store_request_load(tx, &ids[fit], false, x->arena, &x->views[fit].request,
			err) ||
		    flow_request_fill_view(x->f, tx, x->arena, x->now_ms, &x->views[fit], err))
			return -1;
		x->more = fit + 1 < x->n && arena_size(x->arena) - before > bytes;
	}
	x->n = fit;
	return x->more && filter->paged ? flow_page_refuse(fit, err) : 0;
}

int
flow_requests_approved(struct flow *f, const struct tsb_task_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_request_view **views, size_t *n, bool *more, struct tsb_err *err)
{
	struct flow_approver who;
	struct approved x = {.f = f, .filter = filter, .who = &who, .arena = a, .now_ms = now_ms};

	if (flow_approver_prove(f, &filter->proof, a, now_ms, &who, err))
		return -1;
	if (who.all)
		return tsb_fail(err, TSB_E_INPUT,
		    "approverPublicKey or approverCertificate must say whose approvals are asked for");
	if (store_read(f->store, "requests_approved", approved_body, &x, err))
		return -1;
	*views = x.views;
	*n = x.n;
	*more = x.more;
	return 0;
}
