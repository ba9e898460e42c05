/* An execution between its claim and its outcome. */
#ifndef TSB_FLOW_EXECUTION_H
#define TSB_FLOW_EXECUTION_H

#include "lib/hsm/order.h"
#include "lib/model/model.h"

/* Why the order looks at the key after the HSM has answered for the request. */
enum flow_look {
	LOOK_NONE,
	LOOK_CHANGED, /* its policy is another one now: other requests are planned anew by it */
	LOOK_REFUSED /* it may be another one, by which this request has to be planned anew */
};

struct flow_record;

/* Lives in its own arena. Made and freed by execute.h. */
struct flow_execution {
	struct tsb_request request;
	struct hsm_order order;
	struct tsb_bytes password; /* of the order; wiped */
	struct tsb_view *approvals; /* those of the chosen token */
	size_t napprovals;
	struct tsb_view certificate; /* PEM that the order stores; empty = not made yet */
	const char *holder; /* the key that it is stored with */
	bool asking; /* the order asks whether an earlier attempt has happened (recover.h) */
	bool only_asking; /* the rule is not met any more: nothing is called after that */
	enum flow_look look;
	struct tsb_err refusal; /* LOOK_REFUSED: what the HSM said */
	bool called; /* the HSM may have heard of the request in this execution */
	bool never_sent; /* the last order did not reach the HSM as a whole */
	bool clock_set_back; /* that of the HSM, since it stamped the request */
	int64_t locked_until_ms; /* end of the timelock of the chosen token, 0 = it has none */
	int64_t sent_ms;
	struct flow_record *record; /* of execute.c: what will be recorded, once it was judged */
	struct arena arena;
};

#endif
