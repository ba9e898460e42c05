/* Policies in requests (api-notes.md 4.1): are they fit for a key? */
#ifndef TSB_HSM_KEY_POLICY_H
#define TSB_HSM_KEY_POLICY_H

#include "lib/ska/policy.h"

/*
 * Resolves and checks. TSB_E_APPROVER_NOT_EXISTENT for names of onboarded approvers: only the
 * broker knows them, and it should have sent their certificates.
 */
int key_policy_check(struct ska_policy *, struct arena *, struct tsb_err *) TSB_MUSTCHECK;
/*
 * The same for the policy of a new key: its certificates also get their common name as a name. The
 * policy of a modification stays exactly as it was approved.
 */
int key_policy_check_new(struct ska_policy *, struct arena *, struct tsb_err *) TSB_MUSTCHECK;

#endif
