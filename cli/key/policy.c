#include "lib/first.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/wire/wire.h"

#include "cli/key/policy.h"
#include "cli/key/strength.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/fingerprint.h"
#include "cli/lib/output.h"

#define POLICY_FILE_MAX (4 * 1024 * 1024)
#define SECONDS_MAX     (100L * 366 * 86400)

const char *const policy_rule_verbs[RULE__MAX] = {"use this key", "block this key",
    "unblock this key", "replace the policy of this key"};
const char *const policy_rule_titles[RULE__MAX] = {"rule use", "rule block", "rule unblock",
    "rule modify"};

/* ---- from options ---- */

/* "keys/anna.pub.pem" names the approver "anna". */
static const char *
approver_name(struct arena *a, const char *path)
{
	static const char *const endings[] = {".pub.pem", ".pem", ".crt", ".cer", ".pub", ".der"};
	const char *base = strrchr(path, '/');
	size_t n, i, len;

	base = base != NULL ? base + 1 : path;
	n = strlen(base);
	for (i = 0; i < TSB_COUNT(endings); i++) {
		len = strlen(endings[i]);
		if (n > len && tsb_streq(base + n - len, endings[i]))
			return arena_strn(a, base, n - len);
	}
	return arena_str(a, base);
}

static int
read_approver(struct cli *c, const char *path, struct ska_approver *out)
{
	struct tsb_view cert;

	if (file_read_spki(path, &c->arena, &out->spki, &cert, &c->err))
		return -1;
	if (cert.n > 0) { /* a certificate brings its own name (api-notes.md 4.1) */
		out->type = APPROVER_CERTIFICATE;
		out->value = cert;
		return 0;
	}
	out->type = APPROVER_PUBLIC_KEY;
	out->value = out->spki;
	out->name = approver_name(&c->arena, path);
	return 0;
}

static int
read_approvers(struct cli *c, struct ska_group *group)
{
	char *list = arena_str(&c->arena, c->opt[OPT_APPROVERS]), *rest = list, *path;
	size_t i;

	group->approvers = arena_array(&c->arena, POLICY_APPROVERS_MAX, sizeof(*group->approvers));
	while ((path = strsep(&rest, ",")) != NULL) {
		struct ska_approver *next = &group->approvers[group->napprovers];

		if (!*path)
			continue;
		if (group->napprovers == POLICY_APPROVERS_MAX)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--approvers names more than %d files", POLICY_APPROVERS_MAX);
		if (read_approver(c, path, next))
			return -1;
		for (i = 0; i < group->napprovers; i++)
			if (tsb_view_eq(group->approvers[i].spki, next->spki))
				return tsb_fail(&c->err, TSB_E_INPUT,
				    "--approvers: %s holds a key that another file holds too",
				    path);
		group->napprovers++;
	}
	if (group->napprovers == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "--approvers names no file");
	return 0;
}

/* One rule with one token and one group, for all four rules or for the first alone. */
static int
rule_of_approvers(struct cli *c, struct ska_policy *policy)
{
	struct ska_group *group = arena_alloc(&c->arena, sizeof(*group));
	struct ska_token *token = arena_alloc(&c->arena, sizeof(*token));
	long quorum, timelock, timeout;
	int i;

	if (read_approvers(c, group))
		return -1;
	if (cli_number(c, OPT_QUORUM, 1, (long)group->napprovers, (long)group->napprovers,
		&quorum) ||
	    cli_number(c, OPT_TIMELOCK, 0, SECONDS_MAX, 0, &timelock) ||
	    cli_number(c, OPT_TIMEOUT, 0, SECONDS_MAX, 0, &timeout))
		return -1;
	if (timelock % 60 || timeout % 60)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "--timelock and --timeout are seconds in whole minutes (multiples of 60)");
	if (timeout && timeout <= timelock)
		return tsb_fail(&c->err, TSB_E_INPUT, "--timeout must be above --timelock");
	group->name = "approvers";
	group->quorum = (uint32_t)quorum;
	*token = (struct ska_token){"approval", (uint64_t)timelock, (uint64_t)timeout, 1, group};
	for (i = 0; i < RULE__MAX; i++) {
		policy->rule[i] = (struct ska_rule){1, token};
		if (i != RULE_USE && c->opt[OPT_USE_ONLY] != NULL)
			ska_rule_set_always(&policy->rule[i], &c->arena);
	}
	return 0;
}

static void
warn_open(const char *rule)
{
	output_note("tsb: WARNING: %s is open: anybody with an API key may %s this key", rule + 4,
	    tsb_streq(rule, ska_rule_names[RULE_MODIFY])      ? "replace the policy of"
		: tsb_streq(rule, ska_rule_names[RULE_USE])   ? "use"
		: tsb_streq(rule, ska_rule_names[RULE_BLOCK]) ? "block"
							      : "unblock");
}

static int
policy_of_file(struct cli *c, bool creation, struct tsb_bytes *json)
{
	tsb_bytes_auto text = {0};
	struct tsb_view compact, value;
	int i;

	if (file_read(c->opt[OPT_POLICY], POLICY_FILE_MAX, &text, &c->err))
		return -1;
	if (wire_compact(tsb_view_bytes(&text), &c->arena, &compact, &c->err))
		return -1;
	if (!creation) {
		tsb_bytes_add_view(json, compact);
		return 0;
	}
	for (i = 0; i < RULE__MAX; i++)
		if (!wire_member_text(compact, ska_rule_names[i], &value) ||
		    tsb_view_eq(value, tsb_view_str("null")))
			warn_open(ska_rule_names[i]);
	tsb_bytes_add(json, compact.p, compact.n - 1); /* without the brace */
	if (!wire_member_text(compact, "keyStatus", &value))
		tsb_bytes_addf(json, "%s\"keyStatus\":{\"blocked\":false}",
		    json->p[json->n - 1] == '{' ? "" : ",");
	tsb_bytes_add_str(json, "}");
	return 0;
}

int
policy_of_options(struct cli *c, bool creation, struct tsb_bytes *json)
{
	static const enum cli_option parts[] = {OPT_QUORUM, OPT_TIMELOCK, OPT_TIMEOUT,
	    OPT_USE_ONLY};
	struct ska_policy policy = {0};
	size_t i;

	if (c->opt[OPT_POLICY] != NULL && c->opt[OPT_APPROVERS] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "give --policy or --approvers, not both");
	if (c->opt[OPT_APPROVERS] == NULL)
		for (i = 0; i < TSB_COUNT(parts); i++)
			if (c->opt[parts[i]] != NULL)
				return tsb_fail(&c->err, TSB_E_INPUT, "--%s goes with --approvers",
				    option_rows[parts[i]].name);
	if (c->opt[OPT_POLICY] != NULL)
		return policy_of_file(c, creation, json);
	if (c->opt[OPT_APPROVERS] == NULL)
		return 0;
	if (rule_of_approvers(c, &policy))
		return -1;
	for (i = 0; creation && i < RULE__MAX; i++)
		if (ska_rule_is_free(&policy.rule[i]))
			warn_open(ska_rule_names[i]);
	wire_policy_format(&policy, creation, json);
	return 0;
}

/* ---- for people ---- */

static bool
has_approved(const struct tsb_view *approved, size_t n, struct tsb_view spki)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (tsb_view_eq(approved[i], spki))
			return true;
	return false;
}

/* The name that the policy gives, or a certificate's own. */
static const char *
shown_name(struct arena *a, const struct ska_approver *p)
{
	const char *name = p->name;
	struct tsb_err ignored;

	if (name == NULL && p->type == APPROVER_CERTIFICATE &&
	    crypto_cert_common_name(p->value, a, &name, &ignored))
		name = NULL;
	return name;
}

/* An approver whose key only the broker knows is called by name. */
const char *
policy_approver(struct arena *a, const struct ska_approver *p)
{
	const char *name = shown_name(a, p);

	if (p->type == APPROVER_ONBOARDED)
		return arena_printf(a, "onboarded  %s", name);
	return arena_printf(a, "%s%s%s", fingerprint_key(a, p->spki), name != NULL ? "  " : "",
	    name != NULL ? name : "");
}

/*
 * Its validity decides nothing, because a policy names keys (SECURITY.md); people should know. NULL
 * when there is nothing to say.
 */
static const char *
warning_of_validity(struct arena *a, const struct ska_approver *p)
{
	struct tsb_err why = {0};

	if (p->type != APPROVER_CERTIFICATE ||
	    crypto_cert_valid_at(p->value, clock_now_ms() / 1000, &why) == 0)
		return NULL;
	return arena_printf(a, "%s: %s; its approvals count all the same", policy_approver(a, p),
	    why.msg);
}

static void
show_approver(struct doc *t, const struct ska_approver *p, const struct tsb_view *approved,
    size_t n)
{
	static const char *const types[] = {
	    [APPROVER_PUBLIC_KEY] = "public_key",
	    [APPROVER_CERTIFICATE] = "certificate",
	    [APPROVER_ONBOARDED] = "onboarded_approver_certificate",
	};
	arena_auto a = {0};
	bool has = approved != NULL && has_approved(approved, n, p->spki);
	const char *warning = warning_of_validity(&a, p);

	if (warning != NULL)
		doc_warn(t, "%s", warning);
	if (!t->json) {
		doc_format(t, "approver", "%s%s", policy_approver(&a, p),
		    has ? "  (has approved)" : "");
		return;
	}
	doc_open(t, "approver");
	doc_text(t, "name", shown_name(&a, p));
	doc_text(t, "type", types[p->type]);
	if (p->type != APPROVER_ONBOARDED)
		doc_key(t, "key", p->spki);
	if (approved != NULL)
		doc_bool(t, "approved", has);
	doc_close(t);
}

static void
show_group(struct doc *t, const struct ska_group *g, const struct tsb_view *approved, size_t n)
{
	arena_auto a = {0};
	size_t i, have = 0;

	for (i = 0; approved != NULL && i < g->napprovers; i++)
		have += has_approved(approved, n, g->approvers[i].spki);
	doc_open_as(t, "group", "%s%s%u of %zu must approve%s", g->name != NULL ? g->name : "",
	    g->name != NULL ? ": " : "", g->quorum, g->napprovers,
	    approved != NULL ? arena_printf(&a, ", %zu did", have) : "");
	if (t->json) {
		doc_text(t, "name", g->name);
		doc_number(t, "quorum", g->quorum);
	}
	if (t->json && approved != NULL)
		doc_number(t, "approvals", have);
	if (g->quorum > g->napprovers)
		doc_warn(t, "this group has fewer approvers than its quorum: it can never be met");
	doc_list(t, "approvers");
	for (i = 0; i < g->napprovers; i++)
		show_approver(t, &g->approvers[i], approved, n);
	doc_close(t);
	doc_close(t);
}

static const char *
minutes(struct arena *a, const char *name, uint64_t seconds)
{
	return seconds
	    ? arena_printf(a, "%s %" PRIu64 " s (%" PRIu64 " min)  ", name, seconds, seconds / 60)
	    : "";
}

static void
show_token(struct doc *t, const struct ska_token *token, const struct tsb_view *approved, size_t n)
{
	arena_auto a = {0};
	size_t i;

	doc_open_as(t, "token", "%s%s%s%s", token->name != NULL ? token->name : "",
	    token->name != NULL ? "  " : "", minutes(&a, "timelock", token->timelock),
	    minutes(&a, "timeout", token->timeout));
	if (t->json) {
		doc_text(t, "name", token->name);
		doc_number(t, "timelock", token->timelock);
		doc_number(t, "timeout", token->timeout);
	}
	doc_list(t, "groups");
	for (i = 0; i < token->ngroups; i++)
		show_group(t, &token->groups[i], approved, n);
	doc_close(t);
	doc_close(t);
}

void
policy_show_tokens(struct doc *t, const struct ska_rule *rule, const struct tsb_view *approved,
    size_t n)
{
	size_t i;

	doc_list(t, "tokens");
	for (i = 0; i < rule->ntokens; i++)
		show_token(t, &rule->tokens[i], approved, n);
	doc_close(t);
}

void
policy_warn_reach(struct doc *t, enum ska_rule_kind kind, const struct ska_rule *rule)
{
	switch (strength_reach(rule)) {
	case REACH_EVERYONE:
		doc_warn(t, "OPEN TO EVERYONE: no approval is needed to %s",
		    policy_rule_verbs[kind]);
		break;
	case REACH_LATER:
		doc_warn(t, "OPEN TO EVERYONE after %" PRIu64 " s: no approval is needed to %s",
		    strength_wait(rule), policy_rule_verbs[kind]);
		break;
	case REACH_NOBODY:
		doc_warn(t, "NEVER: nobody can ever %s: no token of the rule can be met",
		    policy_rule_verbs[kind]);
		break;
	case REACH_APPROVED:
		break;
	}
}

void
policy_show_rule(struct doc *t, enum ska_rule_kind kind, const struct ska_rule *rule,
    const struct tsb_view *approved, size_t n)
{
	doc_open(t, policy_rule_titles[kind]);
	policy_warn_reach(t, kind, rule);
	if (t->json)
		doc_bool(t, "open", strength_reach(rule) >= REACH_LATER);
	policy_show_tokens(t, rule, approved, n);
	doc_close(t);
}

/* By their bytes on the wire. */
bool
policy_same_rule(const struct ska_rule *x, const struct ska_rule *y)
{
	struct ska_policy a = {.rule = {*x, *x, *x, *x}}, b = {.rule = {*y, *y, *y, *y}};
	tsb_bytes_auto left = {0}, right = {0};

	ska_policy_format(&a, &left);
	ska_policy_format(&b, &right);
	return tsb_view_eq(tsb_view_bytes(&left), tsb_view_bytes(&right));
}

void
policy_show(struct doc *t, const struct ska_policy *policy)
{
	const struct ska_rule *use = &policy->rule[RULE_USE];
	int i;

	for (i = 0; i < RULE__MAX; i++) {
		const struct ska_rule *rule = &policy->rule[i];

		/* a rule with a warning is never folded away */
		if (!t->json && i != RULE_USE && strength_reach(rule) == REACH_APPROVED &&
		    policy_same_rule(rule, use))
			doc_text(t, policy_rule_titles[i], "the same as rule use");
		else
			policy_show_rule(t, (enum ska_rule_kind)i, rule, NULL, 0);
	}
}

/* ---- notes beside the policy ---- */

/* The lines that were noted, each with a line feed. */
static void
note_once(const char *line, struct tsb_bytes *noted)
{
	tsb_bytes_auto whole = {0};

	tsb_bytes_addf(&whole, "%s\n", line);
	if (noted->n > 0 && memmem(noted->p, noted->n, whole.p, whole.n) != NULL)
		return;
	tsb_bytes_add_view(noted, tsb_view_bytes(&whole));
	output_note("tsb: warning: %s", line);
}

static void
note_token(const struct ska_token *token, struct arena *a, struct tsb_bytes *noted)
{
	for (size_t g = 0; g < token->ngroups; g++)
		for (size_t i = 0; i < token->groups[g].napprovers; i++) {
			const char *warning =
			    warning_of_validity(a, &token->groups[g].approvers[i]);

			if (warning != NULL)
				note_once(warning, noted);
		}
}

void
policy_note_validity(const struct ska_policy *policy)
{
	tsb_bytes_auto noted = {0};
	arena_auto a = {0};

	for (int r = 0; r < RULE__MAX; r++)
		for (size_t i = 0; i < policy->rule[r].ntokens; i++)
			note_token(&policy->rule[r].tokens[i], &a, &noted);
}
