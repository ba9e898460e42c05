#include "lib/first.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/key/change.h"
#include "cli/key/policy.h"
#include "cli/key/strength.h"
#include "cli/lib/ask.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

static const char *
rule_list(struct arena *a, unsigned rules)
{
	const char *text = "";
	int k;

	for (k = 0; k < RULE__MAX; k++) {
		if (!(rules & 1U << k))
			continue;
		text = arena_printf(a, "%s%s%s", text,
		    !*text                 ? ""
			: rules >> (k + 1) ? ", "
					   : " and ",
		    policy_rule_titles[k] + sizeof("rule ") - 1);
	}
	return text;
}

/* ---- warnings ---- */

/* Only another policy revives a rule that is never met, and rule modify decides on that. */
static void
warn_never(struct doc *t, enum ska_rule_kind kind, const struct ska_policy *now)
{
	if (strength_reach(&now->rule[RULE_MODIFY]) == REACH_NOBODY)
		doc_warn(t, "NEVER, cannot be undone: nobody could %s any more",
		    policy_rule_verbs[kind]);
	else
		doc_warn(t, "NEVER: nobody could %s until the policy is replaced again",
		    policy_rule_verbs[kind]);
}

static void
warn_open(struct doc *t, enum ska_rule_kind kind, const struct ska_rule *now, bool was_open)
{
	arena_auto a = {0};
	const char *after = strength_wait(now) == 0
	    ? ""
	    : arena_printf(&a, " after %" PRIu64 " s", strength_wait(now));

	doc_warn(t, "%sOPEN TO EVERYONE%s%s: no approval is needed to %s",
	    was_open ? "" : "becomes ", after, was_open ? ", as before" : "",
	    policy_rule_verbs[kind]);
}

/* Says in what way the rule asks for less: at least one line. */
static void
warn_weaker(struct doc *t, const struct ska_rule *old, const struct ska_rule *now)
{
	size_t before, after;
	uint64_t life_before, life_after;
	bool said = false;

	if (strength_comparable(old) && strength_comparable(now)) {
		before = strength_fewest(old);
		after = strength_fewest(now);
		if (after < before) {
			doc_warn(t, "WEAKER: %zu approval%s may be enough, %zu were needed", after,
			    after == 1 ? "" : "s", before);
			said = true;
		}
	}
	if (strength_wait(now) < strength_wait(old)) {
		doc_warn(t, "WEAKER: requests wait %" PRIu64 " s, they waited %" PRIu64 " s",
		    strength_wait(now), strength_wait(old));
		said = true;
	}
	life_before = strength_life(old);
	life_after = strength_life(now);
	if (life_before != 0 && (life_after == 0 || life_after > life_before)) {
		if (life_after == 0)
			doc_warn(t, "WEAKER: requests never end, they ended after %" PRIu64 " s",
			    life_before);
		else
			doc_warn(t, "WEAKER: requests end after %" PRIu64 " s, not %" PRIu64 " s",
			    life_after, life_before);
		said = true;
	}
	if (!said)
		doc_warn(t, "WEAKER: approvals may be enough that were not before");
}

static void
warn_rule(struct doc *t, enum ska_rule_kind kind, const struct ska_policy *old,
    const struct ska_policy *now)
{
	enum strength_reach reach = strength_reach(&now->rule[kind]);
	enum strength_reach was = strength_reach(&old->rule[kind]);

	if (reach >= REACH_LATER)
		warn_open(t, kind, &now->rule[kind], was >= REACH_LATER);
	else if (reach == REACH_NOBODY)
		warn_never(t, kind, now);
	else if (was == REACH_NOBODY)
		doc_warn(t, "WEAKER: nobody could %s, with approvals it becomes possible",
		    policy_rule_verbs[kind]);
	else if (!strength_holds(&old->rule[kind], &now->rule[kind]))
		warn_weaker(t, &old->rule[kind], &now->rule[kind]);
}

/* ---- the two sides ---- */

/* use is the rule use of the same policy: most policies ask the same of all four. */
static void
show_side(struct doc *t, const char *name, const struct ska_rule *rule, const struct ska_rule *use)
{
	enum strength_reach reach = strength_reach(rule);

	if (!t->json && reach == REACH_EVERYONE) {
		doc_text(t, name, "open to everyone");
	} else if (!t->json && rule->ntokens == 0) {
		doc_text(t, name, "nobody, ever");
	} else if (!t->json && rule != use && policy_same_rule(rule, use)) {
		doc_text(t, name, "the same as rule use");
	} else {
		doc_open(t, name);
		policy_show_tokens(t, rule, NULL, 0);
		doc_close(t);
	}
}

/* The rule names this approver in an earlier place already. */
static bool
is_named_before(const struct ska_rule *rule, const struct ska_approver *who)
{
	size_t k, g, i;

	for (k = 0; k < rule->ntokens; k++)
		for (g = 0; g < rule->tokens[k].ngroups; g++)
			for (i = 0; i < rule->tokens[k].groups[g].napprovers; i++) {
				const struct ska_approver *p =
				    &rule->tokens[k].groups[g].approvers[i];

				if (p == who)
					return false;
				if (tsb_view_eq(p->spki, who->spki))
					return true;
			}
	return false;
}

/* Lists, each once, those whom with asks and without does not; both ask somebody. */
static void
show_difference(struct doc *t, const char *name, const struct ska_rule *with,
    const struct ska_rule *without)
{
	arena_auto a = {0};
	size_t k, g, i;

	if (!strength_comparable(with) || !strength_comparable(without) ||
	    strength_reach(with) != REACH_APPROVED || strength_reach(without) != REACH_APPROVED)
		return;
	for (k = 0; k < with->ntokens; k++)
		for (g = 0; g < with->tokens[k].ngroups; g++)
			for (i = 0; i < with->tokens[k].groups[g].napprovers; i++) {
				const struct ska_approver *who =
				    &with->tokens[k].groups[g].approvers[i];

				if (!strength_asks(without, who->spki) &&
				    !is_named_before(with, who))
					doc_text(t, name, policy_approver(&a, who));
			}
}

static void
show_rule(struct doc *t, enum ska_rule_kind kind, const struct ska_policy *old,
    const struct ska_policy *now)
{
	const struct ska_rule *before = &old->rule[kind], *after = &now->rule[kind];
	bool same = policy_same_rule(before, after);

	doc_open_as(t, policy_rule_titles[kind], "%s", same ? "unchanged" : "CHANGES");
	if (t->json)
		doc_bool(t, "changes", !same);
	warn_rule(t, kind, old, now);
	if (same) {
		show_side(t, "stays", after, &now->rule[RULE_USE]);
	} else {
		show_side(t, "was", before, &old->rule[RULE_USE]);
		show_side(t, "becomes", after, &now->rule[RULE_USE]);
		doc_list(t, "new approvers");
		show_difference(t, "new approver", after, before);
		doc_close(t);
		doc_list(t, "no longer asked");
		show_difference(t, "no longer asked", before, after);
		doc_close(t);
	}
	doc_close(t);
}

/* Without the old policy every rule counts as changed. */
static void
show_alone(struct doc *t, const struct ska_policy *now)
{
	doc_text(t, "old policy", "not known here: what changes cannot be said");
	policy_show(t, now);
}

void
change_show(struct doc *t, const struct ska_policy *old, const struct ska_policy *now)
{
	unsigned open = strength_open_rules(now), was = old != NULL ? strength_open_rules(old) : 0;
	arena_auto a = {0};
	int k;

	if (open & ~was)
		doc_warn(t, "this policy opens to everyone: %s", rule_list(&a, open & ~was));
	if (old == NULL) {
		show_alone(t, now);
		return;
	}
	for (k = 0; k < RULE__MAX; k++)
		show_rule(t, (enum ska_rule_kind)k, old, now);
}

/*
 * Asks whatever the old policy was: a person who knows it only from the broker cannot be sure that
 * a rule was open before.
 */
int
change_confirm(struct cli *c, const char *what, const struct ska_policy *now, bool *yes)
{
	unsigned open = strength_open_rules(now);
	const char *rules = rule_list(&c->arena, open), *question;

	*yes = open == 0 || c->opt[OPT_YES_OPEN_RULES] != NULL;
	if (*yes)
		return 0;
	question = arena_printf(&c->arena,
	    "Everyone with an API key will need no approval for: %s. Is that what you want?",
	    rules);
	if (c->opt[OPT_YES] == NULL && ask_yes(question, yes, &c->err) == 0)
		return 0;
	return cli_end(c, CLI_OPENS, TSB_E_INPUT,
	    "%s leaves open to everyone: %s; give --yes-open-rules if that is what you want", what,
	    rules);
}
