/* A new request. */
#ifndef TSB_FLOW_REQUEST_H
#define TSB_FLOW_REQUEST_H

#include "lib/flow/context.h"

/*
 * Records the request and makes its tasks; executes it at once when its key asks for no approval.
 * -1: it was not recorded. Later failures are recorded with the request, not returned.
 */
int flow_request_create(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_uuid *id, struct tsb_err *err) TSB_MUSTCHECK;

#endif
