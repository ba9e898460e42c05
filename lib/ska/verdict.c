#include "lib/first.h"

#include "lib/ska/verdict.h"

enum vote { VOTE_NONE, VOTE_YES, VOTE_NO };

/* The request as all tokens see it. */
struct occasion {
	const struct ska_vote *votes;
	size_t nvotes;
	bool timestamped;
	int64_t t0, now;
};

static int64_t
time_after(int64_t t, uint64_t seconds)
{
	uint64_t room = (uint64_t)INT64_MAX - (uint64_t)(t < 0 ? 0 : t);

	return seconds > room ? INT64_MAX : t + (int64_t)seconds;
}

/* ---- votes ---- */

/* Index of the first vote of this approver, which is the one that counts; nvotes = none. */
static size_t
vote_of(struct tsb_view spki, const struct ska_vote *votes, size_t nvotes)
{
	size_t i = 0;

	while (i < nvotes && !tsb_view_eq(votes[i].spki, spki))
		i++;
	return i;
}

/* A key without bytes is nobody: policies that were not resolved have no approvers. */
static bool
first_in_group(const struct ska_group *g, size_t approver)
{
	if (g->approvers[approver].spki.n == 0)
		return false;
	for (size_t i = 0; i < approver; i++)
		if (tsb_view_eq(g->approvers[i].spki, g->approvers[approver].spki))
			return false;
	return true;
}

static void
count_votes(const struct ska_group *g, const struct occasion *o, size_t count[3])
{
	count[VOTE_NONE] = count[VOTE_YES] = count[VOTE_NO] = 0;
	for (size_t i = 0; i < g->napprovers; i++) {
		size_t v;

		if (!first_in_group(g, i))
			continue;
		v = vote_of(g->approvers[i].spki, o->votes, o->nvotes);
		if (v == o->nvotes)
			count[VOTE_NONE]++;
		else
			count[o->votes[v].approves ? VOTE_YES : VOTE_NO]++;
	}
}

size_t
ska_group_approvals(const struct ska_group *group, const struct ska_vote *votes, size_t nvotes)
{
	const struct occasion o = {.votes = votes, .nvotes = nvotes};
	size_t count[3];

	count_votes(group, &o, count);
	return count[VOTE_YES];
}

/* complete: all groups have their approvals. possible: those who have not rejected could do it. */
static void
judge_token(const struct ska_token *t, const struct occasion *o, bool *complete, bool *possible)
{
	size_t count[3];

	*complete = *possible = true;
	for (size_t i = 0; i < t->ngroups; i++) {
		count_votes(&t->groups[i], o, count);
		if (count[VOTE_YES] < t->groups[i].quorum)
			*complete = false;
		if (count[VOTE_YES] + count[VOTE_NONE] < t->groups[i].quorum)
			*possible = false;
	}
}

/* ---- time ---- */

/* A timeout that is not above the timelock leaves no moment at which the token is active. */
static bool
token_is_over(const struct ska_token *t, int64_t t0, int64_t now)
{
	return t->timeout != 0 && (t->timeout <= t->timelock || now >= time_after(t0, t->timeout));
}

static bool
token_is_usable(const struct ska_token *t, bool timestamped, int64_t t0, int64_t now)
{
	if (!timestamped)
		return ska_token_works_without_timestamp(t);
	return !token_is_over(t, t0, now);
}

static int64_t
token_starts_at(const struct ska_token *t, const struct occasion *o)
{
	return o->timestamped ? time_after(o->t0, t->timelock) : o->now;
}

/* ---- the rule ---- */

/* Earliest first; of several that are active already, the first in the policy. */
static void
note_complete(const struct ska_token *t, size_t index, const struct occasion *o,
    struct ska_verdict *v)
{
	int64_t at = token_starts_at(t, o);
	bool seen = v->met || v->locked;

	if (at <= o->now) {
		if (!v->met)
			v->token = index;
		v->met = true;
	} else {
		if (!v->met && (!v->locked || at < v->due_at))
			v->token = index;
		v->locked = true;
	}
	if (!seen || at < v->due_at)
		v->due_at = at;
}

static void
note_end(const struct ska_token *t, const struct occasion *o, bool *endless, int64_t *last)
{
	int64_t end;

	if (t->timeout == 0) {
		*endless = true;
		return;
	}
	end = time_after(o->t0, t->timeout);
	if (end > *last)
		*last = end;
}

void
ska_evaluate(const struct ska_rule *rule, const struct ska_vote *votes, size_t nvotes,
    bool timestamped, int64_t t0, int64_t now, struct ska_verdict *out)
{
	const struct occasion o = {votes, nvotes, timestamped, t0, now};
	struct ska_verdict v = {0};
	bool endless = false, complete, possible;
	int64_t last = now;
	size_t over = 0;

	for (size_t i = 0; i < rule->ntokens; i++) {
		const struct ska_token *t = &rule->tokens[i];

		if (timestamped && token_is_over(t, t0, now))
			over++;
		if (!token_is_usable(t, timestamped, t0, now))
			continue;
		judge_token(t, &o, &complete, &possible);
		if (complete)
			note_complete(t, i, &o, &v);
		if (possible) {
			v.reachable = true;
			note_end(t, &o, &endless, &last);
		}
	}
	if (v.met)
		v.locked = false;
	v.dies_at = endless ? 0 : last;
	v.expired = rule->ntokens > 0 && over == rule->ntokens;
	*out = v;
}

bool
ska_rule_asks_nobody(const struct ska_rule *rule)
{
	struct ska_verdict v;

	ska_evaluate(rule, NULL, 0, true, 0, 0, &v);
	return v.met || v.locked;
}

/* ---- lists ---- */

static size_t
count_approvers(const struct ska_rule *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < rule->ntokens; i++)
		for (size_t g = 0; g < rule->tokens[i].ngroups; g++)
			n += rule->tokens[i].groups[g].napprovers;
	return n;
}

static size_t
add_different(struct tsb_view *list, size_t n, struct tsb_view spki)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(list[i], spki))
			return n;
	list[n] = spki;
	return n + 1;
}

static size_t
add_approvers(struct tsb_view *list, size_t n, const struct ska_token *t)
{
	for (size_t g = 0; g < t->ngroups; g++)
		for (size_t k = 0; k < t->groups[g].napprovers; k++)
			if (t->groups[g].approvers[k].spki.n != 0)
				n = add_different(list, n, t->groups[g].approvers[k].spki);
	return n;
}

struct tsb_view *
ska_rule_approvers(const struct ska_rule *rule, struct arena *a, size_t *n)
{
	struct tsb_view *list = arena_array(a, count_approvers(rule), sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < rule->ntokens; i++)
		*n = add_approvers(list, *n, &rule->tokens[i]);
	return list;
}

struct tsb_view *
ska_rule_asks(const struct ska_rule *rule, struct arena *a, bool timestamped, int64_t t0,
    int64_t now, size_t *n)
{
	struct tsb_view *list = arena_array(a, count_approvers(rule), sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < rule->ntokens; i++)
		if (token_is_usable(&rule->tokens[i], timestamped, t0, now))
			*n = add_approvers(list, *n, &rule->tokens[i]);
	return list;
}

static bool
contains(const size_t *list, size_t n, size_t value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

/* Approvals chosen for earlier groups count first, then the group's own in order. */
static size_t
choose_for_group(const struct ska_group *g, const struct ska_vote *votes, size_t nvotes,
    size_t *list, size_t n)
{
	size_t have = 0;

	for (int fresh = 0; fresh <= 1; fresh++)
		for (size_t i = 0; i < g->napprovers && have < g->quorum; i++) {
			size_t v = vote_of(g->approvers[i].spki, votes, nvotes);

			if (v == nvotes || !votes[v].approves || !first_in_group(g, i))
				continue;
			if (!fresh && contains(list, n, v)) {
				have++;
			} else if (fresh && !contains(list, n, v)) {
				list[n++] = v;
				have++;
			}
		}
	return n;
}

static const struct ska_approver *
token_approver(const struct ska_token *t, struct tsb_view spki)
{
	for (size_t g = 0; g < t->ngroups; g++)
		for (size_t k = 0; k < t->groups[g].napprovers; k++)
			if (tsb_view_eq(t->groups[g].approvers[k].spki, spki))
				return &t->groups[g].approvers[k];
	return NULL;
}

const struct ska_approver *
ska_rule_approver(const struct ska_rule *rule, struct tsb_view spki)
{
	const struct ska_approver *found = NULL;

	for (size_t i = 0; i < rule->ntokens && found == NULL; i++)
		found = token_approver(&rule->tokens[i], spki);
	return found;
}

bool
ska_rule_has_approver(const struct ska_rule *rule, struct tsb_view spki)
{
	return ska_rule_approver(rule, spki) != NULL;
}

int64_t
ska_approver_dies_at(const struct ska_rule *rule, struct tsb_view spki, bool timestamped,
    int64_t t0)
{
	int64_t last = t0;

	for (size_t i = 0; i < rule->ntokens; i++) {
		const struct ska_token *t = &rule->tokens[i];

		if (!token_is_usable(t, timestamped, t0, t0) || token_approver(t, spki) == NULL)
			continue;
		if (t->timeout == 0)
			return 0;
		if (time_after(t0, t->timeout) > last)
			last = time_after(t0, t->timeout);
	}
	return last;
}

size_t *
ska_token_votes(const struct ska_token *token, const struct ska_vote *votes, size_t nvotes,
    struct arena *a, size_t *n)
{
	size_t *list = arena_array(a, nvotes, sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < token->ngroups; i++)
		*n = choose_for_group(&token->groups[i], votes, nvotes, list, *n);
	return list;
}
