/* Which requests an execution begins with: those that are due, claimed for this process. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/flow/claim.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/execute_internal.h"
#include "lib/flow/flow.h"

struct claim {
	struct flow *f;
	const struct tsb_uuid *id;
	bool takes_back;
	struct flow_execution *x;
	bool moves; /* by change */
	bool claimed; /* with that */
	struct store_change change;
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
 * Evaluates the approvals once more. *met false: c->change says what becomes of the request
 * instead.
 */
static int
claim_evaluate(struct claim *c, struct store_tx *tx, const struct store_claim *row, int64_t now_ms,
    bool *met, struct tsb_err *err)
{
	struct flow_execution *x = c->x;
	const struct tsb_request *rq = &x->request;
	const struct flow_key *key;
	const struct ska_rule *rule;
	struct ska_vote *votes;
	struct ska_verdict v;

	if (flow_request_key(c->f, tx, rq, &key, err))
		return -1;
	if (key == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the attributes of key '%s' are not in the database", rq->key_name);
	rule = flow_request_rule(key, rq->kind);
	*met = true;
	if (rule == NULL)
		return 0;
	votes = flow_votes(row->approvals, row->napprovals, &x->arena);
	ska_evaluate(rule, votes, row->napprovals, rq->hsm_seconds != 0, flow_request_t0(rq),
	    flow_request_hsm_now(rq, now_ms), &v);
	*met = v.met;
	if (v.met) {
		if (rule->tokens[v.token].timelock != 0)
			x->locked_until_ms = flow_request_broker_ms(rq, v.due_at);
		approvals_choose(x, row->approvals, &rule->tokens[v.token], votes, row->napprovals);
	} else {
		c->change = flow_change_by_verdict(c->f, rq, &v);
	}
	return 0;
}

/*
 * A claim of an earlier process of our name, whose call to the HSM may not have ended: what may be
 * done twice need not wait for the end of its lease.
 */
static bool
is_left_to_us(const struct claim *c)
{
	const struct tsb_request *rq = &c->x->request;

	return c->takes_back && tsb_streq(rq->owner, c->f->owner) && tsb_kind_repeatable(rq->kind);
}

static bool
claimable(const struct claim *c, int64_t now_ms)
{
	const struct tsb_request *rq = &c->x->request;

	return rq->state == STATE_APPROVED && rq->due_ms <= now_ms &&
	    (rq->owner == NULL || rq->lease_ms <= now_ms || is_left_to_us(c));
}

/* What becomes of a request that was loaded. */
static int
claim_decide(struct claim *c, struct store_tx *tx, const struct store_claim *row,
    struct tsb_err *err)
{
	struct flow_execution *x = c->x;
	struct tsb_request *rq = &x->request;
	int64_t now_ms = clock_now_ms();
	char id[UUID_TEXT];
	bool met = false;

	if (!row->found)
		return tsb_fail(err, TSB_E_REQUEST_NOT_EXISTENT, "there is no request %s",
		    uuid_format(c->id, id));
	if (!claimable(c, now_ms))
		return 0;
	/* its last owner may have died between the HSM's answer and the record of it */
	x->asking = rq->owner != NULL && !tsb_kind_repeatable(rq->kind);
	if (claim_evaluate(c, tx, row, now_ms, &met, err))
		return -1;
	/* ask first whether it has happened, even if its time is over meanwhile */
	x->only_asking = x->asking && !met;
	c->moves = true;
	c->claimed = met || x->asking;
	if (c->claimed)
		c->change = (struct store_change){
		    .to = STATE_APPROVED,
		    .due_ms = rq->due_ms,
		    .expires_ms = rq->expires_ms,
		    .owner = c->f->owner,
		    .lease_ms = now_ms + c->f->conf->lease * 1000,
		    .count_attempt = true,
		    .new_fence = true,
		};
	return 0;
}

struct claims {
	struct claim *v;
	size_t n;
};

/* Intent before the call: owner, lease and fence are on disk when the HSM hears of a request. */
static int
claims_move(struct store_tx *tx, const struct claims *all, struct tsb_err *err)
{
	struct store_move moves[STORE_BATCH];
	struct store_audit audits[STORE_BATCH];
	size_t n = 0;
	bool moved;

	for (struct claim *c = all->v; c < all->v + all->n; c++) {
		if (!c->moves)
			continue;
		audits[n] = (struct store_audit){
		    .request_id = c->id,
		    .action = c->claimed ? "claim" : "reconsider",
		    .actor = c->f->owner,
		    .from = tsb_state_names[c->x->request.state],
		    .to = tsb_state_names[c->change.to],
		};
		moves[n++] = (struct store_move){&c->x->request, c->change};
	}
	if (store_requests_move(tx, moves, n, &moved, err))
		return -1;
	return moved ? store_audits_insert(tx, audits, n, err) : store_run_again(tx, err);
}

/* A request that cannot be claimed leaves the others alone; it has changed nothing. */
static int
claim_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct claims *all = ctx;
	struct store_claim rows[STORE_BATCH];

	for (size_t i = 0; i < all->n; i++) {
		struct claim *c = &all->v[i];

		c->moves = c->claimed = false;
		c->err = (struct tsb_err){0};
		rows[i] =
		    (struct store_claim){.id = c->id, .arena = &c->x->arena, .rq = &c->x->request};
	}
	if (store_requests_claim_load(tx, rows, all->n, err))
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		struct claim *c = &all->v[i];

		if (claim_decide(c, tx, &rows[i], &c->err) == 0)
			continue;
		c->moves = c->claimed = false;
		if (store_has_failed(tx)) {
			*err = c->err;
			return -1;
		}
	}
	return claims_move(tx, all, err);
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
flow_executions_claim(struct flow *f, const struct tsb_uuid *ids, size_t n, bool takes_back,
    struct flow_claimed *out, struct tsb_err *err)
{
	arena_auto a = {0};
	struct claims all = {arena_array(&a, n, sizeof(*all.v)), n};
	int rc;

	for (size_t i = 0; i < n; i++)
		all.v[i] = (struct claim){.f = f,
		    .id = &ids[i],
		    .takes_back = takes_back,
		    .x = flow_execution_new()};
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
	const char *owner;
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
owned_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct search *s = ctx;

	return store_requests_owned(tx, s->owner, s->limit, s->arena, &s->ids, &s->n, err);
}

int
flow_requests_owned(struct flow *f, size_t limit, struct arena *a, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *err)
{
	struct search s = {.owner = f->owner, .limit = limit, .arena = a};

	if (store_read(f->store, "requests_owned", owned_body, &s, err))
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
