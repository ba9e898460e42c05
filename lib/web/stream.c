/* Rows that stream: the handler reads the body and writes the reply piece by piece. */
#include "lib/first.h"

#include <limits.h>

#include "lib/base/str.h"
#include "lib/web/internal.h"

int
web_stream_open(struct web_stream *s, struct web_call *call, struct web_io *io, struct tsb_err *err)
{
	*s = (struct web_stream){
	    .call = call,
	    .io = io,
	    .max = call->rq.route->body_max,
	    .length = -1,
	};
	if (call->length != NULL && !tsb_str_to_long(call->length, 0, LONG_MAX, &s->length))
		return tsb_fail(err, TSB_E_INPUT, "Content-Length is not a number");
	if (s->length >= 0 && (size_t)s->length > s->max)
		return web_too_large(call, s->max, err);
	io->patient = true;
	call->rq.stream = s;
	return 0;
}

ssize_t
web_body_read(struct web_request *rq, void *p, size_t n, struct tsb_err *err)
{
	struct web_stream *s = rq->stream;
	ssize_t got = s->ended ? 0 : s->io->read(s->io, p, n);

	if (got > 0) {
		s->taken += (size_t)got;
		return s->taken > s->max ? web_too_large(s->call, s->max, err) : got;
	}
	s->ended = true;
	if (got < 0 || (s->length >= 0 && s->taken != (size_t)s->length))
		return tsb_fail(err, TSB_E_INPUT,
		    "the request body does not have the announced length");
	return 0;
}

/* nginx hands on no more of a request whose reply has begun. */
static int
read_rest(struct web_request *rq, struct tsb_err *err)
{
	unsigned char waste[8192];
	ssize_t n;

	do
		n = web_body_read(rq, waste, sizeof(waste), err);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

static int
peer_gone(struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_IO, "the caller does not take the answer");
}

int
web_stream_begin(struct web_request *rq, const struct web_reply *reply, int64_t size,
    struct tsb_err *err)
{
	struct web_stream *s = rq->stream;

	if (read_rest(rq, err))
		return -1;
	s->begun = true;
	s->status = reply->status != 0 ? reply->status : 200;
	s->left = size;
	return web_reply_head(s->io, s->call, reply, size) ? peer_gone(err) : 0;
}

int
web_stream_write(struct web_request *rq, const void *p, size_t n, struct tsb_err *err)
{
	struct web_stream *s = rq->stream;

	if (s->left >= 0 && (uint64_t)n > (uint64_t)s->left)
		return tsb_fail(err, TSB_E_IMPL, "the answer is longer than it said");
	if (s->left >= 0)
		s->left -= (int64_t)n;
	return n > 0 && s->io->write(s->io, p, n) ? peer_gone(err) : 0;
}
