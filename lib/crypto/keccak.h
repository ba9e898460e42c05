/* Keccak[c] with the padding that Ethereum kept (0x01), which is not SHA-3's. */
#ifndef TSB_CRYPTO_KECCAK_H
#define TSB_CRYPTO_KECCAK_H

#include "lib/base/bytes.h"

/* size bytes (28, 32, 48 or 64) of the sponge with capacity 2 * size. */
void keccak(struct tsb_view in, size_t size, unsigned char *out);

#endif
