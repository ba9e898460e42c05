#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/flow/approver.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/flow.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/task.h"
#include "lib/flow/view.h"

/* ---- listing ---- */

struct listing {
	struct flow *f;
	const struct tsb_task_filter *filter;
	const struct flow_approver *who;
	struct arena *arena;
	int64_t now_ms;
	struct tsb_task_view *tasks;
	struct tsb_request_view *status;
	size_t n, room;
	bool more;
	size_t before, bytes; /* in the arena at the beginning, and most of its own */
};

/* Tasks that are loaded at once: what they need is known only afterwards, so the first are few. */
#define PART_FIRST 32
#define PART       1000

/* The next ones are as many as will fit if they need twice what the others do. */
static size_t
part_size(const struct listing *l)
{
	size_t used = arena_size(l->arena) - l->before, left, fit;

	if (l->n == 0)
		return PART_FIRST;
	left = used < l->bytes ? l->bytes - used : 0;
	fit = left / (2 * used / l->n + 1) + 1;
	return fit < PART ? fit : PART;
}

/* Room for n more; twice as much each time, so that all that is left behind is as much again. */
static void
make_room(struct listing *l, size_t n)
{
	struct tsb_task_view *tasks;
	struct tsb_request_view *status;

	if (l->n + n <= l->room)
		return;
	l->room = 2 * l->room > l->n + n ? 2 * l->room : l->n + n;
	tasks = arena_array(l->arena, l->room, sizeof(*tasks));
	if (l->n > 0)
		memcpy(tasks, l->tasks, l->n * sizeof(*tasks));
	l->tasks = tasks;
	if (l->filter->level < 6)
		return;
	status = arena_array(l->arena, l->room, sizeof(*status));
	if (l->n > 0)
		memcpy(status, l->status, l->n * sizeof(*status));
	l->status = status;
}

/* The next part of the list, of at most want tasks; whole: there were as many as it may have. */
static int
list_part(struct listing *l, struct store_tx *tx, size_t want, bool *whole, struct tsb_err *err)
{
	struct tsb_task_filter filter = *l->filter;
	size_t most = part_size(l), got;
	struct tsb_task_view *tasks;

	filter.skip = (long)l->n;
	filter.part = (long)(want < most ? want : most);
	if (store_tasks_list(tx, l->who->all ? NULL : l->who->id, &filter, l->now_ms, l->arena,
		&tasks, &got, err))
		return -1;
	make_room(l, got + 1); /* never none: an empty list is no NULL */
	memcpy(l->tasks + l->n, tasks, got * sizeof(*tasks));
	for (size_t i = l->n; l->status != NULL && i < l->n + got; i++) {
		l->status[i].request = l->tasks[i].request;
		if (flow_request_fill_view(l->f, tx, l->arena, l->now_ms, &l->status[i], err))
			return -1;
	}
	l->n += got;
	*whole = got == most;
	return 0;
}

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct listing *l = ctx;
	const struct tsb_task_filter *f = l->filter;
	bool paged = f->paged && f->page_size > 0;
	size_t most = paged ? (size_t)f->page_size : STORE_TASKS_MAX + 1;
	bool whole;

	l->before = arena_size(l->arena);
	l->bytes = flow_list_bytes();
	l->n = l->room = 0;
	do {
		if (list_part(l, tx, most - l->n, &whole, err))
			return -1;
		whole = whole && l->n < most;
		l->more = whole && arena_size(l->arena) - l->before > l->bytes;
	} while (whole && !l->more);
	if (!paged && l->n == most) {
		l->n--;
		l->more = true;
	}
	return l->more && f->paged ? flow_page_refuse(l->n, err) : 0;
}

/*
 * The database has the attributes as they were when their text was first seen: their attest_time
 * says nothing about today. What the HSM does not give now stays as old as it is, for the approver
 * to see.
 */
static void
freshen(struct listing *l)
{
	const struct tsb_view no_password = {NULL, 0};
	struct tsb_key_attributes now;
	struct tsb_err err;

	for (size_t i = 0; i < l->n; i++) {
		struct tsb_task_view *task = &l->tasks[i];

		if (flow_hsm_attributes(l->f, task->request.key_name, no_password, l->arena, &now,
			&err))
			log_failure(LOG_WARN, "fresh key attributes", &err);
		else
			task->attributes = now;
	}
}

static int
list(struct listing *l, struct tsb_err *err)
{
	struct tsb_err untouched;

	if (store_read(l->f->store, "tasks_list", list_body, l, err))
		return -1;
	/* the date only orders lists: they are answered even if it cannot be written */
	if (l->n > 0 && store_tasks_touch(l->f->store, l->tasks, l->n, l->now_ms, &untouched))
		log_failure(LOG_WARN, "last-fetched dates", &untouched);
	return 0;
}

int
flow_tasks_list(struct flow *f, const struct tsb_task_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_task_view **tasks, struct tsb_request_view **status, size_t *n,
    bool *more, struct tsb_err *err)
{
	struct flow_approver who;
	struct listing l = {.f = f, .filter = filter, .who = &who, .arena = a, .now_ms = now_ms};

	if (flow_approver_prove(f, &filter->proof, a, now_ms, &who, err) || list(&l, err))
		return -1;
	if (filter->fresh_attributes && f->hsm != NULL)
		freshen(&l);
	*tasks = l.tasks;
	*status = l.status;
	*n = l.n;
	*more = l.more;
	return 0;
}

/* ---- an approver that is a program ---- */

struct waiting {
	const unsigned char *approver_id;
	int64_t now_ms;
	size_t limit;
	struct arena *arena;
	struct tsb_uuid *ids;
	size_t n;
};

static int
waiting_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct waiting *w = ctx;

	return store_tasks_waiting(tx, w->approver_id, w->now_ms, w->limit, w->arena, &w->ids,
	    &w->n, err);
}

int
flow_tasks_waiting(struct flow *f, struct tsb_view spki, size_t limit, struct arena *a,
    int64_t now_ms, struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	unsigned char approver_id[TSB_SHA256];
	struct waiting w = {approver_id, now_ms, limit, a, NULL, 0};

	crypto_sha256(spki, approver_id);
	if (store_read(f->store, "tasks_waiting", waiting_body, &w, err))
		return -1;
	*ids = w.ids;
	*n = w.n;
	return 0;
}

int
flow_task_show(struct flow *f, struct tsb_view spki, const struct tsb_uuid *id, struct arena *a,
    int64_t now_ms, struct tsb_task_view *task, struct tsb_request_view *status,
    struct tsb_err *err)
{
	const struct tsb_task_filter filter = {
	    .proof.spki = spki,
	    .has_id = true,
	    .id = *id,
	    .level = 6,
	};
	struct flow_approver who;
	struct listing l = {.f = f, .filter = &filter, .who = &who, .arena = a, .now_ms = now_ms};
	char text[UUID_TEXT];

	if (flow_approver_named(&filter.proof, a, &who, err) || list(&l, err))
		return -1;
	if (l.n != 1)
		return tsb_fail(err, TSB_E_TASK_NOT_EXISTENT, "there is no task %s any more",
		    uuid_format(id, text));
	*task = l.tasks[0];
	*status = l.status[0];
	return 0;
}

/* ---- answering ---- */

struct answer {
	struct flow *f;
	const struct tsb_approval_in *in;
	const struct flow_approver *who;
	struct arena *arena;
	int64_t now_ms;
	struct tsb_request request; /* as it became */
	struct tsb_approval *votes; /* those before, then with this one */
	size_t nvotes;
	bool due; /* the dispatcher may take it now */
};

static int
task_gone(const struct answer *x, struct tsb_err *err)
{
	char id[UUID_TEXT];

	return tsb_fail(err, TSB_E_TASK_NOT_EXISTENT,
	    "task %s does not exist: unknown, answered, or its request is over",
	    uuid_format(&x->in->task_id, id));
}

/* An approver answers its own tasks; a timestamp signer may withdraw for those it sees. */
static int
may_answer(const struct answer *x, const struct tsb_task *task, struct tsb_err *err)
{
	if (x->who->all)
		return 0;
	if (memcmp(task->approver_id, x->who->id, TSB_SHA256) != 0)
		return tsb_fail(err, TSB_E_NOT_ALLOWED, "the task belongs to another approver");
	return 0;
}

/*
 * The encoding is deterministic, so the approver must have signed exactly the token that was
 * issued.
 */
static int
check_approval(const struct tsb_approval_in *in, const struct tsb_task *task,
    const struct tsb_request *rq, struct tsb_err *err)
{
	if (!tsb_view_eq(in->token, rq->token))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "approvalToBeSigned is not the token of this task");
	if (crypto_verify(task->spki, in->digest, in->token, in->signature, err)) {
		if (err->code != TSB_E_INVALID_SIGNATURE)
			return -1;
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "signature does not verify over the decoded approvalToBeSigned with the key of the "
		    "approver and approvalDigestAlgorithm");
	}
	return 0;
}

static int
signed_approval_make(const struct answer *x, const struct tsb_task *task, struct tsb_view *out,
    struct tsb_err *err)
{
	tsb_bytes_auto der = {0};
	tsb_bytes_auto bytes = {0};
	bool is_certificate = x->in->proof.certificate.n > 0;
	struct ska_signed_approval approval = {
	    .is_certificate = is_certificate,
	    .approver = is_certificate ? x->in->proof.certificate : task->spki,
	};
	enum ska_key_type type;

	if (crypto_spki_type(task->spki, &type, err))
		return -1;
	ska_signature_format(type, ska_key_type_has_digest(type) ? x->in->digest : DIGEST_NONE,
	    x->in->signature, &der);
	approval.token.whole = x->in->token;
	approval.signature = tsb_view_bytes(&der);
	ska_signed_approval_format(&approval, &bytes);
	*out = arena_view(x->arena, tsb_view_bytes(&bytes));
	return 0;
}

/* Records the answer, once per approver, and deletes the task. */
static int
record(struct answer *x, struct store_tx *tx, const struct tsb_task *task,
    struct tsb_view signed_approval, struct tsb_err *err)
{
	struct tsb_approval row = {
	    .request_id = task->request_id,
	    .approves = !x->in->rejects,
	    .spki = task->spki,
	    .signed_approval = signed_approval,
	    .service = x->who->service,
	    .at_ms = x->now_ms,
	    .reason = x->in->reason,
	};
	bool fresh, gone;

	memcpy(row.approver_id, task->approver_id, TSB_SHA256);
	if (store_approval_insert(tx, &row, &fresh, err) ||
	    store_task_delete(tx, &task->id, &gone, err))
		return -1;
	if (!fresh || !gone)
		return task_gone(x, err);
	x->votes[x->nvotes++] = row;
	return 0;
}

/* Moves the request as all answers so far demand. */
static int
decide(struct answer *x, struct store_tx *tx, struct tsb_request *rq, struct tsb_err *err)
{
	struct store_audit audit = {
	    .request_id = &rq->id,
	    .action = x->in->rejects ? "reject" : "approve",
	    .from = tsb_state_names[rq->state],
	    .actor = enc_hex_str(x->arena, tsb_view_of(x->who->actor, TSB_SHA256)),
	    .detail = x->in->reason,
	};
	const struct flow_key *key;
	const struct ska_rule *rule;
	struct store_change change;
	struct ska_verdict v;
	bool moved;

	if (flow_request_guard(x->f, tx, rq, x->votes, x->nvotes, x->arena, &key, &rule, err))
		return -1;
	if (rule == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the policy of request's key is not in the database");
	ska_evaluate(rule, flow_votes(x->votes, x->nvotes, x->arena), x->nvotes,
	    rq->hsm_seconds != 0, flow_request_t0(rq), flow_request_hsm_now(rq, x->now_ms), &v);
	change = flow_change_by_verdict(x->f, rq, &v);
	audit.to = tsb_state_names[change.to];
	if (store_request_move(tx, rq, &change, &moved, err))
		return -1;
	if (!moved)
		return store_run_again(tx, err);
	x->due = rq->state == STATE_APPROVED && rq->due_ms <= x->now_ms;
	return store_audit_insert(tx, &audit, err);
}

static int
answer_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct answer *x = ctx;
	struct tsb_task task;
	struct tsb_view approval = {0};

	if (store_request_lock_of_task(tx, &x->in->task_id, x->arena, &x->request, err) ||
	    store_task_votes(tx, &x->in->task_id, x->arena, &task, &x->votes, &x->nvotes, err) ||
	    may_answer(x, &task, err))
		return -1;
	if (!flow_request_open(&x->request, x->now_ms) ||
	    (task.expires_ms != 0 && x->now_ms >= task.expires_ms))
		return task_gone(x, err);
	if (!x->in->rejects &&
	    (check_approval(x->in, &task, &x->request, err) ||
		signed_approval_make(x, &task, &approval, err)))
		return -1;
	if (record(x, tx, &task, approval, err))
		return -1;
	return decide(x, tx, &x->request, err);
}

static int
answer(struct answer *x, const char *name, struct tsb_err *err)
{
	if (store_transact(x->f->store, name, answer_body, x, err))
		return -1;
	if (x->due)
		flow_wake(x->f, &x->request.id);
	return 0;
}

int
flow_task_approve(struct flow *f, const struct tsb_approval_in *in, struct arena *a, int64_t now_ms,
    struct tsb_err *err)
{
	struct flow_approver who;
	struct answer x = {.f = f, .in = in, .who = &who, .arena = a, .now_ms = now_ms};

	if (flow_approver_named(&in->proof, a, &who, err))
		return -1;
	return answer(&x, "task_approve", err);
}

int
flow_task_reject(struct flow *f, const struct tsb_approval_in *in, struct arena *a, int64_t now_ms,
    struct tsb_err *err)
{
	struct flow_approver who;
	struct answer x = {.f = f, .in = in, .who = &who, .arena = a, .now_ms = now_ms};

	if (flow_approver_prove(f, &in->proof, a, now_ms, &who, err))
		return -1;
	return answer(&x, "task_reject", err);
}
