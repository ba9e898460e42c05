/* RSA encryption (RFC 8017, 7) of payloads and of keys to be wrapped. */
#ifndef TSB_HSM_SOFT_RSA_H
#define TSB_HSM_SOFT_RSA_H

#include "hsm/key/cipher.h"

/* Appends one block. TSB_E_PAYLOAD when in is too long. */
int rsa_encrypt(EVP_PKEY *, enum rsa_padding, enum hash, struct tsb_view in, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Every failure is TSB_E_DECRYPT_FAILED with one text, which does not tell what was wrong with the
 * block. For PKCS#1 v1.5 a wrong block is no failure: it opens to bytes that nobody knows (implicit
 * rejection, by OpenSSL or by rsa_pkcs1_message()).
 */
int rsa_decrypt(EVP_PKEY *, enum rsa_padding, enum hash, struct tsb_view in, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Appends the message in opened, to which the key has decrypted block without padding, or what
 * stands for it when the padding is wrong (pkcs1.c). TSB_E_DECRYPT_FAILED only for wrong sizes.
 */
int rsa_pkcs1_message(EVP_PKEY *key, struct tsb_view block, struct tsb_view opened,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
