#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/flow/certificate.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/execute_internal.h"
#include "lib/flow/flow.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/plan.h"
#include "lib/flow/recover.h"
#include "lib/flow/rooms.h"

/* Give up after this many technical errors. */
#define ATTEMPTS_MAX 20
/* The HSM's clock may have fallen behind ours by this much since it stamped a request. */
#define CLOCK_DRIFT_MS (10 * 60 * 1000)
/* The longest pause for such a clock: so ATTEMPTS_MAX attempts take longer than the drift. */
#define CLOCK_PAUSE_MAX_MS (60 * 1000)

int
flow_password_open(struct flow *f, const struct tsb_request *rq, struct tsb_bytes *out,
    struct tsb_err *err)
{
	if (rq->password_box.n == 0)
		return 0;
	if (!f->files.has_secret)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "general.secretKeyFile is missing: the key password cannot be read");
	return crypto_box_open(f->files.secret, tsb_view_of(rq->id.b, sizeof(rq->id.b)),
	    rq->password_box, out, err);
}

int
flow_order_prepare(struct flow *f, struct flow_execution *x, struct tsb_err *err)
{
	const struct tsb_request *rq = &x->request;

	tsb_bytes_reset(&x->password);
	/* the password that waits with a restoration is not one of the key */
	if (tsb_kinds[rq->kind].effect != EFFECT_CODE &&
	    flow_password_open(f, rq, &x->password, err))
		return -1;
	if (x->look == LOOK_NONE)
		x->sent_ms = clock_now_ms();
	x->order = (struct hsm_order){
	    .key_name = rq->key_name,
	    .password = tsb_view_bytes(&x->password),
	    .arena = &x->arena,
	};
	if (x->look != LOOK_NONE) {
		x->order.type = HSM_ORDER_LOOK;
		return 0;
	}
	if (x->asking)
		return flow_recover_ask(x, err);
	if (x->certificate.n > 0) {
		x->order.type = HSM_ORDER_STORE;
		x->order.certificate = x->certificate;
		x->order.key_name = x->holder;
		return 0;
	}
	x->order.type = HSM_ORDER_EXECUTE;
	x->order.approvals = x->approvals;
	x->order.napprovals = x->napprovals;
	if (flow_request_ordered(rq, &x->arena, &x->order.kind, &x->order.inner, err))
		return -1;
	/*
	 * The answer must be in before the lease ends, so that nobody takes over while this call
	 * is under way.
	 */
	if (!tsb_kind_repeatable(rq->kind))
		x->order.not_after_ms = rq->lease_ms - f->conf->hsm_timeout * 1000;
	x->called = true;
	return 0;
}

struct flow_execution *
flow_execution_new(void)
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
	tsb_bytes_clear(&(*xp)->password);
	arena_clear(&(*xp)->arena);
	free(*xp);
	*xp = NULL;
}

/* ---- outcome ---- */

enum verdict {
	DID_IT,
	REFUSED,
	AWAY, /* the HSM heard nothing, or whether it did is not known */
	TROUBLE,
	STOPPED, /* by a limit on the way: how often does not matter, only who raises it */
	TO_CALL,
	DID_NOT, /* asked only: given back, to be evaluated anew */
	DID_WHAT,
	TO_PLAN /* refused, and the key has another policy than this request was planned by */
};

static enum verdict
verdict_of(enum hsm_outcome outcome)
{
	switch (outcome) {
	case HSM_DID_IT:
		return DID_IT;
	case HSM_REFUSED:
		return REFUSED;
	case HSM_AWAY:
	case HSM_LOST:
		return AWAY;
	case HSM_STOPPED:
		return STOPPED;
	case HSM_TROUBLE:
		break;
	}
	return TROUBLE;
}

static enum verdict
asked_classify(struct flow_execution *x, const struct hsm_answer *answer, struct tsb_err *why)
{
	enum flow_finding found;

	if (answer->outcome == HSM_AWAY || answer->outcome == HSM_LOST)
		return AWAY;
	if (flow_recover_find(x, answer, &found, why))
		return answer->outcome == HSM_DID_IT ? TROUBLE : verdict_of(answer->outcome);
	switch (found) {
	case FOUND_DONE:
		return DID_IT;
	case FOUND_NOT_DONE:
		return x->only_asking ? DID_NOT : TO_CALL;
	case FOUND_UNKNOWN:
		break;
	}
	tsb_fail(why, TSB_E_HSM,
	    "the outcome is not known: an attempt was interrupted and the key was changed since; look "
	    "at the key before asking again");
	return DID_WHAT;
}

/* The request itself was answered before: only an HSM that went away meanwhile changes that. */
static enum verdict
looked_classify(struct flow_execution *x, const struct hsm_answer *answer, struct tsb_err *why)
{
	enum verdict seen = verdict_of(answer->outcome);

	if (seen == AWAY)
		return AWAY;
	if (seen != DID_IT)
		log_failure(LOG_WARN, "key whose policy has changed", why);
	*why = x->look == LOOK_REFUSED ? x->refusal : (struct tsb_err){0};
	if (x->look == LOOK_CHANGED)
		return DID_IT;
	/* the bound is for an HSM whose answers never agree */
	if (seen == DID_IT && x->request.attempt < ATTEMPTS_MAX &&
	    memcmp(answer->attributes.digest, x->request.plan_digest, TSB_SHA256) != 0)
		return TO_PLAN;
	return REFUSED;
}

/*
 * The HSM measures a timelock with its own clock, which may be behind ours. Or that clock was set
 * back, and has to catch up with its own timestamp: the HSM says so only if it is a matter of
 * minutes.
 */
static bool
is_too_early(struct flow_execution *x, enum verdict verdict, const struct tsb_err *why)
{
	if (verdict != REFUSED)
		return false;
	x->clock_set_back = why->code == TSB_E_TIMESTAMP_OFF;
	return x->clock_set_back ||
	    (why->code == TSB_E_HSM && x->locked_until_ms != 0 &&
		x->sent_ms < x->locked_until_ms + CLOCK_DRIFT_MS);
}

/*
 * Turns result from a signature into the certificate that it belongs to. One that a key is to hold
 * goes back to the HSM, to be stored there; when that is interrupted the next attempt begins with a
 * new signature.
 */
static enum verdict
certificate_classify(struct flow *f, struct flow_execution *x, struct tsb_view *result,
    struct tsb_err *why)
{
	struct tsb_view pem;

	if (x->certificate.n > 0) {
		*result = tsb_kinds[x->request.kind].content == CONTENT_SELF_SIGNED
		    ? tsb_view_str("true")
		    : x->certificate;
		return DID_IT;
	}
	if (flow_certificate_finish(f, &x->request, *result, &x->arena, &pem, why) ||
	    flow_certificate_holder(&x->request, &x->arena, &x->holder, why))
		return why->code == TSB_E_HSM ? REFUSED : TROUBLE;
	*result = pem;
	if (x->holder == NULL)
		return DID_IT;
	x->certificate = pem;
	return TO_CALL;
}

/* ---- a policy that is another one now ---- */

struct replanning {
	struct flow *f;
	struct flow_execution *x;
	const struct flow_key *key;
	struct tsb_request after;
	bool moved;
};

static int
plan_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct replanning *r = ctx;

	r->after = r->x->request;
	if (store_key_attributes_insert(tx, &r->key->attributes, err))
		return -1;
	return flow_plan_anew(r->f, tx, &r->after, r->key, clock_now_ms(), &r->x->arena, &r->moved,
	    err);
}

/* This request, whose claim ends with it, and then the others of the key. */
static int
plan_by(struct flow *f, struct flow_execution *x, const struct tsb_key_attributes *attributes,
    bool itself, struct tsb_err *err)
{
	struct replanning r = {.f = f, .x = x};

	if (flow_key_keep(f, attributes, false, &r.key, err))
		return -1;
	if (itself) {
		log_info("the policy of key %s has changed: the request is planned anew",
		    x->request.key_name);
		if (store_transact(f->store, "execution_plan", plan_body, &r, err))
			return -1;
		if (r.moved && r.after.state == STATE_APPROVED)
			flow_wake(f, &r.after.id);
	}
	return flow_requests_plan_anew(f, x->request.key_name, r.key, err);
}

/* What is to be written about an execution; in its arena. */
struct flow_record {
	struct store_change change;
	const char *detail;
	struct tsb_request after;
	bool moved;
	bool restores; /* approver is the row to be written */
	struct tsb_approver approver;
	enum flow_outcome outcome;
};

struct recording {
	struct flow *f;
	struct flow_execution *const *xs;
	size_t n;
};

static int
restored_record(struct flow *f, struct store_tx *tx, struct flow_execution *x, struct tsb_err *err)
{
	struct flow_record *r = x->record;

	return r->restores ? f->rooms->restore->record(f, tx, &r->after, &r->approver, err) : 0;
}

static struct store_audit
record_audit(const struct flow *f, const struct flow_execution *x)
{
	const struct flow_record *r = x->record;

	return (struct store_audit){
	    .request_id = &x->request.id,
	    .action = tsb_state_terminal(r->change.to) ? "execute" : "give back",
	    .actor = f->owner,
	    .from = tsb_state_names[x->request.state],
	    .to = tsb_state_names[r->change.to],
	    .detail = r->detail,
	};
}

int
flow_execution_record_in(struct flow *f, struct store_tx *tx, struct flow_execution *x,
    struct tsb_err *err)
{
	struct flow_record *r = x->record;
	struct store_audit audit = record_audit(f, x);

	r->after = x->request;
	if (store_request_move(tx, &r->after, &r->change, &r->moved, err))
		return -1;
	if (!r->moved)
		return 0;
	return restored_record(f, tx, x, err) ? -1 : store_audit_insert(tx, &audit, err);
}

/* All of them or none: of one alone it is known whether somebody has taken it over. */
static int
recording_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct recording *all = ctx;
	struct store_move moves[STORE_BATCH];
	struct store_audit audits[STORE_BATCH];
	bool moved;

	if (all->n == 1)
		return flow_execution_record_in(all->f, tx, all->xs[0], err);
	for (size_t i = 0; i < all->n; i++) {
		struct flow_record *r = all->xs[i]->record;

		r->after = all->xs[i]->request;
		moves[i] = (struct store_move){&r->after, r->change};
		audits[i] = record_audit(all->f, all->xs[i]);
	}
	if (store_requests_move(tx, moves, all->n, &moved, err))
		return -1;
	if (!moved)
		return tsb_fail(err, TSB_E_SUBSYSTEM, "one of %zu requests is not ours any more",
		    all->n);
	for (size_t i = 0; i < all->n; i++) {
		all->xs[i]->record->moved = true;
		if (restored_record(all->f, tx, all->xs[i], err))
			return -1;
	}
	return store_audits_insert(tx, audits, all->n, err);
}

int
flow_executions_record(struct flow *f, struct flow_execution *const *xs, size_t n,
    enum flow_outcome *outcomes, struct tsb_err *err)
{
	struct recording all = {f, xs, n};

	if (n > 0 && store_transact(f->store, "execution_record", recording_body, &all, err))
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct flow_record *r = xs[i]->record;

		outcomes[i] = r->moved ? r->outcome : OUTCOME_DONE;
		if (!r->moved)
			log_warn(
			    "the outcome of %s of key %s came after somebody else had taken the "
			    "request over",
			    tsb_kinds[xs[i]->request.kind].name, xs[i]->request.key_name);
	}
	return 0;
}

static int64_t
pause_ms(const struct flow *f, const struct flow_execution *x)
{
	uint32_t attempt = x->request.attempt;
	int64_t pause = 500LL << (attempt < 12 ? attempt : 12), most = f->conf->pause_max * 1000;

	if (x->clock_set_back && most < CLOCK_PAUSE_MAX_MS)
		most = CLOCK_PAUSE_MAX_MS;
	return pause < most ? pause : most;
}

/*
 * Back to APPROVED. If nobody knows whether the HSM has done it, and doing it twice would matter,
 * the last owner's name stays with an expired lease: the next owner asks first.
 */
static struct store_change
give_back(const struct flow *f, const struct flow_execution *x, enum verdict verdict)
{
	const struct tsb_request *rq = &x->request;
	int64_t now_ms = clock_now_ms();
	struct store_change change = {
	    .to = STATE_APPROVED,
	    .expires_ms = rq->expires_ms,
	    .due_ms = rq->due_ms,
	    .uncount_attempt = verdict != TROUBLE && verdict != STOPPED,
	};

	if (verdict == DID_NOT)
		return change;
	if (verdict == TROUBLE || verdict == STOPPED)
		change.due_ms = now_ms + pause_ms(f, x);
	if (x->asking || (x->called && !tsb_kind_repeatable(rq->kind) && !x->never_sent)) {
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

	if (verdict == AWAY || verdict == TROUBLE || verdict == STOPPED || verdict == DID_NOT)
		return give_back(f, x, verdict);
	if (verdict == DID_IT) {
		change.to = STATE_EXECUTED;
		change.result = result;
	} else {
		change.to = STATE_FAILED;
		change.reason =
		    arena_printf(&x->arena, "%s: %s", tsb_err_reason(why->code), why->msg);
	}
	return change;
}

/*
 * Whether the same execution goes on with another call. A refusal makes it look at the key, whose
 * policy may have changed since the request was planned; and who changed it looks at it, too.
 */
static bool
call_again(struct flow_execution *x, enum verdict verdict, const struct tsb_err *why)
{
	if (verdict == TO_CALL) {
		x->asking = false;
		return true;
	}
	if (x->look != LOOK_NONE || x->asking || x->certificate.n > 0)
		return false;
	if (verdict == DID_IT && tsb_kinds[x->request.kind].effect == EFFECT_POLICY) {
		x->look = LOOK_CHANGED;
		return true;
	}
	if (verdict == REFUSED && why->code == TSB_E_HSM) {
		x->look = LOOK_REFUSED;
		x->refusal = *why;
		return true;
	}
	return false;
}

/* Turns result from the HSM's answer into the one for the request's caller. */
static int
restore(struct flow *f, struct flow_execution *x, struct tsb_view *result, struct tsb_err *err)
{
	struct tsb_view answer = *result;

	return f->rooms->restore->prepare(f, &x->request, answer, clock_now_ms(), &x->arena,
	    &x->record->approver, result, err);
}

/* Prepares the record of an execution; result and why belong to the verdict. */
static int
outcome_prepare(struct flow *f, struct flow_execution *x, enum verdict verdict,
    struct tsb_view result, struct tsb_err *why, struct tsb_err *err)
{
	struct flow_record *r = x->record = arena_array(&x->arena, 1, sizeof(*r));

	*r = (struct flow_record){0};
	if (verdict == TROUBLE && x->request.attempt >= ATTEMPTS_MAX)
		verdict = REFUSED;
	r->restores = verdict == DID_IT && tsb_kinds[x->request.kind].effect == EFFECT_CODE;
	if (r->restores && restore(f, x, &result, why)) {
		/* the database may be tried again, when the lease is over */
		if (why->code == TSB_E_CONNECTIVITY || why->code == TSB_E_SUBSYSTEM) {
			*err = *why;
			return -1;
		}
		r->restores = false;
		verdict = REFUSED;
	}
	r->outcome = verdict == AWAY                                         ? OUTCOME_HSM_AWAY
	    : verdict == TROUBLE || verdict == STOPPED || verdict == DID_NOT ? OUTCOME_LATER
									     : OUTCOME_DONE;
	r->change = outcome_change(f, x, verdict, result, why);
	if (why->code != TSB_OK) {
		r->detail = tsb_err_reason(why->code);
		log_failure(verdict == REFUSED ? LOG_INFO : LOG_WARN, "HSM", why);
	}
	return 0;
}

int
flow_outcome_of_no_call(struct flow *f, struct flow_execution *x, struct tsb_err *err)
{
	struct tsb_err why = *err;

	return outcome_prepare(f, x, TROUBLE, tsb_view_of(NULL, 0), &why, err);
}

int
flow_execution_judge(struct flow *f, struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_outcome *outcome, struct tsb_err *err)
{
	struct tsb_view result = answer->result;
	struct tsb_err why = answer->why;
	enum verdict verdict = x->look != LOOK_NONE ? looked_classify(x, answer, &why)
	    : x->asking                             ? asked_classify(x, answer, &why)
						    : verdict_of(answer->outcome);

	x->never_sent =
	    (answer->outcome == HSM_AWAY || answer->outcome == HSM_STOPPED) && x->look == LOOK_NONE;
	if (verdict == DID_IT && tsb_kind_certifies(x->request.kind))
		verdict = certificate_classify(f, x, &result, &why);
	if (call_again(x, verdict, &why)) {
		*outcome = OUTCOME_CALL_AGAIN;
		if (flow_order_prepare(f, x, err) == 0)
			return 0;
		*outcome = OUTCOME_TO_RECORD;
		return flow_outcome_of_no_call(f, x, err);
	}
	if (is_too_early(x, verdict, &why))
		verdict = TROUBLE;
	*outcome = OUTCOME_LATER;
	if (verdict == TO_PLAN)
		return plan_by(f, x, &answer->attributes, true, err);
	/* before it is on record that it happened: who takes over looks at the key once more */
	if (verdict == DID_IT && tsb_kinds[x->request.kind].effect == EFFECT_POLICY &&
	    answer->outcome == HSM_DID_IT && plan_by(f, x, &answer->attributes, false, err))
		return -1;
	*outcome = OUTCOME_TO_RECORD;
	return outcome_prepare(f, x, verdict, result, &why, err);
}

int
flow_execute_claimed(struct flow *f, const struct tsb_request *rq, struct tsb_err *err)
{
	struct flow_execution *x = flow_execution_new();
	enum flow_outcome outcome = OUTCOME_CALL_AGAIN;
	int rc = 0;

	x->request = *rq;
	if (flow_order_prepare(f, x, err)) {
		outcome = OUTCOME_TO_RECORD;
		rc = flow_outcome_of_no_call(f, x, err);
	}
	while (rc == 0 && outcome == OUTCOME_CALL_AGAIN) {
		struct hsm_answer answer;

		hsm_execute(f->hsm, &x->order, &answer);
		rc = flow_execution_judge(f, x, &answer, &outcome, err);
	}
	if (rc == 0 && outcome == OUTCOME_TO_RECORD)
		rc = flow_executions_record(f, &x, 1, &outcome, err);
	flow_execution_free(&x);
	return rc;
}

int
flow_execute_unwritten(struct flow *f, const struct tsb_request *rq, struct flow_execution **out,
    struct tsb_err *err)
{
	struct flow_execution *x = flow_execution_new();
	struct hsm_answer answer;
	struct tsb_err why = {0};
	int rc = 0;

	*out = NULL;
	x->request = *rq;
	if (flow_order_prepare(f, x, &why) == 0) {
		hsm_execute(f->hsm, &x->order, &answer);
		if (answer.outcome == HSM_AWAY || answer.outcome == HSM_LOST) {
			*err = answer.why;
			rc = -1;
		} else if (answer.outcome == HSM_DID_IT) {
			rc = outcome_prepare(f, x, DID_IT, answer.result, &why, err);
			*out = rc == 0 ? x : NULL;
		}
	}
	if (*out == NULL)
		flow_execution_free(&x);
	return rc;
}
