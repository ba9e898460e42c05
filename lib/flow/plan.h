/*
 * Plans: whom a request asks, by the policy of its key. A policy that changes while a request waits
 * is planned anew: tasks go to those whom it names, and the approvals of those who left stay on
 * record but do not count.
 */
#ifndef TSB_FLOW_PLAN_H
#define TSB_FLOW_PLAN_H

#include "lib/flow/evaluate.h"

/* One task per approver whom the rule asks when the request is made, in a. */
struct tsb_task *flow_plan_tasks(const struct tsb_request *rq, const struct ska_rule *rule,
    struct arena *a, size_t *n);

/*
 * Plans a request that *rq shows as it is in the database, open and free or claimed by this
 * process, by the key as it is now; a claim ends with it. Inside the caller's transaction, which
 * also stores the key's attributes; with an audit row. *moved false: somebody else was faster, and
 * nothing changed. *rq is as it became.
 */
int flow_plan_anew(struct flow *f, struct store_tx *tx, struct tsb_request *rq,
    const struct flow_key *key, int64_t now_ms, struct arena *a, bool *moved, struct tsb_err *err)
    TSB_MUSTCHECK;

/*
 * Plans all open requests of a key, and of keys derived from it, that nobody executes just now and
 * that were planned by other attributes; wakes the dispatchers for those that are due. Transactions
 * of its own: after an error the rest is still as it was, and a repeat goes on.
 */
int flow_requests_plan_anew(struct flow *f, const char *key_name, const struct flow_key *key,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The same after a change that this process passed on to the HSM: asks it for the key as it is now.
 * What fails is logged; the HSM's refusal of approvals that no longer fit repeats it (execute.h).
 */
void flow_key_changed(struct flow *f, const char *key_name, struct tsb_view password);

#endif
