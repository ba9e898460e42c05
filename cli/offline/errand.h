/* One carried request, executed by the HSM here: call, look-up after a crash, result. */
#ifndef TSB_CLI_OFFLINE_ERRAND_H
#define TSB_CLI_OFFLINE_ERRAND_H

#include "cli/offline/journal.h"

/*
 * After an intent without a result: *found, and j done, when the HSM shows that the call was
 * executed, or when nobody can tell (a failure that says so). Else it was not executed, or does no
 * harm twice.
 */
int errand_recover(struct cli *, const struct carried *, struct journal *j, bool *found)
    TSB_MUSTCHECK;
/*
 * Intent, call, result; j is done afterwards. A refusal of the request by the HSM is a result. -1
 * for everything else: the HSM is away or in trouble, or wants another API key or key password;
 * nothing is lost then, the same again goes on.
 */
int errand_execute(struct cli *, const struct carried *, struct journal *j) TSB_MUSTCHECK;

#endif
