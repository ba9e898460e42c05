#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"

#include "hsm/key/chain.h"

#define CHECKSUM_SIZE 4

static void
put_u32(struct tsb_bytes *out, uint32_t v)
{
	const unsigned char big_endian[] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
	    (unsigned char)(v >> 8), (unsigned char)v};

	tsb_bytes_add(out, big_endian, sizeof(big_endian));
}

void
chain_encode(const struct chain *c, struct tsb_bytes *out)
{
	const unsigned char depth = (unsigned char)c->depth;

	tsb_bytes_add(out, &depth, 1);
	tsb_bytes_add(out, c->parent, sizeof(c->parent));
	put_u32(out, c->child);
	tsb_bytes_add(out, c->code, sizeof(c->code));
}

bool
chain_decode(struct tsb_view v, struct chain *out)
{
	static const unsigned char zero[CHAIN_PARENT_SIZE + 4];
	const unsigned char *p = v.p;

	if (v.n != CHAIN_SIZE || (p[0] == 0 && memcmp(p + 1, zero, sizeof(zero)) != 0))
		return false;
	out->depth = *p++;
	memcpy(out->parent, p, sizeof(out->parent));
	p += sizeof(out->parent);
	out->child = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	memcpy(out->code, p + 4, sizeof(out->code));
	return true;
}

/* Base58Check: four bytes of a double SHA-256 stand behind the value. */
static void
put_base58check(struct tsb_bytes *value, struct tsb_bytes *out)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(tsb_view_bytes(value), digest);
	crypto_sha256(tsb_view_of(digest, sizeof(digest)), digest);
	tsb_bytes_add(value, digest, CHECKSUM_SIZE);
	enc_base58(tsb_view_bytes(value), out);
}

void
chain_format(const struct chain *c, uint32_t version, struct tsb_view key, struct tsb_bytes *out)
{
	tsb_bytes_auto value = {0};

	put_u32(&value, version);
	chain_encode(c, &value);
	tsb_bytes_add_view(&value, key);
	put_base58check(&value, out);
}
