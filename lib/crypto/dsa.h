/* Forms of a DSA signature (FIPS 186-4): DER, and r||s. */
#ifndef TSB_CRYPTO_DSA_H
#define TSB_CRYPTO_DSA_H

#include <openssl/evp.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* Bytes of q, hence of r and of s; 0 for a key that is not DSA. */
size_t dsa_order_size(EVP_PKEY *);
/* DER to r||s of a signature by this key. */
int dsa_to_raw(EVP_PKEY *, struct tsb_view der, struct tsb_bytes *raw, struct tsb_err *err)
    TSB_MUSTCHECK;
/* r||s to DER. False when it has another form. */
bool dsa_from_raw(EVP_PKEY *, struct tsb_view raw, struct tsb_bytes *der);

#endif
