/* Policies: made from options, shown to people. */
#ifndef TSB_CLI_POLICY_H
#define TSB_CLI_POLICY_H

#include "lib/ska/policy.h"

#include "cli/output.h"

/*
 * JSON of the policy that --policy or --approvers ask for, with keyStatus as key creation wants it.
 * *json stays empty when neither is given. Says on stderr which rules stay open.
 */
int policy_of_options(struct cli *, struct tsb_bytes *json) TSB_MUSTCHECK;
/* The four rules as a branch of the document; rules that anybody may use are marked. */
void policy_show(struct doc *, const struct ska_policy *);
/* One rule. approved (n keys) marks who has approved already; NULL = do not say. */
void policy_show_rule(struct doc *, enum ska_rule_kind, const struct ska_rule *,
    const struct tsb_view *approved, size_t n);

#endif
