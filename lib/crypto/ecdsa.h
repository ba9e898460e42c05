/* Forms of an ECDSA signature: DER, r||s, and r||s||v as Ethereum wants it. */
#ifndef TSB_CRYPTO_ECDSA_H
#define TSB_CRYPTO_ECDSA_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/crypto/curve.h"

/* DER to r||s, each of curve->scalar bytes. */
int ecdsa_to_raw(const struct curve *, struct tsb_view der, struct tsb_bytes *raw,
    struct tsb_err *err) TSB_MUSTCHECK;
/* r||s, or r||s||v with v one of 0, 1, 27, 28, to DER. False when it has another form. */
bool ecdsa_from_raw(const struct curve *, struct tsb_view raw, struct tsb_bytes *der);
/* The bytes are exactly one DER SEQUENCE { r, s }. */
bool ecdsa_is_der(struct tsb_view);
/* On secp256k1, DER with s in the lower half: some networks relay no other. */
int ecdsa_to_low_s(struct tsb_view der, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* The same as r||s||v, with v 27 or 28: the one that gives back public_key. */
int ecdsa_to_eth(EVP_PKEY *public_key, struct tsb_view digest, struct tsb_view der,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
