/* RSA encryption (RFC 8017, 7) of payloads and of keys to be wrapped. */
#ifndef TSB_HSM_SOFT_RSA_H
#define TSB_HSM_SOFT_RSA_H

#include "hsm/key/cipher.h"

/* Appends one block. TSB_E_PAYLOAD when in is too long. */
int rsa_encrypt(EVP_PKEY *, enum rsa_padding, enum hash, struct tsb_view in, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Every failure is TSB_E_DECRYPT_FAILED with one text, which does not tell what was wrong with the
 * block. For PKCS#1 v1.5 newer versions of OpenSSL return random bytes instead of failing (implicit
 * rejection).
 */
int rsa_decrypt(EVP_PKEY *, enum rsa_padding, enum hash, struct tsb_view in, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
