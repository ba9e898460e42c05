/* Who is in a request: names, times, and how many approvals are missing. */
#ifndef TSB_FLOW_DETAILS_H
#define TSB_FLOW_DETAILS_H

#include "lib/flow/context.h"

/*
 * Fills view->details, in a. The view has its lists of approvers already; rows are the answers that
 * they were made of. Names come from the policy by which approvers are asked; of those whom it does
 * not name any more, from the policy of the time of creation.
 */
int flow_details_fill(struct flow *f, struct store_tx *tx, const struct tsb_approval *rows,
    size_t n, struct arena *a, int64_t now_ms, struct tsb_request_view *view, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
