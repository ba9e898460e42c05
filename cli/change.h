/* What a new policy changes: for the approvers of a modification and for those who ask for one. */
#ifndef TSB_CLI_CHANGE_H
#define TSB_CLI_CHANGE_H

#include "lib/ska/policy.h"

#include "cli/output.h"

/*
 * Rule by rule, as a branch of the document: unchanged, or what it was and what it becomes. Marks
 * rules that everyone may use, that nobody can ever meet, that ask for less than before. old NULL:
 * not known. Both identified (strength.h).
 */
void change_show(struct doc *, const struct ska_policy *old, const struct ska_policy *now);
/* "block, unblock and modify" of bits 1 << RULE_*. */
const char *change_rule_list(struct arena *, unsigned rules);

#endif
