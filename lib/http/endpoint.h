/* Addresses of REST servers and the order in which to try them. */
#ifndef TSB_HTTP_ENDPOINT_H
#define TSB_HTTP_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define ENDPOINT_MAX     16
#define ENDPOINT_REST_MS 5000 /* a failed endpoint is tried last for that long */

struct endpoint {
	char *base; /* "https://host[:port][/prefix]" without a trailing slash or /v1 */
	char *unix_path; /* socket to connect to instead of the host, NULL = none */
	bool fastcgi; /* a FastCGI responder listens on it, and base is not used */
	bool plain; /* what is sent there can be read on the way */
	unsigned group; /* endpoints of one group are equals; lower groups go first */
	int64_t down_until; /* monotonic ms, 0 = up */
};

struct endpoint_list {
	struct endpoint v[ENDPOINT_MAX];
	size_t n;
};

/*
 * "https://...", "http://...", and "unix:/path" and "fcgi:/path" of sockets.
 * TSB_E_CONFIG_NOT_VALID says what is wrong.
 */
int endpoint_init(struct endpoint *e, const char *text, struct tsb_err *err) TSB_MUSTCHECK;
void endpoint_clear(struct endpoint *e);
/* What messages of this host call it: the base, or the path of the socket. */
const char *endpoint_name(const struct endpoint *e);
/* What messages for others call it: a path is not for them. */
const char *endpoint_public_name(const struct endpoint *e);

/* "a,b;c": groups of equals between semicolons, in this order. */
int endpoint_list_init(struct endpoint_list *l, const char *text, struct tsb_err *err)
    TSB_MUSTCHECK;
void endpoint_list_clear(struct endpoint_list *l);
/* Indexes of all n endpoints: groups in order, shuffled inside, those that failed lately last. */
void endpoint_list_order(const struct endpoint_list *l, int64_t now_ms,
    unsigned char order[ENDPOINT_MAX]);

#endif
