#include "lib/first.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dispatcher/children.h"
#include "lib/base/clock.h"

#define PAUSE_FIRST 100 /* ms before one that ended young is started again, doubling */
#define PAUSE_MAX   5000
#define YOUNG       5000 /* ms */
#define GRACE       5000 /* ms that they have to end */

struct child {
	pid_t pid; /* 0 = none running */
	int64_t started, start_at; /* monotonic ms */
	int64_t pause;
};

struct children {
	const struct broker_conf *conf;
	int (*work)(const struct broker_conf *conf, size_t i);
	size_t n;
	struct child child[];
};

struct children *
children_new(size_t n, int (*work)(const struct broker_conf *conf, size_t i),
    const struct broker_conf *conf)
{
	struct children *c = calloc(1, sizeof(*c) + n * sizeof(c->child[0]));

	if (c == NULL)
		fatal("out of memory: children");
	c->conf = conf;
	c->work = work;
	c->n = n;
	return c;
}

static int
child_main(const struct children *c, size_t i, pid_t parent)
{
	/* it must not outlive the parent, even when that is killed */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent)
		return 0;
	/* connections of the parent, which it alone closes */
	log_alone();
	log_request(NULL);
	return c->work(c->conf, i);
}

static void
child_start(struct children *c, size_t i)
{
	struct child *child = &c->child[i];
	pid_t parent = getpid(), pid;

	fflush(NULL);
	child->started = clock_monotonic_ms();
	pid = fork();
	if (pid == 0)
		exit(child_main(c, i, parent));
	if (pid < 0) {
		log_error("fork: %s", strerror(errno));
		child->start_at = child->started + PAUSE_MAX;
		return;
	}
	child->pid = pid;
}

static void
child_ended(struct child *child, int status)
{
	int64_t now = clock_monotonic_ms();

	if (WIFSIGNALED(status))
		log_error("automated approver %d ended by signal %d", (int)child->pid,
		    WTERMSIG(status));
	else
		log_warn("automated approver %d ended with status %d", (int)child->pid,
		    WEXITSTATUS(status));
	if (now - child->started >= YOUNG)
		child->pause = 0;
	else if (child->pause == 0)
		child->pause = PAUSE_FIRST;
	else
		child->pause = 2 * child->pause < PAUSE_MAX ? 2 * child->pause : PAUSE_MAX;
	child->start_at = now + child->pause;
	child->pid = 0;
}

void
children_tend(struct children *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct child *child = &c->child[i];
		int status;

		if (child->pid != 0 && waitpid(child->pid, &status, WNOHANG) > 0)
			child_ended(child, status);
		if (child->pid == 0 && child->start_at <= clock_monotonic_ms())
			child_start(c, i);
	}
}

void
children_signal(const struct children *c, int signal)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->child[i].pid != 0)
			(void)kill(c->child[i].pid, signal);
}

static bool
any_left(struct children *c)
{
	bool left = false;

	for (size_t i = 0; i < c->n; i++) {
		struct child *child = &c->child[i];

		if (child->pid != 0 && waitpid(child->pid, NULL, WNOHANG) != 0)
			child->pid = 0;
		left |= child->pid != 0;
	}
	return left;
}

void
children_free(struct children **cp)
{
	struct children *c = *cp;
	int64_t until = clock_monotonic_ms() + GRACE;

	if (c == NULL)
		return;
	children_signal(c, SIGTERM);
	while (any_left(c) && clock_monotonic_ms() < until)
		(void)poll(NULL, 0, 10);
	children_signal(c, SIGKILL);
	for (size_t i = 0; i < c->n; i++)
		if (c->child[i].pid != 0)
			(void)waitpid(c->child[i].pid, NULL, 0);
	free(c);
	*cp = NULL;
}
