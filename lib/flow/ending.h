/* Ends of requests that the HSM never hears of: cancelled, expired, deleted when old. */
#ifndef TSB_FLOW_ENDING_H
#define TSB_FLOW_ENDING_H

#include "lib/flow/context.h"

/* TSB_E_REQUEST_NOT_EXISTENT when it is finished, UNSUPPORTED_OPERATION while it is executed. */
int flow_request_cancel(struct flow *f, const struct tsb_uuid *id, const char *reason,
    struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
/* Cancels all open requests of a key that was deleted. */
int flow_requests_cancel_of_key(struct flow *f, const char *key_name, struct arena *a,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Whether requests on a key are open. */
int flow_requests_open_of_key(struct flow *f, const char *key_name, struct arena *a, bool *open,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Moves an overdue request to EXPIRED unless somebody was faster. */
int flow_request_expire(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Expires overdue requests, at most limit; *n of them. */
int flow_requests_expire(struct flow *f, int64_t now_ms, size_t limit, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Deletes at most limit requests that ended before general.retainFinishedRequests; *n of them. */
int flow_requests_purge(struct flow *f, int64_t now_ms, size_t limit, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
