/* The few items of CBOR (RFC 8949) that Uniform Resources are made of. */
#ifndef TSB_QR_UR_CBOR_H
#define TSB_QR_UR_CBOR_H

#include "lib/base/bytes.h"

enum { CBOR_UINT = 0, CBOR_BYTES = 2, CBOR_ARRAY = 4 };

/* In its shortest form. Appends. */
void ur_cbor_head(unsigned type, uint32_t value, struct tsb_bytes *out);

#endif
