/* What an approval binds. */
#ifndef TSB_FLOW_PAYLOAD_H
#define TSB_FLOW_PAYLOAD_H

#include "lib/flow/context.h"

/*
 * Bytes of the token's payload element; empty for block and unblock. Checks a new policy, and puts
 * certificates in place of the approvers that it names.
 */
int flow_payload(struct flow *f, struct tsb_request_in *in, struct arena *a,
    struct tsb_view *payload, struct tsb_err *err) TSB_MUSTCHECK;

#endif
