/* Shows what a new policy changes: to approvers of a modification and to those who ask for it. */
#ifndef TSB_CLI_KEY_CHANGE_H
#define TSB_CLI_KEY_CHANGE_H

#include "lib/ska/policy.h"

#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

/*
 * Rule by rule, as a branch of the document: unchanged, or what it was and what it becomes. Marks
 * rules that everyone may use, that nobody can ever meet, that ask for less than before. old NULL:
 * not known. Both identified (strength.h).
 */
void change_show(struct doc *, const struct ska_policy *old, const struct ska_policy *now);
/*
 * Asks once more when there are rules that everyone may use under now; *yes at once when there are
 * none or --yes-open-rules is given. what: "the new policy" or the task. CLI_OPENS with --yes alone
 * and without a terminal to ask at.
 */
int change_confirm(struct cli *, const char *what, const struct ska_policy *now, bool *yes)
    TSB_MUSTCHECK;

#endif
