/* Digests of the signature algorithms (api-notes.md 12.1). */
#ifndef TSB_CRYPTO_HASH_H
#define TSB_CRYPTO_HASH_H

#include <openssl/evp.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"

#define HASH_SIZE_MAX 64

enum hash {
	HASH_NONE,
	HASH_SHA1,
	HASH_SHA224,
	HASH_SHA256,
	HASH_SHA384,
	HASH_SHA512,
	HASH_SHA3_224,
	HASH_SHA3_256,
	HASH_SHA3_384,
	HASH_SHA3_512,
	HASH_KECCAK_224,
	HASH_KECCAK_256,
	HASH_KECCAK_384,
	HASH_KECCAK_512,
	HASH_SHAKE128, /* 32 bytes of it */
	HASH_SHAKE256, /* 64 bytes of it */
	HASH_DOUBLE_SHA256,
	HASH__MAX
};

size_t hash_size(enum hash); /* 0 for HASH_NONE */
/* SHA-1 or SHA-2 of this size, else HASH_NONE. */
enum hash hash_by_size(size_t size);
/*
 * OpenSSL's digest, asked for once in a process; NULL where it has none (Keccak before 3.2, what is
 * turned off) or none of this name (double SHA-256).
 */
const EVP_MD *hash_md(enum hash);
/* Whether hash_compute() can; true for HASH_NONE. */
bool hash_is_offered(enum hash);
/* Any but HASH_NONE. Fails only when OpenSSL refuses the digest. */
int hash_compute(enum hash, struct tsb_view in, unsigned char out[HASH_SIZE_MAX],
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends its OBJECT IDENTIFIER in DER, for SHA-2, SHA-3 and SHAKE. */
void hash_oid_format(enum hash, struct tsb_bytes *out);

#endif
