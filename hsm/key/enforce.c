#include "lib/first.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/crypto/crypto.h"
#include "lib/ska/verdict.h"

#include "hsm/key/done.h"
#include "hsm/key/enforce.h"

#define APPROVALS_MAX 4096

/* One approval being checked; number counts from 1 for messages. */
struct check {
	const struct enforce_request *rq;
	const struct ska_rule *rule;
	struct arena *arena;
	size_t number;
	struct ska_signed_approval approval;
	struct tsb_view spki;
};

typedef int check_fn(struct check *, struct tsb_err *);

static int TSB_PRINTF(3, 4) refuse(const struct check *c, struct tsb_err *err, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return tsb_fail(err, TSB_E_HSM, "approval %zu: %s", c->number, why);
}

/* ---- the checks, in the order in which they run ---- */

/*
 * The parser leaves one reading of the bytes. It also proves that a timestamp is over the payload
 * and the kind of operation of its token, and that block and unblock carry no payload.
 */
static int
check_syntax(struct check *c, struct tsb_err *err)
{
	struct tsb_err why;

	if (ska_signed_approval_parse(c->rq->approvals[c->number - 1], &c->approval, &why))
		return refuse(c, err, "does not parse: %s", why.msg);
	return 0;
}

static int
check_operation(struct check *c, struct tsb_err *err)
{
	if (c->approval.token.operation != c->rq->operation)
		return refuse(c, err, "approves operation %d, not %d",
		    (int)c->approval.token.operation, (int)c->rq->operation);
	return 0;
}

/*
 * Vendor texts let an empty label fit every key. Here it fits none: an approval for "any key" is no
 * approval for this one.
 */
static int
check_label(struct check *c, struct tsb_err *err)
{
	if (!tsb_view_eq(c->approval.token.label, tsb_view_str(c->rq->key_name)))
		return refuse(c, err, "approves the use of another key");
	return 0;
}

static int
check_payload(struct check *c, struct tsb_err *err)
{
	const struct ska_approval_token *t = &c->approval.token;

	if (!tsb_view_eq(t->payload, c->rq->payload))
		return refuse(c, err, "approves another payload");
	return 0;
}

/*
 * This HSM stamped it, so its clock was set back since. A few minutes are waited for: the error is
 * another one than that of a refusal, and a broker tries again.
 */
static int
refuse_future(const struct check *c, uint64_t ahead, struct tsb_err *err)
{
	if (ahead > ENFORCE_DRIFT)
		return refuse(c, err, "its timestamp is in the future");
	return tsb_fail(err, TSB_E_TIMESTAMP_OFF,
	    "approval %zu: its timestamp is in the future, %d s ahead of the clock of this HSM, which "
	    "was set back: send it again later",
	    c->number, (int)ahead);
}

static int
check_timestamp(struct check *c, struct tsb_err *err)
{
	const struct ska_approval_token *t = &c->approval.token;
	struct tsb_view spki;
	struct tsb_err why;

	if (!t->has_timestamp)
		return 0;
	if (c->rq->timestamp_key(c->rq->arg, t->timestamp.key_label, c->arena, &spki, &why))
		return refuse(c, err, "its timestamp is not from a timestamp key of this HSM");
	if (crypto_verify_der(spki, t->timestamp.whole, t->timestamp_signature, &why))
		return refuse(c, err, "its timestamp signature does not verify");
	if (t->timestamp.seconds > (uint64_t)c->rq->now)
		return refuse_future(c, t->timestamp.seconds - (uint64_t)c->rq->now, err);
	if ((int64_t)t->timestamp.seconds < c->rq->created)
		return refuse(c, err, "its timestamp is older than the key");
	if (t->timestamp.seconds <= c->rq->forgotten)
		return refuse(c, err,
		    "its timestamp is not newer than changes that this HSM no longer remembers");
	return 0;
}

/* A certificate stands for the key in it: policies name either, clients send either. */
static int
check_key(struct check *c, struct tsb_err *err)
{
	struct tsb_err why;

	c->spki = c->approval.approver;
	if (c->approval.is_certificate &&
	    crypto_cert_spki(c->approval.approver, c->arena, &c->spki, &why))
		return refuse(c, err, "its certificate does not parse: %s", why.msg);
	return 0;
}

static int
check_approver(struct check *c, struct tsb_err *err)
{
	if (ska_rule_has_approver(c->rule, c->spki))
		return 0;
	return refuse(c, err, "its approver is not in %s of the key",
	    ska_rule_names[ska_operation_rule(c->rq->operation)]);
}

/* Over the token's bytes as received, never over an encoding of what was understood. */
static int
check_signature(struct check *c, struct tsb_err *err)
{
	struct tsb_err why;

	if (crypto_verify_der(c->spki, c->approval.token.whole, c->approval.signature, &why))
		return refuse(c, err, "signature does not verify");
	return 0;
}

/* Of a token; all approvals have the same one. */
static check_fn *const token_checks[] = {check_operation, check_label, check_payload,
    check_timestamp};

static int
check_token(struct check *c, struct tsb_err *err)
{
	for (size_t i = 0; i < TSB_COUNT(token_checks); i++)
		if (token_checks[i](c, err))
			return -1;
	return 0;
}

/* ---- the decision ---- */

static bool
has_voted(const struct ska_vote *votes, size_t n, struct tsb_view spki)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(votes[i].spki, spki))
			return true;
	return false;
}

/*
 * Nothing is verified twice: the token of approval 1 once, and an approver once. A further approval
 * of the same approver counts for nothing, so its signature is not looked at.
 */
static int
collect_votes(struct check *c, struct ska_vote *votes, size_t *nvotes,
    struct ska_approval_token *token, struct tsb_err *err)
{
	*nvotes = 0;
	for (size_t i = 0; i < c->rq->napprovals; i++) {
		bool same;

		c->number = i + 1;
		if (check_syntax(c, err))
			return -1;
		same = i > 0 && tsb_view_eq(token->whole, c->approval.token.whole);
		if ((!same && check_token(c, err)) || check_key(c, err) || check_approver(c, err))
			return -1;
		if (i == 0)
			*token = c->approval.token;
		else if (!same)
			return refuse(c, err, "its token differs from that of approval 1");
		if (has_voted(votes, *nvotes, c->spki))
			continue;
		if (check_signature(c, err))
			return -1;
		votes[(*nvotes)++] = (struct ska_vote){.spki = c->spki, .approves = true};
	}
	return 0;
}

/* Who approved a change that was made may ask for it again, whomever the rule names now. */
static int
check_asker(struct check *c, struct tsb_err *err)
{
	if (done_approved_by(c->rq->approvers, c->approval.token.whole, c->spki))
		return 0;
	return check_approver(c, err);
}

/* What an approval of a change that was made already still has to fulfil. */
static int
check_repeated(struct check *c, struct tsb_err *err)
{
	return check_syntax(c, err) || check_operation(c, err) || check_label(c, err) ||
		check_payload(c, err) || check_key(c, err) || check_asker(c, err)
	    ? -1
	    : 0;
}

int
enforce_repeat(const struct enforce_request *rq, struct arena *a, struct tsb_err *err)
{
	struct check c = {.rq = rq,
	    .rule = &rq->policy->rule[ska_operation_rule(rq->operation)],
	    .arena = a};
	struct ska_vote *votes;
	size_t n = 0;

	if (rq->napprovals > APPROVALS_MAX)
		return tsb_fail(err, TSB_E_HSM, "more than %d approvals", APPROVALS_MAX);
	votes = arena_array(a, rq->napprovals + 1, sizeof(*votes));
	for (size_t i = 0; i < rq->napprovals; i++) {
		c.number = i + 1;
		if (check_repeated(&c, err))
			return -1;
		if (has_voted(votes, n, c.spki))
			continue;
		if (check_signature(&c, err))
			return -1;
		votes[n++] = (struct ska_vote){.spki = c.spki};
	}
	return 0;
}

/* What else than missing approvals stands in the way, as a sentence of its own. */
static const char *
time_hint(const struct ska_rule *rule, const struct ska_verdict *verdict, bool timestamped)
{
	if (verdict->locked)
		return " The timelock has not passed.";
	if (verdict->expired)
		return " The timeout is over.";
	for (size_t i = 0; !timestamped && i < rule->ntokens; i++)
		if (rule->tokens[i].timelock != 0 || rule->tokens[i].timeout != 0)
			return " Without a timestamp they meet no token with time limits.";
	return "";
}

int
enforce(const struct enforce_request *rq, struct arena *a, struct tsb_err *err)
{
	const struct ska_rule *rule = &rq->policy->rule[ska_operation_rule(rq->operation)];
	struct check c = {.rq = rq, .rule = rule, .arena = a};
	struct ska_approval_token token = {0};
	struct ska_verdict verdict;
	struct ska_vote *votes;
	size_t nvotes;
	int64_t t0 = rq->now;
	bool timestamped = true;

	if (rq->napprovals > APPROVALS_MAX)
		return tsb_fail(err, TSB_E_HSM, "more than %d approvals", APPROVALS_MAX);
	votes = arena_array(a, rq->napprovals + 1, sizeof(*votes));
	if (collect_votes(&c, votes, &nvotes, &token, err))
		return -1;
	/*
	 * Without approvals the request begins now: only a token that asks for no approval and no
	 * waiting can be met then, whatever its timeout.
	 */
	if (rq->napprovals) {
		timestamped = token.has_timestamp;
		t0 = timestamped ? (int64_t)token.timestamp.seconds : 0;
	}
	ska_evaluate(rule, votes, nvotes, timestamped, t0, rq->now, &verdict);
	if (!verdict.met)
		return tsb_fail(err, TSB_E_HSM, "%s The provided approvals are insufficient.%s",
		    rq->failure ? rq->failure : "Error creating signature.",
		    time_hint(rule, &verdict, timestamped));
	return 0;
}
