/*
 * HSM client: the HSM-side part of the REST API over HTTPS or a unix socket. Transport only:
 * callers bring and take bodies. The only home of libcurl (rest.h below it also serves the command
 * line).
 */
#ifndef TSB_HSM_HSM_H
#define TSB_HSM_HSM_H

#include <sys/types.h>

#include "lib/base/bytes.h"
#include "lib/base/conf.h"
#include "lib/base/err.h"

enum hsm_role { HSM_KEY_MANAGEMENT, HSM_KEY_OPERATION, HSM_SERVICE, HSM_ROLE__MAX };

struct hsm_conf {
	const char *url; /* endpoints: commas = pick one at random and fall back to the others,
				 * semicolons = in this order; https://..., http://..., unix:/path
				 */
	const char *api_key[HSM_ROLE__MAX]; /* NULL = none sent */
	const char *ca_file; /* NULL = the system's */
	const char *cert_file, *key_file; /* client certificate, NULL = none */
	long timeout; /* seconds for one call */
	long connect_timeout; /* seconds */
};

struct hsm_call {
	const char *method; /* "GET", "POST", "DELETE" */
	const char *path; /* "/v1/synchronousSign", percent-encoded */
	enum hsm_role role;
	struct tsb_view body; /* empty = none */
	int64_t not_after_ms; /* clock_now_ms() from which it is not sent any more, 0 = never: then
			       * somebody else may have taken it over */
	bool
	    repeatable; /* may be sent to the next endpoint when the outcome is unknown (a connection
			  * lost after sending); otherwise only when it was never sent */
};

/* Status and body of an answer, whatever the status. Wiped by hsm_reply_clear(). */
struct hsm_reply {
	int status;
	struct tsb_bytes body;
};
void hsm_reply_clear(struct hsm_reply *);

struct hsm;
struct hsm *hsm_new(const struct hsm_conf *conf, struct tsb_err *err); /* checks the url list */
void hsm_free(struct hsm **);

/*
 * Calls and waits. -1 with TSB_E_CONNECTIVITY when no endpoint answered (msg says which and why): a
 * call that is not repeatable was then never sent; TSB_E_IO when the outcome is unknown. Any HTTP
 * answer, also an error, is 0. 502, 503 and 504 of a front server count as "did not answer". Bodies
 * over 8 MiB are TSB_E_IO.
 */
int hsm_call(struct hsm *, const struct hsm_call *, struct hsm_reply *, struct tsb_err *)
    TSB_MUSTCHECK;

/* Many calls in flight (curl multi), for the dispatcher. body is copied. */
typedef void hsm_done(void *ctx, int rc, const struct hsm_reply *reply, const struct tsb_err *err);
void hsm_submit(struct hsm *, const struct hsm_call *, hsm_done *done, void *ctx);
size_t hsm_in_flight(const struct hsm *);
/*
 * Waits up to timeout_ms for answers or for fd (-1 = none) to become readable, whichever is first,
 * and calls done() of all finished calls. Returns true when fd is readable. May return before the
 * time with nothing done (a signal, a timer of libcurl). At most 64 calls are on the wire, others
 * wait. done() may submit; it borrows reply and err. hsm_free() drops calls in flight without
 * done().
 */
bool hsm_wait(struct hsm *, int fd, int timeout_ms);

#endif
