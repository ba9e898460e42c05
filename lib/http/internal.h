/* Shared by blocking calls (client.c) and calls in flight (flight.c). */
#ifndef TSB_HTTP_INTERNAL_H
#define TSB_HTTP_INTERNAL_H

#include "lib/http/client.h"

struct http_client {
	const char *name;
	struct endpoint_list endpoints;
	char *ca_file, *cert_file, *key_file;
	struct rest_options options; /* shows the texts above */
	struct rest *rest;
	struct flights *flights; /* NULL until the first http_client_submit() */
};

/* One call on its way through the endpoints. */
struct http_try {
	unsigned char order[ENDPOINT_MAX];
	size_t at;
	bool repeatable;
	struct tsb_bytes said; /* what the endpoints so far did */
};

enum http_verdict { HTTP_TRY_DONE, HTTP_TRY_FAILED, HTTP_TRY_NEXT };

void http_try_start(struct http_client *, const struct rest_call *, struct http_try *);
void http_try_clear(struct http_try *);
/* The call as it goes to the endpoint whose turn it is. Texts and body of call are borrowed. */
struct rest_call http_try_call(struct http_client *, const struct http_try *,
    const struct rest_call *);
/* Decides after an attempt; fills err with HTTP_TRY_FAILED. Clears reply unless done. */
enum http_verdict http_try_judge(struct http_client *, struct http_try *, enum rest_outcome,
    struct rest_reply *, const char *why, struct tsb_err *err);

/* flight.c */
void flights_free(struct flights **);

#endif
