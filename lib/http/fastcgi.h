/*
 * One exchange with a FastCGI responder on a unix socket, without a web server in between; blocking
 * or as one of many. Each has a connection of its own: a kept one would pin a worker of the
 * application.
 */
#ifndef TSB_HTTP_FASTCGI_H
#define TSB_HTTP_FASTCGI_H

#include "lib/http/fastcgi_answer.h"

struct fastcgi {
	long timeout_ms, connect_timeout_ms;
	size_t reply_max;
	int fd; /* -1 = none */
	const char *path; /* of the socket */
	long call_ms; /* limit of this call */
	struct tsb_bytes request;
	size_t written; /* bytes of it that have left */
	const struct tsb_stream *stream; /* of the call; NULL = none */
	bool sent; /* bytes left before those of request */
	bool body_ended; /* of the stream */
	bool begun; /* its answer */
	int64_t left; /* of that, -1 = not known */
	bool connected, ended;
	enum rest_outcome outcome; /* once ended */
	const char *why;
	int error; /* errno that goes with why, or 0 */
	int64_t not_after_ms;
	int64_t connect_until, until; /* monotonic ms */
	struct fastcgi_answer answer;
};

void fastcgi_init(struct fastcgi *, const struct rest_options *);
void fastcgi_clear(struct fastcgi *);
/* Connects and sends what goes. call->to is a FastCGI address; all of call is copied. */
void fastcgi_start(struct fastcgi *, const struct rest_call *call);
/* Goes on as far as it goes without waiting; true: it has ended. */
bool fastcgi_advance(struct fastcgi *);
/* What to wait for on fd (-1: nothing), and how many milliseconds at most. */
short fastcgi_events(const struct fastcgi *);
int fastcgi_wait_ms(const struct fastcgi *);
/* What came of it; fills reply or why, as rest_call() does. */
enum rest_outcome fastcgi_end(struct fastcgi *, struct rest_reply *, char why[REST_WHY_SIZE]);
/* All of it, waiting. */
enum rest_outcome fastcgi_call(struct fastcgi *, const struct rest_call *, struct rest_reply *,
    char why[REST_WHY_SIZE]);

#endif
