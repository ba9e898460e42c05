/* RSA encryption (RFC 8017, 7) of payloads and of keys to be wrapped. */
#ifndef TSB_HSM_SOFT_RSA_H
#define TSB_HSM_SOFT_RSA_H

#include "hsm/key/cipher.h"

/* TSB_E_PAYLOAD when in is too long. Appends one block. */
int rsa_encrypt(EVP_PKEY *, enum rsa_padding, enum hash, struct tsb_view in, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Every failure is TSB_E_DECRYPT_FAILED with one text: what was wrong with the block is not told.
 * With PKCS#1 v1.5 newer versions of OpenSSL return random bytes instead (implicit rejection).
 */
int rsa_decrypt(EVP_PKEY *, enum rsa_padding, enum hash, struct tsb_view in, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
