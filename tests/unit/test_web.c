/* The web layer without sockets: parameters, routes, order of checks, roles, bodies. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/web/parts.h"

/* ---- a server whose handlers tell what they were given ---- */

static int
serve_echo(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)err;
	tsb_bytes_addf(&reply->body, "%d", web_route_arg(rq));
	for (size_t i = 0; i < WEB_PARAM_MAX && rq->param[i].p; i++)
		tsb_bytes_addf(&reply->body, "|%s", (const char *)rq->param[i].p);
	tsb_bytes_addf(&reply->body, "|%.*s", (int)rq->body.n, (const char *)rq->body.p);
	return 0;
}

static int
serve_query(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *value = web_query(rq, "a b");

	(void)app, (void)err;
	tsb_bytes_add_str(&reply->body, value ? value : "(absent)");
	return 0;
}

static int
serve_created(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)err;
	reply->status = 201;
	reply->content_type = "application/octet-stream";
	reply->disposition = "attachment; filename=\"a.csr\"";
	tsb_bytes_add_str(&reply->body, "x");
	return 0;
}

static int
serve_nothing(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)reply, (void)err;
	return 0;
}

static int
serve_inject(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)err;
	reply->disposition = "attachment; filename=\"a\r\nSet-Cookie: x\"";
	return 0;
}

static int
serve_fail(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq;
	reply->status = 201;
	tsb_bytes_add_str(&reply->body, "half an answer");
	return tsb_fail(err, TSB_E_KEY_NOT_EXISTENT, "A key \"\\k\xc3\xa4\" does not exist.");
}

static int
serve_fail_silently(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app, (void)rq, (void)reply, (void)err;
	return -1;
}

#define KO ROLE_KEY_OPERATION
#define KM ROLE_KEY_MANAGEMENT

static const struct web_route routes[] = {
	{ VERB_GET, "/v1/request/{id}", KO, 0, serve_echo, 1 },
	{ VERB_DELETE, "/v1/request/{id}", KO, 0, serve_echo, 2 },
	{ VERB_GET, "/v1/key/{keyName}", KM, 0, serve_echo, 3 },
	{ VERB_POST, "/v1/key/attributes", KM, 16, serve_echo, 4 },
	{ VERB_GET, "/v1/key/list", KM, 0, serve_echo, 5 },
	{ VERB_GET, "/v1/key/{keyName}/attributes", KM, 0, serve_echo, 6 },
	{ VERB_GET, "/v1/request/qrCode/{id}", KO, 0, serve_echo, 7 },
	{ VERB_GET, "/v1/{a}/qrCode/{b}", KO, 0, serve_echo, 8 },
	{ VERB_POST, "/v1/big", KO, 1000, serve_echo, 9 },
	{ VERB_GET, "/v1/query", ROLE_ANYONE, 0, serve_query, 0 },
	{ VERB_POST, "/v1/created", ROLE_ANYONE, 0, serve_created, 0 },
	{ VERB_GET, "/v1/nothing", ROLE_ANYONE, 0, serve_nothing, 0 },
	{ VERB_GET, "/v1/inject", ROLE_ANYONE, 0, serve_inject, 0 },
	{ VERB_GET, "/v1/fail", ROLE_ANYONE, 0, serve_fail, 0 },
	{ VERB_GET, "/v1/failSilently", ROLE_ANYONE, 0, serve_fail_silently, 0 },
	{ VERB_POST, "/v1/tasks", ROLE_APPROVER | ROLE_TIMESTAMP, 100, serve_echo, 10 },
	{ VERB_GET, "/v1/nobody", 0, 0, serve_echo, 11 },
	{ 0 },
};

static struct web_auth *auth;
static struct web_server server = { .program = "test", .routes = routes, .body_max = 500 };

/* ---- memory instead of sockets ---- */

struct memory {
	const char *in;
	size_t in_n, in_at;
	size_t chunk;	/* bytes per read, 0 = all */
	bool in_breaks; /* the peer goes away instead of ending */
	bool out_breaks;
	struct tsb_bytes out;
};

static ssize_t
memory_read(struct web_io *io, void *p, size_t n)
{
	struct memory *m = io->ctx;
	size_t left = m->in_n - m->in_at;

	if (left == 0)
		return m->in_breaks ? -1 : 0;
	if (m->chunk && n > m->chunk)
		n = m->chunk;
	if (n > left)
		n = left;
	memcpy(p, m->in + m->in_at, n);
	m->in_at += n;
	return (ssize_t)n;
}

static int
memory_write(struct web_io *io, const void *p, size_t n)
{
	struct memory *m = io->ctx;

	if (m->out_breaks)
		return -1;
	tsb_bytes_add(&m->out, p, n);
	return 0;
}

static struct memory peer;
static char answer[65536];
static int answer_rc;

static int
run(const char *const *env)
{
	struct web_io io = { .env = (char *const *)(uintptr_t)env, .read = memory_read,
		.write = memory_write, .ctx = &peer };
	arena_auto a = { 0 };
	int status = 0;

	answer_rc = web_exchange(&server, NULL, &io, &a);
	snprintf(answer, sizeof(answer), "%s", tsb_bytes_cstr(&peer.out));
	tsb_bytes_clear(&peer.out);
	(void)sscanf(answer, "Status: %d ", &status);
	return status;
}

/* Status of the answer; extra variables end with NULL. */
static int
ask(const char *method, const char *uri, const char *body, ...)
{
	const char *env[16];
	char m[64], u[8192], l[64];
	va_list ap;
	size_t n = 0;

	snprintf(m, sizeof(m), "REQUEST_METHOD=%s", method);
	snprintf(u, sizeof(u), "REQUEST_URI=%s", uri);
	env[n++] = m;
	env[n++] = u;
	peer.in = body;
	peer.in_n = body ? strlen(body) : 0;
	peer.in_at = 0;
	if (body) {
		snprintf(l, sizeof(l), "CONTENT_LENGTH=%zu", strlen(body));
		env[n++] = l;
	}
	va_start(ap, body);
	while ((env[n] = va_arg(ap, const char *)))
		n++;
	va_end(ap);
	return run(env);
}

#define KO_KEY "HTTP_X_API_KEY=operate-1"
#define KM_KEY "HTTP_X_API_KEY=manage"

static const char *
answer_body(void)
{
	const char *p = strstr(answer, "\r\n\r\n");

	assert_non_null(p);
	return p + 4;
}

static bool
answer_has(const char *text)
{
	return strstr(answer, text) != NULL;
}

/* ---- paths ---- */

static void
test_routes_find_their_row(void **state)
{
	static const struct {
		const char *method, *uri, *body;
	} rows[] = {
		{ "GET", "/v1/request/abc", "1|abc|" },
		{ "DELETE", "/v1/request/abc", "2|abc|" },
		{ "GET", "/v1/key/k", "3|k|" },
		{ "GET", "/v1/key/list", "5|" }, /* literal wins over {keyName} */
		{ "GET", "/v1/key/attributes", "3|attributes|" }, /* a key may be called so */
		{ "GET", "/v1/key/k/attributes", "6|k|" },
		{ "GET", "/v1/request/qrCode/7", "7|7|" }, /* and in the first place that differs */
		{ "GET", "/v1/other/qrCode/7", "8|other|7|" },
		{ "GET", "/v1//request///abc//", "1|abc|" },
		{ "GET", "/v1/request/abc?x=/y", "1|abc|" },
		{ "GET", "/v1/%72equest/abc", "1|abc|" },
		{ "GET", "/v1/key/a%2Fb%27%20c/attributes", "6|a/b' c|" },
		{ "GET", "/v1/key/a%2fattributes", "3|a/attributes|" },
		{ "GET", "/v1/key/100%25", "3|100%|" },
		{ "GET", "/v1/key/a+b", "3|a+b|" },
		{ "GET", "/v1/key/..", "3|..|" },
		{ "GET", "/v1/key/%2e", "3|.|" },
		{ "GET", "/v1/key/k\xc3\xa4s", "3|k\xc3\xa4s|" },
		{ "GET", "http://host:80/v1/request/abc", "1|abc|" },
		{ "GET", "https://host/v1/request/abc?q", "1|abc|" },
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		bool key = strstr(rows[i].uri, "/key/") != NULL;
		int status = ask(rows[i].method, rows[i].uri, NULL, key ? KM_KEY : KO_KEY, NULL);

		if (status != 200 || strcmp(answer_body(), rows[i].body) != 0)
			fail_msg("%s: %d %s", rows[i].uri, status, answer_body());
	}
}

static void
test_paths_that_lead_nowhere(void **state)
{
	static const struct {
		const char *uri;
		int status;
	} rows[] = {
		{ "/", 404 },
		{ "/v1", 404 },
		{ "/v1/request", 404 },
		{ "/v1/request/a/b", 404 },
		{ "/v1/request/a/../b", 404 },
		{ "/V1/request/a", 404 },
		{ "/v1/requests/a", 404 },
		{ "/v1%2Frequest/a", 404 },
		{ "/v1/a/b/c/d/e/f/g/h/i/j/k/l/m/n", 404 },
		{ "request/a", 400 },
		{ "*", 400 },
		{ "?", 400 },
		{ "/v1/request/%", 400 },
		{ "/v1/request/%4", 400 },
		{ "/v1/request/%zz", 400 },
		{ "/v1/request/%00", 400 },
		{ "/v1/request/%ff", 400 },
		{ "/v1/request/%c0%80", 400 },
		{ "/v1/request/a?x=%f", 400 },
		{ "/v1/request/a?x=%ff", 400 },
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		int status = ask("GET", rows[i].uri, NULL, KO_KEY, NULL);

		if (status != rows[i].status)
			fail_msg("%s: %d %s", rows[i].uri, status, answer_body());
	}
}

static void
test_long_paths_are_414(void **state)
{
	char uri[WEB_PATH_MAX + 100];

	(void)state;
	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "/v1/request/", 12);
	uri[WEB_PATH_MAX] = '\0';
	assert_int_equal(ask("GET", uri, NULL, KO_KEY, NULL), 200);
	uri[WEB_PATH_MAX] = 'a';
	uri[WEB_PATH_MAX + 1] = '\0';
	assert_int_equal(ask("GET", uri, NULL, KO_KEY, NULL), 414);
	assert_true(answer_has("\"errorCode\":600"));
	uri[20] = '?';
	memset(uri + 21, 'b', sizeof(uri) - 22);
	uri[21 + WEB_QUERY_MAX + 1] = '\0';
	assert_int_equal(ask("GET", uri, NULL, KO_KEY, NULL), 414);
}

static void
test_path_below_a_script_name(void **state)
{
	static const struct {
		const char *env[5];
		int status;
	} rows[] = {
		{ { "SCRIPT_NAME=/tsb", "PATH_INFO=/v1/request/a/b", "REQUEST_URI=/tsb/v1/request/a%2Fb" },
		    200 },
		{ { "SCRIPT_NAME=/tsb/", "PATH_INFO=/v1/request/a", "REQUEST_URI=/tsb/v1/request/a?b" },
		    200 },
		/* nginx: the whole path is the script name */
		{ { "SCRIPT_NAME=/v1/request/a", "PATH_INFO=", "REQUEST_URI=/v1/request/a" }, 200 },
		{ { "SCRIPT_NAME=", "PATH_INFO=/v1/request/a", "REQUEST_URI=/v1/request/a" }, 200 },
		/* no REQUEST_URI */
		{ { "SCRIPT_NAME=/tsb", "PATH_INFO=/v1/request/a", "QUERY_STRING=x=1" }, 200 },
		{ { "SCRIPT_NAME=/v1/request/100%?" }, 200 },
		{ { "SCRIPT_NAME=/ts", "PATH_INFO=/v1/request/a", "REQUEST_URI=/tsb/v1/request/a" }, 404 },
		{ { "X=" }, 400 },
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *env[8] = { "REQUEST_METHOD=GET", KO_KEY };
		int status;

		memcpy(env + 2, rows[i].env, sizeof(rows[i].env));
		peer.in_n = peer.in_at = 0;
		status = run(env);
		if (status != rows[i].status)
			fail_msg("row %zu: %d %s", i, status, answer_body());
	}
}

static void
test_query(void **state)
{
	static const struct {
		const char *query, *value;
	} rows[] = {
		{ "", "(absent)" },
		{ "?", "(absent)" },
		{ "?a%20b=1", "1" },
		{ "?x=1&a%20b=%41%2B+&a%20b=3", "A++" },
		{ "?a%20b", "" },
		{ "?a%20b&c=2", "" },
		{ "?a%20b=", "" },
		{ "?a%20bc=1", "(absent)" },
		{ "?&&a%20b==&", "=" },
	};
	char uri[128];

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		snprintf(uri, sizeof(uri), "/v1/query%s", rows[i].query);
		assert_int_equal(ask("GET", uri, NULL, NULL), 200);
		assert_string_equal(answer_body(), rows[i].value);
	}
}

/* ---- order of checks ---- */

static void
test_order_of_checks(void **state)
{
	static char large[600];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	/* Each request is wrong in all later respects too. */
	assert_int_equal(ask("PUT", "/v1/none", large, NULL), 404);
	assert_true(answer_has("\"errorCode\":102,\"reason\":\"res.error.operation.unreachable\""));
	assert_int_equal(ask("PUT", "/v1/big", large, NULL), 405);
	assert_true(answer_has("\"errorCode\":102"));
	assert_true(answer_has("\r\nAllow: POST\r\n"));
	assert_int_equal(ask("POST", "/v1/big", large, NULL), 401);
	assert_string_equal(answer_body(),
	    "{\"errorCode\":631,\"reason\":\"res.error.invalid.api.key\","
	    "\"message\":\"API key is missing or invalid.\"}");
	assert_int_equal(ask("POST", "/v1/big", large, KO_KEY, NULL), 413);
	assert_true(answer_has("\"errorCode\":600"));
	large[400] = '\0';
	assert_int_equal(ask("POST", "/v1/big", large, KO_KEY, NULL), 200);
	/* whatever was refused has been read to its end */
	assert_int_equal(peer.in_at, peer.in_n);
}

static void
test_refused_bodies_are_read_to_their_end(void **state)
{
	static char large[100000];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(ask("POST", "/v1/none", large, NULL), 404);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
	assert_int_equal(ask("POST", "/v1/big", large, NULL), 401);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
	assert_int_equal(ask("POST", "/v1/big", large, KO_KEY, NULL), 413);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
	assert_int_equal(ask("GET", "/v1/nothing", large, NULL), 200);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
}

static void
test_methods(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/v1/request/x", "{}", KO_KEY, NULL), 405);
	assert_true(answer_has("\r\nAllow: GET, HEAD, DELETE\r\n"));
	assert_int_equal(ask("DELETE", "/v1/key/attributes", NULL, KM_KEY, NULL), 405);
	assert_true(answer_has("\r\nAllow: GET, HEAD, POST\r\n"));
	assert_int_equal(ask("get", "/v1/nothing", NULL, NULL), 405);
	assert_int_equal(ask("OPTIONS", "/v1/nothing", NULL, NULL), 405);
	assert_int_equal(ask("", "/v1/nothing", NULL, NULL), 405);
	assert_int_equal(ask("A\r\nSet-Cookie: x=1", "/v1/nothing", NULL, NULL), 405);
	assert_false(answer_has("\r\nSet-Cookie"));
	assert_int_equal(ask("HEAD", "/v1/key/k", NULL, KM_KEY, NULL), 200);
	assert_string_equal(answer_body(), "");
	assert_true(answer_has("\r\nContent-Length: 4\r\n"));
}

/* ---- bodies ---- */

static void
test_body_arrives_in_pieces(void **state)
{
	(void)state;
	peer.chunk = 1;
	assert_int_equal(ask("POST", "/v1/key/attributes", "{\"a\":\"b\"}", KM_KEY, NULL), 200);
	assert_string_equal(answer_body(), "4|{\"a\":\"b\"}");
	assert_int_equal(ask("POST", "/v1/key/attributes", "0123456789abcdef", KM_KEY, NULL), 200);
	assert_int_equal(ask("POST", "/v1/key/attributes", "0123456789abcdefg", KM_KEY, NULL), 413);
	peer.chunk = 0;
}

static void
test_body_and_its_length(void **state)
{
	static const struct {
		const char *length, *body;
		int status;
	} rows[] = {
		{ "CONTENT_LENGTH=2", "{}", 200 },
		{ "CONTENT_LENGTH=", "{}", 200 }, /* chunked: the stream says where it ends */
		{ "CONTENT_LENGTH=3", "{}", 400 },
		{ "CONTENT_LENGTH=1", "{}", 400 },
		{ "CONTENT_LENGTH=0", "{}", 400 },
		{ "CONTENT_LENGTH=-1", "{}", 400 },
		{ "CONTENT_LENGTH=2 ", "{}", 400 },
		{ "CONTENT_LENGTH=0x2", "{}", 400 },
		{ "CONTENT_LENGTH=99999999999999999999", "{}", 400 },
		{ "CONTENT_LENGTH=9223372036854775807", "{}", 413 },
		{ "CONTENT_LENGTH=17", "01234567890123456", 413 },
		{ "CONTENT_LENGTH=", "01234567890123456", 413 },
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *env[] = { "REQUEST_METHOD=POST", "REQUEST_URI=/v1/key/attributes", KM_KEY,
			rows[i].length, NULL };
		int status;

		peer.in = rows[i].body;
		peer.in_n = strlen(rows[i].body);
		peer.in_at = 0;
		status = run(env);
		if (status != rows[i].status)
			fail_msg("%s: %d %s", rows[i].length, status, answer_body());
	}
}

static void
test_peer_gone_before_the_end_serves_nothing(void **state)
{
	(void)state;
	peer.in_breaks = true;
	assert_int_equal(ask("POST", "/v1/key/attributes", "{}", KM_KEY, NULL), 400);
	assert_int_equal(answer_rc, -1);
	assert_int_equal(ask("POST", "/v1/created", "{}", NULL), 400);
	peer.in_breaks = false;
	peer.out_breaks = true;
	assert_int_equal(ask("GET", "/v1/nothing", NULL, NULL), 0);
	assert_int_equal(answer_rc, -1);
	peer.out_breaks = false;
}

/* ---- replies ---- */

static void
test_replies(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/v1/created", NULL, NULL), 201);
	assert_true(answer_has("Status: 201 Created\r\nContent-Type: application/octet-stream\r\n"
			       "Content-Disposition: attachment; filename=\"a.csr\"\r\n"
			       "Content-Length: 1\r\nCache-Control: no-store\r\n"));
	assert_true(answer_has("\r\nX-Request-Id: "));
	assert_int_equal(ask("GET", "/v1/nothing", NULL, NULL), 200);
	assert_true(answer_has("\r\nContent-Length: 0\r\n"));
	assert_false(answer_has("\r\nContent-Type"));
	assert_int_equal(ask("GET", "/v1/inject", NULL, NULL), 200);
	assert_false(answer_has("Set-Cookie"));
}

static void
test_error_bodies(void **state)
{
	struct tsb_err err = { 0 };
	struct web_reply reply = { 0 };

	(void)state;
	assert_int_equal(ask("GET", "/v1/fail", NULL, NULL), 404);
	assert_string_equal(answer_body(),
	    "{\"errorCode\":650,\"reason\":\"res.error.key.not.existent\","
	    "\"message\":\"A key \\\"\\\\k\xc3\xa4\\\" does not exist.\"}");
	assert_true(answer_has("\r\nContent-Type: application/json\r\n"));
	assert_int_equal(ask("GET", "/v1/failSilently", NULL, NULL), 501);
	assert_true(answer_has("\"errorCode\":100,"));

	(void)tsb_fail(&err, TSB_E_INPUT, "x");
	memcpy(err.msg, "cut \xc3\0", 6);
	web_reply_error(&reply, &err);
	assert_string_equal(tsb_bytes_cstr(&reply.body),
	    "{\"errorCode\":600,\"reason\":\"res.error.input.validation.failed\","
	    "\"message\":\"cut ?\"}");
	tsb_bytes_clear(&reply.body);
}

/* ---- roles ---- */

static int
status_with(const char *uri, const char *a, const char *b, const char *c)
{
	return ask("GET", uri, NULL, a, b, c, NULL);
}

static void
test_api_keys(void **state)
{
	char longest[WEB_APIKEY_MAX + 100] = "HTTP_X_API_KEY=";

	(void)state;
	assert_int_equal(status_with("/v1/key/k", KM_KEY, NULL, NULL), 200);
	assert_int_equal(status_with("/v1/key/k", KO_KEY, NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", KO_KEY, NULL, NULL), 200);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=operate-2", NULL, NULL), 200);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=operate-", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=operate-22", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", NULL, NULL, NULL), 401);
	/* the digest that stands in the settings is no key */
	assert_int_equal(status_with("/v1/key/k",
			     "HTTP_X_API_KEY=sha256:"
			     "181229424893bb65d94a74c2132b8b9e5adfe851464fdb5cb9f49e8a8204be7b",
			     NULL, NULL),
	    401);
	memset(longest + 15, 'x', WEB_APIKEY_MAX);
	assert_int_equal(status_with("/v1/key/k", longest, NULL, NULL), 401);
	longest[15 + WEB_APIKEY_MAX] = 'x';
	assert_int_equal(status_with("/v1/key/k", longest, NULL, NULL), 400);
	assert_int_equal(status_with("/v1/nobody", KM_KEY, NULL, NULL), 401);
}

static void
test_identity_never_comes_from_headers(void **state)
{
	(void)state;
	assert_int_equal(status_with("/v1/request/r", "REMOTE_USER=alice", "AUTH_TYPE=Basic", NULL),
	    200);
	assert_int_equal(status_with("/v1/key/k", "REMOTE_USER=alice", "AUTH_TYPE=Basic", NULL), 401);
	assert_int_equal(status_with("/v1/request/r", "REMOTE_USER=mallory", "AUTH_TYPE=Basic", NULL),
	    401);
	/* nginx fills REMOTE_USER without checking it; then nothing sets AUTH_TYPE */
	assert_int_equal(status_with("/v1/request/r", "REMOTE_USER=alice", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", "HTTP_REMOTE_USER=alice",
			     "HTTP_AUTH_TYPE=Basic", "AUTH_TYPE=Basic"),
	    401);
}

/* A self-signed certificate; its fingerprint stands in setup(). */
#define CERT_BASE64  \
	"MIIBeDCCAR+gAwIBAgIUdT/q0GdWwkAXhukg8B67vd3xtFgwCgYIKoZIzj0EAwIwETEPMA0GA1UE" \
	"AwwGY2xpZW50MCAXDTI2MTEyMjAzNTUwNFoYDzIxMjYxMDI5MDM1NTA0WjARMQ8wDQYDVQQDDAZj" \
	"bGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQixKJCQGfhLpWvtDYd/gqliSBSIen/Tthb" \
	"1TztloooZ10/LeTXn9TMSli9AqpaS1xRvW6zwpcqFrKwss756RqNo1MwUTAdBgNVHQ4EFgQU6GDr" \
	"jRt87v+DIELkKIbQIx7RbGMwHwYDVR0jBBgwFoAU6GDrjRt87v+DIELkKIbQIx7RbGMwDwYDVR0T" \
	"AQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAMUcmN4q0Msw+pKlkfu7hBlEuFWsXjAcQeUVlz" \
	"iPmvYAIgVr7iMrasAzDKopBWc+J1kAeBfLhA+7lREfXMqbhoDvs%3D"
#define CERT_LINES  \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBeDCCAR+gAwIBAgIUdT/q0GdWwkAXhukg8B67vd3xtFgwCgYIKoZIzj0EAwIw\n" \
	"ETEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyMjAzNTUwNFoYDzIxMjYxMDI5MDM1\n" \
	"NTA0WjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n" \
	"AAQixKJCQGfhLpWvtDYd/gqliSBSIen/Tthb1TztloooZ10/LeTXn9TMSli9Aqpa\n" \
	"S1xRvW6zwpcqFrKwss756RqNo1MwUTAdBgNVHQ4EFgQU6GDrjRt87v+DIELkKIbQ\n" \
	"Ix7RbGMwHwYDVR0jBBgwFoAU6GDrjRt87v+DIELkKIbQIx7RbGMwDwYDVR0TAQH/\n" \
	"BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAMUcmN4q0Msw+pKlkfu7hBlEuFWsXj\n" \
	"AcQeUVlziPmvYAIgVr7iMrasAzDKopBWc+J1kAeBfLhA+7lREfXMqbhoDvs=\n" \
	"-----END CERTIFICATE-----\n"
#define CERT_FINGERPRINT "sha256:8d9be2a1efd0336f30a181b43c398a0fd0b4b6dfe73e8e715ced6ece0bc32a80"

static void
test_client_certificates(void **state)
{
	static const char raw[] = "TSB_CLIENT_CERT=" CERT_LINES;
	static const char escaped[] = "TSB_CLIENT_CERT=-----BEGIN%20CERTIFICATE-----%0A" CERT_BASE64
				      "%0A-----END%20CERTIFICATE-----%0A";
	static const char broken[] = "TSB_CLIENT_CERT=-----BEGIN%ZZ";
	static const char other[] = "TSB_CLIENT_CERT=-----BEGIN CERTIFICATE-----\nAAAA\n"
				    "-----END CERTIFICATE-----\n";
	static const char *const no[] = { "TSB_CLIENT_VERIFY=NONE", "TSB_CLIENT_VERIFY=FAILED:x",
		"TSB_CLIENT_VERIFY=GENEROUS", "HTTP_TSB_CLIENT_VERIFY=SUCCESS", "TSB_CLIENT_VERIFY=" };

	(void)state;
	assert_int_equal(status_with("/v1/key/k", raw, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 200);
	assert_int_equal(status_with("/v1/request/r", raw, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 401);
	assert_int_equal(status_with("/v1/key/k", escaped, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 200);
	assert_int_equal(status_with("/v1/key/k", other, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 401);
	assert_int_equal(status_with("/v1/key/k", broken, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 400);
	assert_int_equal(status_with("/v1/key/k", "TSB_CLIENT_VERIFY=SUCCESS", NULL, NULL), 401);
	for (size_t i = 0; i < TSB_COUNT(no); i++)
		assert_int_equal(status_with("/v1/key/k", raw, no[i], NULL), 401);
}

static struct web_auth *
auth_of(struct web_auth_conf *conf, struct conf_list *list, const char *entry, struct tsb_err *err)
{
	char *texts[1] = { (char *)(uintptr_t)entry };

	*list = (struct conf_list){ texts, 1 };
	return web_auth_new(conf, err);
}

static void
test_settings_of_roles(void **state)
{
	struct web_auth_conf conf = { .enabled = true };
	struct tsb_err err = { 0 };
	static const char *const bad_keys[] = { "", "sha256:", "sha256:12", "sha256:zz",
		"sha256:00000000000000000000000000000000000000000000000000000000000000000" };

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(bad_keys); i++) {
		assert_null(auth_of(&conf, &conf.service, bad_keys[i], &err));
		assert_int_equal(err.code, TSB_E_CONFIG_NOT_VALID);
		assert_non_null(strstr(err.msg, "serviceToken"));
	}
	conf.service = (struct conf_list){ 0 };
	assert_null(auth_of(&conf, &conf.approver_cert, "not a fingerprint", &err));
	assert_non_null(strstr(err.msg, "approverCertificate"));
}

static void
test_everybody_when_switched_off(void **state)
{
	struct web_auth_conf conf = { .enabled = false };
	struct tsb_err err = { 0 };
	struct web_auth *before = auth, *open = web_auth_new(&conf, &err);

	(void)state;
	server.auth = open;
	assert_int_equal(status_with("/v1/key/k", NULL, NULL, NULL), 200);
	assert_int_equal(status_with("/v1/nobody", NULL, NULL, NULL), 401);
	server.auth = NULL;
	assert_int_equal(status_with("/v1/key/k", KM_KEY, NULL, NULL), 401);
	assert_int_equal(status_with("/v1/nothing", NULL, NULL, NULL), 200);
	server.auth = before;
	web_auth_free(&open);
}

static void
test_task_listings_may_be_open(void **state)
{
	struct web_auth_conf conf = { .enabled = true, .approver_paths_open = true };
	struct tsb_err err = { 0 };
	struct web_auth *before = auth, *open = web_auth_new(&conf, &err);

	(void)state;
	assert_int_equal(ask("POST", "/v1/tasks", "{}", NULL), 401);
	assert_int_equal(ask("POST", "/v1/tasks", "{}", "HTTP_X_API_KEY=approve", NULL), 200);
	server.auth = open;
	assert_int_equal(ask("POST", "/v1/tasks", "{}", NULL), 200);
	assert_int_equal(status_with("/v1/key/k", NULL, NULL, NULL), 401);
	server.auth = before;
	web_auth_free(&open);
}

/* ---- tables ---- */

static void
test_route_tables_are_checked(void **state)
{
	static const struct web_route tables[][3] = {
		{ { VERB_GET, "/a", 0, 0, serve_echo } },
		{ { VERB_GET, "/a", KO, 0, NULL } },
		{ { VERB__MAX, "/a", KO, 0, serve_echo } },
		{ { VERB_GET, "a", KO, 0, serve_echo } },
		{ { VERB_GET, "/", KO, 0, serve_echo } },
		{ { VERB_GET, "/a//b", KO, 0, serve_echo } },
		{ { VERB_GET, "/a/", KO, 0, serve_echo } },
		{ { VERB_GET, "/{}", KO, 0, serve_echo } },
		{ { VERB_GET, "/{a}b", KO, 0, serve_echo } },
		{ { VERB_GET, "/{a}/{b}/{c}/{d}/{e}", KO, 0, serve_echo } },
		{ { VERB_GET, "/a", KO, 0, serve_echo }, { VERB_GET, "/a", KM, 0, serve_echo } },
	};
	static const struct web_route good[] = { { VERB_GET, "/{a}/{b}/{c}/{d}", KO, 0, serve_echo },
		{ VERB_GET, "/a", KO, 0, serve_echo }, { VERB_PUT, "/a", KO, 0, serve_echo }, { 0 } };

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(tables); i++)
		assert_non_null(web_routes_check(tables[i]));
	assert_null(web_routes_check(good));
}

static int
setup(void **state)
{
	/* "manage" as its digest, the others as they are */
	static char manage[] =
	    "sha256:181229424893bb65d94a74c2132b8b9e5adfe851464fdb5cb9f49e8a8204be7b";
	static char operate_1[] = "operate-1", operate_2[] = "operate-2", approve[] = "approve";
	static char cert[] = CERT_FINGERPRINT, bob[] = "bob", alice[] = "alice";
	static char *km[] = { manage }, *ko[] = { operate_1, operate_2 }, *ap[] = { approve };
	static char *km_cert[] = { cert }, *ko_user[] = { bob, alice };
	struct web_auth_conf conf = { .enabled = true,
		.key_management = { km, 1 },
		.key_operation = { ko, 2 },
		.approver = { ap, 1 },
		.key_management_cert = { km_cert, 1 },
		.key_operation_user = { ko_user, 2 } };
	struct tsb_err err = { 0 };

	(void)state;
	auth = web_auth_new(&conf, &err);
	server.auth = auth;
	return auth ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	web_auth_free(&auth);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_find_their_row),
		cmocka_unit_test(test_paths_that_lead_nowhere),
		cmocka_unit_test(test_long_paths_are_414),
		cmocka_unit_test(test_path_below_a_script_name),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_order_of_checks),
		cmocka_unit_test(test_refused_bodies_are_read_to_their_end),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_body_arrives_in_pieces),
		cmocka_unit_test(test_body_and_its_length),
		cmocka_unit_test(test_peer_gone_before_the_end_serves_nothing),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_error_bodies),
		cmocka_unit_test(test_api_keys),
		cmocka_unit_test(test_identity_never_comes_from_headers),
		cmocka_unit_test(test_client_certificates),
		cmocka_unit_test(test_settings_of_roles),
		cmocka_unit_test(test_everybody_when_switched_off),
		cmocka_unit_test(test_task_listings_may_be_open),
		cmocka_unit_test(test_route_tables_are_checked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
