/*
 * One request in the fixed order of checks, the same for all rows: path 404, verb 405, role 401,
 * encoding 415, length 413, body, handler. Then its reply and its access line.
 */
#include "lib/first.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/log.h"
#include "lib/web/internal.h"

/*
 * What is left of a refused body is read, because Apache answers 503 unless it can send it all. Web
 * servers have it complete: it comes at once, or nobody waits for it.
 */
#define DRAIN_MS 1000

/* It tells requests apart in logs, and is no secret. */
static const char *
new_id(struct arena *a)
{
	unsigned char random[(WEB_ID_SIZE - 1) / 2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		fatal("the kernel gives no random bytes");
	return enc_hex_str(a, tsb_view_of(random, sizeof(random)));
}

static int
check_role(struct web_call *call, const struct web_server *srv, void *app, struct tsb_err *err)
{
	struct web_request *rq = &call->rq;
	unsigned used;

	rq->roles = web_auth_roles(srv->auth, &call->caller, rq->arena);
	rq->caller = web_auth_caller(srv->auth, &call->caller, rq->arena);
	used = rq->roles & rq->route->roles;
	rq->role = web_roles_text(used, rq->arena);
	/* Always 631: only then do clients try their next key (api-notes.md 2.2). */
	if (used == 0)
		(void)!tsb_fail(err, TSB_E_API_KEY, "API key is missing or invalid.");
	if (srv->called != NULL)
		srv->called(app, rq, used == 0 ? err : NULL);
	return used == 0 ? -1 : 0;
}

static int
drain(struct web_io *io)
{
	int64_t until = clock_monotonic_ms() + DRAIN_MS;
	unsigned char waste[8192];
	ssize_t n;

	if (io->hurry != NULL)
		io->hurry(io);
	do
		n = io->read(io, waste, sizeof(waste));
	while (n > 0 && clock_monotonic_ms() < until);
	return n == 0 ? 0 : -1;
}

/* Nothing here unpacks: a compressed body would only be told that it is no JSON. */
static int
check_encoding(struct web_call *call, char *const *env, struct tsb_err *err)
{
	const char *encoding = web_env(env, "HTTP_CONTENT_ENCODING");

	if (encoding == NULL || !strcasecmp(encoding, "identity"))
		return 0;
	call->status = 415;
	return tsb_fail(err, TSB_E_INPUT,
	    "Content-Encoding %.32s is not taken, send the body as it is", encoding);
}

/*
 * Handlers run when the request has arrived as a whole, also rows without a limit, which ignore
 * what the caller sent. body owns what rq.body shows.
 */
static int
take_body(struct web_call *call, const struct web_server *srv, struct web_io *io,
    struct tsb_bytes *body, struct tsb_err *err)
{
	size_t max = call->rq.route->body_max;

	if (max == 0)
		return drain(io) ? tsb_fail(err, TSB_E_INPUT, "the request body does not arrive")
				 : 0;
	if (check_encoding(call, io->env, err) ||
	    web_call_read(call, io, max < srv->body_max ? max : srv->body_max, body, err))
		return -1;
	(void)tsb_bytes_cstr(body); /* a NUL behind, for parsers that look one byte further */
	call->rq.body = tsb_view_bytes(body);
	return 0;
}

static int
serve_stream(struct web_call *call, void *app, struct web_io *io, struct web_stream *stream,
    struct web_reply *reply, struct tsb_err *err)
{
	if (check_encoding(call, io->env, err) || web_stream_open(stream, call, io, err) ||
	    call->rq.route->serve(app, &call->rq, reply, err))
		return -1;
	if (stream->begun && stream->left > 0)
		return tsb_fail(err, TSB_E_IMPL, "the answer is shorter than it said");
	return 0;
}

static int
serve(struct web_call *call, const struct web_server *srv, void *app, struct web_io *io,
    struct web_stream *stream, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_auto body = {0};

	if (web_call_parse(call, io->env, err) || web_call_route(call, srv->routes, err) ||
	    check_role(call, srv, app, err))
		return -1;
	if (call->rq.route->streams)
		return serve_stream(call, app, io, stream, reply, err);
	if (take_body(call, srv, io, &body, err))
		return -1;
	return call->rq.route->serve(app, &call->rq, reply, err);
}

static enum log_level
level_of(int status)
{
	return status < 400 ? LOG_INFO : status < 500 ? LOG_WARN : LOG_ERROR;
}

/* The target as sent, without what would let it look like other fields of the line. */
static const char *
shown_target(const struct web_call *call)
{
	tsb_bytes_auto text = {0};

	for (const unsigned char *p = (const unsigned char *)call->target; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '"')
			tsb_bytes_addf(&text, "%%%02X", *p);
		else
			tsb_bytes_add(&text, p, 1);
	return arena_str(call->rq.arena, text.n ? tsb_bytes_cstr(&text) : "-");
}

static const char *
shown(const char *text)
{
	return *text == '\0' ? "-" : text;
}

static void
log_access(const struct web_call *call, int status, const struct tsb_err *err, int64_t took,
    const char *fate)
{
	const char *verb = call->rq.verb < VERB__MAX ? call->method : "?";
	const char *text;

	text = arena_printf(call->rq.arena, "role=%s caller=%s from=%s %s %s %d %lldms%s",
	    call->rq.role, shown(call->rq.caller), shown(call->rq.address), verb,
	    shown_target(call), status, (long long)took, fate);
	if (status >= 400 && err->file != NULL)
		text = arena_printf(call->rq.arena, "%s %d %s:%d %s", text,
		    tsb_err_number(err->code), err->file, err->line, err->msg);
	switch (level_of(status)) {
	case LOG_INFO:
		log_info("%s", text);
		break;
	case LOG_WARN:
		log_warn("%s", text);
		break;
	case LOG_ERROR:
	case LOG_DEBUG: /* no status is */
		log_error("%s", text);
		break;
	}
}

/* What went wrong with it, for the log; "" = nothing. */
static const char *
answer(struct web_io *io, const struct web_call *call, const struct web_reply *reply)
{
	bool waits = drain(io) != 0;

	if (web_reply_write(io, call, reply))
		return " peer lost";
	return waits ? " body not awaited" : "";
}

static const char *
break_off(struct web_io *io)
{
	if (io->abandon != NULL)
		io->abandon(io);
	return " broken off";
}

int
web_exchange(const struct web_server *srv, void *app, struct web_io *io, struct arena *a)
{
	int64_t started = clock_monotonic_ms();
	struct web_call call = {.rq = {.arena = a, .id = new_id(a), .now_ms = clock_now_ms()}};
	struct web_stream stream = {0};
	struct web_reply reply = {0};
	struct tsb_err err = {0};
	const char *fate = "";

	log_request(call.rq.id);
	if (serve(&call, srv, app, io, &stream, &reply, &err)) {
		web_reply_error(&reply, &err);
		if (call.status)
			reply.status = call.status;
	} else if (reply.status == 0) {
		reply.status = stream.begun ? stream.status : 200;
	}
	if (!stream.begun)
		fate = answer(io, &call, &reply);
	else if (err.code != TSB_OK)
		fate = break_off(io);
	log_access(&call, reply.status, &err, clock_monotonic_ms() - started, fate);
	log_request(NULL);
	tsb_bytes_clear(&reply.body);
	return *fate == '\0' ? 0 : -1;
}
