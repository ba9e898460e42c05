#include "lib/first.h"

#include "lib/crypto/crypto.h"

#include "cli/key/strength.h"

/* A comparison takes the product of both rules' approvers; nothing is proven about larger rules. */
#define COMPARED_MAX 10000

void
strength_identify(struct ska_policy *p, struct arena *a)
{
	struct tsb_err ignored;
	int k;
	size_t t, g, i;

	for (k = 0; k < RULE__MAX; k++)
		for (t = 0; t < p->rule[k].ntokens; t++)
			for (g = 0; g < p->rule[k].tokens[t].ngroups; g++) {
				struct ska_group *group = &p->rule[k].tokens[t].groups[g];

				for (i = 0; i < group->napprovers; i++) {
					struct ska_approver *who = &group->approvers[i];

					who->spki = who->type == APPROVER_ONBOARDED
					    ? tsb_view_str(who->name)
					    : who->value;
					if (who->type == APPROVER_CERTIFICATE &&
					    crypto_cert_spki(who->value, a, &who->spki, &ignored))
						who->spki = who->value;
				}
			}
}

static bool
group_has(const struct ska_group *g, size_t n, struct tsb_view spki)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (tsb_view_eq(g->approvers[i].spki, spki))
			return true;
	return false;
}

/* Different approvers of g that are not in other (NULL = of all). A key without bytes is nobody. */
static size_t
count_outside(const struct ska_group *g, const struct ska_group *other)
{
	size_t i, n = 0;

	for (i = 0; i < g->napprovers; i++) {
		struct tsb_view spki = g->approvers[i].spki;

		n += spki.n > 0 && !group_has(g, i, spki) &&
		    !(other != NULL && group_has(other, other->napprovers, spki));
	}
	return n;
}

static bool
token_can_be_met(const struct ska_token *t)
{
	size_t i;

	if (t->timeout != 0 && t->timeout <= t->timelock)
		return false;
	for (i = 0; i < t->ngroups; i++)
		if (t->groups[i].quorum > count_outside(&t->groups[i], NULL))
			return false;
	return true;
}

static bool
token_needs_nobody(const struct ska_token *t)
{
	size_t i;

	for (i = 0; i < t->ngroups; i++)
		if (t->groups[i].quorum > 0)
			return false;
	return true;
}

enum strength_reach
strength_reach(const struct ska_rule *rule)
{
	enum strength_reach reach = REACH_NOBODY, of_token;
	size_t i;

	for (i = 0; i < rule->ntokens; i++) {
		const struct ska_token *t = &rule->tokens[i];

		if (!token_can_be_met(t))
			continue;
		of_token = !token_needs_nobody(t) ? REACH_APPROVED
		    : t->timelock > 0             ? REACH_LATER
						  : REACH_EVERYONE;
		reach = of_token > reach ? of_token : reach;
	}
	return reach;
}

unsigned
strength_open_rules(const struct ska_policy *p)
{
	unsigned rules = 0;
	int k;

	for (k = 0; k < RULE__MAX; k++)
		if (strength_reach(&p->rule[k]) >= REACH_LATER)
			rules |= 1U << k;
	return rules;
}

/* Any now->quorum members of now include old->quorum members of old. */
static bool
group_implies(const struct ska_group *now, const struct ska_group *old)
{
	return now->quorum >= old->quorum + count_outside(now, old);
}

static bool
some_group_implies(const struct ska_token *now, const struct ska_group *old)
{
	size_t i;

	if (old->quorum == 0)
		return true;
	for (i = 0; i < now->ngroups; i++)
		if (group_implies(&now->groups[i], old))
			return true;
	return false;
}

/* Whatever meets now at a time meets old at that time. */
static bool
token_implies(const struct ska_token *now, const struct ska_token *old)
{
	size_t i;

	if (now->timelock < old->timelock)
		return false;
	if (old->timeout != 0 && (now->timeout == 0 || now->timeout > old->timeout))
		return false;
	for (i = 0; i < old->ngroups; i++)
		if (!some_group_implies(now, &old->groups[i]))
			return false;
	return true;
}

bool
strength_comparable(const struct ska_rule *rule)
{
	size_t t, g, n = 0;

	for (t = 0; t < rule->ntokens; t++)
		for (g = 0; g < rule->tokens[t].ngroups; g++)
			n += rule->tokens[t].groups[g].napprovers;
	return n <= COMPARED_MAX;
}

bool
strength_holds(const struct ska_rule *old, const struct ska_rule *now)
{
	size_t i, j;

	if (!strength_comparable(old) || !strength_comparable(now))
		return false;
	for (i = 0; i < now->ntokens; i++) {
		if (!token_can_be_met(&now->tokens[i]))
			continue;
		for (j = 0; j < old->ntokens; j++)
			if (token_implies(&now->tokens[i], &old->tokens[j]))
				break;
		if (j == old->ntokens)
			return false;
	}
	return true;
}

static bool
groups_overlap(const struct ska_token *t)
{
	size_t i, j;

	for (i = 0; i < t->ngroups; i++)
		for (j = 0; j < i; j++)
			if (count_outside(&t->groups[i], &t->groups[j]) <
			    count_outside(&t->groups[i], NULL))
				return true;
	return false;
}

/* An approver may count in several groups, so only the largest quorum is certain. */
static size_t
token_fewest(const struct ska_token *t)
{
	size_t i, sum = 0, largest = 0;

	for (i = 0; i < t->ngroups; i++) {
		sum += t->groups[i].quorum;
		if (t->groups[i].quorum > largest)
			largest = t->groups[i].quorum;
	}
	return groups_overlap(t) ? largest : sum;
}

size_t
strength_fewest(const struct ska_rule *rule)
{
	size_t i, n, fewest = SIZE_MAX;

	for (i = 0; i < rule->ntokens; i++)
		if (token_can_be_met(&rule->tokens[i]) &&
		    (n = token_fewest(&rule->tokens[i])) < fewest)
			fewest = n;
	return fewest;
}

uint64_t
strength_wait(const struct ska_rule *rule)
{
	uint64_t wait = UINT64_MAX;
	size_t i;

	for (i = 0; i < rule->ntokens; i++)
		if (token_can_be_met(&rule->tokens[i]) && rule->tokens[i].timelock < wait)
			wait = rule->tokens[i].timelock;
	return wait;
}

uint64_t
strength_life(const struct ska_rule *rule)
{
	uint64_t life = 0;
	size_t i;

	for (i = 0; i < rule->ntokens; i++) {
		if (!token_can_be_met(&rule->tokens[i]))
			continue;
		if (rule->tokens[i].timeout == 0)
			return 0;
		if (rule->tokens[i].timeout > life)
			life = rule->tokens[i].timeout;
	}
	return life;
}

bool
strength_asks(const struct ska_rule *rule, struct tsb_view spki)
{
	size_t t, g;

	for (t = 0; t < rule->ntokens; t++)
		for (g = 0; g < rule->tokens[t].ngroups; g++)
			if (group_has(&rule->tokens[t].groups[g],
				rule->tokens[t].groups[g].napprovers, spki))
				return true;
	return false;
}
