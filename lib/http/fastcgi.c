#include "lib/first.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/http/fastcgi.h"

#define RESPONDER 1 /* FCGI_RESPONDER */
/* A full queue of a unix socket cannot be waited for: it is tried again after this. */
#define QUEUE_PAUSE_MS 5

void
fastcgi_init(struct fastcgi *x, const struct rest_options *o)
{
	*x = (struct fastcgi){
	    .timeout_ms = o->timeout_ms,
	    .connect_timeout_ms = o->connect_timeout_ms,
	    .reply_max = o->reply_max,
	    .fd = -1,
	};
}

static void
hang_up(struct fastcgi *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

void
fastcgi_clear(struct fastcgi *x)
{
	hang_up(x);
	tsb_bytes_clear(&x->request);
	fastcgi_answer_clear(&x->answer);
}

/* ---- what is sent ---- */

static void
add_record(struct tsb_bytes *out, enum fastcgi_record type, const unsigned char *p, size_t n)
{
	const unsigned char header[FASTCGI_HEADER] = {1, (unsigned char)type, 0, FASTCGI_REQUEST_ID,
	    (unsigned char)(n >> 8), (unsigned char)n};

	tsb_bytes_add(out, header, sizeof(header));
	tsb_bytes_add(out, p, n);
}

/* A stream is records of content and an empty one. */
static void
add_stream(struct tsb_bytes *out, enum fastcgi_record type, struct tsb_view content)
{
	while (content.n > 0) {
		size_t n = content.n < FASTCGI_CONTENT_MAX ? content.n : FASTCGI_CONTENT_MAX;

		add_record(out, type, content.p, n);
		content.p += n;
		content.n -= n;
	}
	add_record(out, type, NULL, 0);
}

/* Lengths of one byte, or of four with the highest bit set. */
static void
add_length(struct tsb_bytes *params, size_t n)
{
	const unsigned char four[4] = {(unsigned char)(0x80 | (n >> 24 & 0x7f)),
	    (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n};

	tsb_bytes_add(params, n < 128 ? &four[3] : four, n < 128 ? 1 : 4);
}

static void
add_param(struct tsb_bytes *params, const char *name, const char *value)
{
	/* A line break in a value would be another header to what looks at it as HTTP. */
	if (strpbrk(value, "\r\n") != NULL)
		fatal("FastCGI: line break in %s", name);
	add_length(params, strlen(name));
	add_length(params, strlen(value));
	tsb_bytes_add_str(params, name);
	tsb_bytes_add_str(params, value);
}

/* The variables of RFC 3875, 4.1, that a responder of this API needs. */
static void
add_params(struct tsb_bytes *params, const struct rest_call *call)
{
	const char *query = strchr(call->path, '?');
	tsb_bytes_auto bearer = {0};
	char length[24];

	add_param(params, "GATEWAY_INTERFACE", "CGI/1.1");
	add_param(params, "SERVER_SOFTWARE", "tsb/" TSB_VERSION);
	add_param(params, "SERVER_PROTOCOL", "HTTP/1.1");
	add_param(params, "REQUEST_METHOD", call->method);
	add_param(params, "REQUEST_URI", call->path);
	add_param(params, "QUERY_STRING", query != NULL ? query + 1 : "");
	add_param(params, "HTTP_ACCEPT", call->accept != NULL ? call->accept : "application/json");
	if (call->apikey != NULL)
		add_param(params, "HTTP_X_API_KEY", call->apikey);
	if (call->bearer != NULL) {
		tsb_bytes_addf(&bearer, "Bearer %s", call->bearer);
		add_param(params, "HTTP_AUTHORIZATION", tsb_bytes_cstr(&bearer));
	}
	if (call->body.n == 0 && call->stream == NULL)
		return;
	snprintf(length, sizeof(length), "%zu", call->body.n);
	if (call->stream == NULL)
		add_param(params, "CONTENT_LENGTH", length);
	add_param(params, "CONTENT_TYPE",
	    call->content_type != NULL ? call->content_type : "application/json");
}

static void
write_request(struct tsb_bytes *out, const struct rest_call *call)
{
	static const unsigned char begin[8] = {0, RESPONDER}; /* flags 0: no FCGI_KEEP_CONN */
	tsb_bytes_auto params = {0};

	tsb_bytes_reset(out);
	add_record(out, FASTCGI_BEGIN_REQUEST, begin, sizeof(begin));
	add_params(&params, call);
	add_stream(out, FASTCGI_PARAMS, tsb_view_bytes(&params));
	if (call->stream == NULL)
		add_stream(out, FASTCGI_STDIN, call->body);
}

/* ---- the exchange ---- */

/* What was written may have been executed, unless an answer says otherwise. */
static bool
end_with(struct fastcgi *x, const char *why, int error)
{
	x->outcome = x->sent || x->written > 0 ? REST_UNKNOWN : REST_NOT_SENT;
	x->why = why;
	x->error = error;
	hang_up(x);
	return x->ended = true;
}

/* What stopped is here, not there. */
static bool
end_given_up(struct fastcgi *x, const char *why)
{
	end_with(x, why, 0);
	x->outcome = REST_GIVEN_UP;
	return true;
}

static bool
end_answered(struct fastcgi *x)
{
	end_with(x, NULL, 0);
	x->outcome = REST_ANSWERED;
	return true;
}

static void
try_connect(struct fastcgi *x)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (x->fd < 0)
		x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0) {
		end_with(x, "no socket", errno);
		return;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", x->path);
	if (connect(x->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		x->connected = true;
	else if (errno != EAGAIN && errno != EINTR)
		end_with(x, "cannot connect", errno);
}

/* A stream may take any time, but each piece of it only so much. */
static void
progress(struct fastcgi *x)
{
	if (x->stream != NULL)
		x->until = clock_monotonic_ms() + x->call_ms;
}

/* The next piece of the body in the place of what has left; false when there is none. */
static bool
refill(struct fastcgi *x)
{
	unsigned char piece[32768];
	ssize_t n;

	if (x->stream == NULL || x->body_ended)
		return false;
	n = x->stream->read(x->stream->ctx, piece, sizeof(piece));
	progress(x);
	if (n < 0) {
		end_given_up(x, "the body broke off");
		return false;
	}
	x->sent = true;
	x->written = 0;
	x->body_ended = n == 0;
	tsb_bytes_reset(&x->request);
	add_record(&x->request, FASTCGI_STDIN, piece, (size_t)n);
	tsb_wipe(piece, sizeof(piece));
	return true;
}

/*
 * A connection that breaks while it is written to may have an answer to read: a responder that
 * refuses a request need not read all of it.
 */
static void
try_send(struct fastcgi *x)
{
	if (!x->sent && x->written == 0 && x->not_after_ms != 0 &&
	    clock_now_ms() >= x->not_after_ms) {
		end_with(x, "the time to send this is over", 0);
		return;
	}
	while (x->written < x->request.n || refill(x)) {
		ssize_t n =
		    send(x->fd, x->request.p + x->written, x->request.n - x->written, MSG_NOSIGNAL);

		if (n > 0) {
			x->written += (size_t)n;
			progress(x);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (!x->sent && x->written == 0)
			end_with(x, "cannot send", errno);
		x->written = x->request.n;
		x->body_ended = true;
		return;
	}
}

/* Hands on what there is of an answer to a stream; true: the exchange has ended. */
static bool
hand_on(struct fastcgi *x)
{
	struct tsb_bytes *out = &x->answer.out;

	if (x->stream == NULL)
		return false;
	if (!x->begun) {
		x->begun = fastcgi_answer_begins(&x->answer, &x->left);
		if (!x->begun)
			return false;
		if (x->stream->begin(x->stream->ctx, x->left))
			return end_given_up(x, "the answer cannot be handed on");
	}
	if (x->left >= 0 && out->n > (uint64_t)x->left)
		return end_with(x, "the CGI answer has another length than it says", 0);
	if (x->left >= 0)
		x->left -= (int64_t)out->n;
	if (out->n > 0 && x->stream->write(x->stream->ctx, out->p, out->n))
		return end_given_up(x, "the answer cannot be handed on");
	tsb_bytes_reset(out);
	progress(x);
	return false;
}

static bool
receive(struct fastcgi *x)
{
	unsigned char part[16384];

	for (;;) {
		ssize_t n = recv(x->fd, part, sizeof(part), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0)
			return end_with(x, "the connection broke before the end of the answer",
			    n < 0 ? errno : 0);
		fastcgi_answer_add(&x->answer, tsb_view_of(part, (size_t)n));
		tsb_wipe(part, (size_t)n);
		if (hand_on(x))
			return true;
		switch (x->answer.state) {
		case FASTCGI_MORE:
			break;
		case FASTCGI_WHOLE:
			return x->begun && x->left > 0
			    ? end_with(x, "the CGI answer has another length than it says", 0)
			    : end_answered(x);
		case FASTCGI_TOO_LONG:
			return end_given_up(x, "the answer is too long");
		case FASTCGI_BROKEN:
			return end_with(x, x->answer.fault, 0);
		}
	}
}

void
fastcgi_start(struct fastcgi *x, const struct rest_call *call)
{
	int64_t now = clock_monotonic_ms();

	hang_up(x);
	x->path = call->to->unix_path;
	x->not_after_ms = call->not_after_ms;
	x->written = 0;
	x->connected = x->ended = false;
	x->connect_until = now + x->connect_timeout_ms;
	x->call_ms = call->timeout_ms != 0 ? call->timeout_ms : x->timeout_ms;
	x->until = now + x->call_ms;
	x->stream = call->stream;
	x->sent = x->body_ended = x->begun = false;
	x->left = -1;
	fastcgi_answer_init(&x->answer, x->reply_max);
	write_request(&x->request, call);
	try_connect(x);
	if (x->connected && !x->ended)
		try_send(x);
}

static bool
must_send(const struct fastcgi *x)
{
	return x->written < x->request.n || (x->stream != NULL && !x->body_ended);
}

bool
fastcgi_advance(struct fastcgi *x)
{
	int64_t now = clock_monotonic_ms();

	if (!x->ended && !x->connected)
		try_connect(x);
	if (!x->ended && x->connected && must_send(x))
		try_send(x);
	if (x->ended || (x->connected && receive(x)))
		return true;
	if (!x->connected && now >= x->connect_until)
		return end_with(x, "no connection in time", 0);
	if (now >= x->until)
		return end_with(x, "no answer in time", 0);
	return false;
}

short
fastcgi_events(const struct fastcgi *x)
{
	if (!x->connected)
		return 0;
	return must_send(x) ? POLLIN | POLLOUT : POLLIN;
}

int
fastcgi_wait_ms(const struct fastcgi *x)
{
	int64_t left = x->until - clock_monotonic_ms();

	if (x->ended || left <= 0)
		return 0;
	if (!x->connected && left > QUEUE_PAUSE_MS)
		return QUEUE_PAUSE_MS;
	return left > 60000 ? 60000 : (int)left;
}

enum rest_outcome
fastcgi_end(struct fastcgi *x, struct rest_reply *reply, char why[REST_WHY_SIZE])
{
	tsb_bytes_reset(&x->request);
	if (x->outcome == REST_ANSWERED && x->begun)
		*reply = (struct rest_reply){.status = 200};
	else if (x->outcome == REST_ANSWERED && fastcgi_answer_read(&x->answer, reply)) {
		x->outcome = REST_UNKNOWN;
		x->why = x->answer.fault;
	}
	fastcgi_answer_clear(&x->answer);
	if (x->outcome != REST_ANSWERED)
		snprintf(why, REST_WHY_SIZE, "%s%s%s", x->why, x->error != 0 ? ": " : "",
		    x->error != 0 ? strerror(x->error) : "");
	return x->outcome;
}

enum rest_outcome
fastcgi_call(struct fastcgi *x, const struct rest_call *call, struct rest_reply *reply,
    char why[REST_WHY_SIZE])
{
	fastcgi_start(x, call);
	while (!x->ended) {
		struct pollfd p = {.fd = x->connected ? x->fd : -1, .events = fastcgi_events(x)};

		(void)poll(&p, 1, fastcgi_wait_ms(x));
		(void)fastcgi_advance(x);
	}
	return fastcgi_end(x, reply, why);
}
