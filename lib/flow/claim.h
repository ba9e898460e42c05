/* Due requests, and their claims: the beginning of an execution (execute.h). */
#ifndef TSB_FLOW_CLAIM_H
#define TSB_FLOW_CLAIM_H

#include "lib/flow/context.h"
#include "lib/flow/execution.h"

struct flow_claimed {
	struct tsb_uuid id;
	struct flow_execution *x; /* NULL = not claimed; freed with flow_execution_free() */
	struct tsb_err err; /* why this one failed; TSB_OK otherwise */
};
/*
 * Claims due requests, at most STORE_BATCH, for this process, in one transaction, and prepares
 * their orders; out has n rows, in an order of its own. x is NULL, without an error, when there is
 * nothing to do: another one has it, it is finished, not due, or was moved (EXPIRED). One that
 * fails leaves the others alone, unless the database refuses it: then -1, nothing is claimed, and
 * they may be tried one by one. takes_back, for a process that has just begun: also claims of an
 * earlier process of its name whose lease lasts, if their request may be executed twice.
 */
int flow_executions_claim(struct flow *f, const struct tsb_uuid *ids, size_t n, bool takes_back,
    struct flow_claimed *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Ids of requests that are claimed under the name of this process, oldest first. */
int flow_requests_owned(struct flow *f, size_t limit, struct arena *a, struct tsb_uuid **ids,
    size_t *n, struct tsb_err *err) TSB_MUSTCHECK;

/* Ids of due requests, oldest first. */
int flow_requests_due(struct flow *f, int64_t now_ms, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
/* When the next request becomes due or overdue; 0 = nothing known. */
int flow_next_time(struct flow *f, int64_t *at_ms, struct tsb_err *err) TSB_MUSTCHECK;

#endif
