/*
 * The parent: owns the socket and the workers, serves nothing itself. It learns everything through
 * one poll: signals by signalfd, workers that are open by a pipe, ends of workers by SIGCHLD.
 */
#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/web/internal.h"

#define PAUSE_FIRST 100 /* ms before a worker that died young is started again, doubling */
#define PAUSE_MAX   5000
#define YOUNG       5000 /* ms */
#define DRAIN_GRACE 30000 /* ms a worker has to finish its request */
#define NEVER       INT64_MAX
#define LOOK_BUSY   100 /* ms between looks at the deadlines of workers, if one waits for its peer */
#define LOOK_QUIET  500

struct slot {
	pid_t pid; /* 0 = none running */
	bool open; /* told so */
	bool stale; /* to be replaced after SIGHUP */
	int64_t started;
	int64_t start_at; /* when pid == 0 */
	int64_t kill_at; /* NEVER unless told to end */
	long pause;
};

struct parent {
	const struct web_server *srv;
	struct web_listener listener;
	struct slot *slots;
	struct web_deadline *deadlines; /* of the workers, by slot; shared with them */
	size_t n;
	struct slot *replacing; /* its successor is not open yet; NULL = none */
	bool draining;
	int signals;
	int ready[2];
	sigset_t mask_before;
};

long
web_default_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 2 ? 4 * cores : 8;
}

/* Workers that started together should not end together. */
static long
request_max_of(const struct parent *p, const struct slot *s)
{
	long max = p->srv->request_max;

	return max - max / 4 * (s - p->slots) / (long)p->n;
}

static int
child_main(struct parent *p, struct slot *s, pid_t parent)
{
	/* Workers must not outlive the parent, even when it is killed. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent)
		return 0;
	close(p->signals);
	close(p->ready[0]);
	return web_worker(p->srv, p->listener.fd, p->ready[1], request_max_of(p, s),
	    &p->deadlines[s - p->slots]);
}

static void
slot_start(struct parent *p, struct slot *s, int64_t now)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	atomic_store(&p->deadlines[s - p->slots].at_ms, 0);
	pid = fork();
	if (pid == 0)
		exit(child_main(p, s, parent));
	if (pid < 0) {
		log_error("fork: %s", strerror(errno));
		s->start_at = now + PAUSE_MAX;
		return;
	}
	s->pid = pid;
	s->open = s->stale = false;
	s->started = now;
	s->kill_at = NEVER;
}

static void
slot_end(struct slot *s, int64_t now)
{
	if (s->pid == 0 || s->kill_at != NEVER)
		return;
	s->kill_at = now + DRAIN_GRACE;
	(void)kill(s->pid, SIGTERM);
}

/* Logs what ended and when its successor starts: at once, or later when workers die young. */
static void
slot_ended(struct slot *s, int status, int64_t now)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (WIFSIGNALED(status))
		log_error("worker %d ended by signal %d", (int)s->pid, WTERMSIG(status));
	else if (!clean)
		log_warn("worker %d ended with status %d", (int)s->pid, WEXITSTATUS(status));
	if (clean || s->kill_at != NEVER || now - s->started >= YOUNG)
		s->pause = 0;
	else if (s->pause == 0)
		s->pause = PAUSE_FIRST;
	else
		s->pause = 2 * s->pause < PAUSE_MAX ? 2 * s->pause : PAUSE_MAX;
	s->start_at = now + s->pause;
	s->pid = 0;
	s->open = false;
	s->kill_at = NEVER;
}

static void
reap(struct parent *p, int64_t now)
{
	int status;

	for (size_t i = 0; i < p->n; i++)
		if (p->slots[i].pid && waitpid(p->slots[i].pid, &status, WNOHANG) > 0)
			slot_ended(&p->slots[i], status, now);
}

static void
take_ready(struct parent *p)
{
	pid_t pid;

	while (read(p->ready[0], &pid, sizeof(pid)) == (ssize_t)sizeof(pid))
		for (size_t i = 0; i < p->n; i++)
			if (p->slots[i].pid == pid)
				p->slots[i].open = true;
}

static void
take_signal(struct parent *p, int64_t now)
{
	struct signalfd_siginfo si;

	while (read(p->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP && !p->draining) {
			log_reopen();
			log_info("replacing workers");
			for (size_t i = 0; i < p->n; i++)
				p->slots[i].stale = true;
		} else if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT) {
			if (!p->draining)
				log_info("stopping");
			sd_notify(0, "STOPPING=1");
			p->draining = true;
			for (size_t i = 0; i < p->n; i++)
				slot_end(&p->slots[i], now);
		}
	}
}

/* One worker at a time, and the next only when the successor is open: service never stops. */
static void
replace_next(struct parent *p, int64_t now)
{
	if (p->replacing != NULL && !p->replacing->open)
		return;
	p->replacing = NULL;
	for (size_t i = 0; i < p->n && p->replacing == NULL; i++)
		if (p->slots[i].stale && p->slots[i].pid) {
			p->replacing = &p->slots[i];
			p->replacing->open = false;
			slot_end(p->replacing, now);
		}
}

/* Starts and kills what is due; returns the time of the next such thing. */
static int64_t
step(struct parent *p, int64_t now)
{
	int64_t next = NEVER;

	if (!p->draining)
		replace_next(p, now);
	for (size_t i = 0; i < p->n; i++) {
		struct slot *s = &p->slots[i];

		if (!s->pid && !p->draining && s->start_at <= now)
			slot_start(p, s, now);
		if (s->pid && s->kill_at <= now) {
			log_error("worker %d does not end", (int)s->pid);
			(void)kill(s->pid, SIGKILL);
			s->kill_at = now + DRAIN_GRACE;
		}
		if (s->pid && s->kill_at < next)
			next = s->kill_at;
		if (!s->pid && !p->draining && s->start_at < next)
			next = s->start_at;
	}
	return next;
}

/* Wakes the workers whose time is over; returns when to look again. */
static int64_t
watch(struct parent *p, int64_t now)
{
	bool busy = false;

	for (size_t i = 0; i < p->n; i++) {
		int64_t at = atomic_load(&p->deadlines[i].at_ms);

		if (at == 0 || p->slots[i].pid == 0)
			continue;
		busy = true;
		if (now >= at)
			(void)kill(p->slots[i].pid, SIGALRM);
	}
	return now + (busy ? LOOK_BUSY : LOOK_QUIET);
}

static bool
any_running(const struct parent *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->slots[i].pid)
			return true;
	return false;
}

static void
parent_open(struct parent *p)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &mask, &p->mask_before))
		fatal("sigprocmask: %s", strerror(errno));
	p->signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (p->signals < 0 || pipe2(p->ready, O_NONBLOCK | O_CLOEXEC))
		fatal("signalfd, pipe: %s", strerror(errno));
	(void)signal(SIGPIPE, SIG_IGN);
	p->n = (size_t)(p->srv->workers > 0 ? p->srv->workers : web_default_workers());
	p->slots = calloc(p->n, sizeof(*p->slots));
	if (p->slots == NULL)
		fatal("out of memory");
	for (size_t i = 0; i < p->n; i++)
		p->slots[i].kill_at = NEVER;
	p->deadlines = mmap(NULL, p->n * sizeof(*p->deadlines), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->deadlines == MAP_FAILED)
		fatal("out of memory");
}

static void
parent_close(struct parent *p)
{
	web_listener_close(&p->listener);
	close(p->signals);
	close(p->ready[0]);
	close(p->ready[1]);
	munmap(p->deadlines, p->n * sizeof(*p->deadlines));
	free(p->slots);
	(void)sigprocmask(SIG_SETMASK, &p->mask_before, NULL);
}

static void
parent_loop(struct parent *p)
{
	struct pollfd fds[2] = {{.fd = p->signals, .events = POLLIN},
	    {.fd = p->ready[0], .events = POLLIN}};

	while (!p->draining || any_running(p)) {
		int64_t now = clock_monotonic_ms();
		int64_t next = step(p, now), look = watch(p, now);
		int wait = next <= now ? 0 : (int)((next < look ? next : look) - now);
		int n = poll(fds, TSB_COUNT(fds), wait);

		if (n < 0 && errno != EINTR)
			fatal("poll: %s", strerror(errno));
		if (n == 0)
			continue;
		now = clock_monotonic_ms();
		take_ready(p);
		take_signal(p, now);
		reap(p, now);
	}
}

int
web_run(const struct web_server *srv)
{
	struct parent p = {.srv = srv};
	struct tsb_err err = {0};
	const char *wrong = web_routes_check(srv->routes);

	if (wrong != NULL)
		fatal("route table: %s", wrong);
	if (web_is_cgi())
		return web_cgi(srv);
	if (web_listen(srv->listen, srv->socket_mode, &p.listener, &err)) {
		log_failure(LOG_ERROR, srv->program, &err);
		return 1;
	}
	parent_open(&p);
	log_info("%s %s ready, %zu workers", srv->program, TSB_VERSION, p.n);
	sd_notify(0, "READY=1");
	parent_loop(&p);
	parent_close(&p);
	log_info("stopped");
	return 0;
}
