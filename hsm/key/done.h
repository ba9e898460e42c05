/*
 * Blocking, unblocking and modifying happen once. The key keeps the approval tokens that changed
 * it, so that it recognises a request that is sent again, be it by a broker that lost the answer or
 * by somebody who kept the request. Tokens without a timestamp look all alike: they are not kept.
 */
#ifndef TSB_HSM_KEY_DONE_H
#define TSB_HSM_KEY_DONE_H

#include "lib/ska/token.h"

#include "hsm/key/key.h"

/* True if the token of the first approval has done this very operation with this key. */
bool done_before(const struct hsm_key *, enum ska_operation, struct tsb_view payload,
    const struct tsb_view *approvals, size_t n);
/* Keeps the token of these approvals, which were enforced. The oldest of KEY_DONE_MAX goes. */
void done_keep(struct hsm_key *, const struct tsb_view *approvals, size_t n);

#endif
