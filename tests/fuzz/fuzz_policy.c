/*
 * Policies: one binary form each, and no verdict "met" without the votes and the time for it. The
 * last bytes of the input choose the votes and the clock, the others are the policy.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/ska/verdict.h"
#include "tests/fuzz/fuzz.h"

#define CHOICE_SIZE 8

/* The bytes stand for themselves: this target is about counting, not about keys. */
static int
spki_of_cert(struct tsb_view cert, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
{
	*spki = cert;
	return 0;
}

static int
spki_check(struct tsb_view spki, struct tsb_err *err)
{
	return 0;
}

static bool
approved(const struct ska_vote *votes, size_t nvotes, struct tsb_view spki)
{
	for (size_t i = 0; i < nvotes; i++)
		if (tsb_view_eq(votes[i].spki, spki))
			return votes[i].approves;
	return false;
}

/* Counts in another way than the code under test: over votes, not over approvers. */
static size_t
approvals_in_group(const struct ska_group *g, const struct ska_vote *votes, size_t nvotes)
{
	size_t n = 0;

	for (size_t v = 0; v < nvotes; v++) {
		bool member = false, first = true;

		for (size_t i = 0; i < g->napprovers; i++)
			member = member || tsb_view_eq(g->approvers[i].spki, votes[v].spki);
		for (size_t i = 0; i < v; i++)
			first = first && !tsb_view_eq(votes[i].spki, votes[v].spki);
		n += member && first && votes[v].approves;
	}
	return n;
}

static void
must_be_earned(const struct ska_rule *rule, const struct ska_vote *votes, size_t nvotes,
    bool timestamped, int64_t t0, int64_t now, const struct ska_verdict *v, struct arena *a)
{
	const struct ska_token *t;
	size_t n, *list;

	MUST(!(v->met && v->locked));
	MUST(!(v->expired && (v->met || v->reachable)));
	if (!v->met && !v->locked)
		return;
	MUST(v->reachable && v->token < rule->ntokens);
	t = &rule->tokens[v->token];
	for (size_t i = 0; i < t->ngroups; i++)
		MUST(approvals_in_group(&t->groups[i], votes, nvotes) >= t->groups[i].quorum);
	if (!timestamped)
		MUST(t->timelock == 0 && t->timeout == 0);
	else if (v->met)
		MUST(now >= t0 && (uint64_t)(now - t0) >= t->timelock &&
		    (t->timeout == 0 || (uint64_t)(now - t0) < t->timeout));
	list = ska_token_votes(t, votes, nvotes, a, &n);
	MUST(n <= nvotes);
	for (size_t i = 0; i < n; i++)
		MUST(votes[list[i]].approves && approved(votes, nvotes, votes[list[i]].spki));
}

static void
try_rule(const struct ska_rule *rule, const unsigned char *choice, struct arena *a)
{
	struct ska_verdict v;
	struct ska_vote votes[24];
	struct tsb_view *approvers;
	size_t n, nvotes = 0;
	int64_t t0 = 1700000000, now = t0 + (int64_t)choice[0] * 60 - 60 + choice[1];
	uint32_t bits;

	memcpy(&bits, choice + 2, sizeof(bits));
	approvers = ska_rule_approvers(rule, a, &n);
	for (size_t i = 0; i < n && i < 12; i++, bits >>= 2) {
		if (bits & 1)
			votes[nvotes++] = (struct ska_vote){approvers[i], (bits & 2) != 0};
		if (choice[6] & 1) /* the same again, changed: must not count */
			votes[nvotes++] = (struct ska_vote){approvers[i], (bits & 2) == 0};
	}
	for (int timestamped = 0; timestamped <= 1; timestamped++) {
		ska_evaluate(rule, votes, nvotes, timestamped, t0, now, &v);
		must_be_earned(rule, votes, nvotes, timestamped, t0, now, &v, a);
		ska_evaluate(rule, NULL, 0, timestamped, t0, now, &v);
		must_be_earned(rule, NULL, 0, timestamped, t0, now, &v, a);
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const unsigned char no_choice[CHOICE_SIZE];
	const unsigned char *choice = no_choice;
	arena_auto a = {0};
	tsb_bytes_auto again = {0};
	struct tsb_view in = tsb_view_of(data, size);
	struct ska_policy p;
	struct tsb_err err;

	if (size % 4 == 0 && size > CHOICE_SIZE && ska_policy_parse(in, &a, &p, &err) != 0) {
		in.n -= CHOICE_SIZE;
		choice = data + in.n;
	}
	if (ska_policy_parse(in, &a, &p, &err) != 0) {
		MUST(err.code == TSB_E_PAYLOAD && err.msg[0] != '\0');
		return 0;
	}
	ska_policy_format(&p, &again);
	MUST(tsb_view_eq(in, tsb_view_bytes(&again)));
	MUST(ska_policy_resolve(&p, &a, spki_of_cert, spki_check, &err) == 0);
	if (ska_policy_check(&p, &err) == 0)
		MUST(p.rule[RULE_USE].ntokens > 0);
	else
		MUST(err.code == TSB_E_INPUT);
	for (int k = 0; k < RULE__MAX; k++)
		try_rule(&p.rule[k], choice, &a);
	return 0;
}
