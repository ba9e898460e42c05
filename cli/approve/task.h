/* Approval tasks: fetched, checked against their own token (task.c), shown (taskview.c). */
#ifndef TSB_CLI_APPROVE_TASK_H
#define TSB_CLI_APPROVE_TASK_H

#include "lib/ska/keyattr.h"
#include "lib/ska/token.h"
#include "lib/wire/client.h"

#include "cli/approve/signer.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/pinned.h"

/* All that an approver decides on. It is shown from the token, because the token is signed. */
struct task {
	const struct wire_client_task *wire;
	struct ska_approval_token token;
	bool has_attributes;
	struct keyattr attributes;
	bool timestamp_verified, attributes_verified; /* with a key that the approver gave */
	bool stale; /* the attributes are verified, but too old (attested.h) */
	struct ska_policy policy; /* modify: the new one, approvers identified */
};

/* Adds the members that prove who asks: timestamp, its signature, key or certificate. */
int task_prove(struct cli *, const struct signer *, struct tsb_bytes *body) TSB_MUSTCHECK;
/* Adds approverPublicKey or approverCertificate. */
void task_put_approver(const struct signer *, struct tsb_bytes *body);
/*
 * Fetches the open tasks of this approver: all, or the one with this id. raw (may be NULL) gets
 * {"tasks":[...]} as the server wrote it.
 */
int task_fetch(struct cli *, const struct signer *, const char *id, struct wire_client_task **tasks,
    size_t *n, struct tsb_bytes *raw) TSB_MUSTCHECK;
/*
 * The task with attributes that the HSM signs now. *found false: the server does not give any, or
 * the task is not open.
 */
int task_fetch_fresh(struct cli *, const struct signer *, const char *id,
    struct wire_client_task *out, bool *found) TSB_MUSTCHECK;
/*
 * The token must be strict, made for this approver's key, and agree with the request that the
 * server shows beside it; else CLI_WRONG.
 */
int task_check(struct cli *, const struct signer *, const struct pinned_keys *,
    const struct wire_client_task *, struct task *out) TSB_MUSTCHECK;
/* The part of task_check() that concerns the attributes of task->wire; CLI_WRONG. */
int task_check_attributes(struct cli *, const struct pinned_keys *, struct task *) TSB_MUSTCHECK;
void task_show(struct doc *, const struct task *);
/* Parts of task_show(): when the request was made, and what it asks for. */
void task_show_time(struct doc *, const struct task *);
void task_show_content(struct doc *, const struct task *);

#endif
