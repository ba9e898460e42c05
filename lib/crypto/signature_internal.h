/* Checking with an algorithm that is chosen already: for tsb-hsm, whose keys are open. */
#ifndef TSB_CRYPTO_SIGNATURE_INTERNAL_H
#define TSB_CRYPTO_SIGNATURE_INTERNAL_H

#include "lib/crypto/scheme.h"

/* Recognises each form of the algorithm (api-notes.md 8.3). A wrong signature is not an error. */
int signature_verify(EVP_PKEY *public_key, const struct scheme *, const struct scheme_extra *,
    struct tsb_view payload, struct tsb_view signature, bool *valid, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
