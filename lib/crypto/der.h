/* Writing DER. Contents are written first, then put under their head. Private to lib/crypto. */
#ifndef TSB_CRYPTO_DER_H
#define TSB_CRYPTO_DER_H

#include "lib/base/bytes.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80, /* [0] IMPLICIT of a primitive type */
	DER_CONTEXT_CONSTRUCTED = 0xa0 /* [0]; add the number */
};

/* Appends one value. */
void der_put(struct tsb_bytes *out, unsigned char tag, struct tsb_view content);
/* The same, content being what was gathered in b, which is emptied. */
void der_put_gathered(struct tsb_bytes *out, unsigned char tag, struct tsb_bytes *b);
/* Whole octets without unused bits. */
void der_put_bits(struct tsb_bytes *out, struct tsb_view content);
/* Up to 255. */
void der_put_small(struct tsb_bytes *out, unsigned char value);
/* The OBJECT IDENTIFIER that OpenSSL knows by this number. */
void der_put_oid(struct tsb_bytes *out, int nid);

#endif
