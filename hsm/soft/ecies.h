/*
 * ECIES (docs/hsm-api.md): an ephemeral key on the curve of the receiver's, ECDH, HKDF with
 * SHA-256, AES-256-GCM. The cipher text is the ephemeral point (uncompressed), the encrypted bytes
 * and the tag.
 */
#ifndef TSB_HSM_SOFT_ECIES_H
#define TSB_HSM_SOFT_ECIES_H

#include <openssl/evp.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/crypto/curve.h"
#include "lib/crypto/gcm.h"

#define ECIES_TAG_SIZE GCM_TAG_SIZE

/* Appends. additional is authenticated with the cipher text. */
int ecies_encrypt(const struct curve *, EVP_PKEY *public_key, struct tsb_view additional,
    struct tsb_view plain, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_DECRYPT_FAILED for everything but the output of ecies_encrypt() for this key. */
int ecies_decrypt(EVP_PKEY *public_key, EVP_PKEY *private_key, struct tsb_view additional,
    struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
