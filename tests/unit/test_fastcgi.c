/* FastCGI without a web server: requests as they are sent, outcomes, and answers of every kind. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/http/client.h"
#include "lib/http/fastcgi_answer.h"
#include "tests/unit/http_script.h"

/* ---- answers, byte by byte ---- */

static struct tsb_bytes wire;

static void
record(int type, const char *content, size_t n, int padding)
{
	const unsigned char head[8] = {1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8),
	    (unsigned char)n, (unsigned char)padding, 0xff};

	tsb_bytes_add(&wire, head, sizeof(head));
	tsb_bytes_add(&wire, content, n);
	for (int i = 0; i < padding; i++)
		tsb_bytes_add(&wire, "\1", 1);
}

static void
out(const char *text)
{
	record(6, text, strlen(text), (int)strlen(text) % 8);
}

static void
end(int status)
{
	const char body[8] = {1, 2, 3, 4, (char)status};

	record(3, body, sizeof(body), 0);
}

static enum fastcgi_state
feed(struct fastcgi_answer *a, size_t step, size_t max)
{
	enum fastcgi_state state = FASTCGI_MORE;

	fastcgi_answer_init(a, max);
	for (size_t at = 0; at < wire.n && state == FASTCGI_MORE; at += step)
		state = fastcgi_answer_add(a,
		    tsb_view_of(wire.p + at, wire.n - at < step ? wire.n - at : step));
	return state;
}

static void
test_answer_in_pieces_of_any_size(void **state)
{
	(void)state;
	tsb_bytes_reset(&wire);
	out("Status: 201 Created\r\nContent-Type: applic");
	record(7, "oh", 2, 3);
	record(7, NULL, 0, 255);
	out("ation/json\r\nX: y\r\nContent-Length: 7\r\n\r\n{\"a");
	out("\":1}");
	record(6, NULL, 0, 5);
	end(0);
	tsb_bytes_add_str(&wire, "what follows is not looked at");
	for (size_t step = 1; step <= wire.n; step++) {
		struct fastcgi_answer a = {0};
		struct rest_reply reply;

		assert_int_equal(feed(&a, step, 1000), FASTCGI_WHOLE);
		assert_int_equal(fastcgi_answer_read(&a, &reply), 0);
		assert_int_equal(reply.status, 201);
		assert_string_equal(reply.content_type, "application/json");
		assert_true(tsb_view_eq(tsb_view_bytes(&reply.body), tsb_view_str("{\"a\":1}")));
		rest_reply_clear(&reply);
		fastcgi_answer_clear(&a);
	}
}

static void
test_answers_that_break_the_protocol(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
#define BAD(text) {text, sizeof(text) - 1}
	    BAD("HTTP/1.1 200 OK\r\n"), /* version */
	    BAD("\0\6\0\1\0\0\0\0"), /* version 0 */
	    BAD("\1\6\0\2\0\0\0\0"), /* another request */
	    BAD("\1\6\0\0\0\0\0\0"), /* a management record */
	    BAD("\1\1\0\1\0\10\0\0"), /* BEGIN_REQUEST */
	    BAD("\1\5\0\1\0\0\0\0"), /* STDIN */
	    BAD("\1\13\0\1\0\10\0\0"), /* UNKNOWN_TYPE */
	    BAD("\1\0\0\1\0\0\0\0"), BAD("\1\3\0\1\0\7\0\0"), /* an end too short */
	    BAD("\1\3\0\1\0\11\0\0"), /* too long */
	    BAD("\1\3\0\1\0\10\0\0\0\0\0\0\1\0\0\0"), /* CANT_MPX_CONN */
	    BAD("\1\3\0\1\0\10\0\0\0\0\0\0\2\0\0\0"), /* OVERLOADED */
	    BAD("\1\3\0\1\0\10\0\0\0\0\0\0\3\0\0\0"), /* UNKNOWN_ROLE */
	    BAD("\1\3\0\1\0\10\0\0\0\0\0\0\377\0\0\0"),
	    BAD("\1\6\0\1\0\0\0\0\1\6\0\1\0\1\0\0x"), /* output behind its end */
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		for (size_t step = 1; step <= bad[i].n; step++) {
			struct fastcgi_answer a = {0};

			tsb_bytes_reset(&wire);
			tsb_bytes_add(&wire, bad[i].bytes, bad[i].n);
			assert_int_equal(feed(&a, step, 1000), FASTCGI_BROKEN);
			assert_non_null(a.fault);
			/* and stays so */
			assert_int_equal(fastcgi_answer_add(&a, tsb_view_str("x")), FASTCGI_BROKEN);
			fastcgi_answer_clear(&a);
		}
}

static void
test_answers_are_bounded(void **state)
{
	struct fastcgi_answer a = {0};

	(void)state;
	tsb_bytes_reset(&wire);
	out("0123456789");
	assert_int_equal(feed(&a, 100, 10), FASTCGI_MORE);
	assert_int_equal(feed(&a, 100, 9), FASTCGI_TOO_LONG);
	assert_int_equal(feed(&a, 1, 9), FASTCGI_TOO_LONG);
	assert_true(a.out.n <= 9);
	tsb_bytes_reset(&wire);
	record(7, "0123456789", 10, 0);
	assert_int_equal(feed(&a, 3, 10), FASTCGI_MORE);
	assert_int_equal(a.out.n, 0);
	assert_int_equal(feed(&a, 3, 9), FASTCGI_TOO_LONG);
	fastcgi_answer_clear(&a);
}

static void
test_heads_of_answers(void **state)
{
	static const struct {
		const char *text;
		int status; /* 0: refused */
		const char *body;
	} cases[] = {
	    {"\n", 200, ""},
	    {"\r\nx", 200, "x"},
	    {"A: b\n\n\n", 200, "\n"},
	    {"status:404\n\n", 404, ""},
	    {"Status: 599 \xc3\xa4\n\n", 599, ""},
	    {"Content-Length: 2\n\nab", 200, "ab"},
	    {"", 0, NULL},
	    {"Status: 200", 0, NULL},
	    {"Status: 200\n", 0, NULL},
	    {"Status: 20\n\n", 0, NULL},
	    {"Status: 2000\n\n", 0, NULL},
	    {"Status: 100\n\n", 0, NULL},
	    {"Status: 600\n\n", 0, NULL},
	    {"Status: 2 0\n\n", 0, NULL},
	    {"Status:\n\n", 0, NULL},
	    {"Status: 200\nStatus: 200\n\n", 0, NULL},
	    {"HTTP/1.1 200 OK\r\n\r\n", 0, NULL},
	    {": x\n\n", 0, NULL},
	    {"A: \x01\n\n", 0, NULL},
	    {"A\rB: c\n\n", 0, NULL},
	    {"Content-Length: 3\n\nab", 0, NULL},
	    {"Content-Length: 1\n\nab", 0, NULL},
	    {"Content-Length: x\n\n", 0, NULL},
	    {"Content-Length:\n\n", 0, NULL},
	    {"Content-Length: 99999999999999999999\n\n", 0, NULL},
	    {"Content-Length: 0\nContent-Length: 0\n\n", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(cases); i++) {
		struct fastcgi_answer a = {0};
		struct rest_reply reply = {0};

		tsb_bytes_reset(&wire);
		out(cases[i].text);
		end(0);
		assert_int_equal(feed(&a, wire.n, 1000), FASTCGI_WHOLE);
		if (fastcgi_answer_read(&a, &reply) != (cases[i].status != 0 ? 0 : -1) ||
		    reply.status != cases[i].status)
			fail_msg("%s: %d", cases[i].text, reply.status);
		if (cases[i].body != NULL)
			assert_string_equal(tsb_bytes_cstr(&reply.body), cases[i].body);
		rest_reply_clear(&reply);
		fastcgi_answer_clear(&a);
	}
}

static void
test_head_without_end_is_bounded(void **state)
{
	struct fastcgi_answer a = {0};
	struct rest_reply reply;

	(void)state;
	tsb_bytes_reset(&wire);
	for (int i = 0; i < 2000; i++)
		out("A: 56789\n");
	out("\n");
	end(0);
	assert_int_equal(feed(&a, 999, 100000), FASTCGI_WHOLE);
	assert_int_equal(fastcgi_answer_read(&a, &reply), -1);
	fastcgi_answer_clear(&a);
}

/* ---- calls ---- */

static struct http_client *
patient_client(const char *url, long timeout_ms)
{
	const struct http_client_conf conf = {
	    .name = "HSM",
	    .url = url,
	    .options = {.timeout_ms = timeout_ms,
		.connect_timeout_ms = timeout_ms / 3,
		.reply_max = 1024 * 1024},
	};
	struct tsb_err err = {0};
	struct http_client *c = http_client_new(&conf, &err);

	if (c == NULL)
		fail_msg("%s", err.msg);
	return c;
}

static struct http_client *
client(const char *url)
{
	return patient_client(url, 1000);
}

static const struct rest_call sign = {
    .method = "POST",
    .path = "/v1/synchronousSign",
    .apikey = "key-of-operation",
    .body = {(const unsigned char *)"{\"a\":1}", 7},
};
static const struct rest_call list = {.method = "GET", .path = "/v1/key?x=y", .repeatable = true};

static struct tsb_err last;
static char *text;

/* Status, or -1 with last set. */
static int
call(struct http_client *c, const struct rest_call *what)
{
	struct rest_reply reply = {0};
	int status;

	memset(&last, 0, sizeof(last));
	if (http_client_call(c, what, &reply, &last))
		return -1;
	status = reply.status;
	free(text);
	text = strdup(tsb_bytes_cstr(&reply.body));
	rest_reply_clear(&reply);
	return status;
}

static void
test_request_as_sent(void **state)
{
	struct server *s = server_start_fcgi("a");
	struct http_client *c = client(s->url);

	(void)state;
	assert_int_equal(call(c, &sign), 200);
	assert_non_null(strstr(text, "\nREQUEST_METHOD=POST\nREQUEST_URI=/v1/synchronousSign\n"));
	assert_non_null(strstr(text, "\nHTTP_X_API_KEY=key-of-operation\n"));
	assert_non_null(
	    strstr(text, "\nCONTENT_LENGTH=7\nCONTENT_TYPE=application/json\n{\"a\":1}"));
	assert_int_equal(call(c, &list), 200);
	assert_non_null(strstr(text, "\nREQUEST_METHOD=GET\nREQUEST_URI=/v1/key?x=y\n"));
	assert_non_null(strstr(text, "\nQUERY_STRING=x=y\n"));
	assert_null(strstr(text, "CONTENT_"));
	assert_null(strstr(text, "API_KEY"));
	http_client_free(&c);
}

/* More than one record holds, and more than a socket takes at once. */
static void
test_large_request(void **state)
{
	struct server *s = server_start_fcgi("a");
	struct http_client *c = client(s->url);
	struct rest_call large = sign;
	tsb_bytes_auto body = {0};

	(void)state;
	for (int i = 0; i < 50000; i++)
		tsb_bytes_addf(&body, "%06d,", i);
	large.body = tsb_view_bytes(&body);
	assert_int_equal(call(c, &large), 200);
	assert_non_null(strstr(text, "CONTENT_LENGTH=350000\n"));
	assert_string_equal(strstr(text, "000000,"), tsb_bytes_cstr(&body));
	http_client_free(&c);
}

static void
test_long_path(void **state)
{
	struct server *s = server_start_fcgi("a");
	struct http_client *c = client(s->url);
	struct rest_call far = list;
	char path[600];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	far.path = path;
	assert_int_equal(call(c, &far), 200);
	assert_non_null(strstr(text, path));
	http_client_free(&c);
}

static void
test_never_sent(void **state)
{
	struct server *none = server_start(NULL, true), *good = server_start_fcgi("a");
	char alone[200], url[400];
	struct rest_call late = sign;
	struct http_client *c;

	(void)state;
	snprintf(alone, sizeof(alone), "fcgi%s", none->url + 4);
	c = client(alone);
	assert_int_equal(call(c, &sign), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_non_null(strstr(last.msg, "its socket: "));
	assert_null(strstr(last.msg, none->url + 5)); /* the path is for the log */
	http_client_free(&c);
	/* so that the next one may be asked */
	snprintf(url, sizeof(url), "%s;%s", alone, good->url);
	c = client(url);
	assert_int_equal(call(c, &sign), 200);
	/* nor is what somebody else may have taken over */
	late.not_after_ms = clock_now_ms() - 1;
	assert_int_equal(call(c, &late), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_int_equal(*good->requests, 1);
	http_client_free(&c);
}

/* A worker that crashes, hangs, or ends in the middle; answers that are none. */
static void
test_what_was_sent_goes_elsewhere_only_when_repeatable(void **state)
{
	static const char *const scripts[] = {"d", "h", "t", "2", "4"};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(scripts); i++) {
		struct server *bad = server_start_fcgi(scripts[i]), *good = server_start_fcgi("a");
		char url[300];
		struct http_client *c;

		snprintf(url, sizeof(url), "%s;%s", bad->url, good->url);
		c = client(url);
		assert_int_equal(call(c, &sign), -1);
		assert_int_equal(last.code, TSB_E_IO);
		assert_int_equal(*bad->requests, 1);
		assert_int_equal(*good->requests, 0);
		http_client_free(&c);
		c = client(url);
		assert_int_equal(call(c, &list), 200);
		assert_int_equal(*good->requests, 1);
		http_client_free(&c);
		servers_stop();
	}
}

/* An HTTP server behind a FastCGI address has read what was sent. */
static void
test_answer_of_another_protocol(void **state)
{
	struct server *s = server_start("a", true);
	struct http_client *c;
	char url[200];

	(void)state;
	snprintf(url, sizeof(url), "fcgi%s", s->url + 4);
	c = client(url);
	assert_int_equal(call(c, &sign), -1);
	assert_int_equal(last.code, TSB_E_IO);
	http_client_free(&c);
}

static void
test_too_long_an_answer_is_final(void **state)
{
	struct server *bad = server_start_fcgi("l"), *good = server_start_fcgi("a");
	struct http_client *c;
	char url[300];

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", bad->url, good->url);
	c = client(url);
	assert_int_equal(call(c, &list), -1);
	assert_int_equal(last.code, TSB_E_IO);
	assert_int_equal(*good->requests, 0);
	http_client_free(&c);
}

/* Nobody accepts, and the queue is full: nothing is sent. */
static void
test_full_queue(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/tmp/tsb-queue.XXXXXX"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), waiting[2];
	int64_t started = clock_monotonic_ms();
	struct http_client *c;
	char url[200];

	(void)state;
	close(mkstemp(to.sun_path));
	unlink(to.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(listener, 0), 0);
	for (size_t i = 0; i < TSB_COUNT(waiting); i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(waiting[i], (struct sockaddr *)&to, sizeof(to));
	}
	snprintf(url, sizeof(url), "fcgi:%s", to.sun_path);
	c = client(url);
	assert_int_equal(call(c, &sign), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_true(clock_monotonic_ms() - started >= 290);
	assert_true(clock_monotonic_ms() - started < 900);
	http_client_free(&c);
	for (size_t i = 0; i < TSB_COUNT(waiting); i++)
		close(waiting[i]);
	close(listener);
	unlink(to.sun_path);
}

/* ---- calls in flight ---- */

struct outcome {
	int ended, status, code;
};

static void
on_done(void *ctx, int rc, const struct rest_reply *reply, const struct tsb_err *err)
{
	struct outcome *o = ctx;

	o->ended++;
	o->status = rc != 0 ? -1 : reply->status;
	o->code = rc != 0 ? (int)err->code : 0;
}

static void
wait_all(struct http_client *c)
{
	for (int i = 0; i < 1000 && http_client_in_flight(c) > 0; i++)
		assert_false(http_client_wait(c, -1, 100));
	assert_int_equal(http_client_in_flight(c), 0);
}

static void
test_many_in_flight(void **state)
{
	static struct outcome o[150];
	struct server *s = server_start_fcgi("s");
	struct http_client *c = patient_client(s->url, 20000);
	int64_t started = clock_monotonic_ms();

	(void)state;
	memset(o, 0, sizeof(o));
	for (size_t i = 0; i < TSB_COUNT(o); i++)
		http_client_submit(c, &sign, on_done, &o[i]);
	wait_all(c);
	for (size_t i = 0; i < TSB_COUNT(o); i++) {
		assert_int_equal(o[i].ended, 1);
		assert_int_equal(o[i].status, 200);
	}
	assert_int_equal(*s->requests, TSB_COUNT(o));
	/* one after the other would take 30 s */
	assert_true(clock_monotonic_ms() - started < 20000);
	http_client_free(&c);
}

/* FastCGI and HTTP at the same time, and from one to the other. */
static void
test_flights_of_both_kinds(void **state)
{
	struct server *hang = server_start_fcgi("h"), *http = server_start("s", true);
	struct server *drop = server_start("d", true), *good = server_start_fcgi("s");
	struct outcome o[40] = {0};
	struct http_client *c;
	char url[500];

	(void)state;
	snprintf(url, sizeof(url), "%s,%s", http->url, good->url);
	c = patient_client(url, 20000);
	for (size_t i = 0; i < TSB_COUNT(o); i++)
		http_client_submit(c, &sign, on_done, &o[i]);
	wait_all(c);
	for (size_t i = 0; i < TSB_COUNT(o); i++)
		assert_int_equal(o[i].status, 200);
	assert_true(*http->requests > 0 && *good->requests > 0);
	http_client_free(&c);

	snprintf(url, sizeof(url), "%s;%s;%s", hang->url, drop->url, good->url);
	c = client(url);
	http_client_submit(c, &list, on_done, &o[0]);
	http_client_submit(c, &sign, on_done, &o[1]);
	wait_all(c);
	assert_int_equal(o[0].status, 200);
	assert_int_equal(o[1].code, TSB_E_IO);
	/* freed with a call in flight */
	http_client_submit(c, &list, on_done, &o[0]);
	(void)http_client_wait(c, -1, 0);
	http_client_free(&c);
	assert_int_equal(o[0].ended, 2);
}

static void
test_wait_sees_the_descriptor(void **state)
{
	struct server *s = server_start_fcgi("h");
	struct http_client *c = client(s->url);
	struct outcome o = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	http_client_submit(c, &sign, on_done, &o);
	assert_false(http_client_wait(c, fds[0], 50));
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_true(http_client_wait(c, fds[0], 5000));
	assert_int_equal(o.ended, 0);
	http_client_free(&c);
	close(fds[0]);
	close(fds[1]);
}

static int
after_each(void **state)
{
	(void)state;
	servers_stop();
	tsb_bytes_clear(&wire);
	free(text);
	text = NULL;
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, after_each)
	const struct CMUnitTest tests[] = {
	    TEST(test_answer_in_pieces_of_any_size),
	    TEST(test_answers_that_break_the_protocol),
	    TEST(test_answers_are_bounded),
	    TEST(test_heads_of_answers),
	    TEST(test_head_without_end_is_bounded),
	    TEST(test_request_as_sent),
	    TEST(test_large_request),
	    TEST(test_long_path),
	    TEST(test_never_sent),
	    TEST(test_what_was_sent_goes_elsewhere_only_when_repeatable),
	    TEST(test_answer_of_another_protocol),
	    TEST(test_too_long_an_answer_is_final),
	    TEST(test_full_queue),
	    TEST(test_many_in_flight),
	    TEST(test_flights_of_both_kinds),
	    TEST(test_wait_sees_the_descriptor),
	};

	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
