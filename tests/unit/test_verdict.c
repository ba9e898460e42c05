/*
 * Evaluation against a second model of the same rules. The model knows approvers as bits and time
 * as a handful of instants, and answers every question by trying all instants.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ska/verdict.h"
#include "tests/unit/vectors.h"

#define T0     1700000000
#define PEOPLE 3
#define END    300 /* later than any timeout of the model */

/* ---- the model ---- */

struct model_group {
	unsigned mask, quorum;
};

struct model_token {
	int lock, out; /* seconds, 0 = none */
	int ngroups;
	struct model_group group[2];
};

struct model_rule {
	int ntokens;
	struct model_token token[2];
};

static unsigned
bits(unsigned mask)
{
	return (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1);
}

static bool
model_filled(const struct model_token *t, unsigned people)
{
	for (int g = 0; g < t->ngroups; g++)
		if (bits(t->group[g].mask & people) < t->group[g].quorum)
			return false;
	return true;
}

static bool
model_active(const struct model_token *t, bool stamped, int at)
{
	if (!stamped)
		return t->lock == 0 && t->out == 0;
	return at >= 0 && at >= t->lock && (t->out == 0 || at < t->out);
}

/* Instants from now on at which anything can change: all times of the model are multiples of 60. */
static int
model_next(int at)
{
	return at < 0 ? 0 : (at / 60 + 1) * 60;
}

static bool
model_active_later(const struct model_token *t, bool stamped, int now)
{
	for (int at = now; at <= END; at = model_next(at))
		if (model_active(t, stamped, at))
			return true;
	return false;
}

static bool
model_any_possible(const struct model_rule *r, bool stamped, unsigned no, int at)
{
	for (int i = 0; i < r->ntokens; i++)
		if (model_active(&r->token[i], stamped, at) && model_filled(&r->token[i], ~no))
			return true;
	return false;
}

static int64_t
model_dies_at(const struct model_rule *r, bool stamped, unsigned no, int now)
{
	int death = now;

	for (int at = now; at <= END; at = model_next(at))
		if (model_any_possible(r, stamped, no, at))
			death = model_next(at);
	return death > END ? 0 : T0 + death;
}

static struct ska_verdict
model_evaluate(const struct model_rule *r, bool stamped, unsigned yes, unsigned no, int now)
{
	struct ska_verdict v = {.expired = stamped && r->ntokens > 0};
	int best = -1, earliest = 0;

	for (int i = 0; i < r->ntokens; i++) {
		const struct model_token *t = &r->token[i];
		bool later = model_active_later(t, stamped, now);
		int start = stamped ? t->lock : now;

		if (later)
			v.expired = false;
		if (later && model_filled(t, ~no))
			v.reachable = true;
		if (!later || !model_filled(t, yes))
			continue;
		if (model_active(t, stamped, now) && !v.met) {
			v.met = true;
			v.token = (size_t)i;
		} else if (!v.met && (best < 0 || start < r->token[best].lock)) {
			best = i;
			v.token = (size_t)i;
		}
		if (v.due_at == 0 || start < earliest) {
			earliest = start;
			v.due_at = T0 + start;
		}
	}
	v.locked = !v.met && best >= 0;
	v.dies_at = model_dies_at(r, stamped, no, now);
	return v;
}

/* ---- the same rule as the library has it ---- */

static const char *const people[PEOPLE] = {"alice", "bob", "carol"};

struct real_rule {
	struct ska_rule rule;
	struct ska_token token[2];
	struct ska_group group[2][2];
	struct ska_approver approver[2][2][PEOPLE + 1];
};

/* The first member of each group stands there twice: it must count once. */
static void
real_group(const struct model_group *m, struct ska_group *g, struct ska_approver *list)
{
	size_t n = 0;

	for (int i = 0; i < PEOPLE; i++)
		if (m->mask >> i & 1)
			list[n++] = (struct ska_approver){.spki = tsb_view_str(people[i])};
	if (n > 0) {
		list[n] = list[0];
		n++;
	}
	*g = (struct ska_group){.quorum = m->quorum, .napprovers = n, .approvers = list};
}

static void
real_from_model(const struct model_rule *m, struct real_rule *r)
{
	r->rule = (struct ska_rule){(size_t)m->ntokens, r->token};
	for (int i = 0; i < m->ntokens; i++) {
		const struct model_token *t = &m->token[i];

		r->token[i] = (struct ska_token){.timelock = (uint64_t)t->lock,
		    .timeout = (uint64_t)t->out,
		    .ngroups = (size_t)t->ngroups,
		    .groups = r->group[i]};
		for (int g = 0; g < t->ngroups; g++)
			real_group(&t->group[g], &r->group[i][g], r->approver[i][g]);
	}
}

/* Votes in all directions: base-3 digits of code. A second vote of each one says the opposite. */
static size_t
make_votes(unsigned code, struct ska_vote *votes, unsigned *yes, unsigned *no)
{
	size_t n = 0;

	*yes = *no = 0;
	for (unsigned i = 0; i < PEOPLE; i++, code /= 3)
		if (code % 3 != 0) {
			votes[n++] = (struct ska_vote){tsb_view_str(people[i]), code % 3 == 1};
			*(code % 3 == 1 ? yes : no) |= 1u << i;
		}
	for (size_t i = 0, first = n; i < first; i++)
		votes[n++] = (struct ska_vote){votes[i].spki, !votes[i].approves};
	votes[n++] = (struct ska_vote){tsb_view_str("mallory"), true};
	return n;
}

static void
describe(const struct model_rule *m, bool stamped, unsigned yes, unsigned no, int now)
{
	fprintf(stderr, "stamped %d yes %u no %u now %d:", stamped, yes, no, now);
	for (int i = 0; i < m->ntokens; i++) {
		fprintf(stderr, " token %d..%d", m->token[i].lock, m->token[i].out);
		for (int g = 0; g < m->token[i].ngroups; g++)
			fprintf(stderr, " %u of %u", m->token[i].group[g].quorum,
			    m->token[i].group[g].mask);
	}
	fprintf(stderr, "\n");
}

static bool
same(const struct ska_verdict *a, const struct ska_verdict *b)
{
	return a->met == b->met && a->token == b->token && a->locked == b->locked &&
	    a->due_at == b->due_at && a->dies_at == b->dies_at && a->reachable == b->reachable &&
	    a->expired == b->expired;
}

/* What is sent to the HSM must fulfil the token by itself, without one approval too many. */
static void
check_chosen_votes(const struct real_rule *r, const struct ska_verdict *v,
    const struct ska_vote *votes, size_t nvotes, bool stamped, int now)
{
	arena_auto a = {0};
	struct ska_vote chosen[2 * PEOPLE];
	struct ska_verdict again;
	struct ska_rule one = {1, &r->rule.tokens[v->token]};
	size_t n, most = 0, *list = ska_token_votes(one.tokens, votes, nvotes, &a, &n);

	assert_true(n <= PEOPLE);
	for (size_t g = 0; g < one.tokens->ngroups; g++)
		most += one.tokens->groups[g].quorum;
	assert_true(n <= most);
	for (size_t i = 0; i < n; i++)
		chosen[i] = votes[list[i]];
	ska_evaluate(&one, chosen, n, stamped, T0, T0 + now, &again);
	assert_true(again.met);
}

static unsigned long compared;

static void
compare(const struct model_rule *m)
{
	static const int instants[] = {-1, 0, 59, 60, 119, 120, 180, 240};
	struct ska_vote votes[2 * PEOPLE + 1];
	struct real_rule r;
	struct ska_verdict got, want;
	unsigned yes, no;

	real_from_model(m, &r);
	for (unsigned code = 0; code < 27; code++) {
		size_t nvotes = make_votes(code, votes, &yes, &no);

		for (size_t i = 0; i < 2 * TSB_COUNT(instants); i++) {
			bool stamped = i < TSB_COUNT(instants);
			int now = instants[i % TSB_COUNT(instants)];

			if (!stamped && now != 60)
				continue;
			ska_evaluate(&r.rule, votes, nvotes, stamped, T0, T0 + now, &got);
			want = model_evaluate(m, stamped, yes, no, now);
			compared++;
			if (!same(&got, &want)) {
				describe(m, stamped, yes, no, now);
				fail_msg("met %d/%d token %zu/%zu locked %d/%d due %ld/%ld "
					 "dies %ld/%ld reachable %d/%d expired %d/%d",
				    got.met, want.met, got.token, want.token, got.locked,
				    want.locked, (long)got.due_at, (long)want.due_at,
				    (long)got.dies_at, (long)want.dies_at, got.reachable,
				    want.reachable, got.expired, want.expired);
			}
			if (got.met && i == 3)
				check_chosen_votes(&r, &got, votes, nvotes, stamped, now);
		}
	}
}

/* ---- all small rules ---- */

static const struct {
	int lock, out;
} times[] = {{0, 0}, {60, 0}, {0, 120}, {60, 120}, {120, 60}, {60, 60}};

/* Group lists in one numbering: none, one of 24 groups, 300 pairs of them. */
#define GROUPS      24
#define GROUP_LISTS (1 + GROUPS + GROUPS * (GROUPS + 1) / 2)
#define TOKENS      (GROUP_LISTS * (int)TSB_COUNT(times))

static struct model_group
group_by_number(int n)
{
	return (struct model_group){(unsigned)n % 8, (unsigned)n / 8};
}

static struct model_token
token_by_number(int n)
{
	struct model_token t = {times[n % (int)TSB_COUNT(times)].lock,
	    times[n % (int)TSB_COUNT(times)].out, 0, {{0}}};
	int list = n / (int)TSB_COUNT(times);

	if (list == 0)
		return t;
	if (list <= GROUPS) {
		t.ngroups = 1;
		t.group[0] = group_by_number(list - 1);
		return t;
	}
	list -= GROUPS + 1;
	for (int first = 0; first < GROUPS; list -= GROUPS - first, first++)
		if (list < GROUPS - first) {
			t.ngroups = 2;
			t.group[0] = group_by_number(first);
			t.group[1] = group_by_number(first + list);
			break;
		}
	return t;
}

static void
test_rule_without_tokens(void **state)
{
	compare(&(struct model_rule){0});
}

static void
test_all_rules_of_one_token(void **state)
{
	for (int i = 0; i < TOKENS; i += (int)test_stride(53))
		compare(&(struct model_rule){1, {token_by_number(i)}});
}

/*
 * All 3.8 million pairs take some minutes (VERDICT_FULL=1); by default every token meets a share of
 * the others that a prime stride spreads over all of them.
 */
static void
test_all_rules_of_two_tokens(void **state)
{
	int stride = getenv("VERDICT_FULL") != NULL ? 1 : (int)test_stride(211) * 37;

	for (int i = 0; i < TOKENS * TOKENS; i += stride)
		compare(&(struct model_rule){2,
		    {token_by_number(i / TOKENS), token_by_number(i % TOKENS)}});
	assert_true(compared > 10000);
}

/* ---- single cases ---- */

static struct ska_approver trio[PEOPLE];
static struct ska_group two_of_three = {.quorum = 2, .napprovers = PEOPLE, .approvers = trio};
static struct ska_token token = {.ngroups = 1, .groups = &two_of_three};
static const struct ska_rule rule = {1, &token};

static void
set_times(uint64_t lock, uint64_t out)
{
	for (int i = 0; i < PEOPLE; i++)
		trio[i] = (struct ska_approver){.spki = tsb_view_str(people[i])};
	token.timelock = lock;
	token.timeout = out;
}

static void
test_first_vote_wins(void **state)
{
	const struct ska_vote votes[] = {{tsb_view_str("alice"), true},
	    {tsb_view_str("bob"), false}, {tsb_view_str("bob"), true},
	    {tsb_view_str("alice"), false}, {tsb_view_str("carol"), true}};
	struct ska_verdict v;

	set_times(0, 0);
	ska_evaluate(&rule, votes, 4, true, T0, T0, &v);
	assert_false(v.met);
	assert_true(v.reachable);
	ska_evaluate(&rule, votes, 5, true, T0, T0, &v);
	assert_true(v.met);
}

static void
test_one_approver_counts_once(void **state)
{
	const struct ska_vote votes[] = {{tsb_view_str("alice"), true},
	    {tsb_view_str("alice"), true}, {tsb_view_str("alice"), true}};
	struct ska_verdict v;

	set_times(0, 0);
	trio[1] = trio[2] = trio[0];
	ska_evaluate(&rule, votes, 3, true, T0, T0, &v);
	assert_false(v.met);
	assert_false(v.reachable);
}

/* Nobody's vote (empty key) must not meet an approver that was not resolved. */
static void
test_unresolved_policy_is_never_met(void **state)
{
	const struct ska_vote votes[] = {{{NULL, 0}, true}};
	struct ska_group one = {.quorum = 1, .napprovers = 1, .approvers = trio};
	struct ska_token t = {.ngroups = 1, .groups = &one};
	const struct ska_rule r = {1, &t};
	struct ska_verdict v;
	arena_auto a = {0};
	size_t n;

	trio[0] = (struct ska_approver){.value = tsb_view_str("alice")};
	ska_evaluate(&r, votes, 1, true, T0, T0, &v);
	assert_false(v.met);
	assert_false(v.reachable);
	ska_rule_approvers(&r, &a, &n);
	assert_int_equal(n, 0);
	ska_token_votes(&t, votes, 1, &a, &n);
	assert_int_equal(n, 0);
}

/* Not even a group of nobody, or a lock that opens by itself, is somebody who is asked. */
static void
test_rule_that_asks_nobody(void **state)
{
	struct ska_group none = {.quorum = 0};
	struct ska_token tokens[2] = {{.ngroups = 0}, {.ngroups = 1, .groups = &two_of_three}};
	struct ska_rule r = {2, tokens};

	assert_true(ska_rule_asks_nobody(&r));
	tokens[0].timelock = 3600;
	assert_true(ska_rule_asks_nobody(&r));
	tokens[0].timeout = 3600; /* over before it starts */
	assert_false(ska_rule_asks_nobody(&r));
	tokens[0] = (struct ska_token){.ngroups = 1, .groups = &none};
	assert_true(ska_rule_asks_nobody(&r));
	tokens[0].groups = &two_of_three;
	assert_false(ska_rule_asks_nobody(&r));
	r.ntokens = 0;
	assert_false(ska_rule_asks_nobody(&r));
}

static void
test_times_do_not_overflow(void **state)
{
	static const uint64_t big[] = {(uint64_t)UINT32_MAX * 60, INT64_MAX, UINT64_MAX};
	const struct ska_vote votes[] = {{tsb_view_str("alice"), true},
	    {tsb_view_str("bob"), true}};
	struct ska_verdict v;

	for (size_t i = 0; i < TSB_COUNT(big); i++) {
		set_times(big[i], 0);
		ska_evaluate(&rule, votes, 2, true, T0, T0 + 1000, &v);
		assert_false(v.met);
		assert_true(v.locked && v.due_at > T0 + 1000);
		set_times(0, big[i]);
		ska_evaluate(&rule, votes, 2, true, T0, T0 + 1000, &v);
		assert_true(v.met);
		assert_true(v.dies_at > T0 + 1000);
		ska_evaluate(&rule, votes, 2, true, INT64_MAX - 1, INT64_MAX - 1, &v);
		assert_true(v.met);
	}
}

static void
test_hsm_clock_ahead_of_ours_waits(void **state)
{
	const struct ska_vote votes[] = {{tsb_view_str("alice"), true},
	    {tsb_view_str("bob"), true}};
	struct ska_verdict v;

	set_times(0, 60);
	ska_evaluate(&rule, votes, 2, true, T0, T0 - 5, &v);
	assert_false(v.met);
	assert_true(v.locked);
	assert_int_equal(v.due_at, T0);
	assert_int_equal(v.dies_at, T0 + 60);
}

static void
test_approvers_in_order_of_appearance(void **state)
{
	struct ska_approver late[] = {{.spki = tsb_view_str("dave")},
	    {.spki = tsb_view_str("bob")}};
	struct ska_group group = {.quorum = 1, .napprovers = 2, .approvers = late};
	struct ska_token tokens[2] = {{.timeout = 60, .ngroups = 1, .groups = &two_of_three},
	    {.ngroups = 1, .groups = &group}};
	const struct ska_rule r = {2, tokens};
	arena_auto a = {0};
	struct tsb_view *list;
	size_t n;

	set_times(0, 0);
	list = ska_rule_approvers(&r, &a, &n);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < PEOPLE; i++)
		assert_view_text(list[i], people[i]);
	assert_view_text(list[3], "dave");
	list = ska_rule_asks(&r, &a, true, T0, T0 + 59, &n);
	assert_int_equal(n, 4);
	list = ska_rule_asks(&r, &a, true, T0, T0 + 60, &n);
	assert_int_equal(n, 2);
	assert_view_text(list[0], "dave");
	assert_view_text(list[1], "bob");
	assert_true(ska_rule_has_approver(&r, tsb_view_str("dave")));
	assert_true(ska_rule_has_approver(&r, tsb_view_str("alice")));
	assert_false(ska_rule_has_approver(&r, tsb_view_str("mallory")));
	assert_int_equal(ska_approver_dies_at(&r, tsb_view_str("alice"), true, T0), T0 + 60);
	assert_int_equal(ska_approver_dies_at(&r, tsb_view_str("bob"), true, T0), 0);
	tokens[1].timeout = 120;
	assert_int_equal(ska_approver_dies_at(&r, tsb_view_str("bob"), true, T0), T0 + 120);
	tokens[1].timelock = 120;
	assert_int_equal(ska_approver_dies_at(&r, tsb_view_str("bob"), true, T0), T0 + 60);
}

/* Approvals without timestamp never meet a token with time limits: its approvers are not asked. */
static void
test_without_timestamp_only_timeless_tokens_ask(void **state)
{
	struct ska_approver other[] = {{.spki = tsb_view_str("dave")},
	    {.spki = tsb_view_str("bob")}};
	struct ska_group group = {.quorum = 1, .napprovers = 2, .approvers = other};
	struct ska_token tokens[2] = {{.timelock = 60, .ngroups = 1, .groups = &two_of_three},
	    {.ngroups = 1, .groups = &group}};
	const struct ska_rule r = {2, tokens};
	arena_auto a = {0};
	struct tsb_view *list;
	size_t n;

	set_times(0, 0);
	for (int timeout = 0; timeout <= 60; timeout += 60) {
		tokens[0].timelock = timeout == 0 ? 60 : 0;
		tokens[0].timeout = (uint64_t)timeout;
		list = ska_rule_asks(&r, &a, false, T0, T0, &n);
		assert_int_equal(n, 2);
		assert_view_text(list[0], "dave");
		assert_view_text(list[1], "bob");
		ska_rule_asks(&r, &a, true, T0, T0, &n);
		assert_int_equal(n, 4);
		/* whom the first token alone asks is asked by nobody, the others for ever */
		assert_int_equal(ska_approver_dies_at(&r, tsb_view_str("alice"), false, T0), T0);
		assert_int_equal(ska_approver_dies_at(&r, tsb_view_str("bob"), false, T0), 0);
	}
	tokens[1].timeout = 60;
	ska_rule_asks(&r, &a, false, T0, T0, &n);
	assert_int_equal(n, 0);
	assert_false(ska_rule_works_without_timestamp(&r));
	tokens[0].timeout = 0;
	ska_rule_asks(&r, &a, false, T0, T0, &n);
	assert_int_equal(n, PEOPLE);
	assert_true(ska_rule_works_without_timestamp(&r));
}

static void
test_group_approvals_count_each_approver_once(void **state)
{
	const struct ska_vote votes[] = {{tsb_view_str("alice"), true},
	    {tsb_view_str("alice"), true}, {tsb_view_str("bob"), false},
	    {tsb_view_str("bob"), true}, {tsb_view_str("mallory"), true},
	    {tsb_view_str("carol"), true}};

	set_times(0, 0);
	assert_int_equal(ska_group_approvals(&two_of_three, votes, 0), 0);
	assert_int_equal(ska_group_approvals(&two_of_three, votes, 2), 1);
	assert_int_equal(ska_group_approvals(&two_of_three, votes, 5), 1);
	assert_int_equal(ska_group_approvals(&two_of_three, votes, 6), 2);
}

static void
test_token_votes_prefer_those_already_chosen(void **state)
{
	/* bob is in both groups: his approval serves the second group too */
	struct ska_approver first[] = {{.spki = tsb_view_str("bob")}};
	struct ska_approver second[] = {{.spki = tsb_view_str("alice")},
	    {.spki = tsb_view_str("bob")}, {.spki = tsb_view_str("carol")}};
	struct ska_group groups[] = {{.quorum = 1, .napprovers = 1, .approvers = first},
	    {.quorum = 2, .napprovers = 3, .approvers = second}};
	const struct ska_token t = {.ngroups = 2, .groups = groups};
	const struct ska_vote votes[] = {{tsb_view_str("mallory"), true},
	    {tsb_view_str("carol"), true}, {tsb_view_str("alice"), false},
	    {tsb_view_str("bob"), true}};
	arena_auto a = {0};
	size_t n, *list = ska_token_votes(&t, votes, 4, &a, &n);

	assert_int_equal(n, 2);
	assert_int_equal(list[0], 3);
	assert_int_equal(list[1], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rule_without_tokens),
	    cmocka_unit_test(test_all_rules_of_one_token),
	    cmocka_unit_test(test_all_rules_of_two_tokens),
	    cmocka_unit_test(test_first_vote_wins),
	    cmocka_unit_test(test_one_approver_counts_once),
	    cmocka_unit_test(test_unresolved_policy_is_never_met),
	    cmocka_unit_test(test_rule_that_asks_nobody),
	    cmocka_unit_test(test_times_do_not_overflow),
	    cmocka_unit_test(test_hsm_clock_ahead_of_ours_waits),
	    cmocka_unit_test(test_approvers_in_order_of_appearance),
	    cmocka_unit_test(test_without_timestamp_only_timeless_tokens_ask),
	    cmocka_unit_test(test_group_approvals_count_each_approver_once),
	    cmocka_unit_test(test_token_votes_prefer_those_already_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
