/* Executions of claimed requests (claim.h): call the HSM, record the outcome. */
#ifndef TSB_FLOW_EXECUTE_H
#define TSB_FLOW_EXECUTE_H

#include "lib/flow/context.h"
#include "lib/flow/execution.h"

void flow_execution_free(struct flow_execution **x);

enum flow_outcome {
	OUTCOME_DONE, /* the request is finished, or somebody else has it */
	OUTCOME_CALL_AGAIN, /* order was changed: submit it once more */
	OUTCOME_TO_RECORD, /* flow_executions_record() comes next, and tells the outcome */
	OUTCOME_HSM_AWAY, /* given back, due again now: hold all work for a while */
	OUTCOME_LATER /* given back, due again later */
};
/* What the answer to the order means. The answer may be forgotten afterwards. -1: not recorded. */
int flow_execution_judge(struct flow *f, struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_outcome *outcome, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Records n executions, at most STORE_BATCH, that were judged so, in one transaction. -1: none is
 * recorded, and unless that is TSB_E_CONNECTIVITY they may be tried one by one.
 */
int flow_executions_record(struct flow *f, struct flow_execution *const *xs, size_t n,
    enum flow_outcome *outcomes, struct tsb_err *err) TSB_MUSTCHECK;
/* The same of one, within a transaction. */
int flow_execution_record_in(struct flow *f, struct store_tx *tx, struct flow_execution *x,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Executes a repeatable request before it is in the database; *x has what is to be recorded, and is
 * freed by the caller. NULL: the HSM did not do it, and as nothing is written, the request may be
 * begun anew. -1: nobody answered.
 */
int flow_execute_unwritten(struct flow *f, const struct tsb_request *rq, struct flow_execution **x,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Calls and finishes a request that this process inserted as its own claim. */
int flow_execute_claimed(struct flow *f, const struct tsb_request *rq, struct tsb_err *err)
    TSB_MUSTCHECK;

/* The key password in password_box; empty when there is none. */
int flow_password_open(struct flow *f, const struct tsb_request *rq, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
