/* What approvals of a request bind, and whether a key shows that it was done. */
#ifndef TSB_MODEL_CONTENT_H
#define TSB_MODEL_CONTENT_H

#include "lib/model/model.h"

/*
 * The content as the request itself says it, in the arena; its policy must be resolved. Empty for
 * CONTENT_NONE, and for certificates, which are written by whoever has them signed.
 */
struct tsb_view tsb_content_bytes(const struct tsb_request_in *, struct arena *);
/*
 * Whether the attributes show the effect of a request of this kind with this content, made at asked
 * (seconds of the HSM's clock). For EFFECT_NEW_KEY they are those of the new key, else those of the
 * key that was to change. Results for the caller never show. TSB_E_PAYLOAD: the content is not
 * understood.
 */
int tsb_effect_shows(enum tsb_kind, const struct keyattr *, struct tsb_view content, int64_t asked,
    bool *shows, struct tsb_err *) TSB_MUSTCHECK;

#endif
