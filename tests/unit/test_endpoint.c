/* HSM client: address lists, fallback, outcomes. The servers are processes on loopback sockets. */
#include "lib/first.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/hsm/client.h"

/*
 * ---- a server that plays a script, one letter a request, the last one again and again ----
 * a: 200 with what was asked      d: drops the connection after the request    h: never answers
 * t: drops in the middle          l: an answer that is too long                2 3 4: 502 503 504
 * 5: 500 with a body              r: redirects                                 s: 200 after 200 ms
 */
struct server {
	pid_t pid;
	int port;
	char url[128];
	volatile int *requests; /* shared with the process */
};

static struct server servers[4];
static size_t n_servers;
static char dir[] = "/tmp/tsb-endpoint.XXXXXX";

static void
put(int fd, const char *text, size_t n)
{
	if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(0);
}

static void
put_answer(int fd, int status, const char *headers, const char *body)
{
	struct tsb_bytes out = { 0 };

	tsb_bytes_addf(&out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body),
	    headers, body);
	put(fd, (char *)out.p, out.n);
	tsb_bytes_clear(&out);
}

static void
put_long(int fd)
{
	static char block[65536];

	put(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
	for (int i = 0; i < 9 * 16; i++)
		put(fd, block, sizeof(block));
	_exit(0);
}

static void
play(int fd, char what, const char *request)
{
	switch (what) {
	case 'a':
		put_answer(fd, 200, "Content-Type: text/plain; charset=x\r\n", request);
		break;
	case 'd':
		_exit(0);
	case 'h':
		pause();
		break;
	case 't':
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 43);
		_exit(0);
	case 'l':
		put_long(fd);
		break;
	case 'r':
		put_answer(fd, 302, "Location: http://127.0.0.1:1/\r\n", "");
		break;
	case 's':
		usleep(200000);
		put_answer(fd, 200, "", request);
		break;
	default:
		put_answer(fd, 500 + (what == '5' ? 0 : what - '0'), "", "{\"errorCode\":701}");
	}
}

/* One request with its body; false at the end of the connection. */
static bool
take(int fd, struct tsb_bytes *rq)
{
	const char *head, *length;
	size_t need = 0;
	ssize_t n;

	tsb_bytes_reset(rq);
	for (;;) {
		head = strstr(tsb_bytes_cstr(rq), "\r\n\r\n");
		length = strstr(tsb_bytes_cstr(rq), "Content-Length: ");
		if (head && length)
			need = (size_t)atol(length + 16);
		if (head && rq->n >= (size_t)(head + 4 - (const char *)rq->p) + need)
			return true;
		n = read(fd, tsb_bytes_grow(rq, 4096), 4096);
		rq->n -= 4096 - (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			return false;
	}
}

static void
serve(int listener, const char *script, volatile int *requests)
{
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct tsb_bytes rq = { 0 };

		if (fd < 0)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (take(fd, &rq)) {
				size_t i = (size_t)__atomic_fetch_add(requests, 1, __ATOMIC_SEQ_CST);

				play(fd, script[i < strlen(script) ? i : strlen(script) - 1],
				    tsb_bytes_cstr(&rq));
			}
			_exit(0);
		}
		close(fd);
	}
}

static int
bound_socket(struct server *s, bool is_unix)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/%zu", dir, n_servers);
	if (is_unix) {
		snprintf(s->url, sizeof(s->url), "unix:%s", un.sun_path);
		assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
		return fd;
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(in.sin_port));
	return fd;
}

/* script NULL: nobody listens there. */
static struct server *
server(const char *script, bool is_unix)
{
	struct server *s = &servers[n_servers];
	int fd = bound_socket(s, is_unix);

	n_servers++;
	s->requests = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s->pid = 0;
	if (script) {
		assert_int_equal(listen(fd, 100), 0);
		s->pid = fork();
		if (s->pid == 0)
			serve(fd, script, s->requests);
	}
	close(fd);
	return s;
}

static int
after_each(void **state)
{
	(void)state;
	while (n_servers) {
		struct server *s = &servers[--n_servers];
		char path[64];

		if (s->pid) {
			kill(s->pid, SIGKILL);
			waitpid(s->pid, NULL, 0);
		}
		munmap((void *)(uintptr_t)s->requests, sizeof(int));
		snprintf(path, sizeof(path), "%s/%zu", dir, n_servers);
		(void)unlink(path);
	}
	return 0;
}

static struct hsm *
patient_client(const char *url, long timeout)
{
	static char manage[] = "key-of-management", operate[] = "key-of-operation";
	struct hsm_conf conf = { .url = url, .api_key = { manage, operate, NULL },
		.timeout = timeout, .connect_timeout = 1 };
	struct tsb_err err = { 0 };
	struct hsm *h = hsm_new(&conf, &err);

	if (!h)
		fail_msg("%s", err.msg);
	return h;
}

static struct hsm *
client(const char *url)
{
	return patient_client(url, 1);
}

static const struct hsm_call sign = { .method = "POST", .path = "/v1/synchronousSign",
	.role = HSM_KEY_OPERATION, .body = { (const unsigned char *)"{\"a\":1}", 7 } };
static const struct hsm_call list = { .method = "GET", .path = "/v1/key",
	.role = HSM_KEY_MANAGEMENT, .repeatable = true };

static char text[4096];
static struct tsb_err last;

/* Status, or -1 with last set. */
static int
call(struct hsm *h, const struct hsm_call *c)
{
	struct hsm_reply reply = { 0 };
	int status;

	memset(&last, 0, sizeof(last));
	if (hsm_call(h, c, &reply, &last)) {
		assert_null(reply.body.p);
		return -1;
	}
	status = reply.status;
	snprintf(text, sizeof(text), "%s", tsb_bytes_cstr(&reply.body));
	hsm_reply_clear(&reply);
	return status;
}

/* ---- addresses ---- */

static void
test_addresses(void **state)
{
	static const struct {
		const char *text, *base, *path;
	} good[] = {
		{ "https://hsm.example", "https://hsm.example", NULL },
		{ "https://hsm.example/", "https://hsm.example", NULL },
		{ "https://hsm.example:8443/v1", "https://hsm.example:8443", NULL },
		{ "https://hsm.example/v1/", "https://hsm.example", NULL },
		{ "https://hsm.example/tsb//v1//", "https://hsm.example/tsb", NULL },
		{ "https://hsm.example/xv1", "https://hsm.example/xv1", NULL },
		{ "http://127.0.0.1:80", "http://127.0.0.1:80", NULL },
		{ "http://[::1]:80", "http://[::1]:80", NULL },
		{ "unix:/run/tsb/hsm.sock", "http://localhost", "/run/tsb/hsm.sock" },
	};
	static const char *const bad[] = { "", "hsm.example", "ftp://x", "file:///etc/passwd", "https://",
		"https:///x", "https://:80", "https://user:pw@host", "https://host/?x", "https://host/#x",
		"https://ho st", "https://host\n", "HTTPS://host", "unix:", "unix:relative",
		"unix:/a234567890123456789012345678901234567890123456789012345678901234567890"
		"1234567890123456789012345678901234567890" };

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(good); i++) {
		struct tsb_err err = { 0 };
		struct endpoint e;

		assert_int_equal(endpoint_init(&e, good[i].text, &err), 0);
		assert_string_equal(e.base, good[i].base);
		assert_string_equal(e.unix_path ? e.unix_path : "", good[i].path ? good[i].path : "");
		endpoint_clear(&e);
	}
	for (size_t i = 0; i < TSB_COUNT(bad); i++) {
		struct tsb_err err = { 0 };
		struct endpoint e;

		assert_int_equal(endpoint_init(&e, bad[i], &err), -1);
		assert_int_equal(err.code, TSB_E_CONFIG_NOT_VALID);
	}
}

static void
test_lists(void **state)
{
	static const char *const bad[] = { "", ",", "https://a,", ";https://a", "https://a;;https://b",
		"https://1,https://2,https://3,https://4,https://5,https://6,https://7,https://8,"
		"https://9,https://10,https://11,https://12,https://13,https://14,https://15,"
		"https://16,https://17" };
	struct endpoint_list l;
	struct tsb_err err = { 0 };

	(void)state;
	assert_int_equal(endpoint_list_init(&l, "https://a, https://b; unix:/c", &err), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(endpoint_name(&l.v[1]), "https://b");
	assert_string_equal(endpoint_name(&l.v[2]), "/c");
	assert_int_equal(l.v[0].group, 0);
	assert_int_equal(l.v[1].group, 0);
	assert_int_equal(l.v[2].group, 1);
	endpoint_list_clear(&l);
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_int_equal(endpoint_list_init(&l, bad[i], &err), -1);
}

static void
test_order(void **state)
{
	struct endpoint_list l;
	struct tsb_err err = { 0 };
	unsigned char order[ENDPOINT_MAX];
	int first[4] = { 0 };

	(void)state;
	assert_int_equal(endpoint_list_init(&l, "http://[::1]:1,http://[::1]:2;unix:/3;unix:/4", &err),
	    0);
	for (int i = 0; i < 400; i++) {
		endpoint_list_order(&l, 1000, order);
		first[order[0]]++;
		assert_int_equal(order[0] + order[1], 1);
		assert_int_equal(order[2], 2);
		assert_int_equal(order[3], 3);
	}
	assert_true(first[0] > 100 && first[1] > 100);
	l.v[0].down_until = l.v[2].down_until = 1001;
	endpoint_list_order(&l, 1000, order);
	assert_memory_equal(order, ((unsigned char[]){ 1, 3, 0, 2 }), 4);
	endpoint_list_order(&l, 1001, order);
	assert_int_equal(order[2], 2);
	endpoint_list_clear(&l);
}

static void
test_settings_are_checked(void **state)
{
	static const struct hsm_conf bad[] = {
		{ .url = NULL, .timeout = 1, .connect_timeout = 1 },
		{ .url = "", .timeout = 1, .connect_timeout = 1 },
		{ .url = "https://a", .timeout = 0, .connect_timeout = 1 },
		{ .url = "https://a", .timeout = 1, .connect_timeout = 1, .cert_file = "c" },
		{ .url = "https://a", .timeout = 1, .connect_timeout = 1, .api_key = { "a\nb" } },
	};
	struct tsb_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_null(hsm_new(&bad[i], &err));
}

/* ---- blocking calls ---- */

static void
test_request_as_sent(void **state)
{
	static const struct hsm_call delete = { .method = "DELETE", .path = "/v1/key/a%2Fb/../c",
		.role = HSM_SERVICE };
	struct server *s = server("a", true);
	struct hsm *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), 200);
	assert_int_equal(strncmp(text, "POST /v1/synchronousSign HTTP/1.1\r\n", 35), 0);
	assert_non_null(strstr(text, "\r\nX-API-KEY: key-of-operation\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(text, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(text, "Expect"));
	assert_int_equal(call(h, &list), 200);
	assert_int_equal(strncmp(text, "GET /v1/key HTTP/1.1\r\n", 22), 0);
	assert_non_null(strstr(text, "\r\nX-API-KEY: key-of-management\r\n"));
	assert_null(strstr(text, "Content-"));
	assert_int_equal(call(h, &delete), 200);
	assert_int_equal(strncmp(text, "DELETE /v1/key/a%2Fb/../c HTTP/1.1\r\n", 36), 0);
	assert_null(strstr(text, "X-API-KEY"));
	hsm_free(&h);
}

static void
test_every_answer_is_an_answer(void **state)
{
	struct server *s = server("5r", false);
	struct hsm *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), 500);
	assert_string_equal(text, "{\"errorCode\":701}");
	assert_int_equal(call(h, &sign), 302);
	hsm_free(&h);
}

static void
test_nobody_listens(void **state)
{
	struct server *a = server(NULL, false), *b = server(NULL, true), *c = server("a", false);
	char url[400];
	struct hsm *h;

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", a->url, b->url);
	h = client(url);
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_non_null(strstr(last.msg, a->url));
	assert_non_null(strstr(last.msg, b->url + 5));
	hsm_free(&h);

	/* Never sent, so any call goes on to the next. */
	snprintf(url, sizeof(url), "%s;%s;%s", a->url, b->url, c->url);
	h = client(url);
	assert_int_equal(call(h, &sign), 200);
	hsm_free(&h);
}

static void
test_what_was_sent_goes_elsewhere_only_when_repeatable(void **state)
{
	/* drop, hang, half an answer, and what front servers say */
	static const char *const scripts[] = { "d", "h", "t", "2", "3", "4" };

	for (size_t i = 0; i < TSB_COUNT(scripts); i++) {
		struct server *bad = server(scripts[i], i % 2), *good = server("a", false);
		char url[300];
		struct hsm *h;

		snprintf(url, sizeof(url), "%s;%s", bad->url, good->url);
		h = client(url);
		assert_int_equal(call(h, &sign), -1);
		assert_int_equal(last.code, TSB_E_IO);
		assert_int_equal(*bad->requests, 1);
		assert_int_equal(*good->requests, 0);
		/* now the bad one is tried last */
		assert_int_equal(call(h, &sign), 200);
		assert_int_equal(*bad->requests, 1);
		hsm_free(&h);

		h = client(url);
		assert_int_equal(call(h, &list), 200);
		assert_int_equal(*good->requests, 2);
		hsm_free(&h);
		assert_int_equal(after_each(state), 0);
	}
}

static void
test_repeatable_call_without_answer(void **state)
{
	struct server *a = server("3", false);
	struct hsm *h = client(a->url);

	(void)state;
	assert_int_equal(call(h, &list), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	hsm_free(&h);
}

static void
test_failed_endpoint_is_tried_again_when_alone(void **state)
{
	struct server *s = server("da", false);
	struct hsm *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(call(h, &sign), 200);
	hsm_free(&h);
}

static void
test_too_long_an_answer_is_final(void **state)
{
	struct server *bad = server("l", false), *good = server("a", false);
	char url[300];
	struct hsm *h;

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", bad->url, good->url);
	h = client(url);
	assert_int_equal(call(h, &list), -1);
	assert_int_equal(last.code, TSB_E_IO);
	assert_int_equal(*good->requests, 0);
	hsm_free(&h);
}

/*
 * A kept connection that breaks before the answer: libcurl would send the request once more, and the
 * HSM might sign or block twice.
 */
static void
test_kept_connection_breaks_after_send(void **state)
{
	struct server *s = server("ada", false);
	struct hsm *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), 200);
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(last.code, TSB_E_IO);
	assert_int_equal(*s->requests, 2);
	hsm_free(&h);
	assert_int_equal(after_each(state), 0);

	s = server("ada", false);
	h = client(s->url);
	assert_int_equal(call(h, &list), 200);
	assert_int_equal(call(h, &list), 200);
	assert_int_equal(*s->requests, 3);
	hsm_free(&h);
}

static void
test_timeouts(void **state)
{
	struct server *s = server("h", false);
	struct hsm *h = client(s->url);
	int64_t started = clock_monotonic_ms(), took;

	(void)state;
	assert_int_equal(call(h, &list), -1);
	took = clock_monotonic_ms() - started;
	assert_true(took >= 900 && took < 5000);
	hsm_free(&h);
}

/* The server talks plain HTTP: the handshake fails, so that nothing was sent. */
static void
test_failed_handshake_sends_nothing(void **state)
{
	struct server *s = server("a", false), *good = server("a", true);
	char url[300];
	struct hsm *h;

	(void)state;
	snprintf(url, sizeof(url), "https%s", s->url + 4);
	h = client(url);
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	hsm_free(&h);
	snprintf(url, sizeof(url), "https%s;%s", s->url + 4, good->url);
	h = client(url);
	assert_int_equal(call(h, &sign), 200);
	hsm_free(&h);
}

static void
test_rest_reply(void **state)
{
	static const struct rest_options options = { .timeout_ms = 1000, .connect_timeout_ms = 1000,
		.reply_max = 1000 };
	struct rest_call get = { .method = "GET", .path = "/x?y", .accept = "image/png", .apikey = "k" };
	struct rest_reply reply = { 0 };
	char why[REST_WHY_SIZE];
	struct endpoint e;
	struct rest *rest = rest_new(&options);

	(void)state;
	assert_int_equal(endpoint_init(&e, server("al", true)->url, &last), 0);
	get.to = &e;
	assert_int_equal(rest_call(rest, &get, &reply, why), REST_ANSWERED);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "text/plain; charset=x");
	assert_non_null(strstr(tsb_bytes_cstr(&reply.body), "Accept: image/png\r\n"));
	rest_reply_clear(&reply);
	assert_int_equal(rest_call(rest, &get, &reply, why), REST_TOO_LONG);
	assert_null(reply.body.p);
	endpoint_clear(&e);
	rest_free(&rest);
}

/* ---- calls in flight ---- */

struct outcome {
	int ended, status, code;
	struct hsm *again; /* submit one more from inside done() */
};

static void
on_done(void *ctx, int rc, const struct hsm_reply *reply, const struct tsb_err *err)
{
	struct outcome *o = ctx;

	o->ended++;
	o->status = rc ? -1 : reply->status;
	o->code = rc ? (int)err->code : 0;
	if (o->again) {
		struct hsm *h = o->again;

		o->again = NULL;
		hsm_submit(h, &sign, on_done, o);
	}
}

static void
wait_all(struct hsm *h)
{
	for (int i = 0; i < 1000 && hsm_in_flight(h); i++)
		assert_false(hsm_wait(h, -1, 100));
	assert_int_equal(hsm_in_flight(h), 0);
}

static void
test_many_in_flight(void **state)
{
	struct server *s = server("s", true);
	struct hsm *h = patient_client(s->url, 10);
	static struct outcome o[100];
	int64_t started = clock_monotonic_ms();

	(void)state;
	memset(o, 0, sizeof(o));
	for (size_t i = 0; i < TSB_COUNT(o); i++)
		hsm_submit(h, &sign, on_done, &o[i]);
	assert_int_equal(hsm_in_flight(h), TSB_COUNT(o));
	o[0].again = h;
	wait_all(h);
	for (size_t i = 0; i < TSB_COUNT(o); i++) {
		assert_int_equal(o[i].ended, i == 0 ? 2 : 1);
		assert_int_equal(o[i].status, 200);
	}
	assert_int_equal(*s->requests, TSB_COUNT(o) + 1);
	/* one after the other would take 20 s */
	assert_true(clock_monotonic_ms() - started < 10000);
	hsm_free(&h);
}

static void
test_flights_fall_back(void **state)
{
	struct server *none = server(NULL, false), *drop = server("d", false), *good = server("a", true);
	struct outcome o[3] = { 0 };
	char url[400];
	struct hsm *h;

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", none->url, good->url);
	h = client(url);
	hsm_submit(h, &sign, on_done, &o[0]);
	wait_all(h);
	assert_int_equal(o[0].status, 200);
	hsm_free(&h);

	snprintf(url, sizeof(url), "%s;%s", drop->url, good->url);
	h = client(url);
	hsm_submit(h, &sign, on_done, &o[1]);
	hsm_submit(h, &list, on_done, &o[2]);
	wait_all(h);
	assert_int_equal(o[1].status, -1);
	assert_int_equal(o[1].code, TSB_E_IO);
	assert_int_equal(o[2].status, 200);
	hsm_free(&h);

	h = client(none->url);
	hsm_submit(h, &sign, on_done, &o[0]);
	wait_all(h);
	assert_int_equal(o[0].code, TSB_E_CONNECTIVITY);
	hsm_free(&h);
}

static void
test_wait_sees_the_descriptor(void **state)
{
	struct server *s = server("h", true);
	struct hsm *h = client(s->url);
	struct outcome o = { 0 };
	int64_t started;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	started = clock_monotonic_ms();
	assert_false(hsm_wait(h, fds[0], 50));
	assert_true(clock_monotonic_ms() - started >= 40);
	assert_int_equal(write(fds[1], "x", 1), 1);
	started = clock_monotonic_ms();
	assert_true(hsm_wait(h, fds[0], 5000));
	hsm_submit(h, &sign, on_done, &o);
	assert_true(hsm_wait(h, fds[0], 5000));
	assert_true(clock_monotonic_ms() - started < 1000);
	assert_int_equal(o.ended, 0);
	/* freed with a call in flight */
	hsm_submit(h, &sign, on_done, &o);
	hsm_free(&h);
	assert_int_equal(o.ended, 0);
	close(fds[0]);
	close(fds[1]);
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, after_each)
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_lists),
		TEST(test_order),
		TEST(test_settings_are_checked),
		TEST(test_request_as_sent),
		TEST(test_every_answer_is_an_answer),
		TEST(test_nobody_listens),
		TEST(test_what_was_sent_goes_elsewhere_only_when_repeatable),
		TEST(test_repeatable_call_without_answer),
		TEST(test_failed_endpoint_is_tried_again_when_alone),
		TEST(test_too_long_an_answer_is_final),
		TEST(test_kept_connection_breaks_after_send),
		TEST(test_timeouts),
		TEST(test_failed_handshake_sends_nothing),
		TEST(test_rest_reply),
		TEST(test_many_in_flight),
		TEST(test_flights_fall_back),
		TEST(test_wait_sees_the_descriptor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
