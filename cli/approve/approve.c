/* tsb tasks, approve, reject: what an approver does. */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/str.h"

#include "cli/approve/commands.h"
#include "cli/approve/task.h"
#include "cli/key/change.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/failure.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

/* The approver at work: own key, keys of the HSM to check with, tasks. */
struct approver {
	struct cli *cli;
	struct signer signer;
	struct pinned_keys keys;
	struct wire_client_task *tasks;
	size_t n;
};
#define approver_auto struct approver __attribute__((cleanup(approver_clear)))

static void
approver_clear(struct approver *a)
{
	signer_clear(&a->signer);
}

static int
approver_load(struct approver *a)
{
	return signer_load(a->cli, &a->signer) || pinned_keys_load(a->cli, &a->keys) ? -1 : 0;
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

/* Reports a task that is not what it claims, and goes on with the others. */
int
cli_tasks(struct cli *c)
{
	approver_auto a = {.cli = c};
	tsb_bytes_auto raw = {0};
	struct task task;
	bool wrong = false;
	size_t i;

	if (approver_load(&a) || task_fetch(c, &a.signer, NULL, &a.tasks, &a.n, &raw))
		return -1;
	if (c->json)
		output_body(tsb_view_bytes(&raw));
	else if (a.n == 0)
		output_note("tsb: nothing waits for this approver");
	for (i = 0; i < a.n; i++) {
		if (task_check(c, &a.signer, &a.keys, &a.tasks[i], &task)) {
			wrong = true;
			failure_print(c);
		} else if (!c->json) {
			show(c, &task);
		}
	}
	if (wrong)
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD, "do not approve what is wrong above");
	return 0;
}

/* One task by its id: the server answers an empty list when it is not open for this approver. */
static int
add_task(struct approver *a, const char *id)
{
	struct cli *c = a->cli;
	struct wire_client_task *found;
	size_t n;

	if (task_fetch(c, &a->signer, id, &found, &n, NULL))
		return -1;
	if (n != 1 || !tsb_streq(found->id, id)) {
		c->refused_number = tsb_err_number(TSB_E_TASK_NOT_EXISTENT);
		c->refused_reason = tsb_err_reason(TSB_E_TASK_NOT_EXISTENT);
		return cli_end(c, CLI_REFUSED, TSB_E_TASK_NOT_EXISTENT,
		    "task %s is not open for this approver", id);
	}
	a->tasks[a->n++] = *found;
	return 0;
}

/* The tasks of the operands or, with --all or --request, all. */
static int
select_tasks(struct approver *a)
{
	struct cli *c = a->cli;
	bool all = c->opt[OPT_ALL] != NULL || c->opt[OPT_REQUEST] != NULL;
	int i;

	if (all == (c->argc > 0))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "name tasks by their ids, or give --all or --request ID; `tsb tasks` lists them");
	if (approver_load(a))
		return -1;
	if (all)
		return task_fetch(c, &a->signer, NULL, &a->tasks, &a->n, NULL);
	a->tasks = arena_array(&c->arena, (size_t)c->argc, sizeof(*a->tasks));
	for (i = 0; i < c->argc; i++)
		if (add_task(a, c->argv[i]))
			return -1;
	return 0;
}

static int
confirm(struct cli *c, const char *question, bool *yes)
{
	*yes = c->opt[OPT_YES] != NULL;
	return *yes ? 0 : ask_yes(question, yes, &c->err);
}

/* Exactly the bytes that were parsed, checked and shown are signed. */
static int
approve_one(struct approver *a, const struct task *task)
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
reject_one(struct approver *a, const struct wire_client_task *w)
{
	struct cli *c = a->cli;
	tsb_bytes_auto body = {0}, answer = {0};

	body_open(&body, NULL);
	if (task_prove(c, &a->signer, &body))
		return -1;
	body_text(&body, "id", w->id);
	body_close(&body);
	return session_call(c, "DELETE", "/v1/task", tsb_view_bytes(&body), &answer);
}

/* Sets *yes to approve. Asks once more about rules that a new policy leaves open. */
static int
confirm_task(struct cli *c, const struct task *task, bool *yes)
{
	if (confirm(c, "Approve this?", yes))
		return -1;
	if (!*yes || task->token.operation != OP_MODIFY)
		return 0;
	return change_confirm(c, arena_printf(&c->arena, "task %s", task->wire->id), &task->policy,
	    yes);
}

/* Says what was done: one line or list element per task. */
static void
report(struct cli *c, struct doc *done, const char *verb, const char *id)
{
	if (c->json)
		doc_text(done, verb, id);
	else
		output_line(arena_printf(&c->arena, "%s %s", verb, id));
	fflush(stdout);
}

static int
finish(struct cli *c, struct doc *done, int rc)
{
	if (c->json) {
		doc_close(done);
		doc_print(done);
	}
	return rc;
}

/* Checks, shows, asks, signs. *left: this one was left out, the others go on. */
static int
approve_next(struct approver *a, const struct wire_client_task *w, struct doc *done, bool *left)
{
	struct cli *c = a->cli;
	struct task task;
	bool yes;

	if (task_check(c, &a->signer, &a->keys, w, &task))
		return -1;
	show(c, &task);
	if (confirm_task(c, &task, &yes)) {
		if (c->exit != CLI_OPENS)
			return -1;
		failure_print(c);
		c->exit = CLI_USAGE;
		*left = true;
		return 0;
	}
	if (!yes)
		return 0;
	if (approve_one(a, &task))
		return -1;
	report(c, done, "approved", w->id);
	return 0;
}

int
cli_approve(struct cli *c)
{
	approver_auto a = {.cli = c};
	doc_auto done = {0};
	bool left = false;
	int rc = 0;
	size_t i;

	if (select_tasks(&a))
		return -1;
	doc_start(&done, c->json);
	doc_list(&done, "approved");
	for (i = 0; i < a.n && rc == 0; i++)
		rc = approve_next(&a, &a.tasks[i], &done, &left);
	if (rc == 0 && left)
		rc = cli_end(c, CLI_OPENS, TSB_E_INPUT,
		    "not all was approved: rules would be open to everyone");
	return finish(c, &done, rc);
}

/* An approver may also reject a task that is not what it claims. */
int
cli_reject(struct cli *c)
{
	approver_auto a = {.cli = c};
	doc_auto done = {0};
	struct task task;
	int rc = 0;
	size_t i;
	bool yes;

	if (select_tasks(&a))
		return -1;
	doc_start(&done, c->json);
	doc_list(&done, "rejected");
	for (i = 0; i < a.n && rc == 0; i++) {
		if (task_check(c, &a.signer, &a.keys, &a.tasks[i], &task))
			failure_print(c);
		else
			show(c, &task);
		c->exit = CLI_USAGE;
		rc = confirm(c, "Reject this?", &yes);
		if (rc != 0 || !yes)
			continue;
		rc = reject_one(&a, &a.tasks[i]);
		if (rc == 0)
			report(c, &done, "rejected", a.tasks[i].id);
	}
	return finish(c, &done, rc);
}
