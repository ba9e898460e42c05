#include "lib/first.h"

#include <stdio.h>

#include "lib/base/str.h"
#include "lib/ska/policy.h"

#define MINUTE 60u

/* Where the check stands, as the JSON member of the API: "policy.ruleUse.tokens[0].groups[1]". */
struct place {
	char text[160];
};

static struct place
place_token(int rule, size_t token)
{
	struct place p;

	snprintf(p.text, sizeof(p.text), "policy.%s.tokens[%zu]", ska_rule_names[rule], token);
	return p;
}

static struct place
place_group(const struct place *token, size_t group)
{
	struct place p;

	snprintf(p.text, sizeof(p.text), "%.90s.groups[%zu]", token->text, group);
	return p;
}

static struct place
place_approver(const struct place *group, size_t approver)
{
	struct place p;

	snprintf(p.text, sizeof(p.text), "%.100s.approvals[%zu]", group->text, approver);
	return p;
}

/* ---- resolving ---- */

static int
resolve_approver(struct ska_approver *ap, struct arena *a, ska_spki_of_cert *of_cert,
    ska_spki_check *check, struct tsb_err *err)
{
	struct tsb_view spki = ap->value;

	if (ap->value.n == 0)
		return tsb_fail(err, TSB_E_APPROVER_VALUE, "the key or certificate is missing");
	if (ap->type != APPROVER_PUBLIC_KEY && of_cert(ap->value, a, &spki, err))
		return -1;
	if (check != NULL && check(spki, err))
		return -1;
	ap->spki = spki;
	return 0;
}

/* The callbacks know the bytes only; the caller needs to know which member holds them. */
static int
fail_at(const struct place *token, size_t group, size_t approver, struct tsb_err *err)
{
	struct tsb_err inner = *err;
	struct place g = place_group(token, group);
	struct place p = place_approver(&g, approver);

	tsb_err_raise(err, inner.code, inner.file, inner.line, "%s.value: %.380s", p.text,
	    inner.msg);
	return -1;
}

static int
resolve_token(struct ska_token *t, const struct place *at, struct arena *a,
    ska_spki_of_cert *of_cert, ska_spki_check *check, struct tsb_err *err)
{
	for (size_t g = 0; g < t->ngroups; g++)
		for (size_t i = 0; i < t->groups[g].napprovers; i++)
			if (resolve_approver(&t->groups[g].approvers[i], a, of_cert, check, err))
				return fail_at(at, g, i, err);
	return 0;
}

int
ska_policy_resolve(struct ska_policy *p, struct arena *a, ska_spki_of_cert *of_cert,
    ska_spki_check *check, struct tsb_err *err)
{
	for (int k = 0; k < RULE__MAX; k++)
		for (size_t i = 0; i < p->rule[k].ntokens; i++) {
			struct place at = place_token(k, i);

			if (resolve_token(&p->rule[k].tokens[i], &at, a, of_cert, check, err))
				return -1;
		}
	return 0;
}

/* ---- limits and form, the same for all rules ---- */

static int
check_name(const char *name, const struct place *at, struct tsb_err *err)
{
	struct tsb_view v = tsb_view_str(name);

	if (name == NULL)
		return 0;
	if (v.n == 0 || v.n > POLICY_NAME_MAX)
		return tsb_fail(err, TSB_E_INPUT, "%s.name: must have 1 to %d bytes", at->text,
		    POLICY_NAME_MAX);
	if (!tsb_label_valid(v))
		return tsb_fail(err, TSB_E_INPUT,
		    "%s.name: must be UTF-8 without control characters", at->text);
	return 0;
}

static int
check_approver(const struct ska_approver *ap, const struct place *at, struct tsb_err *err)
{
	if (check_name(ap->name, at, err))
		return -1;
	if (ap->value.n == 0 || ap->spki.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "%s.value: the key or certificate is missing",
		    at->text);
	if (ap->value.n > POLICY_VALUE_MAX)
		return tsb_fail(err, TSB_E_INPUT, "%s.value: must have at most %d bytes", at->text,
		    POLICY_VALUE_MAX);
	return 0;
}

static int
check_group(const struct ska_group *g, const struct place *at, struct tsb_err *err)
{
	if (check_name(g->name, at, err))
		return -1;
	if (g->napprovers > POLICY_APPROVERS_MAX)
		return tsb_fail(err, TSB_E_INPUT, "%s.approvals: at most %d are allowed", at->text,
		    POLICY_APPROVERS_MAX);
	for (size_t i = 0; i < g->napprovers; i++) {
		struct place p = place_approver(at, i);

		if (check_approver(&g->approvers[i], &p, err))
			return -1;
	}
	return 0;
}

static int
check_time(uint64_t seconds, const char *member, const struct place *at, struct tsb_err *err)
{
	if (seconds % MINUTE != 0)
		return tsb_fail(err, TSB_E_INPUT, "%s.%s: must be a multiple of 60 seconds",
		    at->text, member);
	if (seconds / MINUTE > UINT32_MAX)
		return tsb_fail(err, TSB_E_INPUT, "%s.%s: must be at most %lu minutes", at->text,
		    member, (unsigned long)UINT32_MAX);
	return 0;
}

static int
check_token(const struct ska_token *t, const struct place *at, struct tsb_err *err)
{
	if (check_name(t->name, at, err) || check_time(t->timelock, "timelock", at, err) ||
	    check_time(t->timeout, "timeout", at, err))
		return -1;
	if (t->ngroups > POLICY_GROUPS_MAX)
		return tsb_fail(err, TSB_E_INPUT, "%s.groups: at most %d are allowed", at->text,
		    POLICY_GROUPS_MAX);
	for (size_t i = 0; i < t->ngroups; i++) {
		struct place p = place_group(at, i);

		if (check_group(&t->groups[i], &p, err))
			return -1;
	}
	return 0;
}

static int
check_rule(const struct ska_rule *rule, int kind, struct tsb_err *err)
{
	if (rule->ntokens > POLICY_TOKENS_MAX)
		return tsb_fail(err, TSB_E_INPUT, "policy.%s.tokens: at most %d are allowed",
		    ska_rule_names[kind], POLICY_TOKENS_MAX);
	for (size_t i = 0; i < rule->ntokens; i++) {
		struct place p = place_token(kind, i);

		if (check_token(&rule->tokens[i], &p, err))
			return -1;
	}
	return 0;
}

/* ---- a key must be usable by somebody: more is asked of ruleUse ---- */

static size_t
different_approvers(const struct ska_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->napprovers; i++) {
		size_t j = 0;

		while (j < i && !tsb_view_eq(g->approvers[j].spki, g->approvers[i].spki))
			j++;
		n += j == i;
	}
	return n;
}

static int
check_quorums_positive(const struct ska_token *t, const struct place *at, struct tsb_err *err)
{
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i].quorum == 0)
			return tsb_fail(err, TSB_E_INPUT,
			    "%s.groups[%zu].quorum: must be at least 1", at->text, i);
	return 0;
}

static int
check_token_can_be_met(const struct ska_token *t, const struct place *at, struct tsb_err *err)
{
	if (t->timeout != 0 && t->timeout <= t->timelock)
		return tsb_fail(err, TSB_E_INPUT,
		    "%s.timeout: must be above the timelock, or 0 for none", at->text);
	/* The time of the request reaches the HSM inside an approval only. */
	if (t->ngroups == 0 && t->timelock != 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "%s.timelock: must be 0 without groups, because nobody signs the time",
		    at->text);
	for (size_t i = 0; i < t->ngroups; i++) {
		size_t n = different_approvers(&t->groups[i]);

		if (t->groups[i].quorum > n)
			return tsb_fail(err, TSB_E_INPUT,
			    "%s.groups[%zu].quorum: %lu is above the number of different approvers, %zu",
			    at->text, i, (unsigned long)t->groups[i].quorum, n);
	}
	return 0;
}

/* One token that can be met is enough; else the caller learns what hinders the first one. */
static int
check_rule_can_be_met(const struct ska_rule *rule, int kind, struct tsb_err *err)
{
	struct tsb_err first = {0}, other;
	bool met = false;

	if (rule->ntokens == 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "policy.%s.tokens: a rule without tokens can never be met",
		    ska_rule_names[kind]);
	for (size_t i = 0; i < rule->ntokens; i++) {
		struct place p = place_token(kind, i);

		if (check_quorums_positive(&rule->tokens[i], &p, err))
			return -1;
		if (check_token_can_be_met(&rule->tokens[i], &p, i == 0 ? &first : &other) == 0)
			met = true;
	}
	if (met)
		return 0;
	*err = first;
	return -1;
}

static size_t
count_entries(const struct ska_policy *p)
{
	size_t n = 0;

	for (int k = 0; k < RULE__MAX; k++)
		for (size_t i = 0; i < p->rule[k].ntokens; i++)
			for (size_t g = 0; g < p->rule[k].tokens[i].ngroups; g++)
				n += p->rule[k].tokens[i].groups[g].napprovers;
	return n;
}

int
ska_policy_check(const struct ska_policy *p, struct tsb_err *err)
{
	for (int k = 0; k < RULE__MAX; k++)
		if (check_rule(&p->rule[k], k, err))
			return -1;
	if (count_entries(p) > POLICY_ENTRIES_MAX)
		return tsb_fail(err, TSB_E_INPUT,
		    "policy: names %zu approvers in its groups; at most %d are allowed in all rules",
		    count_entries(p), POLICY_ENTRIES_MAX);
	return check_rule_can_be_met(&p->rule[RULE_USE], RULE_USE, err);
}
