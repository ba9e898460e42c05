/* A REST call and its answer, whichever way it travels. */
#ifndef TSB_HTTP_CALL_H
#define TSB_HTTP_CALL_H

#include "lib/base/bytes.h"
#include "lib/base/stream.h"
#include "lib/http/endpoint.h"

#define REST_WHY_SIZE 320

struct rest_options {
	const char *ca_file; /* NULL = the system's */
	const char *cert_file, *key_file; /* client certificate, NULL = none */
	long timeout_ms; /* for one call */
	long connect_timeout_ms;
	size_t reply_max;
	bool use_proxy; /* the one of the environment (https_proxy) */
};

struct rest_call {
	const struct endpoint *to;
	const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char *path; /* "/v1/request/...", percent-encoded, with the query if any */
	const char *apikey; /* NULL = none */
	const char *bearer; /* token of RFC 6750, NULL = none */
	long timeout_ms; /* 0 = the one of the options */
	const char *content_type; /* of body; NULL = application/json */
	const char *accept; /* NULL = application/json */
	struct tsb_view body; /* empty = none */
	/*
	 * Instead of a body, and of a reply of status 200, for blocking calls; NULL = none. Such a
	 * call is not repeatable, and its limit of time counts anew whenever a piece has passed.
	 */
	const struct tsb_stream *stream;
	int64_t not_after_ms; /* clock_now_ms() from which it is not sent any more, 0 = never: then
			       * somebody else may have taken it over */
	bool repeatable; /* may be sent again when its outcome is unknown (a connection that broke
			  * after sending); otherwise it is sent at most once */
};

struct rest_reply {
	int status;
	char content_type[64]; /* "" when none */
	char warning[512]; /* X-TSB-Warning, "" when none */
	bool retry; /* there is a Retry-After: it did not take place */
	struct tsb_bytes body;
};
void rest_reply_clear(struct rest_reply *);

enum rest_outcome {
	REST_ANSWERED, /* reply is filled, whatever its status */
	REST_NOT_SENT, /* no byte of the request left this host */
	REST_UNKNOWN, /* sent, and not or not wholly answered: it may have been executed */
	REST_GIVEN_UP /* executed, perhaps: the answer was longer than reply_max, or a stream broke off */
};

/* Why a TLS connection did not come about. */
enum rest_tls {
	REST_TLS_FINE,
	REST_TLS_EXPIRED, /* the certificate of the server, or one above it */
	REST_TLS_TOO_EARLY, /* its time has not begun */
	REST_TLS_UNTRUSTED, /* no chain to a certificate that we trust */
	REST_TLS_NAME, /* it belongs to another name */
	REST_TLS_FILE, /* ca_file, cert_file or key_file cannot be used */
	REST_TLS_NONE, /* the peer did not finish the handshake, perhaps speaks no TLS */
};

#endif
