/* Policies that requests bring (api-notes.md 4.1): fit to be a key's. */
#ifndef TSB_HSM_KEY_POLICY_H
#define TSB_HSM_KEY_POLICY_H

#include "lib/ska/policy.h"

/*
 * Resolves and checks. TSB_E_APPROVER_NOT_EXISTENT for names of onboarded approvers, which mean
 * something to the broker alone: it sends their certificates.
 */
int key_policy_check(struct ska_policy *, struct arena *, struct tsb_err *) TSB_MUSTCHECK;
/*
 * The same for the policy of a new key, in which certificates are named by their common name. A
 * policy that modifies a key stays as it was approved.
 */
int key_policy_check_new(struct ska_policy *, struct arena *, struct tsb_err *) TSB_MUSTCHECK;

#endif
