#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/ska/policy.h"
#include "lib/ska/tlv.h"

#define MINUTE 60u
/* The least bytes that one counted item takes: bounds counts before anything is allocated. */
#define APPROVER_BYTES_MIN 8
#define GROUP_BYTES_MIN    16
#define TOKEN_BYTES_MIN    24

const char *const ska_rule_names[RULE__MAX] = {
    [RULE_USE] = "ruleUse",
    [RULE_BLOCK] = "ruleBlock",
    [RULE_UNBLOCK] = "ruleUnblock",
    [RULE_MODIFY] = "ruleModify",
};

static const struct {
	unsigned tag;
	const char *what;
} wire_rules[RULE__MAX] = {
    [RULE_USE] = {TLV_RULE_USE, "policy, rule use"},
    [RULE_BLOCK] = {TLV_RULE_BLOCK, "policy, rule block"},
    [RULE_UNBLOCK] = {TLV_RULE_UNBLOCK, "policy, rule unblock"},
    [RULE_MODIFY] = {TLV_RULE_MODIFY, "policy, rule modify"},
};

/* ---- forms of a rule ---- */

void
ska_rule_set_always(struct ska_rule *rule, struct arena *a)
{
	rule->ntokens = 1;
	rule->tokens = arena_array(a, 1, sizeof(*rule->tokens));
}

bool
ska_rule_is_absent_form(const struct ska_rule *rule)
{
	const struct ska_token *t = rule->tokens;

	return rule->ntokens == 1 && t->name == NULL && t->timelock == 0 && t->timeout == 0 &&
	    t->ngroups == 0;
}

static bool
token_needs_nobody(const struct ska_token *t)
{
	for (size_t i = 0; i < t->ngroups; i++)
		if (t->groups[i].quorum != 0)
			return false;
	return true;
}

bool
ska_rule_is_free(const struct ska_rule *rule)
{
	for (size_t i = 0; i < rule->ntokens; i++)
		if (rule->tokens[i].timelock == 0 && token_needs_nobody(&rule->tokens[i]))
			return true;
	return false;
}

bool
ska_token_works_without_timestamp(const struct ska_token *token)
{
	return token->timelock == 0 && token->timeout == 0;
}

bool
ska_rule_works_without_timestamp(const struct ska_rule *rule)
{
	for (size_t i = 0; i < rule->ntokens; i++)
		if (ska_token_works_without_timestamp(&rule->tokens[i]))
			return true;
	return false;
}

/*
 * On the wire both times of a token are minutes when both are whole minutes, else both are seconds.
 * As this is the only choice the writer has, the reader refuses the other one, and every policy has
 * exactly one binary form.
 */
static bool
times_in_minutes(uint64_t timelock, uint64_t timeout)
{
	return timelock % MINUTE == 0 && timeout % MINUTE == 0;
}

bool
ska_times_fit(uint64_t timelock, uint64_t timeout)
{
	uint64_t unit = times_in_minutes(timelock, timeout) ? MINUTE : 1;

	return timelock / unit <= UINT32_MAX && timeout / unit <= UINT32_MAX;
}

/* ---- reading ---- */

static int
take_name(struct tlv_reader *r, struct arena *a, const char **name, struct tsb_err *err)
{
	struct tsb_view v;

	*name = NULL;
	if (tlv_peek(r) != TLV_LABEL)
		return 0;
	if (tlv_take(r, TLV_LABEL, &v, err))
		return -1;
	if (v.n == 0 || v.n > POLICY_NAME_MAX || !tsb_label_valid(v))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "%s: a name is not 1 to %d bytes of UTF-8 without control characters", r->what,
		    POLICY_NAME_MAX);
	*name = arena_strn(a, v.p, v.n);
	return 0;
}

static int
take_count(struct tlv_reader *r, unsigned tag, size_t max, size_t bytes_min, size_t *count,
    struct tsb_err *err)
{
	uint32_t n;

	if (tlv_take_u32(r, tag, &n, err))
		return -1;
	if (n > max)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: count 0x%04x of %lu is above %zu", r->what,
		    tag, (unsigned long)n, max);
	if (n > r->rest.n / bytes_min)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "%s: count 0x%04x of %lu where %zu bytes remain", r->what, tag,
		    (unsigned long)n, r->rest.n);
	*count = n;
	return 0;
}

static int
take_approver(struct tlv_reader *r, struct arena *a, struct ska_approver *out, struct tsb_err *err)
{
	bool certificate;

	if (take_name(r, a, &out->name, err))
		return -1;
	certificate = tlv_peek(r) == TLV_CERTIFICATE;
	if (tlv_take(r, certificate ? TLV_CERTIFICATE : TLV_PUBLIC_KEY, &out->value, err))
		return -1;
	if (out->value.n == 0 || out->value.n > POLICY_VALUE_MAX)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: an approver's key is not 1 to %d bytes",
		    r->what, POLICY_VALUE_MAX);
	out->type = certificate ? APPROVER_CERTIFICATE : APPROVER_PUBLIC_KEY;
	out->value = arena_view(a, out->value);
	return 0;
}

static int
take_group(struct tlv_reader *r, struct arena *a, struct ska_group *out, struct tsb_err *err)
{
	if (take_name(r, a, &out->name, err) || tlv_take_u32(r, TLV_QUORUM, &out->quorum, err) ||
	    take_count(r, TLV_KEY_COUNT, POLICY_APPROVERS_MAX, APPROVER_BYTES_MIN, &out->napprovers,
		err))
		return -1;
	out->approvers = arena_array(a, out->napprovers, sizeof(*out->approvers));
	for (size_t i = 0; i < out->napprovers; i++)
		if (take_approver(r, a, &out->approvers[i], err))
			return -1;
	return 0;
}

static int
take_times(struct tlv_reader *r, struct ska_token *out, struct tsb_err *err)
{
	bool seconds = tlv_peek(r) == TLV_SECONDS;
	unsigned tag = seconds ? TLV_SECONDS : TLV_MINUTES;
	uint32_t timelock, timeout;

	if (tlv_take_u32(r, tag, &timelock, err) || tlv_take_u32(r, tag, &timeout, err))
		return -1;
	if (seconds && times_in_minutes(timelock, timeout))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "%s: timelock and timeout in seconds although both are whole minutes", r->what);
	out->timelock = (uint64_t)timelock * (seconds ? 1 : MINUTE);
	out->timeout = (uint64_t)timeout * (seconds ? 1 : MINUTE);
	return 0;
}

static int
take_token(struct tlv_reader *r, struct arena *a, struct ska_token *out, struct tsb_err *err)
{
	if (take_name(r, a, &out->name, err) || take_times(r, out, err) ||
	    take_count(r, TLV_GROUP_COUNT, POLICY_GROUPS_MAX, GROUP_BYTES_MIN, &out->ngroups, err))
		return -1;
	out->groups = arena_array(a, out->ngroups, sizeof(*out->groups));
	for (size_t i = 0; i < out->ngroups; i++)
		if (take_group(r, a, &out->groups[i], err))
			return -1;
	return 0;
}

static int
parse_rule(struct tsb_view whole, const char *what, struct arena *a, struct ska_rule *out,
    struct tsb_err *err)
{
	struct tlv_reader r;

	if (tlv_open(whole, what, &r, err) ||
	    take_count(&r, TLV_TOKEN_COUNT, POLICY_TOKENS_MAX, TOKEN_BYTES_MIN, &out->ntokens, err))
		return -1;
	out->tokens = arena_array(a, out->ntokens, sizeof(*out->tokens));
	for (size_t i = 0; i < out->ntokens; i++)
		if (take_token(&r, a, &out->tokens[i], err))
			return -1;
	return tlv_end(&r, err);
}

int
ska_policy_parse(struct tsb_view der, struct arena *a, struct ska_policy *out, struct tsb_err *err)
{
	tsb_bytes_auto again = {0};
	struct ska_policy p = {0};
	struct tlv_reader r;
	struct tsb_view rule;

	if (tlv_open(der, "policy", &r, err))
		return -1;
	for (int k = 0; k < RULE__MAX; k++)
		if (tlv_take(&r, wire_rules[k].tag, &rule, err) ||
		    parse_rule(rule, wire_rules[k].what, a, &p.rule[k], err))
			return -1;
	if (tlv_end(&r, err))
		return -1;
	ska_policy_format(&p, &again);
	if (!tsb_view_eq(der, tsb_view_bytes(&again)))
		return tsb_fail(err, TSB_E_PAYLOAD, "policy: not in its canonical form");
	*out = p;
	return 0;
}

/* ---- writing ---- */

static void
put_name(struct tsb_bytes *out, const char *name)
{
	if (name != NULL)
		tlv_put(out, TLV_LABEL, tsb_view_str(name));
}

/* An approver that was onboarded has a certificate by now: it is written as such. */
static void
put_approver(struct tsb_bytes *out, const struct ska_approver *ap)
{
	if (ap->value.n == 0)
		fatal("an approver without a key cannot be written");
	put_name(out, ap->name);
	tlv_put(out, ap->type == APPROVER_PUBLIC_KEY ? TLV_PUBLIC_KEY : TLV_CERTIFICATE, ap->value);
}

static void
put_group(struct tsb_bytes *out, const struct ska_group *g)
{
	put_name(out, g->name);
	tlv_put_u32(out, TLV_QUORUM, g->quorum);
	tlv_put_u32(out, TLV_KEY_COUNT, (uint32_t)g->napprovers);
	for (size_t i = 0; i < g->napprovers; i++)
		put_approver(out, &g->approvers[i]);
}

static void
put_token(struct tsb_bytes *out, const struct ska_token *t)
{
	bool minutes = times_in_minutes(t->timelock, t->timeout);
	unsigned tag = minutes ? TLV_MINUTES : TLV_SECONDS;
	uint64_t unit = minutes ? MINUTE : 1;

	if (!ska_times_fit(t->timelock, t->timeout))
		fatal("timelock or timeout of a token cannot be written");
	put_name(out, t->name);
	tlv_put_u32(out, tag, (uint32_t)(t->timelock / unit));
	tlv_put_u32(out, tag, (uint32_t)(t->timeout / unit));
	tlv_put_u32(out, TLV_GROUP_COUNT, (uint32_t)t->ngroups);
	for (size_t i = 0; i < t->ngroups; i++)
		put_group(out, &t->groups[i]);
}

static void
put_rule(struct tsb_bytes *out, unsigned tag, const struct ska_rule *rule)
{
	tsb_bytes_auto body = {0};
	tsb_bytes_auto whole = {0};

	tlv_put_u32(&body, TLV_TOKEN_COUNT, (uint32_t)rule->ntokens);
	for (size_t i = 0; i < rule->ntokens; i++)
		put_token(&body, &rule->tokens[i]);
	tlv_put_container(&whole, tsb_view_bytes(&body));
	tlv_put(out, tag, tsb_view_bytes(&whole));
}

void
ska_policy_format(const struct ska_policy *p, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	for (int k = 0; k < RULE__MAX; k++)
		put_rule(&body, wire_rules[k].tag, &p->rule[k]);
	tlv_put_container(out, tsb_view_bytes(&body));
}
