/* Calls of services that approve by a program of their own (docs/approvers.md). */
#ifndef TSB_WIRE_AUTOMATED_H
#define TSB_WIRE_AUTOMATED_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Body of POST /api/v1/execute: the task as JSON of level 6, and how long the program may run. */
void wire_execute_format(struct tsb_view task, long seconds, struct tsb_bytes *out);

/* What the program answers; both live in the arena. */
struct wire_executed {
	struct tsb_view output; /* the text of the token that it approves, or anything else */
	struct tsb_view signature; /* by the key of the approver; empty = none */
};
/* Members that we do not know are skipped. TSB_E_INPUT says why it is no such answer. */
int wire_executed_parse(struct tsb_view body, struct arena *a, struct wire_executed *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
