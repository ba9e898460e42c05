/* Why an approver rejects: read from --reason or asked for. */
#ifndef TSB_CLI_APPROVE_REASON_H
#define TSB_CLI_APPROVE_REASON_H

#include "cli/lib/cli.h"

/*
 * Checks --reason, if it is given. TSB_E_INPUT unless it is fit to be sent: nothing is fetched or
 * answered before.
 */
int reason_check(struct cli *) TSB_MUSTCHECK;
/*
 * The reason for a rejection: that of --reason; without it, and without --yes, a line typed at the
 * terminal. *out NULL: none. The text is the arena's. TSB_E_INPUT when the terminal is gone.
 */
int reason_get(struct cli *, const char **out) TSB_MUSTCHECK;

#endif
