#include "lib/first.h"

#include "lib/flow/internal.h"

/*
 * A request is created after the HSM's clock was read, so time since then, added to the HSM's
 * seconds, never runs ahead of the HSM: a timelock that is over here is over there.
 */
int64_t
flow_request_t0(const struct tsb_request *rq)
{
	return rq->hsm_seconds != 0 ? rq->hsm_seconds : rq->created_ms / 1000;
}

int64_t
flow_request_hsm_now(const struct tsb_request *rq, int64_t now_ms)
{
	int64_t since = now_ms - rq->created_ms;

	return flow_request_t0(rq) + (since > 0 ? since / 1000 : 0);
}

int64_t
flow_request_broker_ms(const struct tsb_request *rq, int64_t hsm_seconds)
{
	return rq->created_ms + (hsm_seconds - flow_request_t0(rq)) * 1000;
}

struct ska_vote *
flow_votes(const struct tsb_approval *approvals, size_t n, struct arena *a)
{
	struct ska_vote *votes = arena_array(a, n, sizeof(*votes));

	for (size_t i = 0; i < n; i++)
		votes[i] = (struct ska_vote){approvals[i].spki, approvals[i].approves};
	return votes;
}

const struct ska_rule *
flow_request_rule(const struct flow_key *key, enum tsb_kind kind)
{
	return key->parsed.has_policy ? &key->parsed.policy.rule[tsb_kinds[kind].rule] : NULL;
}

bool
flow_request_open(const struct tsb_request *rq, int64_t now_ms)
{
	return !tsb_state_terminal(rq->state) && rq->owner == NULL &&
	    (rq->expires_ms == 0 || now_ms < rq->expires_ms);
}

struct store_change
flow_change_by_verdict(const struct tsb_request *rq, const struct ska_verdict *v)
{
	struct store_change change = {.to = STATE_PENDING};

	change.expires_ms = v->dies_at == 0 ? 0 : flow_request_broker_ms(rq, v->dies_at);
	if (v->met || v->locked) {
		change.to = STATE_APPROVED;
		change.due_ms = flow_request_broker_ms(rq, v->due_at);
	} else if (v->expired) {
		change.to = STATE_EXPIRED;
	} else if (!v->reachable) {
		/* met once, and its window is over: time ended it, not those who rejected the rest */
		change.to = rq->state == STATE_APPROVED ? STATE_EXPIRED : STATE_REJECTED;
	}
	return change;
}

bool
flow_request_late(const struct tsb_request *rq, int64_t now_ms)
{
	return !tsb_state_terminal(rq->state) && rq->owner == NULL && rq->expires_ms != 0 &&
	    now_ms >= rq->expires_ms;
}
