#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"

#include "cli/body.h"
#include "cli/policy.h"
#include "cli/session.h"
#include "cli/strength.h"
#include "cli/task.h"

/* A task carries its payload several times over: few of them fill an answer. */
#define PAGE_SIZE 10
#define PAGES_MAX 10000
/* Times beyond are no times; policies add some 2^38 seconds at most. */
#define TIME_MAX 4102444800ULL /* the year 2100 */

/* ---- fetching ---- */

void
task_put_approver(const struct signer *s, struct tsb_bytes *body)
{
	if (s->certificate.n > 0)
		body_base64(body, "approverCertificate", s->certificate);
	else
		body_base64(body, "approverPublicKey", tsb_view_bytes(&s->spki));
}

int
task_prove(struct cli *c, const struct signer *s, struct tsb_bytes *body)
{
	tsb_bytes_auto signature = { 0 };
	char now[CLOCK_ISO_SIZE];

	clock_iso(clock_now_ms() / 1000, now);
	if (signer_sign(s, tsb_view_str(now), &signature, &c->err))
		return -1;
	body_text(body, "timestamp", now);
	body_base64(body, "timestampSignature", tsb_view_bytes(&signature));
	body_text(body, "timestampDigestAlgorithm", ska_digest_names[s->digest]);
	task_put_approver(s, body);
	return 0;
}

static int
fetch_page(struct cli *c, const struct signer *s, const char *id, const char *level, long page,
    struct tsb_bytes *answer)
{
	tsb_bytes_auto body = { 0 };

	body_open(&body, NULL);
	if (task_prove(c, s, &body))
		return -1;
	body_text(&body, "id", id);
	body_text(&body, "requestId", id ? NULL : c->opt[OPT_REQUEST]);
	body_text(&body, "detailLevel", level);
	body_open(&body, "paging");
	body_number(&body, "pageNumber", page);
	body_number(&body, "pageSize", PAGE_SIZE);
	body_text(&body, "sortOrder", "CREATION_DATE_ASC");
	body_close(&body);
	body_close(&body);
	return session_call(c, "POST", "/v1/filteredAllApprovalTask", tsb_view_bytes(&body), answer);
}

/* Level 6 tells who has approved; servers that do not know it answer 600. */
static int
fetch_best(struct cli *c, const struct signer *s, const char *id, const char **level, long page,
    struct tsb_bytes *answer)
{
	int rc = fetch_page(c, s, id, *level, page, answer);

	if (rc != 0 && c->exit == CLI_REFUSED && c->refused_number == 600 &&
	    tsb_streq(*level, "level6")) {
		*level = "level5";
		c->exit = CLI_USAGE;
		rc = fetch_page(c, s, id, *level, page, answer);
	}
	return rc;
}

/* The elements of the answer's list behind those that raw has already. */
static void
join_raw(struct cli *c, struct tsb_bytes *raw, struct tsb_view answer)
{
	struct tsb_view compact, list;
	struct tsb_err ignored;

	if (wire_compact(answer, &c->arena, &compact, &ignored) ||
	    !wire_member_text(compact, "tasks", &list) || list.n <= 2)
		return;
	if (raw->p[raw->n - 1] != '[')
		tsb_bytes_add_str(raw, ",");
	tsb_bytes_add(raw, list.p + 1, list.n - 2);
}

static void
append(struct arena *a, struct wire_client_task **tasks, size_t *n,
    const struct wire_client_task *more, size_t count)
{
	struct wire_client_task *all = arena_array(a, *n + count + 1, sizeof(*all));

	if (*n > 0)
		memcpy(all, *tasks, *n * sizeof(*all));
	if (count > 0)
		memcpy(all + *n, more, count * sizeof(*all));
	*tasks = all;
	*n += count;
}

int
task_fetch(struct cli *c, const struct signer *s, const char *id, struct wire_client_task **tasks,
    size_t *n, struct tsb_bytes *raw)
{
	const char *level = "level6";
	struct wire_client_task *part;
	size_t count;
	long page;

	*tasks = NULL;
	*n = 0;
	if (raw)
		tsb_bytes_add_str(raw, "{\"tasks\":[");
	for (page = 0; page < PAGES_MAX; page++) {
		tsb_bytes_auto answer = { 0 };

		if (fetch_best(c, s, id, &level, page, &answer))
			return -1;
		if (wire_client_tasks_parse(tsb_view_bytes(&answer), &c->arena, &part, &count,
			&c->err))
			return session_misread(c);
		append(&c->arena, tasks, n, part, count);
		if (raw)
			join_raw(c, raw, tsb_view_bytes(&answer));
		if (id || count < PAGE_SIZE)
			break;
	}
	if (raw)
		tsb_bytes_add_str(raw, "]}");
	return 0;
}

/* ---- checking ---- */

#define WRONG(c, t, ...)                                                                           \
	cli_end((c), CLI_WRONG, TSB_E_PAYLOAD, "task %s is not what it claims: " __VA_ARGS__)

static bool
view_is(struct tsb_view v, const char *text)
{
	return tsb_view_eq(v, tsb_view_str(text));
}

/* The request beside the token must be the one that the token stands for. */
static int
check_request(struct cli *c, const struct wire_client_task *w, const struct ska_approval_token *t)
{
	if (w->has_payload && (!t->has_payload || !tsb_view_eq(w->payload, t->payload)))
		return WRONG(c, w, "its payload is not the one in the token", w->id);
	if (!w->has_kind)
		return 0;
	if (t->operation != tsb_kinds[w->kind].operation)
		return WRONG(c, w, "the token allows another operation than %s", w->id,
		    tsb_kinds[w->kind].name);
	if (!view_is(t->label, w->key_name))
		return WRONG(c, w, "the token is for another key than %s", w->id, w->key_name);
	if (w->has_request_payload &&
	    (!t->has_payload || !tsb_view_eq(w->request_payload, t->payload)))
		return WRONG(c, w, "the request's payload is not the one in the token", w->id);
	return 0;
}

static int
check_timestamp(struct cli *c, const struct token_keys *keys, struct task *out)
{
	const struct ska_approval_token *t = &out->token;
	struct tsb_err ignored;

	if (t->has_timestamp && t->has_payload &&
	    !(t->timestamp.has_payload && tsb_view_eq(t->timestamp.payload, t->payload)))
		return WRONG(c, out, "its timestamp was made for another payload", out->wire->id);
	if (keys->timestamp.n == 0)
		return 0;
	if (!t->has_timestamp || crypto_verify_der(keys->timestamp, t->timestamp.whole,
				     t->timestamp_signature, &ignored))
		return WRONG(c, out, "the key of --timestamp-key did not sign its timestamp",
		    out->wire->id);
	out->timestamp_verified = true;
	return 0;
}

static int
check_attributes(struct cli *c, const struct token_keys *keys, struct task *out)
{
	const struct wire_client_task *w = out->wire;
	struct keyattr *k = &out->attributes;
	struct tsb_err ignored;

	if (w->attributes.n == 0 && keys->attestation.n > 0)
		return WRONG(c, w, "it brings no key attributes", w->id);
	if (w->attributes.n == 0)
		return 0;
	if (keyattr_parse(w->attributes, &c->arena, &out->attributes, &ignored))
		return WRONG(c, w, "its key attributes are not understood: %s", w->id, ignored.msg);
	/* Tokens for keys outside the HSM name the uuid (release notes of the reference HSM). */
	if (!view_is(out->token.label, k->label) && !(k->uuid && view_is(out->token.label, k->uuid)))
		return WRONG(c, w, "its key attributes belong to another key", w->id);
	if (keys->attestation.n > 0 &&
	    crypto_verify(keys->attestation, DIGEST_SHA256, w->attributes, w->attributes_signature,
		&ignored))
		return WRONG(c, w, "the key of --attestation-key did not sign the key attributes",
		    w->id);
	strength_identify(&k->policy, &c->arena);
	out->has_attributes = true;
	out->attributes_verified = keys->attestation.n > 0;
	return 0;
}

int
task_check(struct cli *c, const struct signer *s, const struct token_keys *keys,
    const struct wire_client_task *w, struct task *out)
{
	struct task t = { .wire = w };
	struct tsb_err why;

	if (w->token.n == 0)
		return WRONG(c, w, "it has no token", w->id);
	if (ska_approval_token_parse(w->token, &t.token, &why))
		return WRONG(c, w, "%s", w->id, why.msg);
	if (w->approver.n > 0 && !tsb_view_eq(w->approver, tsb_view_bytes(&s->spki)))
		return WRONG(c, w, "it is meant for another approver", w->id);
	if (t.token.label.n == 0)
		return WRONG(c, w, "its token names no key", w->id);
	if (check_request(c, w, &t.token) || check_timestamp(c, keys, &t) ||
	    check_attributes(c, keys, &t))
		return -1;
	*out = t;
	return 0;
}

/* ---- showing ---- */

static const struct {
	const char *name;
	enum ska_rule_kind rule;
} operations[] = {
	[OP_USE] = { "use the key", RULE_USE },
	[OP_BLOCK] = { "block the key", RULE_BLOCK },
	[OP_UNBLOCK] = { "unblock the key", RULE_UNBLOCK },
	[OP_MODIFY] = { "replace the policy", RULE_MODIFY },
};

static void
show_rule(struct doc *t, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	enum ska_rule_kind kind = operations[task->token.operation].rule;
	static const struct tsb_view nobody = { NULL, 0 };

	if (!task->has_attributes || !task->attributes.has_policy) {
		doc_text(t, "policy", "not shown by this server");
		return;
	}
	if (!task->attributes_verified)
		doc_text(t, "policy", "as the server says; --attestation-key FILE checks it");
	else
		doc_text(t, "policy", "signed by the HSM, checked");
	policy_show_rule(t, kind, &task->attributes.policy.rule[kind],
	    w->has_status ? (w->status.napproved ? w->status.approved : &nobody) : NULL,
	    w->has_status ? w->status.napproved : 0);
}

static void
show_time(struct doc *t, const struct task *task)
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

/* From the earliest timelock to the latest timeout of the rule's tokens, by the HSM's clock. */
static void
show_limits(struct doc *t, const struct task *task)
{
	const struct ska_rule *rule;
	uint64_t t0 = task->token.timestamp.seconds, lock = UINT64_MAX, timeout = 0;
	bool endless = false;
	char text[CLOCK_ISO_SIZE];
	size_t i;

	if (!task->has_attributes || !task->attributes.has_policy || !task->token.has_timestamp ||
	    t0 > TIME_MAX)
		return;
	rule = &task->attributes.policy.rule[operations[task->token.operation].rule];
	for (i = 0; i < rule->ntokens; i++) {
		const struct ska_token *token = &rule->tokens[i];

		lock = token->timelock < lock ? token->timelock : lock;
		timeout = token->timeout > timeout ? token->timeout : timeout;
		endless |= token->timeout == 0;
	}
	if (rule->ntokens > 0 && lock > 0)
		doc_text(t, "runs not before", clock_iso((int64_t)(t0 + lock), text));
	if (rule->ntokens > 0 && !endless)
		doc_text(t, "runs not after", clock_iso((int64_t)(t0 + timeout), text));
}

void
task_show(struct doc *t, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	const struct ska_approval_token *token = &task->token;

	doc_open(t, "task");
	doc_text(t, "id", w->id);
	if (w->has_status)
		doc_text(t, "request", w->status.id);
	if (w->has_kind && token->operation == OP_USE)
		doc_format(t, "operation", "%s: %s", operations[token->operation].name,
		    tsb_kinds[w->kind].name);
	else
		doc_text(t, "operation", operations[token->operation].name);
	doc_view(t, "key", token->label);
	doc_text(t, "algorithm", w->algorithm);
	show_time(t, task);
	show_limits(t, task);
	token_show_payload(t, token);
	doc_text(t, "payload type", w->payload_type);
	if (w->has_meta)
		doc_payload(t, "caller's note", w->meta);
	if (w->requester.n > 0)
		doc_key(t, "asked by", w->requester);
	show_rule(t, task);
	doc_close(t);
}
