/* ECDSA with the nonce of RFC 6979 (HMAC-SHA-256), which OpenSSL has since 3.2. */
#ifndef TSB_HSM_SOFT_RFC6979_H
#define TSB_HSM_SOFT_RFC6979_H

#include "lib/crypto/ecdsa.h"

/*
 * Signs a SHA-256 digest; appends DER. By OpenSSL where it offers such nonces, else by our own
 * computation: the signatures are the same. TSB_E_HSM when it fails.
 */
int rfc6979_sign(const struct curve *, EVP_PKEY *private_key, struct tsb_view digest,
    struct tsb_bytes *der, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- the two ways, for tests ---- */

bool rfc6979_in_openssl(void); /* asked once in a process */
int rfc6979_by_openssl(EVP_PKEY *private_key, struct tsb_view digest, struct tsb_bytes *der,
    struct tsb_err *err) TSB_MUSTCHECK;
int rfc6979_by_hand(const struct curve *, EVP_PKEY *private_key, struct tsb_view digest,
    struct tsb_bytes *der, struct tsb_err *err) TSB_MUSTCHECK;

#endif
