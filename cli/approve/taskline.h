/* A task in one line and in one sentence, for whoever has many of them. */
#ifndef TSB_CLI_APPROVE_TASKLINE_H
#define TSB_CLI_APPROVE_TASKLINE_H

#include "cli/approve/task.h"

/* What the columns of taskline_print() are. */
void taskline_heading(void);
/* Age, key, operation, what is asked or the caller's note, who is missing, deadline, request id. */
void taskline_print(const struct task *);
/*
 * "use key 'invoices' to sign 15 bytes of text; 2 of 3 (alice, bob, carol) must agree, nobody has
 * yet". The text is the arena's.
 */
const char *taskline_sentence(struct arena *, const struct task *);
/*
 * When the last token of the rule times out, in seconds of the HSM's clock. False when none does or
 * nothing here knows.
 */
bool taskline_deadline(const struct task *, uint64_t *out);

#endif
