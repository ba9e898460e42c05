/* Executions: claim a request, call the HSM, record the outcome. */
#ifndef TSB_FLOW_EXECUTE_H
#define TSB_FLOW_EXECUTE_H

#include "lib/flow/context.h"
#include "lib/flow/execution.h"

/*
 * Claims a due request for this process and prepares its order. *x stays NULL when there is nothing
 * to do: another one has it, it is finished, not due, or was moved (EXPIRED). Freed with
 * flow_execution_free().
 */
int flow_execution_claim(struct flow *f, const struct tsb_uuid *id, struct flow_execution **x,
    struct tsb_err *err) TSB_MUSTCHECK;
void flow_execution_free(struct flow_execution **x);

enum flow_outcome {
	OUTCOME_DONE, /* the request is finished, or somebody else has it */
	OUTCOME_CALL_AGAIN, /* order was changed: submit it once more */
	OUTCOME_HSM_AWAY, /* given back, due again now: hold all work for a while */
	OUTCOME_LATER /* given back, due again later */
};
/* Records the outcome of the order. -1: not recorded. */
int flow_execution_finish(struct flow *f, struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_outcome *outcome, struct tsb_err *err) TSB_MUSTCHECK;
/* Calls and finishes a request that this process inserted as its own claim. */
int flow_execute_claimed(struct flow *f, const struct tsb_request *rq, struct tsb_err *err)
    TSB_MUSTCHECK;

/* Ids of due requests, oldest first. */
int flow_requests_due(struct flow *f, int64_t now_ms, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
/* When the next request becomes due or overdue; 0 = nothing known. */
int flow_next_time(struct flow *f, int64_t *at_ms, struct tsb_err *err) TSB_MUSTCHECK;

/* The key password in password_box; empty when there is none. */
int flow_password_open(struct flow *f, const struct tsb_request *rq, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
