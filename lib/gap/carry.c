/* Out: requests as the carrier takes them to the offline HSM, one by one or in a signed package. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/flow/certificate.h"
#include "lib/flow/ending.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/view.h"
#include "lib/gap/carry.h"
#include "lib/gap/progress.h"

/* Bytes of the requests in one package: a stick holds more, but people wait for it to be read. */
#define PACKAGE_BYTES_MAX (16 * 1024 * 1024)

int
gap_need(const struct flow *f, struct tsb_err *err)
{
	if (!f->air_gapped)
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "this broker has an HSM: nothing is carried by hand in the profile online");
	return 0;
}

const char *
gap_site_name(const struct flow *f)
{
	return f->conf->site_name != NULL ? f->conf->site_name : "";
}

/* ---- one request ---- */

struct reading {
	struct flow *f;
	const struct tsb_uuid *id;
	struct arena *arena;
	int64_t now_ms;
	struct tsb_request_view *view;
	struct tsb_view input;
	bool before; /* input as it may have been carried before the policy changed */
	bool met; /* no approval is missing, as far as this side knows */
};

/* Whether the offline HSM will do it, as far as this side can tell. */
static int
is_met(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, int64_t now_ms, bool *met,
    struct tsb_err *err)
{
	const struct ska_rule *rule;
	const struct flow_key *key;
	struct ska_verdict v;

	if (flow_request_guard(f, tx, rq, rows, n, a, &key, &rule, err))
		return -1;
	*met = true;
	if (rule == NULL)
		return 0;
	ska_evaluate(rule, flow_votes(rows, n, a), n, rq->hsm_seconds != 0, flow_request_t0(rq),
	    flow_request_hsm_now(rq, now_ms), &v);
	*met = v.met;
	return 0;
}

static int
reading_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct reading *r = ctx;
	struct tsb_request *rq = &r->view->request;
	struct tsb_approval *rows;
	size_t n;

	*r->view = (struct tsb_request_view){0};
	if (store_request_load(tx, r->id, false, r->arena, rq, err) ||
	    flow_request_fill_view(r->f, tx, r->arena, r->now_ms, r->view, err) ||
	    store_approvals_load(tx, &rq->id, r->arena, &rows, &n, err) ||
	    (r->before ? gap_input_before : gap_input)(r->f, tx, rq, rows, n, r->arena, &r->input,
		err))
		return -1;
	return is_met(r->f, tx, rq, rows, n, r->arena, r->now_ms, &r->met, err);
}

static int
reading_take(struct reading *r, struct tsb_err *err)
{
	if (store_read(r->f->store, "offline_request", reading_body, r, err))
		return -1;
	if (!flow_request_overdue(&r->view->request, r->now_ms))
		return 0;
	return flow_request_expire(r->f, r->id, r->arena, r->now_ms, err) ||
		store_read(r->f->store, "offline_request", reading_body, r, err)
	    ? -1
	    : 0;
}

int
gap_carry_view(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct tsb_request_view *view, struct tsb_view *input, struct tsb_err *err)
{
	struct reading r =
	    {.f = f, .id = id, .arena = a, .now_ms = now_ms, .view = view, .before = true};

	if (reading_take(&r, err))
		return -1;
	*input = r.input;
	return 0;
}

static int
not_ready(const struct tsb_request *rq, struct tsb_err *err)
{
	char id[UUID_TEXT];

	uuid_format(&rq->id, id);
	if (tsb_state_terminal(rq->state))
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "request %s is finished: it is %s", id, tsb_state_names[rq->state]);
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "request %s has no approval yet: the offline HSM would refuse it", id);
}

static void
carried_fill(const struct reading *r, struct wire_offline_request *out)
{
	const struct tsb_request *rq = &r->view->request;
	tsb_bytes_auto ascii = {0};

	wire_ascii(r->input, &ascii);
	*out = (struct wire_offline_request){
	    .has_id = true,
	    .id = rq->id,
	    .kind = rq->kind,
	    .executed = tsb_kinds[rq->kind].executed,
	    .created_ms = rq->created_ms,
	    .key_name = rq->key_name,
	    .meta_data = rq->meta_data,
	    .input = arena_view(r->arena, tsb_view_bytes(&ascii)),
	};
}

int
gap_carry_request(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct wire_offline_request *out, struct tsb_request_view *view, struct tsb_err *err)
{
	struct tsb_request_view shown;
	struct reading r = {.f = f,
	    .id = id,
	    .arena = a,
	    .now_ms = now_ms,
	    .view = view != NULL ? view : &shown};

	if (gap_need(f, err) || reading_take(&r, err))
		return -1;
	if (r.input.n == 0)
		return not_ready(&r.view->request, err);
	carried_fill(&r, out);
	return 0;
}

/* ---- packages ---- */

struct packing {
	struct flow *f;
	struct arena *arena; /* of the items */
	int64_t now_ms;
	struct tsb_view *items;
	size_t n, bytes;
	bool full; /* more are ready than fit */
};

/*
 * Adds a request; only its text stays in memory. ready NULL: the caller named it, it must be
 * ready.
 */
static int
pack_one(struct packing *p, const struct tsb_uuid *id, bool *ready, struct tsb_err *err)
{
	arena_auto scratch = {0};
	tsb_bytes_auto text = {0};
	struct tsb_request_view view;
	struct reading r = {.f = p->f,
	    .id = id,
	    .arena = &scratch,
	    .now_ms = p->now_ms,
	    .view = &view};
	struct wire_offline_request item;

	if (reading_take(&r, err))
		return -1;
	if (ready != NULL) {
		*ready = r.input.n > 0 && r.met;
		if (!*ready)
			return 0;
	} else if (r.input.n == 0) {
		return not_ready(&view.request, err);
	}
	carried_fill(&r, &item);
	wire_offline_request_format(&item, &text);
	/* one request always fits: it is far below the limit */
	if (p->n == PACKAGE_ITEMS_MAX || (p->n > 0 && p->bytes + text.n > PACKAGE_BYTES_MAX)) {
		p->full = true;
		return 0;
	}
	p->bytes += text.n;
	p->items[p->n++] = arena_view(p->arena, tsb_view_bytes(&text));
	return 0;
}

static int
by_id(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct tsb_uuid));
}

/* Those that were named, each once, oldest first. */
static int
pack_named(struct packing *p, const struct tsb_uuid *ids, size_t n, struct tsb_err *err)
{
	struct tsb_uuid *sorted = arena_array(p->arena, n, sizeof(*sorted));

	memcpy(sorted, ids, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_id);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && uuid_eq(&sorted[i], &sorted[i - 1]))
			continue;
		if (pack_one(p, &sorted[i], NULL, err))
			return -1;
		if (p->full)
			return tsb_fail(err, TSB_E_INPUT,
			    "requestIds: more than a package holds (%d requests, %d MiB)",
			    PACKAGE_ITEMS_MAX, PACKAGE_BYTES_MAX / 1024 / 1024);
	}
	return 0;
}

struct waiting {
	struct arena *arena;
	long offset;
	struct tsb_request_row *rows;
	size_t n;
};

#define WAITING_PAGE 1000

static int
waiting_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct waiting *w = ctx;

	return store_requests_list(tx, 1U << STATE_PENDING, NULL, w->offset, WAITING_PAGE, w->arena,
	    &w->rows, &w->n, err);
}

/* A request that disappears meanwhile is one less to carry. */
static int
pack_page(struct packing *p, const struct waiting *w, struct tsb_err *err)
{
	for (size_t i = 0; i < w->n && !p->full; i++) {
		bool ready;

		if (pack_one(p, &w->rows[i].id, &ready, err) &&
		    err->code != TSB_E_REQUEST_NOT_EXISTENT)
			return -1;
	}
	return 0;
}

/* All that are ready, the newest first. */
static int
pack_ready(struct packing *p, struct tsb_err *err)
{
	struct waiting w = {.arena = p->arena};

	do {
		if (store_read(p->f->store, "offline_waiting", waiting_body, &w, err) ||
		    pack_page(p, &w, err))
			return -1;
		w.offset += (long)w.n;
	} while (w.n == WAITING_PAGE && !p->full);
	if (p->n == 0)
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "no request is ready to be carried: approvals are missing");
	return 0;
}

static int
package_sites(const struct flow *f, struct tsb_err *err)
{
	if (f->files.site_key == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "airGapped.siteKeyFile is not set: it signs packages");
	if (f->files.noffline_sites == 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "airGapped.offlineSiteKeyFile is not set: it tells whom packages are for");
	return 0;
}

static int
package_write(struct packing *p, struct tsb_bytes *out, struct tsb_err *err)
{
	struct flow *f = p->f;
	struct wire_package package = {
	    .type = PACKAGE_REQUESTS,
	    .id = uuid_new(),
	    .created_ms = p->now_ms,
	    .from_name = gap_site_name(f),
	    .to_name = "",
	    .items = p->items,
	    .nitems = p->n,
	};
	char id[UUID_TEXT];

	crypto_sha256(f->files.offline_sites[0].spki, package.to);
	if (wire_package_format(&package, f->files.site_key, out, err))
		return -1;
	log_info("package %s made requests=%zu bytes=%zu%s", uuid_format(&package.id, id), p->n,
	    p->bytes, p->full ? " more are ready, for the package after this one" : "");
	return 0;
}

int
gap_carry_package(struct flow *f, const struct tsb_uuid *ids, size_t n, struct arena *a,
    int64_t now_ms, struct tsb_bytes *out, struct tsb_err *err)
{
	struct packing p = {.f = f, .arena = a, .now_ms = now_ms};

	if (gap_need(f, err) || package_sites(f, err))
		return -1;
	p.items = arena_array(a, PACKAGE_ITEMS_MAX, sizeof(*p.items));
	if (n > 0 ? pack_named(&p, ids, n, err) : pack_ready(&p, err))
		return -1;
	return package_write(&p, out, err);
}
