/* Executions: claim a request, call the HSM, record the outcome. */
#ifndef TSB_FLOW_EXECUTE_H
#define TSB_FLOW_EXECUTE_H

#include "lib/flow/context.h"
#include "lib/flow/execution.h"

struct flow_claimed {
	struct tsb_uuid id;
	struct flow_execution *x; /* NULL = not claimed; freed with flow_execution_free() */
	struct tsb_err err; /* why this one failed; TSB_OK otherwise */
};
/*
 * Claims due requests for this process, in one transaction, and prepares their orders; out has n
 * rows, in an order of its own. x is NULL, without an error, when there is nothing to do: another
 * one has it, it is finished, not due, or was moved (EXPIRED). One that fails leaves the others
 * alone, unless the database refuses it: then -1, nothing is claimed, and they may be tried one by
 * one.
 */
int flow_executions_claim(struct flow *f, const struct tsb_uuid *ids, size_t n,
    struct flow_claimed *out, struct tsb_err *err) TSB_MUSTCHECK;
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
 * Records n executions that were judged so, in one transaction. -1: none is recorded, and unless
 * that is TSB_E_CONNECTIVITY they may be tried one by one.
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

/* Ids of due requests, oldest first. */
int flow_requests_due(struct flow *f, int64_t now_ms, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
/* When the next request becomes due or overdue; 0 = nothing known. */
int flow_next_time(struct flow *f, int64_t *at_ms, struct tsb_err *err) TSB_MUSTCHECK;

/* The key password in password_box; empty when there is none. */
int flow_password_open(struct flow *f, const struct tsb_request *rq, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
