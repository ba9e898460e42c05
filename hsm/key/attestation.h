/* What a key's attributes are verified with: the attestation key and its certificate. */
#ifndef TSB_HSM_KEY_ATTESTATION_H
#define TSB_HSM_KEY_ATTESTATION_H

#include "lib/base/arena.h"

#include "hsm/token.h"

/* DER of a certificate of the attestation key by itself, for ever. Bytes in the arena. */
int attestation_certify(const struct hsm_key *, struct token_key *private_half, int64_t now,
    struct arena *a, struct tsb_view *der, struct tsb_err *err) TSB_MUSTCHECK;

#endif
