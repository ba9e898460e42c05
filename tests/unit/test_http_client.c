/* Calls that find a server: fallback and outcomes, one at a time and in flight. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/http/client.h"
#include "tests/unit/http_script.h"

static struct http_client *
patient_client(const char *url, long timeout)
{
	struct http_client_conf conf = {
	    .name = "HSM",
	    .url = url,
	    .options =
		{
		    .timeout_ms = timeout * 1000,
		    .connect_timeout_ms = 1000,
		    .reply_max = 8 * 1024 * 1024,
		},
	};
	struct tsb_err err = {0};
	struct http_client *h = http_client_new(&conf, &err);

	if (!h)
		fail_msg("%s", err.msg);
	return h;
}

static struct http_client *
client(const char *url)
{
	return patient_client(url, 1);
}

static const struct rest_call sign = {.method = "POST",
    .path = "/v1/synchronousSign",
    .apikey = "key-of-operation",
    .body = {(const unsigned char *)"{\"a\":1}", 7}};
static const struct rest_call list = {.method = "GET",
    .path = "/v1/key",
    .apikey = "key-of-management",
    .repeatable = true};

static char text[4096];
static struct tsb_err last;

/* Status, or -1 with last set. */
static int
call(struct http_client *h, const struct rest_call *c)
{
	struct rest_reply reply = {0};
	int status;

	memset(&last, 0, sizeof(last));
	if (http_client_call(h, c, &reply, &last)) {
		assert_null(reply.body.p);
		return -1;
	}
	status = reply.status;
	snprintf(text, sizeof(text), "%s", tsb_bytes_cstr(&reply.body));
	rest_reply_clear(&reply);
	return status;
}

/* ---- blocking calls ---- */

static struct server *
http_start(const char *script)
{
	return server_start(script, false);
}

static void
test_request_as_sent(void **state)
{
	static const struct rest_call delete = {.method = "DELETE", .path = "/v1/key/a%2Fb/../c"};
	struct server *s = server_start("a", true);
	struct http_client *h = client(s->url);

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
	http_client_free(&h);
}

static void
test_every_answer_is_an_answer(void **state)
{
	struct server *s = server_start("5r", false);
	struct http_client *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), 500);
	assert_string_equal(text, "{\"errorCode\":701}");
	assert_int_equal(call(h, &sign), 302);
	http_client_free(&h);
}

/*
 * Also over a connection that stands already: it is never sent, and nobody need ask what happened.
 */
static void
test_call_whose_time_is_over_is_not_sent(void **state)
{
	struct server *s = server_start("a", true);
	struct http_client *h = client(s->url);
	struct rest_call late = sign, early = sign;

	(void)state;
	early.not_after_ms = clock_now_ms() + 60000;
	late.not_after_ms = clock_now_ms() - 1;
	assert_int_equal(call(h, &late), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_int_equal(call(h, &early), 200);
	assert_int_equal(call(h, &late), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_non_null(strstr(last.msg, "time to send this is over"));
	http_client_free(&h);
}

static void
test_nobody_listens(void **state)
{
	struct server *a = server_start(NULL, false), *b = server_start(NULL, true),
		      *c = server_start("a", false);
	char url[400];
	struct http_client *h;

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", a->url, b->url);
	h = client(url);
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	assert_non_null(strstr(last.msg, a->url));
	assert_non_null(strstr(last.msg, "its socket: "));
	assert_null(strstr(last.msg, b->url + 5)); /* the path is for the log */
	http_client_free(&h);

	/* Never sent, so any call goes on to the next. */
	snprintf(url, sizeof(url), "%s;%s;%s", a->url, b->url, c->url);
	h = client(url);
	assert_int_equal(call(h, &sign), 200);
	http_client_free(&h);
}

static void
test_what_was_sent_goes_elsewhere_only_when_repeatable(void **state)
{
	/* drop, hang, half an answer, and what front servers say */
	static const char *const scripts[] = {"d", "h", "t", "2", "3", "4"};

	for (size_t i = 0; i < TSB_COUNT(scripts); i++) {
		struct server *bad = server_start(scripts[i], i % 2),
			      *good = server_start("a", false);
		char url[300];
		struct http_client *h;

		snprintf(url, sizeof(url), "%s;%s", bad->url, good->url);
		h = client(url);
		assert_int_equal(call(h, &sign), -1);
		assert_int_equal(last.code, TSB_E_IO);
		assert_int_equal(*bad->requests, 1);
		assert_int_equal(*good->requests, 0);
		/* now the bad one is tried last */
		assert_int_equal(call(h, &sign), 200);
		assert_int_equal(*bad->requests, 1);
		http_client_free(&h);

		h = client(url);
		assert_int_equal(call(h, &list), 200);
		assert_int_equal(*good->requests, 2);
		http_client_free(&h);
		servers_stop();
	}
}

/* Nothing took place, they say: any call goes on to the next, and the last one's is the answer. */
static void
test_outages_are_answers_when_there_is_no_other(void **state)
{
	(void)state;
	for (int fcgi = 0; fcgi < 2; fcgi++) {
		struct server *(*start)(const char *) = fcgi ? server_start_fcgi : http_start;
		struct server *out = start("o"), *good = start("a");
		struct http_client *h = client(out->url);
		char url[300];

		assert_int_equal(call(h, &sign), 503);
		assert_string_equal(text, "{\"errorCode\":2}");
		http_client_free(&h);
		snprintf(url, sizeof(url), "%s;%s", out->url, good->url);
		h = client(url);
		assert_int_equal(call(h, &sign), 200);
		assert_int_equal(*out->requests, 2);
		http_client_free(&h);
		servers_stop();
	}
}

static void
test_repeatable_call_without_answer(void **state)
{
	struct server *a = server_start("3", false);
	struct http_client *h = client(a->url);

	(void)state;
	assert_int_equal(call(h, &list), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	http_client_free(&h);
}

static void
test_failed_endpoint_is_tried_again_when_alone(void **state)
{
	struct server *s = server_start("da", false);
	struct http_client *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(call(h, &sign), 200);
	http_client_free(&h);
}

static void
test_too_long_an_answer_is_final(void **state)
{
	struct server *bad = server_start("l", false), *good = server_start("a", false);
	char url[300];
	struct http_client *h;

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", bad->url, good->url);
	h = client(url);
	assert_int_equal(call(h, &list), -1);
	assert_int_equal(last.code, TSB_E_IO);
	assert_int_equal(*good->requests, 0);
	http_client_free(&h);
}

/*
 * A kept connection that breaks before the answer: libcurl would send the request once more, and
 * the HSM might sign or block twice.
 */
static void
test_kept_connection_breaks_after_send(void **state)
{
	struct server *s = server_start("ada", false);
	struct http_client *h = client(s->url);

	(void)state;
	assert_int_equal(call(h, &sign), 200);
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(last.code, TSB_E_IO);
	assert_int_equal(*s->requests, 2);
	http_client_free(&h);
	servers_stop();

	s = server_start("ada", false);
	h = client(s->url);
	assert_int_equal(call(h, &list), 200);
	assert_int_equal(call(h, &list), 200);
	assert_int_equal(*s->requests, 3);
	http_client_free(&h);
}

static void
test_timeouts(void **state)
{
	struct server *s = server_start("h", false);
	struct http_client *h = client(s->url);
	int64_t started = clock_monotonic_ms(), took;

	(void)state;
	assert_int_equal(call(h, &list), -1);
	took = clock_monotonic_ms() - started;
	assert_true(took >= 900 && took < 5000);
	http_client_free(&h);
}

/* The server talks plain HTTP: the handshake fails, so that nothing was sent. */
static void
test_failed_handshake_sends_nothing(void **state)
{
	struct server *s = server_start("a", false), *good = server_start("a", true);
	char url[300];
	struct http_client *h;

	(void)state;
	snprintf(url, sizeof(url), "https%s", s->url + 4);
	h = client(url);
	assert_int_equal(call(h, &sign), -1);
	assert_int_equal(last.code, TSB_E_CONNECTIVITY);
	http_client_free(&h);
	snprintf(url, sizeof(url), "https%s;%s", s->url + 4, good->url);
	h = client(url);
	assert_int_equal(call(h, &sign), 200);
	http_client_free(&h);
}

static void
test_rest_reply(void **state)
{
	static const struct rest_options options = {.timeout_ms = 1000,
	    .connect_timeout_ms = 1000,
	    .reply_max = 1000};
	struct rest_call get = {.method = "GET",
	    .path = "/x?y",
	    .accept = "image/png",
	    .apikey = "k"};
	struct rest_reply reply = {0};
	char why[REST_WHY_SIZE];
	struct endpoint e;
	struct rest *rest = rest_new(&options);

	(void)state;
	assert_int_equal(endpoint_init(&e, server_start("aal", true)->url, &last), 0);
	get.to = &e;
	assert_int_equal(rest_call(rest, &get, &reply, why), REST_ANSWERED);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "text/plain; charset=x");
	assert_non_null(strstr(tsb_bytes_cstr(&reply.body), "Accept: image/png\r\n"));
	assert_null(strstr(tsb_bytes_cstr(&reply.body), "Authorization"));
	rest_reply_clear(&reply);
	get.apikey = NULL;
	get.bearer = "t";
	assert_int_equal(rest_call(rest, &get, &reply, why), REST_ANSWERED);
	assert_non_null(strstr(tsb_bytes_cstr(&reply.body), "\r\nAuthorization: Bearer t\r\n"));
	assert_null(strstr(tsb_bytes_cstr(&reply.body), "X-API-KEY"));
	rest_reply_clear(&reply);
	assert_int_equal(rest_call(rest, &get, &reply, why), REST_GIVEN_UP);
	assert_null(reply.body.p);
	endpoint_clear(&e);
	rest_free(&rest);
}

static void
test_call_with_a_limit_of_its_own(void **state)
{
	static const struct rest_options options = {.timeout_ms = 50,
	    .connect_timeout_ms = 1000,
	    .reply_max = 1000};
	struct server *servers[] = {server_start("s", true), server_start_fcgi("s")};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(servers); i++) {
		struct rest_call get = {.method = "GET", .path = "/x"};
		struct rest_reply reply = {0};
		char why[REST_WHY_SIZE];
		struct endpoint e;
		struct rest *rest = rest_new(&options);

		assert_int_equal(endpoint_init(&e, servers[i]->url, &last), 0);
		get.to = &e;
		assert_int_equal(rest_call(rest, &get, &reply, why), REST_UNKNOWN);
		get.timeout_ms = 30 * 1000;
		assert_int_equal(rest_call(rest, &get, &reply, why), REST_ANSWERED);
		rest_reply_clear(&reply);
		endpoint_clear(&e);
		rest_free(&rest);
	}
}

/* ---- calls in flight ---- */

struct outcome {
	int ended, status, code;
	struct http_client *again; /* submit one more from inside done() */
};

static void
on_done(void *ctx, int rc, const struct rest_reply *reply, const struct tsb_err *err)
{
	struct outcome *o = ctx;

	o->ended++;
	o->status = rc ? -1 : reply->status;
	o->code = rc ? (int)err->code : 0;
	if (o->again) {
		struct http_client *h = o->again;

		o->again = NULL;
		http_client_submit(h, &sign, on_done, o);
	}
}

static void
wait_all(struct http_client *h)
{
	for (int i = 0; i < 1000 && http_client_in_flight(h); i++)
		assert_false(http_client_wait(h, -1, 100));
	assert_int_equal(http_client_in_flight(h), 0);
}

static void
test_many_in_flight(void **state)
{
	struct server *s = server_start("s", true);
	struct http_client *h = patient_client(s->url, 10);
	static struct outcome o[100];
	int64_t started = clock_monotonic_ms();

	(void)state;
	memset(o, 0, sizeof(o));
	for (size_t i = 0; i < TSB_COUNT(o); i++)
		http_client_submit(h, &sign, on_done, &o[i]);
	assert_int_equal(http_client_in_flight(h), TSB_COUNT(o));
	o[0].again = h;
	wait_all(h);
	for (size_t i = 0; i < TSB_COUNT(o); i++) {
		assert_int_equal(o[i].ended, i == 0 ? 2 : 1);
		assert_int_equal(o[i].status, 200);
	}
	assert_int_equal(*s->requests, TSB_COUNT(o) + 1);
	/* one after the other would take 20 s */
	assert_true(clock_monotonic_ms() - started < 10000);
	http_client_free(&h);
}

static void
test_flights_fall_back(void **state)
{
	struct server *none = server_start(NULL, false), *drop = server_start("d", false);
	struct server *good = server_start("a", true);
	struct outcome o[3] = {0};
	char url[400];
	struct http_client *h;

	(void)state;
	snprintf(url, sizeof(url), "%s;%s", none->url, good->url);
	h = client(url);
	http_client_submit(h, &sign, on_done, &o[0]);
	wait_all(h);
	assert_int_equal(o[0].status, 200);
	http_client_free(&h);

	snprintf(url, sizeof(url), "%s;%s", drop->url, good->url);
	h = client(url);
	http_client_submit(h, &sign, on_done, &o[1]);
	http_client_submit(h, &list, on_done, &o[2]);
	wait_all(h);
	assert_int_equal(o[1].status, -1);
	assert_int_equal(o[1].code, TSB_E_IO);
	assert_int_equal(o[2].status, 200);
	http_client_free(&h);

	h = client(none->url);
	http_client_submit(h, &sign, on_done, &o[0]);
	wait_all(h);
	assert_int_equal(o[0].code, TSB_E_CONNECTIVITY);
	http_client_free(&h);
}

static void
test_wait_sees_the_descriptor(void **state)
{
	struct server *s = server_start("h", true);
	struct http_client *h = client(s->url);
	struct outcome o = {0};
	int64_t started;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	started = clock_monotonic_ms();
	assert_false(http_client_wait(h, fds[0], 50));
	assert_true(clock_monotonic_ms() - started >= 40);
	assert_int_equal(write(fds[1], "x", 1), 1);
	started = clock_monotonic_ms();
	assert_true(http_client_wait(h, fds[0], 5000));
	http_client_submit(h, &sign, on_done, &o);
	assert_true(http_client_wait(h, fds[0], 5000));
	assert_true(clock_monotonic_ms() - started < 1000);
	assert_int_equal(o.ended, 0);
	/* freed with a call in flight */
	http_client_submit(h, &sign, on_done, &o);
	http_client_free(&h);
	assert_int_equal(o.ended, 0);
	close(fds[0]);
	close(fds[1]);
}

static int
after_each(void **state)
{
	(void)state;
	servers_stop();
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, after_each)
	const struct CMUnitTest tests[] = {
	    TEST(test_request_as_sent),
	    TEST(test_every_answer_is_an_answer),
	    TEST(test_outages_are_answers_when_there_is_no_other),
	    TEST(test_call_whose_time_is_over_is_not_sent),
	    TEST(test_nobody_listens),
	    TEST(test_what_was_sent_goes_elsewhere_only_when_repeatable),
	    TEST(test_repeatable_call_without_answer),
	    TEST(test_failed_endpoint_is_tried_again_when_alone),
	    TEST(test_too_long_an_answer_is_final),
	    TEST(test_kept_connection_breaks_after_send),
	    TEST(test_timeouts),
	    TEST(test_failed_handshake_sends_nothing),
	    TEST(test_rest_reply),
	    TEST(test_call_with_a_limit_of_its_own),
	    TEST(test_many_in_flight),
	    TEST(test_flights_fall_back),
	    TEST(test_wait_sees_the_descriptor),
	};

	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
