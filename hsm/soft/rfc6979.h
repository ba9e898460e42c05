/* ECDSA with the nonce of RFC 6979, which OpenSSL offers only from 3.2 on. */
#ifndef TSB_HSM_SOFT_RFC6979_H
#define TSB_HSM_SOFT_RFC6979_H

#include "lib/crypto/ecdsa.h"

/* With HMAC-SHA-256; gives DER. */
int rfc6979_sign(const struct curve *, EVP_PKEY *private_key, struct tsb_view digest,
    struct tsb_bytes *der, struct tsb_err *err) TSB_MUSTCHECK;

#endif
