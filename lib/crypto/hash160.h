/* RIPEMD-160 of SHA-256, by which Bitcoin and its relatives name public keys. */
#ifndef TSB_CRYPTO_HASH160_H
#define TSB_CRYPTO_HASH160_H

#include "lib/base/bytes.h"

#define HASH160_SIZE 20

/* False when this OpenSSL does not offer RIPEMD-160. */
bool crypto_hash160(struct tsb_view in, unsigned char out[HASH160_SIZE]);

#endif
