#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/flow/internal.h"
#include "lib/custody/restore.h"

/* An HSM that answers with technical errors again and again is not tried for ever. */
#define ATTEMPTS_MAX 20
/* By how much the HSM's clock may have fallen behind ours since it stamped a request. */
#define CLOCK_DRIFT_MS (10 * 60 * 1000)

/* ---- claiming ---- */

struct claim {
	struct flow *f;
	const struct tsb_uuid *id;
	struct flow_execution *x;
	bool claimed;
};

/* Approvals in the order of submission: what the chosen token needs, then the rest. */
static void
approvals_order(struct flow_execution *x, const struct tsb_approval *rows, const size_t *chosen,
    size_t nchosen, size_t n)
{
	bool *taken = arena_array(&x->arena, n, sizeof(*taken));

	x->approvals = arena_array(&x->arena, n, sizeof(*x->approvals));
	x->nchosen = nchosen;
	x->napprovals = 0;
	for (size_t i = 0; i < nchosen; i++) {
		x->approvals[x->napprovals++] = rows[chosen[i]].signed_approval;
		taken[chosen[i]] = true;
	}
	for (size_t i = 0; i < n; i++)
		if (!taken[i] && rows[i].approves)
			x->approvals[x->napprovals++] = rows[i].signed_approval;
}

/*
 * Looks at the approvals once more. *met false: *change says what becomes of the request instead.
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
	size_t n, nchosen, *chosen;

	if (store_approvals_load(tx, &rq->id, &x->arena, &rows, &n, err) ||
	    flow_key_load(c->f, tx, rq->attributes_digest, &key, err))
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
		chosen = ska_token_votes(&rule->tokens[v.token], votes, n, &x->arena, &nchosen);
		approvals_order(x, rows, chosen, nchosen, n);
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
claim_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct claim *c = ctx;
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
	/* whoever had it may have been answered by the HSM and not lived to say so */
	x->asking = rq->owner != NULL && !tsb_kinds[rq->kind].repeatable;
	audit.from = tsb_state_names[rq->state];
	if (claim_evaluate(c, tx, now_ms, &met, &change, err))
		return -1;
	/* what may have happened is found out first, also when its time is over meanwhile */
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

int
flow_password_open(struct flow *f, const struct tsb_request *rq, struct tsb_bytes *out,
    struct tsb_err *err)
{
	if (rq->password_box.n == 0)
		return 0;
	if (!f->has_secret)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "general.secretKeyFile is missing: the key password cannot be read");
	return crypto_box_open(f->secret, tsb_view_of(rq->id.b, sizeof(rq->id.b)), rq->password_box,
	    out, err);
}

static int
call_prepare(struct flow *f, struct flow_execution *x, struct tsb_err *err)
{
	const struct tsb_request *rq = &x->request;
	tsb_bytes_auto password = {0};

	/* the password that waits with a restoration is not one of the key */
	if (rq->kind != KIND_RESTORE_APPROVER && flow_password_open(f, rq, &password, err))
		return -1;
	tsb_bytes_reset(&x->body);
	x->sent_ms = clock_now_ms();
	if (x->asking)
		return flow_recover_ask(x, tsb_view_bytes(&password), err);
	if (flow_is_certificate(rq->kind))
		return flow_certificate_call(x, tsb_view_bytes(&password), err);
	if (wire_synchronous_format(rq->kind, rq->inner_clean, tsb_view_bytes(&password),
		x->approvals, x->all_approvals ? x->napprovals : x->nchosen, &x->body, err))
		return -1;
	x->call = (struct hsm_call){
	    .method = "POST",
	    .path = tsb_kinds[rq->kind].synchronous_path,
	    .role = rq->kind == KIND_MODIFY ? HSM_KEY_MANAGEMENT : HSM_KEY_OPERATION,
	    .body = tsb_view_bytes(&x->body),
	    .repeatable = tsb_kinds[rq->kind].repeatable,
	};
	/*
	 * The answer is in before the lease is over: who takes over then will not meet this call.
	 */
	if (!x->call.repeatable)
		x->call.not_after_ms = rq->lease_ms - f->conf->hsm_timeout * 1000;
	x->called = true;
	return 0;
}

static struct flow_execution *
execution_new(void)
{
	struct flow_execution *x = calloc(1, sizeof(*x));

	if (x == NULL)
		fatal("out of memory: an execution");
	return x;
}

void
flow_execution_free(struct flow_execution **xp)
{
	if (*xp == NULL)
		return;
	tsb_bytes_clear(&(*xp)->body);
	arena_clear(&(*xp)->arena);
	free(*xp);
	*xp = NULL;
}

/* ---- outcome ---- */

enum verdict {
	HSM_DID_IT,
	HSM_REFUSED,
	HSM_IS_AWAY,
	HSM_IN_TROUBLE,
	HSM_TO_CALL,
	HSM_DID_NOT, /* asked only: given back, to be looked at anew */
	HSM_DID_WHAT
};

/* Codes that tell of the HSM's own trouble, not of this request. */
static bool
is_trouble(enum tsb_code code)
{
	return code == TSB_E_TECHNICAL || code == TSB_E_SUBSYSTEM || code == TSB_E_IO ||
	    code == TSB_E_IMPL || code == TSB_E_GENERAL;
}

/* Of an answer that is not a success; why is filled. */
static enum verdict
error_classify(const struct hsm_reply *reply, struct tsb_err *why)
{
	struct tsb_view body = tsb_view_bytes(&reply->body);

	if (reply->status == 401) {
		tsb_fail(why, TSB_E_CONNECTIVITY, "the HSM does not accept the broker's API key");
		return HSM_IS_AWAY;
	}
	wire_error_raise(body, reply->status, why);
	if (why->code == TSB_E_CONNECTIVITY)
		return HSM_IS_AWAY;
	/* not an answer of this API: a wrong address or a front server's page */
	if (!wire_error_has_number(body))
		return HSM_IN_TROUBLE;
	return is_trouble(why->code) ? HSM_IN_TROUBLE : HSM_REFUSED;
}

static enum verdict
asked_classify(struct flow_execution *x, const struct hsm_reply *reply, struct tsb_err *why)
{
	enum flow_finding found;

	if (flow_recover_find(x, reply, &found, why))
		return error_classify(reply, why);
	switch (found) {
	case FOUND_DONE:
		return HSM_DID_IT;
	case FOUND_NOT_DONE:
		return x->only_asking ? HSM_DID_NOT : HSM_TO_CALL;
	case FOUND_UNKNOWN:
		break;
	}
	tsb_fail(why, TSB_E_HSM,
	    "the outcome is not known: an attempt was interrupted and the key was changed since; look "
	    "at the key before asking again");
	return HSM_DID_WHAT;
}

/* The HSM measures a timelock with its own clock, which may be behind the one that we look at. */
static bool
is_too_early(const struct flow_execution *x, enum verdict verdict, const struct tsb_err *why)
{
	return verdict == HSM_REFUSED && why->code == TSB_E_HSM && x->locked_until_ms != 0 &&
	    x->sent_ms < x->locked_until_ms + CLOCK_DRIFT_MS;
}

/* What an answer means. why is filled unless the HSM did it or is to be called. */
static enum verdict
answer_classify(struct flow_execution *x, int rc, const struct hsm_reply *reply,
    const struct tsb_err *call_err, struct tsb_view *result, struct tsb_err *why)
{
	const char *member = tsb_kinds[x->request.kind].result_member;

	if (rc != 0) {
		*why = *call_err;
		return HSM_IS_AWAY;
	}
	if (x->asking)
		return asked_classify(x, reply, why);
	if (reply->status != 200 && reply->status != 201)
		return error_classify(reply, why);
	if (member != NULL && x->certificate.n == 0 &&
	    wire_text_member_parse(tsb_view_bytes(&reply->body), member, &x->arena, result, why))
		return HSM_IN_TROUBLE;
	if (member == NULL && reply->body.n > 0 && reply->body.p[0] != '{') {
		tsb_fail(why, TSB_E_HSM, "the answer is not one of an HSM");
		return HSM_IN_TROUBLE;
	}
	return HSM_DID_IT;
}

/*
 * result: from a signature to what it belongs to. A self-signed certificate goes back to the HSM,
 * to be stored with the key; when that is interrupted the next attempt begins with a new signature.
 */
static enum verdict
certificate_classify(struct flow *f, struct flow_execution *x, struct tsb_view *result,
    struct tsb_err *why)
{
	struct tsb_view pem;

	if (x->certificate.n > 0) {
		*result = tsb_view_str("true");
		return HSM_DID_IT;
	}
	if (flow_certificate_finish(f, x, *result, &pem, why))
		return why->code == TSB_E_HSM ? HSM_REFUSED : HSM_IN_TROUBLE;
	*result = pem;
	if (x->request.kind != KIND_SELF_SIGN_CERTIFICATE)
		return HSM_DID_IT;
	x->certificate = pem;
	return HSM_TO_CALL;
}

struct recording {
	struct flow *f;
	struct flow_execution *x;
	struct store_change change;
	const char *detail;
	struct tsb_request after;
	bool moved;
	bool restores; /* approver is what the restored one becomes */
	struct tsb_approver approver;
};

static int
recording_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct recording *r = ctx;
	struct store_audit audit = {
	    .request_id = &r->x->request.id,
	    .action = tsb_state_terminal(r->change.to) ? "execute" : "give back",
	    .actor = r->f->owner,
	    .from = tsb_state_names[r->x->request.state],
	    .to = tsb_state_names[r->change.to],
	    .detail = r->detail,
	};

	r->after = r->x->request;
	if (store_request_move(tx, &r->after, &r->change, &r->moved, err))
		return -1;
	if (!r->moved)
		return 0;
	if (r->restores && flow_restore_record(r->f, tx, &r->after, &r->approver, err))
		return -1;
	return store_audit_insert(tx, &audit, err);
}

static int64_t
pause_ms(const struct flow *f, uint32_t attempt)
{
	int64_t pause = 500LL << (attempt < 12 ? attempt : 12), most = f->conf->pause_max * 1000;

	return pause < most ? pause : most;
}

/*
 * Back to APPROVED. Where nobody knows whether the HSM has done it and doing it twice would matter,
 * the name of the last owner stays with a lease that is over: the next one asks first.
 */
static struct store_change
give_back(const struct flow *f, const struct flow_execution *x, enum verdict verdict,
    enum tsb_code code)
{
	const struct tsb_request *rq = &x->request;
	int64_t now_ms = clock_now_ms();
	bool never_sent = verdict == HSM_IS_AWAY && code == TSB_E_CONNECTIVITY;
	struct store_change change = {
	    .to = STATE_APPROVED,
	    .expires_ms = rq->expires_ms,
	    .due_ms = rq->due_ms,
	    .uncount_attempt = verdict != HSM_IN_TROUBLE,
	};

	if (verdict == HSM_DID_NOT)
		return change;
	if (verdict == HSM_IN_TROUBLE)
		change.due_ms = now_ms + pause_ms(f, rq->attempt);
	if (x->asking || (x->called && !tsb_kinds[rq->kind].repeatable && !never_sent)) {
		change.owner = rq->owner;
		change.lease_ms = change.due_ms > now_ms ? change.due_ms : now_ms;
	}
	return change;
}

static struct store_change
outcome_change(const struct flow *f, struct flow_execution *x, enum verdict verdict,
    struct tsb_view result, const struct tsb_err *why)
{
	struct store_change change = {
	    .due_ms = x->request.due_ms,
	    .expires_ms = x->request.expires_ms,
	    .execution_ms = x->sent_ms,
	};

	if (verdict == HSM_IS_AWAY || verdict == HSM_IN_TROUBLE || verdict == HSM_DID_NOT)
		return give_back(f, x, verdict, why->code);
	if (verdict == HSM_DID_IT) {
		change.to = STATE_EXECUTED;
		change.result = result;
	} else {
		change.to = STATE_FAILED;
		change.reason =
		    arena_printf(&x->arena, "%s: %s", tsb_err_reason(why->code), why->msg);
	}
	return change;
}

/* Whether the same execution goes on with another call. */
static bool
call_again(struct flow_execution *x, enum verdict verdict, const struct tsb_err *why)
{
	if (verdict == HSM_TO_CALL) {
		x->asking = false;
		return true;
	}
	if (verdict == HSM_REFUSED && why->code == TSB_E_HSM && !x->asking && !x->all_approvals &&
	    x->certificate.n == 0 && x->napprovals > x->nchosen) {
		x->all_approvals = true;
		return true;
	}
	return false;
}

/* result: from the HSM's answer to what the request's caller gets. */
static int
restore(struct recording *r, struct tsb_view *result, struct tsb_err *err)
{
	struct flow_execution *x = r->x;
	struct tsb_view answer = *result;

	return flow_restore_prepare(r->f, &x->request, answer, clock_now_ms(), &x->arena,
	    &r->approver, result, err);
}

/*
 * Puts on disk what came of an execution, whose result and why are as answer_classify() gives them.
 */
static int
outcome_record(struct flow *f, struct flow_execution *x, enum verdict verdict,
    struct tsb_view result, struct tsb_err *why, enum flow_outcome *outcome, struct tsb_err *err)
{
	struct recording r = {.f = f, .x = x};

	if (verdict == HSM_IN_TROUBLE && x->request.attempt >= ATTEMPTS_MAX)
		verdict = HSM_REFUSED;
	r.restores = verdict == HSM_DID_IT && x->request.kind == KIND_RESTORE_APPROVER;
	if (r.restores && restore(&r, &result, why)) {
		/* the database may be asked again, when the lease is over */
		if (why->code == TSB_E_CONNECTIVITY || why->code == TSB_E_SUBSYSTEM) {
			*err = *why;
			return -1;
		}
		r.restores = false;
		verdict = HSM_REFUSED;
	}
	*outcome = verdict == HSM_IS_AWAY                         ? OUTCOME_HSM_AWAY
	    : verdict == HSM_IN_TROUBLE || verdict == HSM_DID_NOT ? OUTCOME_LATER
								  : OUTCOME_DONE;
	r.change = outcome_change(f, x, verdict, result, why);
	if (why->code != TSB_OK) {
		r.detail = tsb_err_reason(why->code);
		log_failure(verdict == HSM_REFUSED ? LOG_INFO : LOG_WARN, "HSM", why);
	}
	if (store_transact(f->store, "execution_record", recording_body, &r, err))
		return -1;
	if (!r.moved) {
		log_warn("the outcome came after somebody else had taken the request over");
		*outcome = OUTCOME_DONE;
	}
	return 0;
}

/* A call that cannot be made is tried again later, like one that the HSM could not serve. */
static int
outcome_of_no_call(struct flow *f, struct flow_execution *x, enum flow_outcome *outcome,
    struct tsb_err *err)
{
	struct tsb_err why = *err;

	return outcome_record(f, x, HSM_IN_TROUBLE, tsb_view_of(NULL, 0), &why, outcome, err);
}

int
flow_execution_finish(struct flow *f, struct flow_execution *x, int rc,
    const struct hsm_reply *reply, const struct tsb_err *call_err, enum flow_outcome *outcome,
    struct tsb_err *err)
{
	struct tsb_view result = {0};
	struct tsb_err why = {0};
	enum verdict verdict = answer_classify(x, rc, reply, call_err, &result, &why);

	if (verdict == HSM_DID_IT && flow_is_certificate(x->request.kind))
		verdict = certificate_classify(f, x, &result, &why);
	if (call_again(x, verdict, &why)) {
		*outcome = OUTCOME_CALL_AGAIN;
		return call_prepare(f, x, err) ? outcome_of_no_call(f, x, outcome, err) : 0;
	}
	if (is_too_early(x, verdict, &why))
		verdict = HSM_IN_TROUBLE;
	return outcome_record(f, x, verdict, result, &why, outcome, err);
}

int
flow_execution_claim(struct flow *f, const struct tsb_uuid *id, struct flow_execution **out,
    struct tsb_err *err)
{
	struct flow_execution *x = execution_new();
	struct claim c = {.f = f, .id = id, .x = x};
	enum flow_outcome outcome;
	int rc;

	*out = NULL;
	rc = store_transact(f->store, "execution_claim", claim_body, &c, err);
	if (rc == 0 && c.claimed && call_prepare(f, x, err)) {
		rc = outcome_of_no_call(f, x, &outcome, err);
		c.claimed = false;
	}
	if (rc != 0 || !c.claimed)
		flow_execution_free(&x);
	*out = x;
	return rc;
}

int
flow_execute_claimed(struct flow *f, const struct tsb_request *rq, struct tsb_err *err)
{
	struct flow_execution *x = execution_new();
	struct hsm_reply reply = {0};
	struct tsb_err call_err = {0};
	enum flow_outcome outcome;
	int rc;

	x->request = *rq;
	outcome = OUTCOME_CALL_AGAIN;
	rc = call_prepare(f, x, err) ? outcome_of_no_call(f, x, &outcome, err) : 0;
	while (rc == 0 && outcome == OUTCOME_CALL_AGAIN) {
		int called;

		hsm_reply_clear(&reply);
		called = flow_hsm_call(f, &x->call, &reply, &call_err);
		rc = flow_execution_finish(f, x, called, &reply, &call_err, &outcome, err);
	}
	hsm_reply_clear(&reply);
	flow_execution_free(&x);
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
