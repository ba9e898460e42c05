/*
 * Blocking, unblocking and modifying happen once. The key keeps the approval tokens that it obeyed,
 * so that it recognises a request that is sent again, be it by a broker that lost the answer or by
 * somebody who kept the request. Beyond KEY_DONE_KEPT tokens the earliest go, and the key refuses
 * whatever is not newer: what it has forgotten cannot come back. Tokens of the same second as the
 * newest stay, up to KEY_DONE_MAX, so that many changes at once do not refuse each other. Tokens
 * that found nothing to change are in a list of their own. They too must not work later, when there
 * is something to change, but they push out none of the others. Tokens without a timestamp look all
 * alike: they are not kept.
 *
 * Who approved a change is kept too, by the same rule: a modification may have replaced them, and
 * they may still ask whether it was made.
 */
#ifndef TSB_HSM_KEY_DONE_H
#define TSB_HSM_KEY_DONE_H

#include "lib/ska/token.h"

#include "hsm/key/key.h"

/* True if the key has obeyed the token of the first approval, which is for this very operation. */
bool done_before(const struct hsm_key *, enum ska_operation, struct tsb_view payload,
    const struct tsb_view *approvals, size_t n);
/* One of the approvers (hsm_key) of the change that this whole token made has this key. */
bool done_approved_by(struct tsb_view approvers, struct tsb_view token, struct tsb_view spki);
/*
 * Keeps the token of these approvals, which were enforced. changed: it changed the key, and its
 * approvers are kept as well. False when there was nothing to keep.
 */
bool done_keep(struct hsm_key *, const struct tsb_view *approvals, size_t n, bool changed);
/*
 * Older versions kept no times, nor whether they had dropped a token. Their list is of written at
 * the latest, the time (seconds) of the key file, and so is what a full list had dropped.
 */
void done_date(struct hsm_key *, int64_t written);

#endif
