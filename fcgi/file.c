/*
 * Files that the HSM encrypts and decrypts (api-notes.md 8.7). They pass through as they come: the
 * broker reads the part with JSON, and writes what it checked in front of the bytes of the file.
 */
#include "lib/first.h"

#include <string.h>

#include "fcgi/fcgi.h"
#include "lib/flow/hsmcall.h"
#include "lib/web/multipart.h"
#include "lib/wire/wire.h"

struct passing {
	struct web_request *rq;
	struct multipart parts;
	struct tsb_bytes text; /* of the body to the HSM, around the bytes of the file */
	size_t sent; /* of it */
	size_t file_at; /* where in it the file stands; behind it comes the last delimiter */
	bool file_ended;
	bool begun; /* the answer */
	struct tsb_err why; /* of what failed on our side */
};

static void
passing_close(struct passing *p)
{
	multipart_close(&p->parts);
	tsb_bytes_clear(&p->text);
}
#define passing_auto struct passing __attribute__((cleanup(passing_close)))

/* ---- from the caller ---- */

/* *asked: the JSON, compact. The part file is next. */
static int
read_asked(struct passing *p, enum wire_file_call what, struct tsb_view *asked, struct tsb_err *err)
{
	struct arena *a = p->rq->arena;
	tsb_bytes_auto json = {0};
	struct wire_file in;

	if (multipart_open_body(&p->parts, p->rq, err) ||
	    multipart_expect(&p->parts, wire_file_part(what), err) ||
	    multipart_read_all(&p->parts, WIRE_FILE_JSON_MAX, &json, err) ||
	    wire_compact(tsb_view_bytes(&json), a, asked, err) ||
	    wire_file_parse(what, *asked, a, &in, err))
		return -1;
	return multipart_expect(&p->parts, WIRE_FILE_PART, err);
}

/* ---- to the HSM ---- */

static ssize_t
text_read(struct passing *p, size_t end, void *to, size_t n)
{
	size_t left = end - p->sent;

	if (n > left)
		n = left;
	memcpy(to, p->text.p + p->sent, n);
	p->sent += n;
	return (ssize_t)n;
}

/* Without the last delimiter the HSM does not take the file: it is sent when ours was there. */
static ssize_t
body_read(void *ctx, void *to, size_t n)
{
	struct passing *p = ctx;
	ssize_t got;

	if (p->sent < p->file_at)
		return text_read(p, p->file_at, to, n);
	if (!p->file_ended) {
		got = multipart_read(&p->parts, to, n, &p->why);
		if (got != 0)
			return got;
		if (multipart_end(&p->parts, &p->why))
			return -1;
		p->file_ended = true;
	}
	return text_read(p, p->text.n, to, n);
}

/* ---- and back ---- */

static int
answer_begin(void *ctx, int64_t size)
{
	const struct web_reply head = {.content_type = WIRE_FILE_TYPE};
	struct passing *p = ctx;

	p->begun = true;
	return web_stream_begin(p->rq, &head, size, &p->why);
}

static int
answer_write(void *ctx, const void *from, size_t n)
{
	struct passing *p = ctx;

	return web_stream_write(p->rq, from, n, &p->why);
}

int
api_file(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const enum wire_file_call what = (enum wire_file_call)web_route_arg(rq);
	passing_auto p = {.rq = rq};
	const struct tsb_stream stream = {body_read, answer_begin, answer_write, &p};
	struct hsm_pass pass = {
	    .what = what == WIRE_FILE_ENCRYPT ? HSM_PASS_FILE_ENCRYPT : HSM_PASS_FILE_DECRYPT,
	    .stream = &stream,
	};
	struct hsm_reply answer = {0};
	int rc;

	(void)reply;
	if (flow_hsm_need(app, err) || read_asked(&p, what, &pass.asked, err))
		return -1;
	pass.content_type = wire_file_around(what, pass.asked, rq->arena, &p.text, &p.file_at);
	rc = flow_hsm_pass(app, &pass, &answer, err);
	hsm_reply_clear(&answer);
	if (rc && p.why.code != TSB_OK)
		*err = p.why; /* what the HSM made of it says less */
	if (rc == 0 && !p.begun)
		return tsb_fail(err, TSB_E_HSM, "the HSM answered without a file");
	return rc;
}
