#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

#include "cli/approve/taskline.h"
#include "cli/key/policy.h"
#include "cli/lib/brief.h"
#include "cli/lib/output.h"
#include "cli/lib/printable.h"

/* Nothing beyond is a time; policies add at most some 2^38 seconds. */
#define TIME_MAX  4102444800ULL /* the year 2100 */
#define KEY_MAX   32 /* columns of a name */
#define NOTE_MAX  28 /* columns of a note or text in a line */
#define NAME_MAX_ 24 /* columns of an approver's name */
#define NAMES_MAX 5 /* of those who are missing */

static const struct ska_rule *
rule_of(const struct task *task)
{
	return task->has_attributes && task->attributes.has_policy
	    ? &task->attributes.policy.rule[ska_operation_rule(task->token.operation)]
	    : NULL;
}

/* ---- time ---- */

bool
taskline_deadline(const struct task *task, uint64_t *out)
{
	const struct ska_rule *rule = rule_of(task);
	uint64_t latest = 0;
	size_t i;

	if (rule == NULL || rule->ntokens == 0 || !task->token.has_timestamp ||
	    task->token.timestamp.seconds > TIME_MAX)
		return false;
	for (i = 0; i < rule->ntokens; i++) {
		if (rule->tokens[i].timeout == 0)
			return false;
		if (rule->tokens[i].timeout > latest)
			latest = rule->tokens[i].timeout;
	}
	*out = task->token.timestamp.seconds + latest;
	return true;
}

static const char *
age(struct arena *a, const struct task *task)
{
	const struct ska_approval_token *t = &task->token;

	if (!t->has_timestamp || t->timestamp.seconds > TIME_MAX)
		return "-";
	return brief_span(a, clock_now_ms() / 1000 - (int64_t)t->timestamp.seconds);
}

static const char *
until(struct arena *a, const struct task *task)
{
	uint64_t end;

	return taskline_deadline(task, &end) ? brief_until(a, (int64_t)end) : "no deadline";
}

/* ---- who ---- */

static bool
approved(const struct task *task, const struct ska_approver *p)
{
	const struct wire_client_status *s = &task->wire->status;
	size_t i;

	for (i = 0; task->wire->has_status && i < s->napproved; i++)
		if (tsb_view_eq(s->approved[i], p->spki))
			return true;
	return false;
}

static const char *
name_of(struct arena *a, const struct ska_approver *p)
{
	return p->name != NULL ? brief_text(a, tsb_view_str(p->name), NAME_MAX_)
			       : policy_approver(a, p);
}

/* The names of the group's approvers, or of those of them that did not approve yet. */
static const char *
names(struct arena *a, const struct task *task, const struct ska_group *g, bool missing_only)
{
	const char *text = "";
	size_t i, shown = 0;

	for (i = 0; i < g->napprovers; i++) {
		if (missing_only && approved(task, &g->approvers[i]))
			continue;
		if (shown++ == NAMES_MAX)
			return arena_printf(a, "%s ...", text);
		text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
		    name_of(a, &g->approvers[i]));
	}
	return text;
}

static size_t
count_approved(const struct task *task, const struct ska_group *g)
{
	size_t i, n = 0;

	for (i = 0; i < g->napprovers; i++)
		n += approved(task, &g->approvers[i]);
	return n;
}

static size_t
missing_of(const struct task *task, const struct ska_group *g)
{
	size_t have = count_approved(task, g);

	return have < g->quorum ? g->quorum - have : 0;
}

/* The group that is the whole rule, as in most policies; NULL = there are several. */
static const struct ska_group *
only_group(const struct ska_rule *rule)
{
	return rule->ntokens == 1 && rule->tokens[0].ngroups == 1 ? &rule->tokens[0].groups[0]
								  : NULL;
}

/* "1 more of bob, carol"; of several alternatives the one with the fewest missing. */
static const char *
missing(struct arena *a, const struct task *task)
{
	const struct ska_rule *rule = rule_of(task);
	size_t best = SIZE_MAX, i, g;

	if (rule == NULL)
		return "?";
	if (only_group(rule) != NULL)
		return arena_printf(a, "%zu more of %s", missing_of(task, only_group(rule)),
		    names(a, task, only_group(rule), true));
	for (i = 0; i < rule->ntokens; i++) {
		size_t sum = 0;

		for (g = 0; g < rule->tokens[i].ngroups; g++)
			sum += missing_of(task, &rule->tokens[i].groups[g]);
		best = sum < best ? sum : best;
	}
	return best == SIZE_MAX ? "never" : arena_printf(a, "%zu more", best);
}

/* ---- what ---- */

static const char *
verb(const struct task *task)
{
	static const char *const verbs[] = {
	    [OP_USE] = "use",
	    [OP_BLOCK] = "block",
	    [OP_UNBLOCK] = "unblock",
	    [OP_MODIFY] = "modify",
	};

	return task->token.operation == OP_USE && task->wire->has_kind
	    ? tsb_kinds[task->wire->kind].title
	    : verbs[task->token.operation];
}

static bool
is_text(struct tsb_view payload)
{
	return payload.n > 0 && printable_all(payload);
}

/* The note is what the caller says of it; without one, the payload itself. */
static const char *
subject(struct arena *a, const struct task *task)
{
	const struct ska_approval_token *t = &task->token;

	if (task->wire->has_meta && task->wire->meta.n > 0)
		return brief_text(a, task->wire->meta, NOTE_MAX);
	if (t->operation != OP_USE || !t->has_payload)
		return "-";
	if (is_text(t->payload))
		return brief_text(a, t->payload, NOTE_MAX);
	return arena_printf(a, "%zu bytes", t->payload.n);
}

/* ---- line and sentence ---- */

static void
print(const char *since, const char *key, const char *operation, const char *what, const char *who,
    const char *deadline, const char *id)
{
	arena_auto a = {0};

	output_row(arena_printf(&a, "%-7s %-16s %-10s %-28s %-24s %-22s %s", since, key, operation,
	    what, who, deadline, id));
}

void
taskline_heading(void)
{
	print("AGE", "KEY", "OPERATION", "NOTE OR PAYLOAD", "MISSING", "DEADLINE", "REQUEST");
}

void
taskline_print(const struct task *task)
{
	arena_auto a = {0};
	const struct wire_client_task *w = task->wire;

	print(age(&a, task), brief_text(&a, task->token.label, KEY_MAX), verb(task),
	    subject(&a, task), missing(&a, task), until(&a, task),
	    w->has_status ? w->status.id : w->id);
}

static const char *
object(struct arena *a, const struct task *task)
{
	const struct ska_approval_token *t = &task->token;

	if (!task->wire->has_kind || !t->has_payload ||
	    tsb_kinds[task->wire->kind].content != CONTENT_BYTES)
		return "";
	return arena_printf(a, " %zu bytes%s", t->payload.n, is_text(t->payload) ? " of text" : "");
}

static const char *
agreement(struct arena *a, const struct task *task)
{
	const struct ska_rule *rule = rule_of(task);
	const struct ska_group *g = rule != NULL ? only_group(rule) : NULL;
	size_t have;

	if (rule == NULL)
		return "a policy that this server does not show decides";
	if (g == NULL)
		return arena_printf(a, "groups must agree as the rule below says, %s are missing",
		    missing(a, task));
	have = count_approved(task, g);
	return arena_printf(a, "%u of %zu (%s) must agree, %s", g->quorum, g->napprovers,
	    names(a, task, g, false),
	    !task->wire->has_status ? "the server does not say who has"
		: have == 0         ? "nobody has yet"
				    : arena_printf(a, "%zu %s", have, have == 1 ? "has" : "have"));
}

const char *
taskline_sentence(struct arena *a, const struct task *task)
{
	const char *key = brief_text(a, task->token.label, KEY_MAX);

	if (task->token.operation != OP_USE)
		return arena_printf(a, "%s key '%s'; %s", verb(task), key, agreement(a, task));
	return arena_printf(a, "use key '%s'%s%s%s; %s", key, task->wire->has_kind ? " to " : "",
	    task->wire->has_kind ? verb(task) : "", object(a, task), agreement(a, task));
}
