/* What claims need of executions. */
#ifndef TSB_FLOW_EXECUTE_INTERNAL_H
#define TSB_FLOW_EXECUTE_INTERNAL_H

#include "lib/flow/execute.h"

struct flow_execution *flow_execution_new(void);
/* Makes x->order for the next call. */
int flow_order_prepare(struct flow *f, struct flow_execution *x, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * What is to be recorded of an order that cannot be prepared, for the reason in *err: it is tried
 * again later, like one that the HSM could not serve.
 */
int flow_outcome_of_no_call(struct flow *f, struct flow_execution *x, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
