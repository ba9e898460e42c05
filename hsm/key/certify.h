/* Certificates of the HSM's own keys by themselves: with what their signatures are verified. */
#ifndef TSB_HSM_KEY_CERTIFY_H
#define TSB_HSM_KEY_CERTIFY_H

#include "lib/base/arena.h"

#include "hsm/token.h"

/*
 * DER of a certificate of an attestation key or RFC 3161 timestamp key by itself, for ever. Bytes
 * in the arena.
 */
int certify_system(const struct hsm_key *, struct token_key *private_half, int64_t now,
    struct arena *a, struct tsb_view *der, struct tsb_err *err) TSB_MUSTCHECK;

#endif
