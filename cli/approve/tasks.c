/* tsb tasks: what waits for an approver. */
#include "lib/first.h"

#include "cli/approve/approver.h"
#include "cli/approve/commands.h"
#include "cli/lib/failure.h"
#include "cli/lib/output.h"

static void
show(const struct task *task)
{
	doc_auto t = {0};

	doc_start(&t, false);
	task_show(&t, task);
	doc_print(&t);
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

	if (approver_load(&a) ||
	    task_fetch(c, &a.signer, NULL, &a.tasks, &a.n, c->json ? &raw : NULL))
		return -1;
	if (c->json)
		output_body(tsb_view_bytes(&raw));
	else if (a.n == 0)
		output_note("tsb: nothing %s: it was not asked, or has answered",
		    approver_wanted(&a));
	for (i = 0; i < a.n; i++) {
		if (task_check(c, &a.signer, &a.keys, &a.tasks[i], &task)) {
			wrong = true;
			failure_print(c);
		} else if (!c->json) {
			show(&task);
		}
	}
	if (wrong)
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD, "do not approve what is wrong above");
	return 0;
}
