/*
 * Keys under ML-KEM (FIPS 203): the secret of an encapsulation is the AES-256 key that wraps them
 * (RFC 5649); what travels is its ciphertext, then the wrapped key.
 */
#ifndef TSB_HSM_SOFT_KEM_H
#define TSB_HSM_SOFT_KEM_H

#include "lib/base/bytes.h"
#include "lib/crypto/owned.h"

/* Appends a ciphertext for this public key, and the secret in it. False: OpenSSL fails. */
bool kem_encapsulate(EVP_PKEY *, struct tsb_bytes *ciphertext, struct tsb_bytes *secret);
/*
 * Takes the ciphertext off the front of in and appends its secret. For a wrong one that is a secret
 * that nobody knows (implicit rejection); false when in is too short.
 */
bool kem_decapsulate(EVP_PKEY *, struct tsb_view *in, struct tsb_bytes *secret);

#endif
