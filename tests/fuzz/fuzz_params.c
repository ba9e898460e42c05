/*
 * FastCGI parameters and a body: lines "NAME=value" until an empty line, then the body. Whatever
 * comes, there is one answer, and a handler is reached only with the role and the path of its row.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/web/internal.h"
#include "tests/fuzz/fuzz.h"

#define VARIABLES_MAX 40

struct input {
	struct tsb_view body;
	size_t at;
	struct tsb_bytes out;
};

static bool served;

static int
serve(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *value = web_query(rq, "name");

	(void)app, (void)err;
	MUST(rq->route && rq->roles & rq->route->roles);
	MUST(rq->body.n <= 64 && rq->verb == rq->route->verb);
	for (size_t i = 0; i < WEB_PARAM_MAX && rq->param[i].p; i++) {
		MUST(strlen((const char *)rq->param[i].p) == rq->param[i].n);
		MUST(rq->param[i].n > 0 && tsb_utf8_valid(rq->param[i]));
	}
	served = true;
	if (value)
		tsb_bytes_add_str(&reply->body, value);
	reply->disposition = value;
	return 0;
}

static ssize_t
read_input(struct web_io *io, void *p, size_t n)
{
	struct input *in = io->ctx;
	size_t left = in->body.n - in->at;

	n = n < left ? n : left;
	if (n)
		memcpy(p, in->body.p + in->at, n);
	in->at += n;
	return (ssize_t)n;
}

static int
write_output(struct web_io *io, const void *p, size_t n)
{
	tsb_bytes_add(&((struct input *)io->ctx)->out, p, n);
	return 0;
}

static void
split(struct arena *a, const unsigned char *data, size_t size, char *env[VARIABLES_MAX + 1],
    struct input *in)
{
	const unsigned char *end = data + size, *p = data;
	size_t n = 0;

	while (p < end && n < VARIABLES_MAX) {
		const unsigned char *line = memchr(p, '\n', (size_t)(end - p));

		if (line == p) {
			p++;
			break;
		}
		line = line ? line : end;
		env[n++] = arena_strn(a, p, (size_t)(line - p));
		p = line < end ? line + 1 : end;
	}
	env[n] = NULL;
	in->body = tsb_view_of(p, (size_t)(end - p));
}

static struct web_auth *
make_auth(void)
{
	static char key[] = "secret", user[] = "alice";
	static char cert[] =
	    "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	static char *keys[] = {key}, *certs[] = {cert}, *users[] = {user};
	struct web_auth_conf conf = {.enabled = true,
	    .key_operation = {keys, 1},
	    .approver_cert = {certs, 1},
	    .service_user = {users, 1}};
	struct tsb_err err = {0};

	(void)log_open("fuzz", "/dev/null", LOG_ERROR, &err);
	return web_auth_new(&conf, &err);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct web_route routes[] = {
	    {VERB_GET, "/v1/request/{id}", ROLE_KEY_OPERATION, 0, serve},
	    {VERB_POST, "/v1/key/{keyName}/{version}", ROLE_APPROVER, 64, serve},
	    {VERB_PUT, "/v1/open", ROLE_ANYONE, 64, serve},
	    {VERB_DELETE, "/v1/{a}/{b}/{c}/{d}", ROLE_SERVICE, 0, serve},
	    {0},
	};
	static struct web_server server = {.program = "fuzz", .routes = routes, .body_max = 1000};
	struct input in = {0};
	char *env[VARIABLES_MAX + 1];
	struct web_io io = {.env = env, .read = read_input, .write = write_output, .ctx = &in};
	arena_auto a = {0};
	const char *text;

	if (!server.auth)
		server.auth = make_auth();
	served = false;
	split(&a, data, size, env, &in);
	MUST(web_exchange(&server, NULL, &io, &a) == 0);
	MUST(in.at == in.body.n);
	text = tsb_bytes_cstr(&in.out);
	MUST(!strncmp(text, "Status: ", 8));
	MUST(served == !strncmp(text, "Status: 200 OK\r\n", 16));
	MUST(served || strstr(text, "\r\n\r\n{\"errorCode\":") ||
	    tsb_streq(web_env(env, "REQUEST_METHOD"), "HEAD"));
	tsb_bytes_clear(&in.out);
	return 0;
}
