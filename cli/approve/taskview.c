/*
 * Shows what an approver decides on. All of it comes from the token unless it says otherwise.
 */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "cli/approve/attested.h"
#include "cli/approve/task.h"
#include "cli/approve/taskline.h"
#include "cli/approve/token.h"
#include "cli/key/change.h"
#include "cli/key/policy.h"
#include "cli/lib/certview.h"
#include "cli/lib/doc.h"
#include "cli/request/request.h"

/* Nothing beyond is a time; policies add at most some 2^38 seconds. */
#define TIME_MAX 4102444800ULL /* the year 2100 */

static const char *const operations[] = {
    [OP_USE] = "use the key",
    [OP_BLOCK] = "block the key",
    [OP_UNBLOCK] = "unblock the key",
    [OP_MODIFY] = "replace the policy",
};

static void
show_rule(struct doc *t, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	enum ska_rule_kind kind = ska_operation_rule(task->token.operation);
	static const struct tsb_view nobody = {NULL, 0};
	arena_auto a = {0};

	if (!task->has_attributes || !task->attributes.has_policy) {
		doc_text(t, "decided by", "a policy that this server does not show");
		return;
	}
	doc_format(t, "decided by", "this rule, %s, %s", attested_text(&a, &task->attributes),
	    task->attributes_verified ? "signed by the HSM, checked"
				      : "as the server says; --attestation-key FILE checks it");
	if (task->stale)
		doc_warn(t, "the attestation is OLD: the policy may have been changed since");
	policy_show_rule(t, kind, &task->attributes.policy.rule[kind],
	    w->has_status ? (w->status.napproved ? w->status.approved : &nobody) : NULL,
	    w->has_status ? w->status.napproved : 0);
}

void
task_show_time(struct doc *t, const struct task *task)
{
	char text[CLOCK_ISO_SIZE];
	const struct ska_approval_token *token = &task->token;

	if (!token->has_timestamp)
		doc_text(t, "asked at", "no HSM timestamp: only rules without time limits apply");
	else if (token->timestamp.seconds <= TIME_MAX)
		doc_format(t, "asked at", "%s (HSM clock%s)",
		    clock_iso((int64_t)token->timestamp.seconds, text),
		    task->timestamp_verified ? ", checked" : "");
}

/* The earliest timelock of the rule's tokens, by the HSM's clock; 0 = none. */
static uint64_t
earliest(const struct task *task)
{
	const struct ska_rule *rule;
	uint64_t lock = UINT64_MAX;
	size_t i;

	if (!task->has_attributes || !task->attributes.has_policy || !task->token.has_timestamp ||
	    task->token.timestamp.seconds > TIME_MAX)
		return 0;
	rule = &task->attributes.policy.rule[ska_operation_rule(task->token.operation)];
	for (i = 0; i < rule->ntokens; i++)
		lock = rule->tokens[i].timelock < lock ? rule->tokens[i].timelock : lock;
	return rule->ntokens > 0 && lock > 0 ? task->token.timestamp.seconds + lock : 0;
}

static void
show_limits(struct doc *t, const struct task *task)
{
	char text[CLOCK_ISO_SIZE];
	uint64_t at;

	if ((at = earliest(task)) > 0)
		doc_text(t, "runs not before", clock_iso((int64_t)at, text));
	if (taskline_deadline(task, &at))
		doc_text(t, "runs not after", clock_iso((int64_t)at, text));
}

/* ---- what is asked ---- */

/* An approval to use the key names no kind of use, so say what else the payload may be. */
static void
show_payload(struct doc *t, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	const struct ska_approval_token *token = &task->token;
	const char *reading = token->has_payload ? token_reading(token->payload) : NULL;

	if (w->has_kind && reading != NULL)
		doc_warn(t, "this is called '%s', but approving it approves %s as well",
		    tsb_kinds[w->kind].title, reading);
	if (w->has_kind && tsb_kinds[w->kind].effect == EFFECT_PLAIN_TEXT && reading == NULL)
		doc_digest(t, "ciphertext", token->payload);
	else
		token_show_payload(t, token);
}

/* A server may send more bytes than the API allows. */
#define EXTRA_MAX 255

/* What a signature depends on besides the payload: the request has it, the token has not. */
static void
show_extra(struct doc *t, const struct scheme_extra *x)
{
	const struct {
		const char *name;
		struct tsb_view value;
	} rows[] = {
	    {"context", x->context},
	    {"taproot tweak", x->taproot.tweak},
	    {"merkle root", x->taproot.merkle_root},
	};
	arena_auto a = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (rows[i].value.n > EXTRA_MAX)
			doc_digest(t, rows[i].name, rows[i].value);
		else if (rows[i].value.n > 0)
			doc_format(t, rows[i].name,
			    "%s (as the request says; approvals do not cover it)",
			    enc_hex_str(&a, rows[i].value));
}

static void
show_unwrap(struct doc *t, const struct task *task)
{
	doc_open(t, "new key");
	token_show_unwrap(t, task->token.payload);
	if (task->wire->wrap_method != NULL)
		doc_format(t, "method", "%s (as the request says; approvals do not cover it)",
		    task->wire->wrap_method);
	doc_close(t);
}

static void
show_certificate(struct doc *t, const struct task *task)
{
	certview_auto v = {0};

	if (!certview_open_content(task->token.payload, &v))
		return; /* task_check() has refused it */
	doc_open(t,
	    v.kind == CERTVIEW_REQUEST ? "request to be signed" : "certificate to be signed");
	certview_show(t, &v);
	doc_digest(t, "signed bytes", task->token.payload);
	doc_close(t);
}

static void
show_policy(struct doc *t, const struct task *task)
{
	const struct ska_policy *old =
	    task->has_attributes && task->attributes.has_policy ? &task->attributes.policy : NULL;
	arena_auto a = {0};

	if (old != NULL)
		doc_format(t, "old policy", "%s%s", attested_text(&a, &task->attributes),
		    task->attributes_verified ? "" : ", as the server says, not checked");
	if (task->stale)
		doc_warn(t,
		    "the old policy is from an OLD attestation: what it says to change or to "
		    "stay may be wrong");
	doc_open(t, "new policy");
	change_show(t, old, &task->policy);
	doc_close(t);
}

static void
show_block(struct doc *t, const struct task *task)
{
	doc_text(t, "effect",
	    task->token.operation == OP_BLOCK ? "nobody can use the key until it is unblocked"
					      : "the key can be used again as its policy says");
	if (task->has_attributes && task->attributes.has_policy)
		doc_bool(t, "blocked now", task->attributes.policy.blocked);
}

void
task_show_content(struct doc *t, const struct task *task)
{
	switch (task->token.operation) {
	case OP_MODIFY:
		show_policy(t, task);
		return;
	case OP_BLOCK:
	case OP_UNBLOCK:
		show_block(t, task);
		return;
	case OP_USE:
		break;
	}
	switch (task->wire->has_kind ? tsb_kinds[task->wire->kind].content : CONTENT_BYTES) {
	case CONTENT_NEW_KEY:
		show_unwrap(t, task);
		break;
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_CERTIFICATE:
	case CONTENT_SELF_SIGNED:
		show_certificate(t, task);
		break;
	case CONTENT_NONE:
	case CONTENT_BYTES:
	case CONTENT_POLICY:
		show_payload(t, task);
		show_extra(t, &task->wire->extra);
		break;
	}
}

void
task_show(struct doc *t, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	const struct ska_approval_token *token = &task->token;
	arena_auto a = {0};

	doc_open(t, "task");
	doc_text(t, "in short", taskline_sentence(&a, task));
	doc_text(t, "id", w->id);
	if (w->has_status)
		doc_text(t, "request", w->status.id);
	if (w->has_kind && token->operation == OP_USE)
		doc_format(t, "operation", "%s: %s", operations[token->operation],
		    tsb_kinds[w->kind].title);
	else
		doc_text(t, "operation", operations[token->operation]);
	doc_view(t, "key", token->label);
	if (w->algorithm != NULL)
		doc_format(t, "algorithm", "%s (not covered by your approval, nor is the padding)",
		    w->algorithm);
	task_show_time(t, task);
	show_limits(t, task);
	task_show_content(t, task);
	doc_text(t, "payload type", w->payload_type);
	if (w->has_meta)
		doc_payload(t, "caller's note", w->meta);
	if (w->requester.n > 0)
		doc_key(t, "asked by", w->requester);
	show_rule(t, task);
	if (w->has_status)
		request_show_rejected(t, &w->status);
	doc_close(t);
}
