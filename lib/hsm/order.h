/* What the HSM is to do for a request, one order at a time or many in flight. */
#ifndef TSB_HSM_ORDER_H
#define TSB_HSM_ORDER_H

#include "lib/hsm/hsm.h"

enum hsm_order_type {
	HSM_ORDER_EXECUTE, /* a request with its approvals */
	HSM_ORDER_LOOK, /* the attributes of a key, which show what became of an earlier order */
	HSM_ORDER_STORE /* a certificate, with its key */
};

/* Texts must stay until hsm_execute() or hsm_submit() has returned, the arena until the answer. */
struct hsm_order {
	enum hsm_order_type type;
	const char *key_name; /* LOOK, STORE */
	struct tsb_view password; /* of the key; empty = none */
	enum tsb_kind kind; /* EXECUTE: one that is executed as itself */
	struct tsb_view inner; /* EXECUTE: the object of the request, compact, without password */
	const struct tsb_view *approvals; /* EXECUTE */
	size_t napprovals;
	struct tsb_view certificate; /* STORE: PEM */
	int64_t not_after_ms; /* clock_now_ms() from which it is not sent any more; 0 = never */
	struct arena *arena; /* for what the answer holds */
};

enum hsm_outcome {
	HSM_DID_IT,
	HSM_REFUSED, /* and will again */
	HSM_AWAY, /* the HSM did not hear of it */
	HSM_STOPPED, /* on its way, by a limit of size, time or rate: may pass when that is raised */
	HSM_LOST, /* sent, and no whole answer came: it may have been executed */
	HSM_TROUBLE /* answered that it cannot now, or what no HSM answers: it may be asked again */
};

struct hsm_answer {
	enum hsm_outcome outcome;
	struct tsb_view result; /* EXECUTE: text of the result; empty for kinds without one */
	struct tsb_key_attributes attributes; /* LOOK */
	struct tsb_err why; /* unless the HSM did it */
};

/* Waits for the answer. */
void hsm_execute(struct hsm *, const struct hsm_order *, struct hsm_answer *);

typedef void hsm_done(void *ctx, const struct hsm_answer *answer);
/*
 * Many orders in flight, for the dispatcher: done() is called from hsm_wait(), and may submit. -1:
 * the order cannot be written, and done() will not be called.
 */
int hsm_submit(struct hsm *, const struct hsm_order *, hsm_done *done, void *ctx,
    struct tsb_err *err) TSB_MUSTCHECK;
size_t hsm_in_flight(const struct hsm *);
/*
 * Waits up to timeout_ms for answers or for fd (-1 = none) to become readable, whichever is first.
 * Returns true when fd is readable. May return before the time with nothing done.
 */
bool hsm_wait(struct hsm *, int fd, int timeout_ms);

#endif
