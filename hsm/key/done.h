/*
 * Blocking, unblocking and modifying happen once: the key keeps the approval tokens that changed
 * it, so that a request sent again, by a broker that lost the answer or by whoever kept it, is
 * known again. Tokens without timestamp are all alike and cannot be told apart: they are not kept.
 */
#ifndef TSB_HSM_KEY_DONE_H
#define TSB_HSM_KEY_DONE_H

#include "lib/ska/token.h"

#include "hsm/key/key.h"

/* The first approval is of a token that did this very operation with this key. */
bool done_before(const struct hsm_key *, enum ska_operation, struct tsb_view payload,
    const struct tsb_view *approvals, size_t n);
/* Keeps the token of approvals that were enforced; the oldest of KEY_DONE_MAX goes. */
void done_keep(struct hsm_key *, const struct tsb_view *approvals, size_t n);

#endif
