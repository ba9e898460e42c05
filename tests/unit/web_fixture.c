#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/web_fixture.h"

/* ---- a server whose handlers tell what they were given ---- */

int
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

static const struct web_route routes[] = {
    {VERB_GET, "/v1/request/{id}", KO, 0, serve_echo, 1},
    {VERB_DELETE, "/v1/request/{id}", KO, 0, serve_echo, 2},
    {VERB_GET, "/v1/key/{keyName}", KM, 0, serve_echo, 3},
    {VERB_POST, "/v1/key/attributes", KM, 16, serve_echo, 4},
    {VERB_GET, "/v1/key/list", KM, 0, serve_echo, 5},
    {VERB_GET, "/v1/key/{keyName}/attributes", KM, 0, serve_echo, 6},
    {VERB_GET, "/v1/request/qrCode/{id}", KO, 0, serve_echo, 7},
    {VERB_GET, "/v1/{a}/qrCode/{b}", KO, 0, serve_echo, 8},
    {VERB_POST, "/v1/big", KO, 1000, serve_echo, 9},
    {VERB_GET, "/v1/query", ROLE_ANYONE, 0, serve_query, 0},
    {VERB_POST, "/v1/created", ROLE_ANYONE, 0, serve_created, 0},
    {VERB_GET, "/v1/nothing", ROLE_ANYONE, 0, serve_nothing, 0},
    {VERB_GET, "/v1/inject", ROLE_ANYONE, 0, serve_inject, 0},
    {VERB_GET, "/v1/fail", ROLE_ANYONE, 0, serve_fail, 0},
    {VERB_GET, "/v1/failSilently", ROLE_ANYONE, 0, serve_fail_silently, 0},
    {VERB_POST, "/v1/tasks", ROLE_APPROVER | ROLE_TIMESTAMP, 100, serve_echo, 10},
    {VERB_GET, "/v1/nobody", 0, 0, serve_echo, 11},
    {0},
};

struct web_auth *auth;
struct web_server server = {.program = "test", .routes = routes, .body_max = 500};

/* ---- memory instead of sockets ---- */

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

struct memory peer;
int answer_rc;
static char answer[65536];

int
ask_env(const char *const *env)
{
	struct web_io io = {.env = (char *const *)(uintptr_t)env,
	    .read = memory_read,
	    .write = memory_write,
	    .ctx = &peer};
	arena_auto a = {0};
	int status = 0;

	answer_rc = web_exchange(&server, NULL, &io, &a);
	snprintf(answer, sizeof(answer), "%s", tsb_bytes_cstr(&peer.out));
	tsb_bytes_clear(&peer.out);
	(void)sscanf(answer, "Status: %d ", &status);
	return status;
}

/* Status of the answer; extra variables end with NULL. */
int
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
	return ask_env(env);
}

const char *
answer_body(void)
{
	const char *p = strstr(answer, "\r\n\r\n");

	assert_non_null(p);
	return p + 4;
}

bool
answer_has(const char *text)
{
	return strstr(answer, text) != NULL;
}

int
web_setup(void **state)
{
	/* "manage" as its digest, the others as they are */
	static char manage[] =
	    "sha256:181229424893bb65d94a74c2132b8b9e5adfe851464fdb5cb9f49e8a8204be7b";
	static char operate_1[] = "operate-1", operate_2[] = "operate-2", approve[] = "approve";
	static char cert[] = CERT_FINGERPRINT, bob[] = "bob", alice[] = "alice";
	static char *km[] = {manage}, *ko[] = {operate_1, operate_2}, *ap[] = {approve};
	static char *km_cert[] = {cert}, *ko_user[] = {bob, alice};
	struct web_auth_conf conf = {.enabled = true,
	    .key_management = {km, 1},
	    .key_operation = {ko, 2},
	    .approver = {ap, 1},
	    .key_management_cert = {km_cert, 1},
	    .key_operation_user = {ko_user, 2}};
	struct tsb_err err = {0};

	(void)state;
	auth = web_auth_new(&conf, &err);
	server.auth = auth;
	return auth ? 0 : -1;
}

int
web_teardown(void **state)
{
	(void)state;
	web_auth_free(&auth);
	return 0;
}
