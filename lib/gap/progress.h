/* What GET /v1/request adds for requests that wait for an offline HSM. */
#ifndef TSB_GAP_PROGRESS_H
#define TSB_GAP_PROGRESS_H

#include "lib/flow/keycache.h"

/* How far an open request is, by the policy of its key; nothing when that is not known. */
void gap_progress(const struct flow_key *key, const struct tsb_approval *rows, size_t n,
    struct arena *a, struct tsb_request_view *out);
/*
 * inputOfflineHsm: the body for the synchronous endpoint with all approvals among the n rows of
 * those whom the policy names. Empty when the request is not ready: before the first approval,
 * where one is asked; finished; profile online. tx may be NULL: a transaction of its own.
 */
int gap_input(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, struct tsb_view *input,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The same with the approvals of those who left, too: as it may have been carried before that. */
int gap_input_before(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, struct tsb_view *input,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
