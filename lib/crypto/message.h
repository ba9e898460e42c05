/*
 * Signatures over whole messages, which no digest of ours precedes: Ed25519 (RFC 8032), ML-DSA
 * (FIPS 204) and SLH-DSA (FIPS 205), the last two with a context and in their pre-hash forms.
 */
#ifndef TSB_CRYPTO_MESSAGE_H
#define TSB_CRYPTO_MESSAGE_H

#include "lib/crypto/scheme.h"

/* The scheme is one of scheme_signs_messages(), for this key. Appends the signature. TSB_E_HSM. */
int message_sign(EVP_PKEY *, const struct scheme *, const struct scheme_extra *,
    struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* A wrong signature is not an error. TSB_E_HSM when OpenSSL lacks the digest of a pre-hash form. */
int message_verify(EVP_PKEY *, const struct scheme *, const struct scheme_extra *,
    struct tsb_view message, struct tsb_view signature, bool *valid, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
