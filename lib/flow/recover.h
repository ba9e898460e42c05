/* Whether the call of an interrupted attempt has happened. */
#ifndef TSB_FLOW_RECOVER_H
#define TSB_FLOW_RECOVER_H

#include "lib/flow/execution.h"

enum flow_finding {
	FOUND_DONE, /* the earlier attempt has happened */
	FOUND_NOT_DONE, /* it has not: the call may be made */
	FOUND_UNKNOWN /* nobody can tell */
};
/* The order by which the HSM tells; x->order has the key and its password. */
int flow_recover_ask(struct flow_execution *x, struct tsb_err *err) TSB_MUSTCHECK;
/* What its answer means; -1 when the answer itself failed (err, as raised by the HSM). */
int flow_recover_find(struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_finding *found, struct tsb_err *err) TSB_MUSTCHECK;

#endif
