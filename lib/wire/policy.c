/* JSON form of a policy (api-notes.md 4.1). lib/ska knows what its members mean. */
#include "lib/first.h"

#include "lib/wire/field.h"

static const char *const approver_types[] = {
    [APPROVER_PUBLIC_KEY] = "public_key",
    [APPROVER_CERTIFICATE] = "certificate",
    [APPROVER_ONBOARDED] = "onboarded_approver_certificate",
};

static int
approval_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct ska_approver *p = dest;
	char where[FIELD_WHERE];

	if (p->type == APPROVER_CERTIFICATE && p->name != NULL)
		return tsb_fail(err, TSB_E_CERTIFICATE_NAME,
		    "%s cannot be given with type certificate: its common name is used",
		    field_where(at, "name", where));
	if (p->type != APPROVER_ONBOARDED && p->value.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "%s is missing", field_where(at, "value", where));
	if (p->type == APPROVER_ONBOARDED && p->value.n > 0)
		return tsb_fail(err, TSB_E_APPROVER_VALUE,
		    "%s cannot be given with type onboarded_approver_certificate",
		    field_where(at, "value", where));
	if (p->type == APPROVER_ONBOARDED && p->name == NULL)
		return tsb_fail(err, TSB_E_INPUT, "%s is missing", field_where(at, "name", where));
	return 0;
}

#define SECONDS_MAX (1L << 53) /* every JSON reader holds it exactly */

static const struct field approval_fields[] = {
    {"type", FIELD_INDEX, REQUIRED, NAMES(approver_types), AT(struct ska_approver, type)},
    {"name", FIELD_NAME, .max = POLICY_NAME_MAX, AT(struct ska_approver, name)},
    {"value", FIELD_APPROVER, .max = POLICY_VALUE_MAX, AT(struct ska_approver, value)},
    {NULL},
};
static const struct field_object approval_object = {approval_fields, .check = approval_check};
static const struct field approval_row = {"approval", FIELD_OBJECT, .object = &approval_object};

static const struct field group_fields[] = {
    {"name", FIELD_NAME, .max = POLICY_NAME_MAX, AT(struct ska_group, name)},
    {"quorum", FIELD_INT, REQUIRED, .max = INT32_MAX, AT(struct ska_group, quorum)},
    {"approvals", FIELD_LIST, REQUIRED, .max = POLICY_APPROVERS_MAX, .element = &approval_row,
	.element_size = sizeof(struct ska_approver), AT(struct ska_group, approvers),
	.count = offsetof(struct ska_group, napprovers)},
    {NULL},
};
static const struct field_object group_object = {group_fields};
static const struct field group_row = {"group", FIELD_OBJECT, .object = &group_object};

static const struct field token_fields[] = {
    {"name", FIELD_NAME, .max = POLICY_NAME_MAX, AT(struct ska_token, name)},
    {"timelock", FIELD_INT, REQUIRED, .max = SECONDS_MAX, AT(struct ska_token, timelock)},
    {"timeout", FIELD_INT, REQUIRED, .max = SECONDS_MAX, AT(struct ska_token, timeout)},
    {"groups", FIELD_LIST, .max = POLICY_GROUPS_MAX, .element = &group_row,
	.element_size = sizeof(struct ska_group), AT(struct ska_token, groups),
	.count = offsetof(struct ska_token, ngroups)},
    {NULL},
};
static const struct field_object token_object = {token_fields};
static const struct field token_row = {"token", FIELD_OBJECT, .object = &token_object};

/* A rule has no token until some are named: it can never be met (api-notes.md 4.1). */
static void
rule_init(void *dest, struct arena *a)
{
	*(struct ska_rule *)dest = (struct ska_rule){0};
}

static const struct field rule_fields[] = {
    {"tokens", FIELD_LIST, .max = POLICY_TOKENS_MAX, .element = &token_row,
	.element_size = sizeof(struct ska_token), AT(struct ska_rule, tokens),
	.count = offsetof(struct ska_rule, ntokens)},
    {NULL},
};
static const struct field_object rule_object = {rule_fields, .init = rule_init};

static void
policy_init(void *dest, struct arena *a)
{
	struct ska_policy *p = dest;

	for (int kind = 0; kind < RULE__MAX; kind++)
		ska_rule_set_always(&p->rule[kind], a);
	p->blocked = false;
}

#define RULE(kind) .object = &rule_object, AT(struct ska_policy, rule[kind])
static const struct field rules_fields[] = {
    {"ruleUse", FIELD_OBJECT, RULE(RULE_USE)},
    {"ruleBlock", FIELD_OBJECT, RULE(RULE_BLOCK)},
    {"ruleUnblock", FIELD_OBJECT, RULE(RULE_UNBLOCK)},
    {"ruleModify", FIELD_OBJECT, RULE(RULE_MODIFY)},
    {NULL},
};

static const struct field status_fields[] = {
    {"blocked", FIELD_BOOL, REQUIRED, AT(struct ska_policy, blocked)},
    {NULL},
};
static const struct field_object status_object = {status_fields};

static const struct field with_status[] = {
    {"keyStatus", FIELD_OBJECT, .object = &status_object}, /* absent: not blocked */
    {NULL},
};
static const struct field without_status[] = {
    {"keyStatus", FIELD_IGNORED}, /* block and unblock have rules of their own */
    {NULL},
};

const struct field_object policy_object = {rules_fields, with_status, .strict = true,
    .init = policy_init};
const struct field_object policy_modify_object = {rules_fields, without_status, .strict = true,
    .init = policy_init};

static void
approver_format(const struct ska_approver *p, struct tsb_bytes *out)
{
	emit_open(out, NULL, '{');
	emit_text(out, "type", approver_types[p->type]);
	emit_text(out, "name", p->name);
	emit_base64_or_null(out, "value", p->value);
	emit_close(out, '}');
}

static void
token_format(const struct ska_token *t, struct tsb_bytes *out)
{
	emit_open(out, NULL, '{');
	emit_text(out, "name", t->name);
	emit_uint(out, "timelock", t->timelock);
	emit_uint(out, "timeout", t->timeout);
	emit_open(out, "groups", '[');
	for (size_t i = 0; i < t->ngroups; i++) {
		const struct ska_group *g = &t->groups[i];

		emit_open(out, NULL, '{');
		emit_text(out, "name", g->name);
		emit_uint(out, "quorum", g->quorum);
		emit_open(out, "approvals", '[');
		for (size_t k = 0; k < g->napprovers; k++)
			approver_format(&g->approvers[k], out);
		emit_close(out, ']');
		emit_close(out, '}');
	}
	emit_close(out, ']');
	emit_close(out, '}');
}

void
wire_policy_format(const struct ska_policy *p, bool with_key_status, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	for (int kind = 0; kind < RULE__MAX; kind++) {
		const struct ska_rule *rule = &p->rule[kind];

		if (ska_rule_is_absent_form(rule)) {
			emit_null(out, ska_rule_names[kind]);
			continue;
		}
		emit_open(out, ska_rule_names[kind], '{');
		emit_open(out, "tokens", '[');
		for (size_t i = 0; i < rule->ntokens; i++)
			token_format(&rule->tokens[i], out);
		emit_close(out, ']');
		emit_close(out, '}');
	}
	if (with_key_status) {
		emit_open(out, "keyStatus", '{');
		emit_bool(out, "blocked", p->blocked);
		emit_close(out, '}');
	}
	emit_close(out, '}');
}

bool
wire_policy_has_status(struct tsb_view object)
{
	struct tsb_view policy, status;

	return wire_member_text(object, "policy", &policy) &&
	    wire_member_text(policy, "keyStatus", &status) && !jsontext_is_null(status);
}

void
wire_policy_replace(struct tsb_view object, const struct ska_policy *p, bool with_key_status,
    struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0};

	wire_policy_format(p, with_key_status, &text);
	jsontext_replace(object, "policy", tsb_view_bytes(&text), out);
}

void
wire_policy_replace_in(struct tsb_view body, const char *envelope, const struct ska_policy *p,
    bool with_key_status, struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0};
	struct tsb_view inner;

	if (!wire_member_text(body, envelope, &inner))
		return;
	wire_policy_replace(inner, p, with_key_status, &text);
	jsontext_replace(body, envelope, tsb_view_bytes(&text), out);
}
