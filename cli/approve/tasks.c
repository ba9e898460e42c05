/* tsb tasks: what waits for an approver. */
#include "lib/first.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/approve/approver.h"
#include "cli/approve/attested.h"
#include "cli/approve/commands.h"
#include "cli/approve/taskline.h"
#include "cli/lib/failure.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"

#define ID_MAX 64 /* a UUID has 36 characters */

static void
show(const struct task *task)
{
	doc_auto t = {0};

	doc_start(&t, false);
	task_show(&t, task);
	doc_print(&t);
}

/* Ids come from the server: none may name a file elsewhere, or a hidden one. */
static bool
names_a_file(const char *id)
{
	size_t n = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return n > 0 && n <= ID_MAX && id[n] == '\0';
}

static int
make_folder(struct cli *c)
{
	const char *folder = c->opt[OPT_SAVE];

	if (folder == NULL || mkdir(folder, 0700) == 0 || errno == EEXIST)
		return 0;
	return tsb_fail(&c->err, TSB_E_IO, "cannot create %s: %s", folder, strerror(errno));
}

/* The payload as it stands in the token: exactly the bytes that an approval covers. */
static int
save(struct cli *c, const struct task *task)
{
	const char *id = task->wire->id;

	if (c->opt[OPT_SAVE] == NULL || !task->token.has_payload)
		return 0;
	if (!names_a_file(id))
		return tsb_fail(&c->err, TSB_E_IO, "the id of task %s is no name for a file", id);
	return file_replace(arena_printf(&c->arena, "%s/%s.payload", c->opt[OPT_SAVE], id), 0600,
	    task->token.payload, &c->err);
}

/* One is shown whole, of several a line each: who has many looks for one of them first. */
static bool
whole(const struct cli *c, size_t n)
{
	return n == 1 || c->opt[OPT_ALL] != NULL || c->opt[OPT_REQUEST] != NULL;
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

	if (make_folder(c) || approver_load(&a) ||
	    task_fetch(c, &a.signer, NULL, &a.tasks, &a.n, c->json ? &raw : NULL))
		return -1;
	if (c->json)
		output_body(tsb_view_bytes(&raw));
	else if (a.n == 0)
		output_note("tsb: nothing %s: it was not asked, or has answered",
		    approver_wanted(&a));
	if (!c->json && a.n > 1 && !whole(c, a.n))
		taskline_heading();
	for (i = 0; i < a.n; i++) {
		if (task_check(c, &a.signer, &a.keys, &a.tasks[i], &task) ||
		    attested_freshen(&a, &task)) {
			if (c->exit != CLI_WRONG)
				return -1;
			wrong = true;
			failure_print(c);
			continue;
		}
		if (!c->json && whole(c, a.n))
			show(&task);
		else if (!c->json)
			taskline_print(&task);
		if (attested_require(c, &task)) {
			wrong = true;
			failure_print(c);
		}
		if (save(c, &task))
			return -1;
	}
	if (!c->json && a.n > 1 && !whole(c, a.n))
		output_note("tsb: %zu tasks; --request ID shows those of one request, --all all",
		    a.n);
	if (wrong)
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD, "do not approve what is wrong above");
	return 0;
}
