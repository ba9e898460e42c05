/* The server as processes: real sockets, libfcgi, signals. */
#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/web/internal.h"
#include "tests/unit/fcgi_client.h"

static char dir[] = "/tmp/tsb-prefork.XXXXXX";
static char listen_text[80], socket_path[64], broken_path[64];

/* ---- the server under test ---- */

static int
serve_pid(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)err;
	tsb_bytes_addf(&reply->body, "%d %d", (int)getpid(), (int)getppid());
	return 0;
}

static int
serve_slowly(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct timespec t = {.tv_nsec = 700000000};

	(void)app, (void)rq;
	/* Signals must not reach the middle of a request. */
	if (nanosleep(&t, NULL))
		return tsb_fail(err, TSB_E_TECHNICAL, "interrupted");
	tsb_bytes_add_str(&reply->body, "slept");
	return 0;
}

static int
serve_length(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)err;
	tsb_bytes_addf(&reply->body, "%zu", rq->body.n);
	return 0;
}

static int
serve_large(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)err;
	memset(tsb_bytes_grow(&reply->body, 3000000), 'x', 3000000);
	return 0;
}

static int
serve_crash(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)reply, (void)err;
	return kill(getpid(), SIGKILL);
}

static const struct web_route routes[] = {
    {VERB_GET, "/v1/pid", ROLE_ANYONE, 0, serve_pid},
    {VERB_GET, "/v1/slow", ROLE_ANYONE, 0, serve_slowly},
    {VERB_POST, "/v1/length", ROLE_ANYONE, 4000000, serve_length},
    {VERB_GET, "/v1/large", ROLE_ANYONE, 0, serve_large},
    {VERB_GET, "/v1/crash", ROLE_ANYONE, 0, serve_crash},
    {0},
};

static void *
open_app(void *arg, struct tsb_err *err)
{
	static int app;

	(void)arg;
	if (!access(broken_path, F_OK)) {
		(void)tsb_fail(err, TSB_E_INIT, "broken on purpose");
		return NULL;
	}
	return &app;
}

static pid_t running; /* ended by after_each() when a test fails */

static pid_t
server_start(long workers, long request_max)
{
	struct web_server srv = {.program = "test",
	    .routes = routes,
	    .listen = listen_text,
	    .socket_mode = 0600,
	    .workers = workers,
	    .request_max = request_max,
	    .body_max = 8000000,
	    .request_timeout = 1,
	    .open = open_app};
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		if (!getenv("SHOW_LOG"))
			dup2(null, STDERR_FILENO);
		_exit(web_run(&srv));
	}
	assert_true(pid > 0);
	return running = pid;
}

/* Exit status of the parent; fails the test when it does not end in time. */
static int
server_wait(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < 6000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		pause_ms(10);
	}
	kill(pid, SIGKILL);
	fail_msg("the server does not end");
	return -1;
}

static void
server_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	assert_int_equal(server_wait(pid), 0);
	assert_int_equal(access(socket_path, F_OK), -1);
}

static char body_text[128];
static size_t body_size;

/* Status of the answer, 0 = the connection ended without one. */
static int
finish(int fd)
{
	struct tsb_bytes out = {0};
	const char *body;
	int status = 0;

	body_text[0] = '\0';
	if (receive(fd, &out)) {
		(void)sscanf(tsb_bytes_cstr(&out), "Status: %d", &status);
		body = strstr(tsb_bytes_cstr(&out), "\r\n\r\n");
		if (body) {
			body_size = out.n - (size_t)(body + 4 - (char *)out.p);
			snprintf(body_text, sizeof(body_text), "%s", body + 4);
		}
	}
	close(fd);
	tsb_bytes_clear(&out);
	return status;
}

static int
start_request(const char *method, const char *uri, size_t body, int flags)
{
	struct tsb_bytes rq = {0};
	int fd = client_connect(socket_path);

	add_request(&rq, method, uri, body, flags);
	(void)send_bytes(fd, &rq);
	tsb_bytes_clear(&rq);
	return fd;
}

static int
ask(const char *method, const char *uri, size_t body)
{
	return finish(start_request(method, uri, body, 0));
}

static pid_t
worker_pid(void)
{
	int worker = 0, parent = 0;

	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	assert_int_equal(sscanf(body_text, "%d %d", &worker, &parent), 2);
	return worker;
}

static bool
gone(pid_t pid)
{
	for (int i = 0; i < 6000; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return true;
		pause_ms(10);
	}
	return false;
}

/* ---- tests ---- */

static void
test_serves_and_stops(void **state)
{
	pid_t pid = server_start(2, 0);
	struct stat st;

	(void)state;
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	assert_int_equal(ask("GET", "/v1/none", 0), 404);
	assert_int_equal(ask("POST", "/v1/length", 3900000), 200);
	assert_string_equal(body_text, "3900000");
	assert_int_equal(ask("POST", "/v1/length", 4100000), 413);
	assert_int_equal(ask("POST", "/v1/none", 4100000), 404);
	assert_int_equal(ask("GET", "/v1/large", 0), 200);
	assert_int_equal(body_size, 3000000);
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	server_stop(pid);
}

static void
test_kept_connections_are_closed(void **state)
{
	pid_t pid = server_start(1, 0);

	(void)state;
	assert_int_equal(finish(start_request("GET", "/v1/pid", 0, 1)), 200);
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	server_stop(pid);
}

static void
test_killed_worker_costs_one_request(void **state)
{
	pid_t pid = server_start(1, 0), before;

	(void)state;
	before = worker_pid();
	assert_int_equal(ask("GET", "/v1/crash", 0), 0);
	assert_true(gone(before));
	assert_int_not_equal(worker_pid(), before);
	server_stop(pid);
}

static void
test_drain_finishes_the_request(void **state)
{
	pid_t pid = server_start(2, 0);
	int fd;

	(void)state;
	(void)worker_pid();
	fd = start_request("GET", "/v1/slow", 0, 0);
	pause_ms(100);
	kill(pid, SIGTERM);
	assert_int_equal(finish(fd), 200);
	assert_string_equal(body_text, "slept");
	assert_int_equal(server_wait(pid), 0);
}

static void
test_hangup_replaces_workers(void **state)
{
	pid_t pid = server_start(1, 0), before;
	int fd;

	(void)state;
	before = worker_pid();
	fd = start_request("GET", "/v1/slow", 0, 0);
	pause_ms(100);
	kill(pid, SIGHUP);
	assert_int_equal(finish(fd), 200);
	assert_true(gone(before));
	assert_int_not_equal(worker_pid(), before);
	server_stop(pid);
}

static void
test_hangup_keeps_workers_if_new_ones_fail(void **state)
{
	pid_t pid = server_start(3, 0);
	int file;

	(void)state;
	(void)worker_pid();
	pause_ms(200);
	file = open(broken_path, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	close(file);
	kill(pid, SIGHUP);
	pause_ms(500);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	assert_int_equal(unlink(broken_path), 0);
	server_stop(pid);
}

static void
test_workers_recover_when_open_does(void **state)
{
	int file = open(broken_path, O_CREAT | O_WRONLY, 0600), fd;
	pid_t pid;

	(void)state;
	close(file);
	pid = server_start(2, 0);
	fd = start_request("GET", "/v1/pid", 0, 0);
	pause_ms(400);
	assert_int_equal(unlink(broken_path), 0);
	assert_int_equal(finish(fd), 200);
	server_stop(pid);
}

static void
test_workers_are_replaced_after_their_share(void **state)
{
	pid_t pid = server_start(1, 3), first, last;

	(void)state;
	first = worker_pid();
	assert_int_equal(worker_pid(), first);
	assert_int_equal(worker_pid(), first);
	last = worker_pid();
	assert_int_not_equal(last, first);
	server_stop(pid);
}

static void
test_workers_end_with_a_killed_parent(void **state)
{
	pid_t pid = server_start(1, 0), worker;

	(void)state;
	worker = worker_pid();
	kill(pid, SIGKILL);
	assert_int_equal(server_wait(pid), 128 + SIGKILL);
	assert_true(gone(worker));
	/* The socket file is left behind; the next server takes the place over. */
	assert_int_equal(access(socket_path, F_OK), 0);
	pid = server_start(1, 0);
	pause_ms(50);
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	server_stop(pid);
}

static void
test_socket_in_use_is_left_alone(void **state)
{
	pid_t pid = server_start(1, 0);
	int file;

	(void)state;
	(void)worker_pid();
	assert_int_equal(server_wait(server_start(1, 0)), 1);
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	server_stop(pid);
	file = open(socket_path, O_CREAT | O_WRONLY, 0600);
	close(file);
	assert_int_equal(server_wait(server_start(1, 0)), 1);
	assert_int_equal(unlink(socket_path), 0);
}

/* Peers that connect and stall, each in another place, before one that behaves. */
static void
test_stalling_peer_does_not_pin_a_worker(void **state)
{
	static const size_t cuts[] = {0, 4, 16, 30, 60, 90};
	pid_t pid = server_start(1, 0);
	struct tsb_bytes rq = {0};
	int64_t started;

	(void)state;
	(void)worker_pid();
	add_request(&rq, "POST", "/v1/length", 50000, 0);
	for (size_t i = 0; i < TSB_COUNT(cuts); i++) {
		struct tsb_bytes part = {.p = rq.p, .n = cuts[i]};
		int fd = client_connect(socket_path);

		assert_true(send_bytes(fd, &part));
		started = clock_monotonic_ms();
		assert_int_equal(ask("GET", "/v1/pid", 0), 200);
		/* 1 s of patience here, up to 2 s of libfcgi for a peer that says nothing at all */
		assert_true(clock_monotonic_ms() - started < 4500);
		close(fd);
	}
	tsb_bytes_clear(&rq);
	server_stop(pid);
}

/* A peer that sends one byte now and then is out of time as well. */
static void
test_dripping_peer_does_not_pin_a_worker(void **state)
{
	pid_t pid = server_start(1, 0), child;
	struct tsb_bytes rq = {0};
	int64_t started;
	int fd;

	(void)state;
	(void)worker_pid();
	add_request(&rq, "GET", "/v1/pid", 0, 0);
	fd = client_connect(socket_path);
	child = fork();
	if (child == 0) {
		for (size_t i = 0; i < rq.n && send(fd, rq.p + i, 1, MSG_NOSIGNAL) == 1; i++)
			pause_ms(200);
		_exit(0);
	}
	close(fd);
	pause_ms(100);
	started = clock_monotonic_ms();
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	assert_true(clock_monotonic_ms() - started < 4500);
	(void)waitpid(child, NULL, 0);
	tsb_bytes_clear(&rq);
	server_stop(pid);
}

/* Each is refused before its body is there: nobody waits for the rest of it. */
static void
test_refused_bodies_are_not_awaited(void **state)
{
	pid_t pid = server_start(4, 0);
	struct tsb_bytes rq = {0};
	int64_t started;
	int fd[12];

	(void)state;
	(void)worker_pid();
	add_request(&rq, "POST", "/v1/refused", 50000, 0);
	rq.n -= 10000;
	for (size_t i = 0; i < TSB_COUNT(fd); i++) {
		fd[i] = client_connect(socket_path);
		assert_true(send_bytes(fd[i], &rq));
	}
	started = clock_monotonic_ms();
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	assert_true(
	    clock_monotonic_ms() - started < 2500); /* to wait for all takes three seconds */
	for (size_t i = 0; i < TSB_COUNT(fd); i++)
		assert_int_equal(finish(fd[i]), 404);
	/* One that comes at once is read to its end, however large. */
	assert_int_equal(ask("POST", "/v1/refused", 6000000), 404);
	tsb_bytes_clear(&rq);
	server_stop(pid);
}

/* One that does not read its answer. */
static void
test_deaf_peer_does_not_pin_a_worker(void **state)
{
	pid_t pid = server_start(1, 0);
	int fd;

	(void)state;
	(void)worker_pid();
	fd = start_request("GET", "/v1/large", 0, 0);
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	close(fd);
	server_stop(pid);
}

static void
test_aborting_peers(void **state)
{
	pid_t pid = server_start(1, 0), worker;
	struct tsb_bytes rq = {0};

	(void)state;
	worker = worker_pid();
	add_request(&rq, "POST", "/v1/length", 200, 0);
	for (size_t cut = 0; cut <= rq.n; cut += cut < 24 ? 1 : 13) {
		struct tsb_bytes part = {.p = rq.p, .n = cut};
		int fd = client_connect(socket_path);

		assert_true(send_bytes(fd, &part));
		close(fd);
	}
	assert_int_equal(worker_pid(), worker);
	tsb_bytes_clear(&rq);
	server_stop(pid);
}

/* Sends rq with some bytes of [from, to) changed at random. */
static void
send_changed(const struct tsb_bytes *rq, size_t from, size_t to, unsigned *seed)
{
	int fd = client_connect(socket_path);
	struct tsb_bytes junk = {0};

	tsb_bytes_add(&junk, rq->p, rq->n);
	for (int k = 0; k < 3; k++)
		junk.p[from + (unsigned)rand_r(seed) % (to - from)] = (unsigned char)rand_r(seed);
	(void)send_bytes(fd, &junk);
	(void)shutdown(fd, SHUT_WR);
	(void)finish(fd);
	tsb_bytes_clear(&junk);
}

/*
 * What HTTP clients can choose, names and values of parameters, never hurts a worker. Lengths are
 * the web server's: libfcgi gives up the process on some impossible ones, which costs that
 * connection.
 */
static void
test_garbage_peers(void **state)
{
	pid_t pid = server_start(1, 0), worker;
	struct tsb_bytes rq = {0};
	unsigned seed = 1;

	(void)state;
	worker = worker_pid();
	add_request(&rq, "POST", "/v1/length", 200, 0);
	for (int i = 0; i < 100; i++) {
		send_changed(&rq, 26, 44, &seed); /* REQUEST_METHOD and value */
		send_changed(&rq, 46, 67, &seed); /* REQUEST_URI and value */
		send_changed(&rq, 69, 86, &seed); /* CONTENT_LENGTH and value */
	}
	assert_int_equal(worker_pid(), worker);
	for (int i = 0; i < 20; i++)
		send_changed(&rq, 0, 96, &seed);
	assert_int_equal(ask("GET", "/v1/pid", 0), 200);
	tsb_bytes_clear(&rq);
	server_stop(pid);
}

/* A server whose socket is made before it starts: where is the descriptor, 0 or 3. */
static pid_t
server_inherits(int where)
{
	static const struct web_server srv = {.program = "test",
	    .routes = routes,
	    .workers = 1,
	    .listen = "unix:/nowhere/at/all",
	    .open = open_app};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char pid[16];

	strcpy(addr.sun_path, socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 10), 0);
	fflush(NULL);
	running = fork();
	if (running == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDERR_FILENO);
		dup2(fd, where);
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", where ? "1" : "0", 1);
		_exit(web_run(&srv));
	}
	close(fd);
	return running;
}

static void
test_inherited_sockets(void **state)
{
	(void)state;
	for (int where = 0; where <= 3; where += 3) {
		pid_t pid = server_inherits(where);

		assert_int_equal(ask("GET", "/v1/pid", 0), 200);
		kill(pid, SIGTERM);
		assert_int_equal(server_wait(pid), 0);
		/* The place belongs to who made it. */
		assert_int_equal(unlink(socket_path), 0);
	}
}

static void
test_answers_plain_cgi(void **state)
{
	static const struct web_server srv = {.program = "test",
	    .routes = routes,
	    .listen = listen_text,
	    .body_max = 100,
	    .open = open_app};
	int in[2], out[2], status;
	char text[512] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in) || pipe(out), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(open("/dev/null", O_RDWR));
		setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
		setenv("REQUEST_METHOD", "POST", 1);
		setenv("REQUEST_URI", "/cgi-bin/tsb/v1/length", 1);
		setenv("SCRIPT_NAME", "/cgi-bin/tsb", 1);
		setenv("PATH_INFO", "/v1/length", 1);
		setenv("CONTENT_LENGTH", "5", 1);
		_exit(web_run(&srv));
	}
	/* Input stays open behind the body: reading past CONTENT_LENGTH would hang. */
	assert_int_equal(write(in[1], "12345678", 8), 8);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(out[0], text, sizeof(text) - 1) > 0);
	assert_int_equal(strncmp(text, "Status: 200 OK\r\n", 16), 0);
	assert_non_null(strstr(text, "\r\n\r\n5"));
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

static int
after_each(void **state)
{
	(void)state;
	if (running && !waitpid(running, NULL, WNOHANG)) {
		kill(running, SIGKILL);
		(void)waitpid(running, NULL, 0);
	}
	running = 0;
	(void)unlink(broken_path);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	snprintf(broken_path, sizeof(broken_path), "%s/broken", dir);
	snprintf(listen_text, sizeof(listen_text), "unix:%s", socket_path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(broken_path);
	(void)unlink(socket_path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_serves_and_stops, after_each),
	    cmocka_unit_test_teardown(test_kept_connections_are_closed, after_each),
	    cmocka_unit_test_teardown(test_killed_worker_costs_one_request, after_each),
	    cmocka_unit_test_teardown(test_drain_finishes_the_request, after_each),
	    cmocka_unit_test_teardown(test_hangup_replaces_workers, after_each),
	    cmocka_unit_test_teardown(test_hangup_keeps_workers_if_new_ones_fail, after_each),
	    cmocka_unit_test_teardown(test_workers_recover_when_open_does, after_each),
	    cmocka_unit_test_teardown(test_workers_are_replaced_after_their_share, after_each),
	    cmocka_unit_test_teardown(test_workers_end_with_a_killed_parent, after_each),
	    cmocka_unit_test_teardown(test_socket_in_use_is_left_alone, after_each),
	    cmocka_unit_test_teardown(test_stalling_peer_does_not_pin_a_worker, after_each),
	    cmocka_unit_test_teardown(test_dripping_peer_does_not_pin_a_worker, after_each),
	    cmocka_unit_test_teardown(test_refused_bodies_are_not_awaited, after_each),
	    cmocka_unit_test_teardown(test_deaf_peer_does_not_pin_a_worker, after_each),
	    cmocka_unit_test_teardown(test_aborting_peers, after_each),
	    cmocka_unit_test_teardown(test_garbage_peers, after_each),
	    cmocka_unit_test_teardown(test_inherited_sockets, after_each),
	    cmocka_unit_test_teardown(test_answers_plain_cgi, after_each),
	};

	/* The sanitizers see the same code; a worker that valgrind slows down misses its second. */
	if (getenv("VALGRIND") != NULL) {
		printf("workers have a second for each request, valgrind takes longer\n");
		return 77;
	}

	return cmocka_run_group_tests(tests, setup, teardown);
}
