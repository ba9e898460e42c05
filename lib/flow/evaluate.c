#include "lib/first.h"

#include <string.h>

#include "lib/flow/evaluate.h"

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
	return key->parsed.has_policy ? &key->parsed.policy.rule[tsb_kind_rule(kind)] : NULL;
}

bool
flow_request_key_unknown(const struct tsb_request *rq)
{
	static const unsigned char unknown[TSB_SHA256];

	return memcmp(rq->plan_digest, unknown, TSB_SHA256) == 0;
}

int
flow_request_key(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct flow_key **key, struct tsb_err *err)
{
	*key = NULL;
	if (flow_request_key_unknown(rq))
		return 0;
	return flow_key_load(f, tx, rq->plan_digest, key, err);
}

const struct ska_rule *
flow_unknown_rule(const struct flow *f, const struct tsb_approval *rows, size_t n, struct arena *a)
{
	struct ska_rule *rule = arena_array(a, 1, sizeof(*rule));
	struct ska_token *token = arena_array(a, 1, sizeof(*token));
	struct ska_group *group = arena_array(a, 1, sizeof(*group));
	size_t known = f->files.noffline_approvers;

	group->quorum = 1;
	group->name = token->name = "approvers";
	group->napprovers = known + n;
	group->approvers = arena_array(a, known + n, sizeof(*group->approvers));
	for (size_t i = 0; i < known + n; i++)
		group->approvers[i].spki =
		    i < known ? f->files.offline_approvers[i] : rows[i - known].spki;
	token->ngroups = 1;
	token->groups = group;
	rule->ntokens = 1;
	rule->tokens = token;
	return rule;
}

int
flow_request_guard(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, const struct flow_key **key,
    const struct ska_rule **rule, struct tsb_err *err)
{
	if (flow_request_key(f, tx, rq, key, err))
		return -1;
	if (*key == NULL && !(f->air_gapped && flow_request_key_unknown(rq)))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the attributes of key '%s' are not in the database", rq->key_name);
	*rule = *key == NULL ? flow_unknown_rule(f, rows, n, a) : flow_request_rule(*key, rq->kind);
	return 0;
}

bool
flow_request_open(const struct tsb_request *rq, int64_t now_ms)
{
	return !tsb_state_terminal(rq->state) && rq->owner == NULL &&
	    (rq->expires_ms == 0 || now_ms < rq->expires_ms);
}

struct store_change
flow_change_by_verdict(const struct flow *f, const struct tsb_request *rq,
    const struct ska_verdict *v)
{
	struct store_change change = {.to = STATE_PENDING};

	change.expires_ms = v->dies_at == 0 ? 0 : flow_request_broker_ms(rq, v->dies_at);
	if ((v->met || v->locked) && f->air_gapped)
		return change;
	if (v->met || v->locked) {
		change.to = STATE_APPROVED;
		change.due_ms = flow_request_broker_ms(rq, v->due_at);
	} else if (v->expired) {
		change.to = STATE_EXPIRED;
	} else if (!v->reachable) {
		/* once met, its window is over: time ended it, not those who rejected */
		change.to = rq->state == STATE_APPROVED ? STATE_EXPIRED : STATE_REJECTED;
		/* the deadline that it had: rejections, not time, left no token */
		change.expires_ms = rq->expires_ms;
	}
	return change;
}

bool
flow_request_overdue(const struct tsb_request *rq, int64_t now_ms)
{
	return !tsb_state_terminal(rq->state) && rq->owner == NULL && rq->expires_ms != 0 &&
	    now_ms >= rq->expires_ms;
}
