/* Between the workflow and the approvers in custody: KIND_RESTORE_APPROVER. */
#ifndef TSB_CUSTODY_RESTORE_H
#define TSB_CUSTODY_RESTORE_H

#include "lib/flow/internal.h"

/* After the HSM's answer: the approver as it becomes, and the request's result. Database and
 * connection errors may be tried again, all others are final. */
int flow_restore_prepare(struct flow *f, const struct tsb_request *rq, struct tsb_view answer,
    int64_t now_ms, struct arena *a, struct tsb_approver *row, struct tsb_view *result,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Inside the transaction that moves the request to EXECUTED. */
int flow_restore_record(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approver *row, struct tsb_err *err) TSB_MUSTCHECK;
/* The one-time code in place of the sealed result; nothing for requests of other kinds. */
int flow_restore_reveal(struct flow *f, struct tsb_request *rq, struct arena *a,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
