/* Which requests an execution begins with: those that are due, claimed for this process. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/flow/claim.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/execute_internal.h"
#include "lib/flow/flow.h"

struct claim {
	struct flow *f;
	const struct tsb_uuid *id;
	struct flow_execution *x;
	bool claimed;
	struct tsb_err err; /* of this request alone */
};

/* What the chosen token needs, and no other: an HSM may refuse approvals that it does not need. */
static void
approvals_choose(struct flow_execution *x, const struct tsb_approval *rows,
    const struct ska_token *token, const struct ska_vote *votes, size_t n)
{
	size_t *chosen = ska_token_votes(token, votes, n, &x->arena, &x->napprovals);

	x->approvals = arena_array(&x->arena, x->napprovals, sizeof(*x->approvals));
	for (size_t i = 0; i < x->napprovals; i++)
		x->approvals[i] = rows[chosen[i]].signed_approval;
}

/*
 * Evaluates the approvals once more. *met false: *change says what becomes of the request instead.
 */
static int
claim_evaluate(struct claim *c, struct store_tx *tx, int64_t now_ms, bool *met,
    struct store_change *change, struct tsb_err *err)
{
	struct flow_execution *x = c->x;
	const struct tsb_request *rq = &x->request;
	struct tsb_approval *rows;
	const struct flow_key *key;
	const struct ska_rule *rule;
	struct ska_vote *votes;
	struct ska_verdict v;
	size_t n;

	if (store_approvals_load(tx, &rq->id, &x->arena, &rows, &n, err) ||
	    flow_request_key(c->f, tx, rq, &key, err))
		return -1;
	if (key == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the attributes of key '%s' are not in the database", rq->key_name);
	rule = flow_request_rule(key, rq->kind);
	*met = true;
	if (rule == NULL)
		return 0;
	votes = flow_votes(rows, n, &x->arena);
	ska_evaluate(rule, votes, n, rq->hsm_seconds != 0, flow_request_t0(rq),
	    flow_request_hsm_now(rq, now_ms), &v);
	*met = v.met;
	if (v.met) {
		if (rule->tokens[v.token].timelock != 0)
			x->locked_until_ms = flow_request_broker_ms(rq, v.due_at);
		approvals_choose(x, rows, &rule->tokens[v.token], votes, n);
	} else {
		*change = flow_change_by_verdict(c->f, rq, &v);
	}
	return 0;
}

static bool
claimable(const struct tsb_request *rq, int64_t now_ms)
{
	return rq->state == STATE_APPROVED && rq->due_ms <= now_ms &&
	    (rq->owner == NULL || rq->lease_ms <= now_ms);
}

/* Intent before the call: owner, lease and fence are on disk when the HSM hears of the request. */
static int
claim_one(struct claim *c, struct store_tx *tx, struct tsb_err *err)
{
	struct flow_execution *x = c->x;
	struct tsb_request *rq = &x->request;
	struct store_audit audit = {.request_id = c->id, .action = "claim", .actor = c->f->owner};
	struct store_change change;
	int64_t now_ms = clock_now_ms();
	bool met = false, moved;

	c->claimed = false;
	if (store_request_load(tx, c->id, true, &x->arena, rq, err))
		return -1;
	if (!claimable(rq, now_ms))
		return 0;
	/* its last owner may have died between the HSM's answer and the record of it */
	x->asking = rq->owner != NULL && !tsb_kind_repeatable(rq->kind);
	audit.from = tsb_state_names[rq->state];
	if (claim_evaluate(c, tx, now_ms, &met, &change, err))
		return -1;
	/* ask first whether it has happened, even if its time is over meanwhile */
	x->only_asking = x->asking && !met;
	if (met || x->asking) {
		change = (struct store_change){
		    .to = STATE_APPROVED,
		    .due_ms = rq->due_ms,
		    .expires_ms = rq->expires_ms,
		    .owner = c->f->owner,
		    .lease_ms = now_ms + c->f->conf->lease * 1000,
		    .count_attempt = true,
		    .new_fence = true,
		};
	} else {
		audit.action = "reconsider";
	}
	if (store_request_move(tx, rq, &change, &moved, err))
		return -1;
	if (!moved)
		return 0;
	c->claimed = met || x->asking;
	audit.to = tsb_state_names[rq->state];
	return store_audit_insert(tx, &audit, err);
}

struct claims {
	struct claim *v;
	size_t n;
};

/* A request that cannot be claimed leaves the others alone; it has changed nothing. */
static int
claim_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct claims *all = ctx;

	for (struct claim *c = all->v; c < all->v + all->n; c++) {
		c->err = (struct tsb_err){0};
		if (claim_one(c, tx, &c->err) == 0)
			continue;
		c->claimed = false;
		if (store_has_failed(tx)) {
			*err = c->err;
			return -1;
		}
	}
	return 0;
}

static int
by_id(const void *x, const void *y)
{
	return memcmp(((const struct claim *)x)->id, ((const struct claim *)y)->id,
	    sizeof(struct tsb_uuid));
}

/* The order of a claim that was made; one that cannot be prepared is given back. */
static struct flow_execution *
claimed_prepare(struct claim *c)
{
	struct flow_execution *x = c->x;
	enum flow_outcome outcome;

	if (c->claimed && flow_order_prepare(c->f, x, &c->err) == 0)
		return x;
	if (c->claimed && flow_outcome_of_no_call(c->f, x, &c->err) == 0 &&
	    flow_executions_record(c->f, &x, 1, &outcome, &c->err) == 0)
		c->err = (struct tsb_err){0};
	flow_execution_free(&x);
	return NULL;
}

int
flow_executions_claim(struct flow *f, const struct tsb_uuid *ids, size_t n,
    struct flow_claimed *out, struct tsb_err *err)
{
	arena_auto a = {0};
	struct claims all = {arena_array(&a, n, sizeof(*all.v)), n};
	int rc;

	for (size_t i = 0; i < n; i++)
		all.v[i] = (struct claim){.f = f, .id = &ids[i], .x = flow_execution_new()};
	/* dispatchers that claim the same requests wait for each other instead of failing */
	qsort(all.v, n, sizeof(*all.v), by_id);
	rc = store_transact(f->store, "execution_claim", claim_body, &all, err);
	for (size_t i = 0; i < n; i++) {
		struct claim *c = &all.v[i];

		c->claimed &= rc == 0;
		out[i] =
		    (struct flow_claimed){.id = *c->id, .x = claimed_prepare(c), .err = c->err};
	}
	return rc;
}

/* ---- looking for work ---- */

struct search {
	int64_t now_ms;
	size_t limit;
	struct arena *arena;
	struct tsb_uuid *ids;
	size_t n;
	int64_t at_ms;
};

static int
due_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct search *s = ctx;

	return store_requests_due(tx, s->now_ms, s->limit, false, s->arena, &s->ids, &s->n, err);
}

int
flow_requests_due(struct flow *f, int64_t now_ms, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	struct search s = {.now_ms = now_ms, .limit = limit, .arena = a};

	if (store_read(f->store, "requests_due", due_body, &s, err))
		return -1;
	*ids = s.ids;
	*n = s.n;
	return 0;
}

static int
next_time_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct search *s = ctx;

	return store_requests_next_time(tx, &s->at_ms, err);
}

int
flow_next_time(struct flow *f, int64_t *at_ms, struct tsb_err *err)
{
	struct search s = {0};

	if (store_read(f->store, "next_time", next_time_body, &s, err))
		return -1;
	*at_ms = s.at_ms;
	return 0;
}
