/* The approver at work: own key, keys of the HSM to check with, tasks. */
#ifndef TSB_CLI_APPROVE_APPROVER_H
#define TSB_CLI_APPROVE_APPROVER_H

#include "cli/approve/signer.h"
#include "cli/approve/task.h"
#include "cli/lib/pinned.h"

struct approver {
	struct cli *cli;
	struct signer signer;
	struct pinned_keys keys;
	struct wire_client_task *tasks; /* the arena's */
	size_t n;
};
#define approver_auto struct approver __attribute__((cleanup(approver_clear)))

/* Loads the keys. 0, or -1 with the error in a->cli. */
int approver_load(struct approver *) TSB_MUSTCHECK;
void approver_clear(struct approver *);
/* "tasks of request ... for the key EC SHA256:...", in the arena: what was asked for in vain. */
const char *approver_wanted(struct approver *);

#endif
