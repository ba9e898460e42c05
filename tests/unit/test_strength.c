/*
 * What is said about rules against what rules do: small rules are met in all ways that there are,
 * at all instants, and the evaluation of lib/ska judges.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/key/strength.h"
#include "lib/ska/verdict.h"

#define PEOPLE 4
#define SETS   (1U << PEOPLE)
#define T0     1700000000
#define PAIRS  60000
/* One of each span between the times that rules below have, and the times themselves. */
static const int64_t instants[] = {0, 59, 60, 61, 119, 120, 121, 100000};

/* ---- random rules ---- */

static uint32_t state;

static unsigned
below(unsigned n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

static struct tsb_view
person(unsigned i)
{
	static const char *const keys[PEOPLE] = {"anna", "bert", "cora", "dora"};

	return tsb_view_str(keys[i]);
}

/* Members may be named twice. */
static void
make_group(struct ska_group *g, struct arena *a)
{
	size_t i;

	g->napprovers = below(PEOPLE + 1);
	g->approvers = arena_array(a, g->napprovers + 1, sizeof(*g->approvers));
	for (i = 0; i < g->napprovers; i++)
		g->approvers[i].spki = person(below(PEOPLE));
	g->quorum = below(4);
}

static void
make_rule(struct ska_rule *rule, struct arena *a)
{
	static const uint64_t times[] = {0, 0, 60, 120};
	size_t t, g;

	rule->ntokens = below(3);
	rule->tokens = arena_array(a, rule->ntokens + 1, sizeof(*rule->tokens));
	for (t = 0; t < rule->ntokens; t++) {
		struct ska_token *token = &rule->tokens[t];

		token->timelock = times[below(4)];
		token->timeout = times[below(4)];
		token->ngroups = below(3);
		token->groups = arena_array(a, token->ngroups + 1, sizeof(*token->groups));
		for (g = 0; g < token->ngroups; g++)
			make_group(&token->groups[g], a);
	}
}

/* A rule like old, with one number or member changed. */
static void
make_neighbour(const struct ska_rule *old, struct ska_rule *now, struct arena *a)
{
	struct ska_token *token;
	struct ska_group *group;

	*now = *old;
	if (old->ntokens == 0)
		return;
	now->tokens = arena_array(a, old->ntokens, sizeof(*now->tokens));
	memcpy(now->tokens, old->tokens, old->ntokens * sizeof(*now->tokens));
	token = &now->tokens[below((unsigned)old->ntokens)];
	if (token->ngroups == 0 || below(4) == 0) {
		token->timelock = 60 * below(3);
		token->timeout = 60 * below(3);
		return;
	}
	group = arena_array(a, token->ngroups, sizeof(*group));
	memcpy(group, token->groups, token->ngroups * sizeof(*group));
	token->groups = group;
	group += below((unsigned)token->ngroups);
	if (below(2) == 0)
		group->quorum = below(4);
	else
		make_group(group, a);
}

/* ---- what rules do ---- */

static bool
is_met(const struct ska_rule *rule, unsigned set, int64_t after)
{
	struct ska_vote votes[PEOPLE];
	struct ska_verdict v;
	size_t n = 0;
	unsigned i;

	for (i = 0; i < PEOPLE; i++)
		if (set & 1U << i)
			votes[n++] = (struct ska_vote){person(i), true};
	ska_evaluate(rule, votes, n, true, T0, T0 + after, &v);
	return v.met;
}

static bool
is_met_sometime(const struct ska_rule *rule, unsigned set)
{
	size_t i;

	for (i = 0; i < TSB_COUNT(instants); i++)
		if (is_met(rule, set, instants[i]))
			return true;
	return false;
}

/* Some approvals at some time meet now and would not have met old. */
static bool
lets_more_through(const struct ska_rule *old, const struct ska_rule *now)
{
	unsigned set;
	size_t i;

	for (set = 0; set < SETS; set++)
		for (i = 0; i < TSB_COUNT(instants); i++)
			if (is_met(now, set, instants[i]) && !is_met(old, set, instants[i]))
				return true;
	return false;
}

static unsigned
size_of(unsigned set)
{
	unsigned n = 0;

	for (; set; set &= set - 1)
		n++;
	return n;
}

/* ---- tests ---- */

static void
test_reach(void **unused)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		arena_auto a = {0};
		struct ska_rule rule;
		enum strength_reach reach;

		state = (uint32_t)i;
		make_rule(&rule, &a);
		reach = strength_reach(&rule);
		assert_int_equal(reach != REACH_NOBODY, is_met_sometime(&rule, SETS - 1));
		assert_int_equal(reach >= REACH_LATER, is_met_sometime(&rule, 0));
		assert_int_equal(reach == REACH_EVERYONE, is_met(&rule, 0, 0));
	}
}

static void
test_what_is_proven_holds(void **unused)
{
	unsigned proven = 0, missed = 0, weaker = 0;
	int i;

	for (i = 0; i < PAIRS; i++) {
		arena_auto a = {0};
		struct ska_rule old, now;
		bool more;

		state = (uint32_t)i + 7;
		make_rule(&old, &a);
		if (i % 2)
			make_neighbour(&old, &now, &a);
		else
			make_rule(&now, &a);
		more = lets_more_through(&old, &now);
		if (strength_holds(&old, &now)) {
			assert_false(more);
			proven++;
		} else {
			weaker += more;
			missed += !more;
		}
	}
	assert_true(proven > PAIRS / 10 && weaker > PAIRS / 10);
	assert_true(missed < proven / 10); /* several groups together, or alternatives together */
}

static void
test_a_rule_is_as_strong_as_itself(void **unused)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		arena_auto a = {0};
		struct ska_rule rule;

		state = (uint32_t)i;
		make_rule(&rule, &a);
		assert_true(strength_holds(&rule, &rule));
	}
}

static void
test_fewest_is_never_more_than_it_takes(void **unused)
{
	unsigned exact = 0, all = 0;
	int i;

	for (i = 0; i < PAIRS; i++) {
		arena_auto a = {0};
		struct ska_rule rule;
		unsigned set, least = PEOPLE + 1;

		state = (uint32_t)i;
		make_rule(&rule, &a);
		if (strength_reach(&rule) == REACH_NOBODY)
			continue;
		for (set = 0; set < SETS; set++)
			if (size_of(set) < least && is_met_sometime(&rule, set))
				least = size_of(set);
		assert_true(strength_fewest(&rule) <= least);
		exact += strength_fewest(&rule) == least;
		all++;
	}
	assert_true(exact > all / 10 * 9);
}

static void
test_large_rules_are_not_compared(void **unused)
{
	arena_auto a = {0};
	struct ska_token token = {.ngroups = 50};
	struct ska_rule rule = {1, &token};
	size_t g;

	token.groups = arena_array(&a, token.ngroups, sizeof(*token.groups));
	for (g = 0; g < token.ngroups; g++) {
		token.groups[g].quorum = 1;
		token.groups[g].napprovers = POLICY_APPROVERS_MAX;
		token.groups[g].approvers =
		    arena_array(&a, POLICY_APPROVERS_MAX, sizeof(*token.groups[g].approvers));
		token.groups[g].approvers[0].spki = person(0);
	}
	assert_false(strength_comparable(&rule));
	assert_false(strength_holds(&rule, &rule));
	assert_int_equal(strength_reach(&rule), REACH_APPROVED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reach),
	    cmocka_unit_test(test_what_is_proven_holds),
	    cmocka_unit_test(test_a_rule_is_as_strong_as_itself),
	    cmocka_unit_test(test_fewest_is_never_more_than_it_takes),
	    cmocka_unit_test(test_large_rules_are_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
