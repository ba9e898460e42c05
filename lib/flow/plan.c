#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/flow/flow.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/plan.h"

/* Requests in one transaction: one wait for the disk for all, but no row is locked for long. */
#define BATCH 20

/* ---- tasks ---- */

static struct tsb_task
task_of(const struct tsb_request *rq, const struct ska_rule *rule, struct tsb_view spki,
    int64_t now_ms)
{
	int64_t t0 = flow_request_t0(rq);
	int64_t dies_at = ska_approver_dies_at(rule, spki, rq->hsm_seconds != 0, t0);
	struct tsb_task task = {
	    .id = uuid_new(),
	    .request_id = rq->id,
	    .spki = spki,
	    .created_ms = now_ms,
	    .fetched_ms = now_ms,
	    .expires_ms = dies_at == 0 ? 0 : flow_request_broker_ms(rq, dies_at),
	};

	crypto_sha256(spki, task.approver_id);
	return task;
}

struct tsb_task *
flow_plan_tasks(const struct tsb_request *rq, const struct ska_rule *rule, struct arena *a,
    size_t *n)
{
	int64_t t0 = flow_request_t0(rq);
	struct tsb_view *approvers = ska_rule_asks(rule, a, rq->hsm_seconds != 0, t0, t0, n);
	struct tsb_task *tasks = arena_array(a, *n, sizeof(*tasks));

	for (size_t i = 0; i < *n; i++)
		tasks[i] = task_of(rq, rule, approvers[i], rq->created_ms);
	return tasks;
}

static bool
has_answered(const struct tsb_approval *rows, size_t n, struct tsb_view spki)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(rows[i].spki, spki))
			return true;
	return false;
}

static struct tsb_task *
task_for(struct tsb_task *tasks, size_t n, const struct tsb_task *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(tasks[i].approver_id, wanted->approver_id, TSB_SHA256) == 0 &&
		    tasks[i].expires_ms == wanted->expires_ms)
			return &tasks[i];
	return NULL;
}

/* The request, its answers and its rule while it is planned. */
struct planning {
	struct flow *f;
	struct tsb_request *rq;
	const struct flow_key *key;
	const struct ska_rule *rule; /* NULL: the key has no policy any more */
	struct tsb_approval *rows;
	size_t n;
	int64_t now_ms;
	struct arena *arena;
};

/*
 * Those who are asked as before keep their tasks, which they may be signing just now. Who has
 * answered is not asked again.
 */
static int
tasks_renew(const struct planning *p, struct store_tx *tx, struct tsb_err *err)
{
	struct tsb_task *have, *fresh;
	struct tsb_view *asked = NULL;
	size_t nhave, nasked = 0, nfresh = 0;
	bool gone;

	if (store_tasks_load(tx, &p->rq->id, p->arena, &have, &nhave, err))
		return -1;
	if (p->rule != NULL)
		asked = ska_rule_asks(p->rule, p->arena, p->rq->hsm_seconds != 0,
		    flow_request_t0(p->rq), flow_request_hsm_now(p->rq, p->now_ms), &nasked);
	fresh = arena_array(p->arena, nasked, sizeof(*fresh));
	for (size_t i = 0; i < nasked; i++) {
		struct tsb_task task = task_of(p->rq, p->rule, asked[i], p->now_ms), *same;

		if (has_answered(p->rows, p->n, asked[i]))
			continue;
		same = task_for(have, nhave, &task);
		if (same != NULL)
			*same = have[--nhave];
		else
			fresh[nfresh++] = task;
	}
	for (size_t i = 0; i < nhave; i++)
		if (store_task_delete(tx, &have[i].id, &gone, err))
			return -1;
	return nfresh == 0 ? 0 : store_tasks_insert(tx, p->rq->kind, fresh, nfresh, err);
}

/* ---- states ---- */

/* Somebody whom the policy names has rejected: without that it could be met. */
static bool
was_rejected(const struct planning *p)
{
	struct ska_verdict v;

	ska_evaluate(p->rule, NULL, 0, p->rq->hsm_seconds != 0, flow_request_t0(p->rq),
	    flow_request_hsm_now(p->rq, p->now_ms), &v);
	return v.reachable;
}

/* Across an air gap only a result ends a request: the room may have executed it before. */
static struct store_change
change_of(const struct planning *p)
{
	struct store_change change = {.to = STATE_APPROVED, .due_ms = p->now_ms};
	struct ska_verdict v = {.met = true};

	if (p->rule != NULL) {
		ska_evaluate(p->rule, flow_votes(p->rows, p->n, p->arena), p->n,
		    p->rq->hsm_seconds != 0, flow_request_t0(p->rq),
		    flow_request_hsm_now(p->rq, p->now_ms), &v);
		change = flow_change_by_verdict(p->f, p->rq, &v);
	}
	if (p->f->air_gapped) {
		change.to = STATE_PENDING;
		if (!v.met && !v.reachable)
			change.expires_ms = p->rq->expires_ms;
	} else if (!v.met && !v.locked && !v.expired && !v.reachable) {
		change.to = p->rq->state == STATE_PENDING && was_rejected(p) ? STATE_REJECTED
									     : STATE_FAILED;
		if (change.to == STATE_FAILED)
			change.reason = arena_printf(p->arena,
			    "%s: the policy of key '%s' has changed, and its %s cannot be fulfilled for "
			    "this request any more",
			    tsb_err_reason(TSB_E_UNSUPPORTED_OPERATION), p->rq->key_name,
			    ska_rule_names[tsb_kind_rule(p->rq->kind)]);
	}
	change.planned = p->key->digest;
	change.planned_ms = p->now_ms;
	return change;
}

int
flow_plan_anew(struct flow *f, struct store_tx *tx, struct tsb_request *rq,
    const struct flow_key *key, int64_t now_ms, struct arena *a, bool *moved, struct tsb_err *err)
{
	struct planning p = {.f = f,
	    .rq = rq,
	    .key = key,
	    .rule = flow_request_rule(key, rq->kind),
	    .now_ms = now_ms,
	    .arena = a};
	struct store_audit audit = {
	    .request_id = &rq->id,
	    .action = "plan anew",
	    .actor = f->owner,
	    .from = tsb_state_names[rq->state],
	    .detail = arena_printf(a, "attributes=%s",
		enc_hex_str(a, tsb_view_of(key->digest, sizeof(key->digest)))),
	};
	struct store_change change;

	if (store_approvals_load(tx, &rq->id, a, &p.rows, &p.n, err))
		return -1;
	change = change_of(&p);
	if (store_request_move(tx, rq, &change, moved, err))
		return -1;
	if (!*moved)
		return 0;
	if (!tsb_state_terminal(rq->state) && tasks_renew(&p, tx, err))
		return -1;
	audit.to = tsb_state_names[rq->state];
	return store_audit_insert(tx, &audit, err);
}

/* ---- all requests of a key ---- */

struct sweep {
	struct flow *f;
	const char *key_name;
	const struct flow_key *key;
	struct arena *arena;
	struct tsb_uuid *ids;
	size_t n;
	size_t from; /* of the present batch */
	struct tsb_uuid due[BATCH];
	size_t ndue;
};

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct sweep *s = ctx;

	return store_requests_of_key(tx, s->key_name, SIZE_MAX, s->arena, &s->ids, &s->n, err);
}

/* Those that are claimed are left to whoever executes them: the HSM refuses what does not fit. */
static int
plan_one(struct sweep *s, struct store_tx *tx, const struct tsb_uuid *id, struct tsb_err *err)
{
	arena_auto a = {0};
	int64_t now_ms = clock_now_ms();
	struct tsb_request rq;
	bool moved;

	if (store_request_load(tx, id, true, &a, &rq, err))
		return err->code == TSB_E_REQUEST_NOT_EXISTENT ? 0 : -1;
	if (!flow_request_open(&rq, now_ms) ||
	    memcmp(rq.plan_digest, s->key->digest, TSB_SHA256) == 0)
		return 0;
	if (flow_plan_anew(s->f, tx, &rq, s->key, now_ms, &a, &moved, err))
		return -1;
	if (moved && rq.state == STATE_APPROVED && rq.due_ms <= now_ms)
		s->due[s->ndue++] = *id;
	return 0;
}

static int
batch_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct sweep *s = ctx;

	s->ndue = 0;
	if (store_key_attributes_insert(tx, &s->key->attributes, err))
		return -1;
	for (size_t i = s->from; i < s->n && i < s->from + BATCH; i++)
		if (plan_one(s, tx, &s->ids[i], err))
			return -1;
	return 0;
}

int
flow_requests_plan_anew(struct flow *f, const char *key_name, const struct flow_key *key,
    struct tsb_err *err)
{
	arena_auto a = {0};
	struct sweep s = {.f = f, .key_name = key_name, .key = key, .arena = &a};

	if (!f->conf->db_enabled) /* then there are no requests */
		return 0;
	if (store_read(f->store, "requests_of_key", list_body, &s, err))
		return -1;
	for (s.from = 0; s.from < s.n; s.from += BATCH) {
		if (store_transact(f->store, "plan_anew", batch_body, &s, err))
			return -1;
		flow_key_stored(f, key->digest);
		for (size_t i = 0; i < s.ndue; i++)
			flow_wake(f, &s.due[i]);
	}
	return 0;
}

void
flow_key_changed(struct flow *f, const char *key_name, struct tsb_view password)
{
	arena_auto a = {0};
	struct tsb_key_attributes attributes;
	const struct flow_key *key;
	struct tsb_err err;

	if (!f->conf->db_enabled)
		return;
	if (flow_hsm_attributes(f, key_name, password, &a, &attributes, &err) ||
	    flow_key_keep(f, &attributes, false, &key, &err) ||
	    flow_requests_plan_anew(f, key_name, key, &err))
		log_failure(LOG_WARN, "requests that wait are not planned anew", &err);
}
