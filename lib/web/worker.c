/*
 * A worker: one request at a time until SIGTERM or its share of requests. The only user of libfcgi.
 *
 * Waiting is epoll with EPOLLEXCLUSIVE, so that the kernel wakes one worker for one connection, and
 * signals are open only there: SIGTERM is seen between requests, and no system call of a handler
 * is ever interrupted. A deadline ends the connection of a peer that stalls while it sends or
 * reads: soon where nobody needs what it sends, because a worker that waits serves nobody else.
 */
#include "lib/first.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/web/internal.h"

#define TIMEOUT_DEFAULT 60 /* seconds */
#define HURRY_MS        100 /* without a byte of what is thrown away */
#define PARAMS_MS       1000 /* web servers send them in one piece */
#define AGAIN_MS        1000 /* the alarm once more, for whoever waits behind a shut connection */
#define FCGX_BUFFER     8192 /* of libfcgi: what has been written so far has not left it */

static volatile sig_atomic_t stop;
static FCGX_Request *volatile current;

/* Of a peer whose bytes are thrown away: the alarm ends what brought none since the last one. */
static volatile sig_atomic_t hurried, progress;
static struct web_deadline *deadline; /* the parent watches it */

static void
deadline_in(long ms)
{
	atomic_store(&deadline->at_ms, clock_monotonic_ms() + ms);
}

static void
on_term(int sig)
{
	(void)sig;
	stop = 1;
}

/*
 * Shut, not closed: libfcgi sees the end of the stream and gives the descriptor back itself. A
 * peer that may not send any more can still be answered.
 */
static void
on_alarm(int sig)
{
	int saved = errno;
	int64_t at = atomic_load(&deadline->at_ms);
	bool waited = !hurried || !progress;

	(void)sig;
	if (at == 0 || clock_monotonic_ms() < at)
		return; /* it was met just now */
	deadline_in(hurried ? HURRY_MS : AGAIN_MS);
	if (waited && current && current->ipcFd >= 0)
		(void)shutdown(current->ipcFd, hurried == 1 ? SHUT_RD : SHUT_RDWR);
	if (waited && hurried)
		hurried = 2;
	progress = 0;
	errno = saved;
}

static void
set_signal(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&sa.sa_mask);
	if (sigaction(sig, &sa, NULL))
		fatal("sigaction: %s", strerror(errno));
}

/* Leaves SIGTERM blocked; open is the mask to wait with. */
static void
signals_init(sigset_t *open)
{
	sigset_t blocked;

	set_signal(SIGTERM, on_term, 0);
	set_signal(SIGALRM, on_alarm, SA_RESTART);
	set_signal(SIGINT, SIG_IGN, 0); /* from the terminal: the parent tells what to do */
	set_signal(SIGHUP, SIG_IGN, 0);
	set_signal(SIGPIPE, SIG_IGN, 0);
	set_signal(SIGCHLD, SIG_DFL, 0);
	sigemptyset(open);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	if (sigprocmask(SIG_SETMASK, &blocked, NULL))
		fatal("sigprocmask: %s", strerror(errno));
}

/* 0 = none */
static void
deadline_ms(long ms)
{
	hurried = 0;
	if (ms == 0)
		atomic_store(&deadline->at_ms, 0);
	else
		deadline_in(ms);
}

static void
hurry(void)
{
	progress = 0;
	hurried = 1;
	deadline_in(HURRY_MS);
}

/* ---- libfcgi as a web_io; the deadline runs while the peer is waited for, not in handlers ---- */

struct fcgi_peer {
	FCGX_Request rq;
	long timeout_ms;
	bool reading; /* input is not at its end yet */
	size_t written;
};

/* libfcgi waits for all the bytes that it is asked for: at most those that it has, or one. */
static size_t
waiting_in(const FCGX_Stream *in, size_t n)
{
	size_t has = in->rdNext < in->stop ? (size_t)(in->stop - in->rdNext) : 1;

	return n < has ? n : has;
}

static ssize_t
fcgi_read(struct web_io *io, void *p, size_t n)
{
	struct fcgi_peer *peer = io->ctx;
	int got;

	if (!peer->reading)
		return 0;
	if (hurried)
		n = waiting_in(peer->rq.in, n);
	else if (io->patient)
		deadline_ms(peer->timeout_ms);
	got = FCGX_GetStr(p, n > 65536 ? 65536 : (int)n, peer->rq.in);
	progress = 1;
	if (!hurried && io->patient)
		deadline_ms(0);
	if (got == 0 && FCGX_GetError(peer->rq.in))
		return -1;
	if (got == 0) {
		peer->reading = false;
		deadline_ms(0);
	}
	return got;
}

static void
fcgi_hurry(struct web_io *io)
{
	struct fcgi_peer *peer = io->ctx;

	if (peer->reading)
		hurry();
}

/* Shut, so that the peer misses the end of the answer. */
static void
fcgi_abandon(struct web_io *io)
{
	struct fcgi_peer *peer = io->ctx;

	if (peer->rq.ipcFd >= 0)
		(void)shutdown(peer->rq.ipcFd, SHUT_RDWR);
}

static int
fcgi_write(struct web_io *io, const void *p, size_t n)
{
	struct fcgi_peer *peer = io->ctx;
	const char *text = p;

	deadline_ms(peer->timeout_ms);
	peer->written += n;
	while (n) {
		int part = n > 65536 ? 65536 : (int)n;

		if (FCGX_PutStr(text, part, peer->rq.out) != part)
			return -1;
		text += part;
		n -= (size_t)part;
	}
	return 0;
}

/*
 * Without a free descriptor or memory the connection stays in the queue, which stays readable:
 * trying again at once would only burn the processor that somebody needs to free one.
 */
static void
rest_if_short(int error)
{
	const struct timespec rest = {.tv_nsec = 100 * 1000 * 1000};

	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return;
	log_warn("connections cannot be accepted: %s", strerror(error));
	nanosleep(&rest, NULL);
}

/*
 * A short answer leaves in one piece with its end. Whoever may have more to send is waited for, and
 * libfcgi reads that until the peer closes; of others the connection is simply closed.
 */
static void
finish(struct fcgi_peer *peer)
{
	if (peer->written > FCGX_BUFFER / 2) {
		deadline_ms(peer->timeout_ms);
		(void)FCGX_FFlush(peer->rq.out);
	}
	hurry();
	if (!peer->reading)
		FCGX_Detach(&peer->rq);
	FCGX_Finish_r(&peer->rq);
	/* A connection kept open would pin this worker to one client of the web server. */
	FCGX_Free(&peer->rq, 1);
	FCGX_Attach(&peer->rq);
	deadline_ms(0);
}

/* 0 when a request was served, -1 when there was none after all. */
static int
serve_one(const struct web_server *srv, void *app, struct fcgi_peer *peer, struct arena *a)
{
	struct web_io io = {.read = fcgi_read,
	    .write = fcgi_write,
	    .hurry = fcgi_hurry,
	    .abandon = fcgi_abandon,
	    .ctx = peer};
	int rc;

	deadline_ms(PARAMS_MS);
	rc = FCGX_Accept_r(&peer->rq); /* -errno */
	if (rc != 0) {
		deadline_ms(0);
		rest_if_short(-rc);
		return -1;
	}
	deadline_ms(peer->timeout_ms);
	peer->reading = true;
	peer->written = 0;
	io.env = peer->rq.envp;
	(void)web_exchange(srv, app, &io, a);
	finish(peer);
	arena_reset(a);
	return 0;
}

static int
wait_open(int listener)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, listener, &ev))
		fatal("epoll: %s", strerror(errno));
	return fd;
}

/* Until a request is there or a signal comes. */
static int
wait_for_request(const struct web_server *srv, void *app, int wait_fd, const sigset_t *open)
{
	struct epoll_event ev;
	int n = 0;

	if (srv->busy != NULL && srv->busy(app)) {
		n = epoll_pwait(wait_fd, &ev, 1, 0, open);
		if (n == 0)
			srv->idle(app);
	}
	return n != 0 ? n : epoll_pwait(wait_fd, &ev, 1, -1, open);
}

static void
loop(const struct web_server *srv, void *app, int listener, const sigset_t *open, long max)
{
	struct fcgi_peer peer = {.timeout_ms = 1000 *
		(srv->request_timeout > 0 ? srv->request_timeout : TIMEOUT_DEFAULT)};
	int wait_fd = wait_open(listener);
	arena_auto a = {0};
	long served = 0;

	if (FCGX_Init() || FCGX_InitRequest(&peer.rq, listener, FCGI_FAIL_ACCEPT_ON_INTR))
		fatal("libfcgi does not start");
	current = &peer.rq;
	while (!stop && (max == 0 || served < max)) {
		int n = wait_for_request(srv, app, wait_fd, open);

		if (n < 0 && errno != EINTR)
			fatal("epoll_pwait: %s", strerror(errno));
		if (n > 0 && !serve_one(srv, app, &peer, &a))
			served++;
	}
	current = NULL;
	FCGX_Free(&peer.rq, 1);
	close(wait_fd);
}

int
web_worker(const struct web_server *srv, int listener, int ready, long request_max,
    struct web_deadline *watched)
{
	pid_t self = getpid();
	struct tsb_err err = {0};
	sigset_t open;
	void *app;

	deadline = watched;
	signals_init(&open);
	app = srv->open(srv->arg, &err);
	if (app == NULL) {
		log_failure(LOG_ERROR, "worker does not start", &err);
		return WEB_WORKER_NOT_OPEN;
	}
	(void)!write(ready, &self, sizeof(self));
	loop(srv, app, listener, &open, request_max);
	if (srv->close)
		srv->close(app);
	return 0;
}

/* ---- plain CGI (RFC 3875) ---- */

extern char **environ;

bool
web_is_cgi(void)
{
	return getenv("GATEWAY_INTERFACE") != NULL && getenv("REQUEST_METHOD") != NULL;
}

/* Input has no end of its own here: CONTENT_LENGTH bytes are ours (RFC 3875 4.2). */
static ssize_t
cgi_read(struct web_io *io, void *p, size_t n)
{
	long *left = io->ctx;
	ssize_t got;

	if (n > (size_t)*left)
		n = (size_t)*left;
	if (n == 0)
		return 0;
	do
		got = read(STDIN_FILENO, p, n);
	while (got < 0 && errno == EINTR);
	*left -= got > 0 ? got : 0;
	return got;
}

static int
cgi_write(struct web_io *io, const void *p, size_t n)
{
	const char *text = p;

	(void)io;
	while (n) {
		ssize_t put = write(STDOUT_FILENO, text, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		text += put;
		n -= (size_t)put;
	}
	return 0;
}

/* Without its resources a CGI program still owes an answer: every path fails with the reason. */
static int
cgi_refuse(struct web_io *io, const struct tsb_err *err)
{
	struct web_call call = {.rq.id = "-"};
	struct web_reply reply = {0};
	int rc;

	log_failure(LOG_ERROR, "request not served", err);
	web_reply_error(&reply, err);
	rc = web_reply_write(io, &call, &reply);
	tsb_bytes_clear(&reply.body);
	return rc ? 1 : 0;
}

int
web_cgi(const struct web_server *srv)
{
	const char *length = web_env(environ, "CONTENT_LENGTH");
	long left = 0;
	struct web_io io = {.env = environ, .read = cgi_read, .write = cgi_write, .ctx = &left};
	struct tsb_err err = {0};
	arena_auto a = {0};
	void *app;
	int rc;

	set_signal(SIGPIPE, SIG_IGN, 0);
	/* An invalid length is refused later; there is nothing to read then. */
	if (length != NULL)
		(void)tsb_str_to_long(length, 0, LONG_MAX, &left);
	app = srv->open(srv->arg, &err);
	if (app == NULL)
		return cgi_refuse(&io, &err);
	rc = web_exchange(srv, app, &io, &a);
	if (srv->close)
		srv->close(app);
	return rc ? 1 : 0;
}
