/*
 * When the HSM attested a key. An old attestation is as genuine as a new one: only its time tells
 * whether the policy in it can still be the policy of the key.
 */
#ifndef TSB_CLI_APPROVE_ATTESTED_H
#define TSB_CLI_APPROVE_ATTESTED_H

#include "cli/approve/approver.h"

/*
 * With an attestation key: fetches fresh attributes for operations that change the key, and for all
 * others when those of the task are older than --attested-within. Sets task->stale when they still
 * are. CLI_WRONG when the fresh ones are not the HSM's.
 */
int attested_freshen(struct approver *, struct task *) TSB_MUSTCHECK;
/* Fails with CLI_WRONG and what to do when the task is stale. */
int attested_require(struct cli *, const struct task *) TSB_MUSTCHECK;
/* "as attested at 2026-01-05T10:00:42Z (12 minutes ago)", in the arena. */
const char *attested_text(struct arena *, const struct keyattr *);

#endif
