/* Has the HSM here execute one request: call, look-up after a crash, result. */
#ifndef TSB_CLI_OFFLINE_ERRAND_H
#define TSB_CLI_OFFLINE_ERRAND_H

#include "cli/offline/journal.h"

/*
 * Looks after an intent without a result. Sets *found, and j is done, when the HSM shows that it
 * executed the call, or when nobody can tell (a failure that says so). Else it did not execute the
 * call, or a second time does no harm.
 */
int errand_recover(struct cli *, const struct carried *, struct journal *j, bool *found)
    TSB_MUSTCHECK;
/*
 * Records the intent, calls, records the result; j is done afterwards. A refusal by the HSM is a
 * result. -1 for all else: the HSM is away or in trouble, or wants another API key or key password.
 * Then nothing is lost: the same command goes on.
 */
int errand_execute(struct cli *, const struct carried *, struct journal *j) TSB_MUSTCHECK;

#endif
