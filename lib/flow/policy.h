/* Policies that callers give to keys. */
#ifndef TSB_FLOW_POLICY_H
#define TSB_FLOW_POLICY_H

#include "lib/flow/context.h"

/*
 * What a policy must fulfil before the HSM sees it; resolves certificate approvers. The HSM knows
 * no names of approvers: *named tells that their certificates now stand in p, and that the body
 * has to be written anew from it before it is passed on.
 */
int flow_policy_check(struct flow *f, struct ska_policy *p, struct arena *a, bool *named,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
