/* What the approvals of a request mean, by the policy of its key. Pure but for loading the key. */
#ifndef TSB_FLOW_EVALUATE_H
#define TSB_FLOW_EVALUATE_H

#include "lib/flow/keycache.h"
#include "lib/ska/verdict.h"

/* Seconds of the HSM's clock when the request was made, and at now_ms. */
int64_t flow_request_t0(const struct tsb_request *rq);
int64_t flow_request_hsm_now(const struct tsb_request *rq, int64_t now_ms);
/* Time of the HSM's clock in the broker's milliseconds. */
int64_t flow_request_broker_ms(const struct tsb_request *rq, int64_t hsm_seconds);
/* One vote per approval, in a. */
struct ska_vote *flow_votes(const struct tsb_approval *approvals, size_t n, struct arena *a);
/* The key by whose policy approvers are asked; *key NULL: its attributes are not here. */
int flow_request_key(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* The key was not known when the request was made, nor imported since (profile air-gapped). */
bool flow_request_key_unknown(const struct tsb_request *rq);
/* Rule that guards the request; NULL for a key without policy. */
const struct ska_rule *flow_request_rule(const struct flow_key *key, enum tsb_kind kind);
/*
 * In place of the rule that is not known here: any of the configured approvers, or of those who
 * have answered. The offline HSM decides.
 */
const struct ska_rule *flow_unknown_rule(const struct flow *f, const struct tsb_approval *rows,
    size_t n, struct arena *a);
/*
 * The rule of either kind; *rule NULL for a key without policy, *key NULL for one that is not
 * known.
 */
int flow_request_guard(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, const struct flow_key **key,
    const struct ska_rule **rule, struct tsb_err *err) TSB_MUSTCHECK;
/* Approvals are accepted: neither finished nor under way nor overdue. */
bool flow_request_open(const struct tsb_request *rq, int64_t now_ms);
/* Its time is over, but its state does not say so yet. */
bool flow_request_overdue(const struct tsb_request *rq, int64_t now_ms);
/*
 * State, due time and expiry that the verdict gives a request that is not being executed. Without
 * an HSM nobody here can tell that approvals suffice, so a request whose rule is met stays PENDING.
 */
struct store_change flow_change_by_verdict(const struct flow *f, const struct tsb_request *rq,
    const struct ska_verdict *v);

#endif
