/*
 * tsb approve, reject: shows each task, asks, and answers it. A task that cannot be answered does
 * not keep the others from being answered; the exit code tells that it was left.
 */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/str.h"

#include "cli/approve/approver.h"
#include "cli/approve/attested.h"
#include "cli/approve/commands.h"
#include "cli/approve/reason.h"
#include "cli/key/change.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/failure.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

/* What became of a task. */
enum fate {
	FATE_APPROVED,
	FATE_REJECTED,
	FATE_SKIPPED, /* by the person who was asked */
	FATE_GONE, /* not open, or not any more */
	FATE_FAILED, /* wrong, refused, or its new policy was not confirmed */
	FATE__MAX
};
static const char *const fate_words[FATE__MAX] = {"approved", "rejected", "skipped",
    "not open any more", "left because of the above"};

/* One run of a command over its tasks. */
struct round {
	struct approver approver;
	bool rejects; /* tsb reject */
	bool quit;
	size_t total, count[FATE__MAX];
	const char **ids[FATE__MAX]; /* with room for all */
	enum cli_exit exit; /* because of what was left; CLI_OK */
};
#define round_auto struct round __attribute__((cleanup(round_clear)))

static void
round_clear(struct round *r)
{
	approver_clear(&r->approver);
}

static void
count(struct round *r, enum fate fate, const char *id)
{
	r->ids[fate][r->count[fate]++] = id;
}

/* Goes on after a failure that concerns one task. A lie outweighs all that others refuse. */
static void
leave(struct round *r, enum fate fate, const char *id, enum cli_exit code)
{
	count(r, fate, id);
	if (r->exit == CLI_OK || code == CLI_WRONG)
		r->exit = code;
	r->approver.cli->exit = CLI_USAGE;
}

/* ---- selecting ---- */

/* As the server refuses answers to tasks that are not open. */
static void
set_gone(struct cli *c)
{
	c->refused_number = tsb_err_number(TSB_E_TASK_NOT_EXISTENT);
	c->refused_reason = tsb_err_reason(TSB_E_TASK_NOT_EXISTENT);
}

static int
none_open(struct round *r)
{
	struct cli *c = r->approver.cli;

	set_gone(c);
	return cli_end(c, CLI_REFUSED, TSB_E_TASK_NOT_EXISTENT,
	    "nothing was %s: no task %s; it was not asked, or has answered",
	    r->rejects ? "rejected" : "approved", approver_wanted(&r->approver));
}

/* One task by its id: the server answers an empty list when it is not open for this approver. */
static int
add_task(struct round *r, const char *id)
{
	struct approver *a = &r->approver;
	struct cli *c = a->cli;
	struct wire_client_task *found;
	size_t n;

	if (task_fetch(c, &a->signer, id, &found, &n, NULL))
		return -1;
	if (n == 1 && tsb_streq(found->id, id)) {
		a->tasks[a->n++] = *found;
		return 0;
	}
	output_note("tsb: task %s is not open for this approver: unknown, answered, or for another "
		    "key",
	    id);
	set_gone(c);
	leave(r, FATE_GONE, id, CLI_REFUSED);
	return 0;
}

static void
make_room(struct round *r, size_t n)
{
	int i;

	r->total = n;
	for (i = 0; i < FATE__MAX; i++)
		r->ids[i] = arena_array(&r->approver.cli->arena, n + 1, sizeof(*r->ids[i]));
}

/* The tasks of the operands or, with --all or --request, all. */
static int
select_tasks(struct round *r)
{
	struct approver *a = &r->approver;
	struct cli *c = a->cli;
	bool all = c->opt[OPT_ALL] != NULL || c->opt[OPT_REQUEST] != NULL;
	int i;

	if (all == (c->argc > 0))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "name tasks by their ids, or give --all or --request ID; `tsb tasks` lists them");
	if (reason_check(c) || approver_load(a))
		return -1;
	if (all) {
		if (task_fetch(c, &a->signer, NULL, &a->tasks, &a->n, NULL))
			return -1;
		make_room(r, a->n);
	} else {
		make_room(r, (size_t)c->argc);
		a->tasks = arena_array(&c->arena, r->total, sizeof(*a->tasks));
		for (i = 0; i < c->argc; i++)
			if (add_task(r, c->argv[i]))
				return -1;
	}
	return a->n > 0 ? 0 : none_open(r);
}

/* ---- answering ---- */

/* Exactly the bytes that were parsed, checked and shown are signed. */
static int
approve(struct approver *a, const struct task *task)
{
	struct cli *c = a->cli;
	tsb_bytes_auto body = {0}, signature = {0}, answer = {0};

	if (signer_sign(&a->signer, task->token.whole, &signature, &c->err))
		return -1;
	body_open(&body, NULL);
	body_text(&body, "id", task->wire->id);
	body_base64(&body, "approvalToBeSigned", task->token.whole);
	body_base64(&body, "signature", tsb_view_bytes(&signature));
	body_text(&body, "approvalDigestAlgorithm",
	    ska_digest_names[crypto_private_digest(a->signer.key)]);
	task_put_approver(&a->signer, &body);
	body_close(&body);
	return session_call(c, "POST", "/v1/approval", tsb_view_bytes(&body), &answer);
}

static int
reject(struct approver *a, const struct wire_client_task *w)
{
	struct cli *c = a->cli;
	tsb_bytes_auto body = {0}, answer = {0};
	const char *reason;

	if (reason_get(c, &reason))
		return -1;
	body_open(&body, NULL);
	if (task_prove(c, &a->signer, &body))
		return -1;
	body_text(&body, "id", w->id);
	body_text(&body, "reason", reason);
	body_close(&body);
	return session_call(c, "DELETE", "/v1/task", tsb_view_bytes(&body), &answer);
}

/* With --json the person who is asked reads stderr: standard output is for the outcome. */
static void
show(const struct cli *c, const struct task *task)
{
	FILE *to = c->json ? stderr : stdout;
	doc_auto t = {0};

	if (c->json && c->opt[OPT_YES] != NULL)
		return;
	doc_start(&t, false);
	task_show(&t, task);
	doc_print_to(&t, to);
	fflush(to);
}

/*
 * What to do with the i-th task; r->quit: nothing with it and those behind it. Asks once more about
 * rules that a new policy leaves open.
 */
static int
choose(struct round *r, size_t i, const struct task *task, enum fate *out)
{
	struct cli *c = r->approver.cli;
	const char *place = "";
	const char *what =
	    r->rejects ? "Reject this? (q: quit)" : "Approve this? (r: reject, q: quit)";
	enum fate wish = r->rejects ? FATE_REJECTED : FATE_APPROVED;
	char letter = 'y';
	bool yes = true;

	if (r->approver.n > 1)
		place = arena_printf(&c->arena, "%zu of %zu: ", i + 1, r->approver.n);
	if (c->opt[OPT_YES] == NULL &&
	    ask_choice(arena_printf(&c->arena, "%s%s", place, what), r->rejects ? "q" : "rq",
		&letter, &c->err))
		return -1;
	*out = letter == 'y' ? wish : letter == 'r' ? FATE_REJECTED : FATE_SKIPPED;
	r->quit = letter == 'q';
	if (*out != FATE_APPROVED || task->token.operation != OP_MODIFY)
		return 0;
	if (change_confirm(c, arena_printf(&c->arena, "task %s", task->wire->id), &task->policy,
		&yes))
		return -1;
	*out = yes ? FATE_APPROVED : FATE_SKIPPED;
	return 0;
}

/* After a failed step. Only what concerns this task alone lets the others go on. */
static int
fail(struct round *r, const char *id)
{
	struct cli *c = r->approver.cli;
	bool gone =
	    c->exit == CLI_REFUSED && c->refused_number == tsb_err_number(TSB_E_TASK_NOT_EXISTENT);

	switch (c->exit) {
	case CLI_REFUSED:
	case CLI_WRONG:
	case CLI_OPENS:
		break;
	case CLI_OK:
	case CLI_USAGE:
	case CLI_UNREACHED:
	case CLI_NOT_EXECUTED:
	case CLI_TIMEOUT:
	case CLI_INCOMPLETE:
		return -1;
	}
	if (gone)
		output_note("tsb: task %s was answered by somebody else meanwhile, or its request "
			    "has ended",
		    id);
	else
		failure_print(c);
	leave(r, gone ? FATE_GONE : FATE_FAILED, id, c->exit);
	return 0;
}

/* An approver may also reject a task that is not what it claims. */
static int
check(struct round *r, const struct wire_client_task *w, struct task *task)
{
	struct approver *a = &r->approver;
	struct cli *c = a->cli;

	if (task_check(c, &a->signer, &a->keys, w, task) == 0 && attested_freshen(a, task) == 0) {
		show(c, task);
		return r->rejects ? 0 : attested_require(c, task);
	}
	if (!r->rejects)
		return -1;
	failure_print(c);
	c->exit = CLI_USAGE;
	return 0;
}

static int
answer_next(struct round *r, size_t i)
{
	struct approver *a = &r->approver;
	struct cli *c = a->cli;
	const struct wire_client_task *w = &a->tasks[i];
	struct task task = {.wire = w};
	enum fate fate;
	int rc = 0;

	if (check(r, w, &task) || choose(r, i, &task, &fate))
		return fail(r, w->id);
	if (fate == FATE_APPROVED)
		rc = approve(a, &task);
	else if (fate == FATE_REJECTED)
		rc = reject(a, w);
	if (rc != 0)
		return fail(r, w->id);
	count(r, fate, w->id);
	if (fate != FATE_SKIPPED && !c->json)
		output_line(arena_printf(&c->arena, "%s %s", fate_words[fate], w->id));
	fflush(stdout);
	return 0;
}

/* ---- the end ---- */

/* {"approved":[...]}; what was rejected on the way only when there is some. */
static void
print_json(const struct round *r)
{
	doc_auto t = {0};
	enum fate fate;
	size_t i;

	doc_start(&t, true);
	for (fate = FATE_APPROVED; fate <= FATE_REJECTED; fate++) {
		if (r->count[fate] == 0 && (fate == FATE_REJECTED) != r->rejects)
			continue;
		doc_list(&t, fate_words[fate]);
		for (i = 0; i < r->count[fate]; i++)
			doc_text(&t, fate_words[fate], r->ids[fate][i]);
		doc_close(&t);
	}
	doc_print(&t);
}

/* "of 4 tasks: 3 approved, 1 not open any more", in the arena. */
static const char *
sum(const struct round *r)
{
	struct arena *a = &r->approver.cli->arena;
	const char *text = arena_printf(a, "of %zu task%s:", r->total, r->total == 1 ? "" : "s");
	size_t known = 0;
	int i;

	for (i = 0; i < FATE__MAX; i++) {
		if (r->count[i] > 0)
			text = arena_printf(a, "%s%s %zu %s", text, known > 0 ? "," : "",
			    r->count[i], fate_words[i]);
		known += r->count[i];
	}
	if (known < r->total)
		text = arena_printf(a, "%s%s %zu not answered", text, known > 0 ? "," : "",
		    r->total - known);
	return text;
}

/* The sum, and an exit code that says whether something was left. */
static int
finish(struct round *r, int rc)
{
	struct cli *c = r->approver.cli;
	size_t done = r->count[FATE_APPROVED] + r->count[FATE_REJECTED];

	if (c->json)
		print_json(r);
	if (rc == 0 && r->exit != CLI_OK)
		return cli_end(c, r->exit, r->exit == CLI_WRONG ? TSB_E_PAYLOAD : TSB_E_INPUT, "%s",
		    sum(r));
	if (r->total > 1 || done == 0) /* who says no has decided, too: that is no failure */
		output_note("tsb: %s", sum(r));
	return rc;
}

static int
answer_all(struct cli *c, bool rejects)
{
	round_auto r = {.approver = {.cli = c}, .rejects = rejects};
	int rc = 0;
	size_t i;

	if (select_tasks(&r))
		return -1;
	for (i = 0; i < r.approver.n && rc == 0 && !r.quit; i++)
		rc = answer_next(&r, i);
	return finish(&r, rc);
}

int
cli_approve(struct cli *c)
{
	return answer_all(c, false);
}

int
cli_reject(struct cli *c)
{
	return answer_all(c, true);
}
