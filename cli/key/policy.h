/* Policies: made from options, shown to people. */
#ifndef TSB_CLI_KEY_POLICY_H
#define TSB_CLI_KEY_POLICY_H

#include "lib/ska/policy.h"

#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

/*
 * Appends the JSON of the policy that --policy or --approvers ask for; *json stays empty when
 * neither is given. At the creation of a key it has keyStatus, and a note on stderr names the rules
 * that stay open.
 */
int policy_of_options(struct cli *, bool creation, struct tsb_bytes *json) TSB_MUSTCHECK;
/* "use this key", "rule use" ... */
extern const char *const policy_rule_verbs[RULE__MAX], *const policy_rule_titles[RULE__MAX];

/*
 * Shows the four rules as a branch of the document and marks those that everyone or nobody can use.
 * Approvers must be identified (strength.h), here and below.
 */
void policy_show(struct doc *, const struct ska_policy *);
/* Shows one rule. approved (n keys) marks who has approved already; NULL = do not say. */
void policy_show_rule(struct doc *, enum ska_rule_kind, const struct ska_rule *,
    const struct tsb_view *approved, size_t n);
void policy_show_tokens(struct doc *, const struct ska_rule *, const struct tsb_view *approved,
    size_t n);
/* Warns when everyone or nobody can meet the rule. */
void policy_warn_reach(struct doc *, enum ska_rule_kind, const struct ska_rule *);
/* Notes on stderr, once each, the certificates of approvers that are not valid now. */
void policy_note_validity(const struct ska_policy *);
/* Kind, fingerprint and name of an approver; the text is the arena's. */
const char *policy_approver(struct arena *, const struct ska_approver *);
/* True when both rules have the same binary form. */
bool policy_same_rule(const struct ska_rule *, const struct ska_rule *);

#endif
