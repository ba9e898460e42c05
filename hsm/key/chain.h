/* What a key has beside its private half so that others can be derived from it (BIP-32). */
#ifndef TSB_HSM_KEY_CHAIN_H
#define TSB_HSM_KEY_CHAIN_H

#include "lib/base/bytes.h"

#define CHAIN_CODE_SIZE   32
#define CHAIN_PARENT_SIZE 4
#define CHAIN_DEPTH_MAX   255
#define CHAIN_SIZE        (1 + CHAIN_PARENT_SIZE + 4 + CHAIN_CODE_SIZE)

struct chain {
	unsigned depth; /* 0 = a master key */
	unsigned char
	    parent[CHAIN_PARENT_SIZE]; /* fingerprint of its public key; 0 of a master key */
	uint32_t child; /* which child of its parent, as in a path; 0 of a master key */
	unsigned char code[CHAIN_CODE_SIZE];
};

/* The bytes between version and key of an extended key. Appends. */
void chain_encode(const struct chain *, struct tsb_bytes *out);
/* False unless v is CHAIN_SIZE bytes that chain_encode() writes. */
bool chain_decode(struct tsb_view v, struct chain *out);
/*
 * The extended key of BIP-32 as a text in Base58Check. key has 33 bytes: the compressed public key,
 * or a zero byte and the private key. Appends.
 */
#define CHAIN_XPUB UINT32_C(0x0488b21e)
#define CHAIN_XPRV UINT32_C(0x0488ade4)
void chain_format(const struct chain *, uint32_t version, struct tsb_view key,
    struct tsb_bytes *out);

#endif
