/*
 * What is done to keys and certificates without a request of its own, and calls that were refused:
 * rows of the audit. A site without database has them in its log only.
 */
#ifndef TSB_FLOW_DEED_H
#define TSB_FLOW_DEED_H

#include "lib/flow/context.h"

struct flow_deed {
	const char *action; /* "create key" */
	const char *actor; /* the role that allowed it */
	const char *key_name;
	const char *detail; /* another key that took part, NULL = none */
};

/*
 * Before the HSM is called: the intent, on disk. -1: it is not, and the deed must not be done
 * (TSB_E_CONNECTIVITY, TSB_E_SUBSYSTEM).
 */
int flow_deed_begin(struct flow *f, const struct flow_deed *deed, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * How it went: why is NULL when it was done. A row that cannot be written is in the log; then the
 * intent stands alone.
 */
void flow_deed_end(struct flow *f, const struct flow_deed *deed, const struct tsb_err *why);

/* The caller of what follows, for the audit (store_caller()). */
void flow_caller(struct flow *f, const char *caller, const char *address);
/* A call that was refused for its role: which, and with what. */
int flow_refused(struct flow *f, const char *actor, const char *call, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
