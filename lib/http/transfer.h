/* One exchange on one curl easy handle, blocking or as part of a multi handle. */
#ifndef TSB_HTTP_TRANSFER_H
#define TSB_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "lib/http/call.h"

struct transfer {
	CURL *easy; /* kept from call to call, with its connections unless in a multi handle */
	struct curl_slist *headers;
	struct tsb_bytes reply;
	size_t reply_max;
	long timeout_ms; /* of calls that have no limit of their own */
	int64_t not_after_ms;
	const struct tsb_stream *stream; /* of the call; NULL = none */
	bool begun; /* its answer */
	bool broken_off; /* the stream, on our side */
	bool repeatable;
	bool sent; /* bytes of the request may have left */
	bool broken; /* a kept connection broke after that, and the request was not sent again */
	bool too_late; /* not_after_ms had come when it was about to be sent */
	bool too_long;
	enum rest_tls tls; /* what failed in the last transfer */
	char text[CURL_ERROR_SIZE];
};

void transfer_init(struct transfer *, const struct rest_options *);
void transfer_clear(struct transfer *);
/* Makes ready for call, whose texts and body must stay until the end. */
void transfer_start(struct transfer *, const struct rest_call *call);
/* What came of it; takes over the bytes of the reply. */
enum rest_outcome transfer_end(struct transfer *, CURLcode, struct rest_reply *,
    char why[REST_WHY_SIZE]);

#endif
