/*
 * What a request to sign may bring along besides its payload (api-notes.md 4.5). Empty = not given.
 */
#ifndef TSB_CRYPTO_EXTRA_H
#define TSB_CRYPTO_EXTRA_H

#include "lib/crypto/k256.h"

struct scheme_extra {
	struct tsb_view context; /* of FIPS 204 and 205: at most 255 bytes */
	struct tsb_view aux; /* of BIP-340: K256_SIZE bytes */
	struct k256_taproot taproot;
};

#endif
