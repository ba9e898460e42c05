#include "lib/first.h"

#include "lib/flow/ending.h"
#include "lib/flow/evaluate.h"

#define ACTOR_CALLER "keyOperation"

/* ---- one request ---- */

struct ending {
	const struct tsb_uuid *id;
	struct arena *arena;
	int64_t now_ms;
	enum tsb_state to; /* CANCELLED or EXPIRED */
	const char *actor, *reason;
};

/* 0, or -1 with the reason why the request cannot be ended. */
static int
ending_check(const struct ending *e, const struct tsb_request *rq, struct tsb_err *err)
{
	char id[UUID_TEXT];

	uuid_format(&rq->id, id);
	if (tsb_state_terminal(rq->state))
		return tsb_fail(err, TSB_E_REQUEST_NOT_EXISTENT,
		    "there is no open request %s: it is %s", id, tsb_state_names[rq->state]);
	if (rq->owner != NULL)
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "request %s is being executed by the HSM", id);
	return 0;
}

static int
ending_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct ending *e = ctx;
	struct store_change change = {.to = e->to};
	struct store_audit audit = {
	    .request_id = e->id,
	    .action = e->to == STATE_EXPIRED ? "expire" : "cancel",
	    .actor = e->actor,
	    .to = tsb_state_names[e->to],
	    .detail = e->reason,
	};
	struct tsb_request rq;
	bool moved;

	if (store_request_load(tx, e->id, true, e->arena, &rq, err))
		return -1;
	if (e->to == STATE_EXPIRED && !flow_request_overdue(&rq, e->now_ms))
		return 0;
	if (ending_check(e, &rq, err))
		return -1;
	audit.from = tsb_state_names[rq.state];
	change.expires_ms = rq.expires_ms;
	if (store_request_move(tx, &rq, &change, &moved, err))
		return -1;
	if (!moved)
		return store_run_again(tx, err);
	return store_audit_insert(tx, &audit, err);
}

int
flow_request_expire(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct tsb_err *err)
{
	struct ending e = {.id = id,
	    .arena = a,
	    .now_ms = now_ms,
	    .to = STATE_EXPIRED,
	    .actor = f->owner};

	return store_transact(f->store, "request_expire", ending_body, &e, err);
}

int
flow_request_cancel(struct flow *f, const struct tsb_uuid *id, const char *reason, struct arena *a,
    struct tsb_err *err)
{
	struct ending e = {.id = id,
	    .arena = a,
	    .to = STATE_CANCELLED,
	    .actor = ACTOR_CALLER,
	    .reason = reason};

	return store_transact(f->store, "request_cancel", ending_body, &e, err);
}

/* ---- many requests ---- */

struct selection {
	const char *key_name;
	int64_t now_ms;
	size_t max;
	struct arena *arena;
	struct tsb_uuid *ids;
	size_t n;
};

static int
of_key_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct selection *s = ctx;

	return store_requests_of_key(tx, s->key_name, s->max, s->arena, &s->ids, &s->n, err);
}

static int
late_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct selection *s = ctx;

	return store_requests_late(tx, s->now_ms, s->max, s->arena, &s->ids, &s->n, err);
}

static int
purge_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct selection *s = ctx;
	struct store_audit audit = {.action = "purge", .actor = "dispatcher"};

	if (store_requests_purge(tx, s->now_ms, s->max, &s->n, err))
		return -1;
	return s->n == 0 ? 0 : store_audit_insert(tx, &audit, err);
}

int
flow_requests_cancel_of_key(struct flow *f, const char *key_name, struct arena *a,
    struct tsb_err *err)
{
	struct selection s = {.key_name = key_name, .max = SIZE_MAX, .arena = a};
	struct tsb_err skipped;

	if (!f->conf->db_enabled) /* then there are no requests */
		return 0;
	if (store_read(f->store, "requests_of_key", of_key_body, &s, err))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (flow_request_cancel(f, &s.ids[i], "key deleted", a, &skipped) == 0)
			continue;
		/* it was finished meanwhile, or the HSM's answer will end it */
		if (skipped.code != TSB_E_UNSUPPORTED_OPERATION &&
		    skipped.code != TSB_E_REQUEST_NOT_EXISTENT) {
			*err = skipped;
			return -1;
		}
	}
	return 0;
}

int
flow_requests_open_of_key(struct flow *f, const char *key_name, struct arena *a, bool *open,
    struct tsb_err *err)
{
	struct selection s = {.key_name = key_name, .max = 1, .arena = a};

	*open = false;
	if (!f->conf->db_enabled)
		return 0;
	if (store_read(f->store, "requests_of_key", of_key_body, &s, err))
		return -1;
	*open = s.n > 0;
	return 0;
}

int
flow_requests_expire(struct flow *f, int64_t now_ms, size_t limit, size_t *n, struct tsb_err *err)
{
	arena_auto a = {0};
	struct selection s = {.now_ms = now_ms, .max = limit, .arena = &a};
	size_t expired = 0;

	if (store_read(f->store, "requests_late", late_body, &s, err))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (flow_request_expire(f, &s.ids[i], &a, now_ms, err) == 0) {
			expired++;
			continue;
		}
		if (err->code == TSB_E_CONNECTIVITY)
			return -1;
		/* one that cannot be ended does not keep the others from it */
		log_failure(LOG_ERROR, "expiry", err);
	}
	*n = expired;
	return 0;
}

int
flow_requests_purge(struct flow *f, int64_t now_ms, size_t limit, size_t *n, struct tsb_err *err)
{
	struct selection s = {.max = limit};

	*n = 0;
	if (f->conf->retain_days == 0)
		return 0;
	s.now_ms = now_ms - (int64_t)f->conf->retain_days * 86400 * 1000;
	if (store_transact(f->store, "requests_purge", purge_body, &s, err))
		return -1;
	*n = s.n;
	return 0;
}
