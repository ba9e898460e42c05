/*
 * Calls to a list of servers that stand for each other: the next one is asked when this one surely
 * did nothing, or when asking twice does no harm. One at a time, or many in flight.
 */
#ifndef TSB_HTTP_CLIENT_H
#define TSB_HTTP_CLIENT_H

#include "lib/http/rest.h"

struct http_client_conf {
	const char *name; /* of the servers, in messages: "HSM"; stays */
	const char *url; /* addresses: commas = pick one at random and fall back to the others,
			  * semicolons = in this order (endpoint.h) */
	struct rest_options options; /* texts are copied */
};

struct http_client;
/* NULL and TSB_E_CONFIG_NOT_VALID or _EXISTENT when the addresses are not. */
struct http_client *http_client_new(const struct http_client_conf *, struct tsb_err *);
/* Drops calls in flight without their done(). Sets *client to NULL, which it may be before. */
void http_client_free(struct http_client **client);

/*
 * Calls and waits; call->to is not looked at. -1 with TSB_E_CONNECTIVITY when no server answered
 * (msg says which and why): a call that is not repeatable was then never sent; TSB_E_IO when the
 * outcome is unknown. Any answer, also an error, is 0, and the caller's to clear. 502, 503 and 504
 * of a front server count as "did not answer". Answers over reply_max are TSB_E_IO.
 */
int http_client_call(struct http_client *, const struct rest_call *call, struct rest_reply *,
    struct tsb_err *) TSB_MUSTCHECK;

/* rc, reply (rc 0) and err (rc -1) as http_client_call() gives them; both are borrowed. */
typedef void http_done(void *ctx, int rc, const struct rest_reply *reply,
    const struct tsb_err *err);
/* Path and body of call are copied; its other texts must stay until done(). */
void http_client_submit(struct http_client *, const struct rest_call *call, http_done *done,
    void *ctx);
size_t http_client_in_flight(const struct http_client *);
/*
 * Waits up to timeout_ms for answers or for fd (-1 = none) to become readable, whichever is first,
 * and calls done() of all finished calls, which may submit. Returns true when fd is readable. May
 * return before the time with nothing done (a signal, a timer of libcurl). At most 64 calls are on
 * the wire, others wait.
 */
bool http_client_wait(struct http_client *, int fd, int timeout_ms);

#endif
