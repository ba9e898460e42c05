/*
 * One REST call: HTTP over a kept connection, or FastCGI without a web server. Certificates of
 * https servers are always checked, redirects never followed, replies bounded.
 *
 *	struct rest *rest = rest_new(&options);
 *	struct rest_call call = { .to = &endpoint, .method = "GET", .path = "/v1/versionInfo" };
 *	if (rest_call(rest, &call, &reply, why) == REST_ANSWERED) ...
 */
#ifndef TSB_HTTP_REST_H
#define TSB_HTTP_REST_H

#include "lib/http/call.h"

struct rest;
struct rest *rest_new(const struct rest_options *); /* whose texts must stay */
void rest_free(struct rest **);
/* Sent at most once unless repeatable. why is filled unless REST_ANSWERED. */
enum rest_outcome rest_call(struct rest *, const struct rest_call *, struct rest_reply *,
    char why[REST_WHY_SIZE]) TSB_MUSTCHECK;
/* What TLS found wrong in the last call; REST_TLS_FINE if that is not why it failed. */
enum rest_tls rest_tls_fault(const struct rest *);

#endif
