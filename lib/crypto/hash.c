#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/hash.h"
#include "lib/crypto/keccak.h"
#include "lib/crypto/owned.h"

static const struct {
	const char *md; /* name in OpenSSL */
	size_t size;
	void (*own)(struct tsb_view in, size_t size, unsigned char *out); /* when it has none */
	unsigned char arc; /* below 2.16.840.1.101.3.4.2; 0 = none there */
} rows[HASH__MAX] = {
    [HASH_NONE] = {NULL, 0, NULL},
    [HASH_SHA1] = {"SHA1", 20, NULL},
    [HASH_SHA224] = {"SHA224", 28, NULL, 4},
    [HASH_SHA256] = {"SHA256", 32, NULL, 1},
    [HASH_SHA384] = {"SHA384", 48, NULL, 2},
    [HASH_SHA512] = {"SHA512", 64, NULL, 3},
    [HASH_SHA3_224] = {"SHA3-224", 28, NULL, 7},
    [HASH_SHA3_256] = {"SHA3-256", 32, NULL, 8},
    [HASH_SHA3_384] = {"SHA3-384", 48, NULL, 9},
    [HASH_SHA3_512] = {"SHA3-512", 64, NULL, 10},
    [HASH_KECCAK_224] = {"KECCAK-224", 28, keccak},
    [HASH_KECCAK_256] = {"KECCAK-256", 32, keccak},
    [HASH_KECCAK_384] = {"KECCAK-384", 48, keccak},
    [HASH_KECCAK_512] = {"KECCAK-512", 64, keccak},
    [HASH_SHAKE128] = {"SHAKE128", 32, NULL, 11},
    [HASH_SHAKE256] = {"SHAKE256", 64, NULL, 12},
    [HASH_DOUBLE_SHA256] = {NULL, 32, NULL},
};

size_t
hash_size(enum hash h)
{
	return rows[h].size;
}

enum hash
hash_by_size(size_t size)
{
	for (enum hash h = HASH_SHA1; h <= HASH_SHA512; h++)
		if (rows[h].size == size)
			return h;
	return HASH_NONE;
}

const EVP_MD *
hash_md(enum hash h)
{
	static EVP_MD *fetched[HASH__MAX];
	static bool asked[HASH__MAX];

	if (!asked[h] && rows[h].md != NULL) {
		fetched[h] = EVP_MD_fetch(NULL, rows[h].md, NULL);
		ERR_clear_error();
		asked[h] = true;
	}
	return fetched[h];
}

bool
hash_is_offered(enum hash h)
{
	if (h == HASH_DOUBLE_SHA256)
		h = HASH_SHA256;
	return h == HASH_NONE || rows[h].own != NULL || hash_md(h) != NULL;
}

static bool
openssl_digest(const EVP_MD *md, struct tsb_view in, size_t size, unsigned char *out)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, in.p, in.n) != 1)
		return false;
	return EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF ? EVP_DigestFinalXOF(ctx, out, size) == 1
						      : EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

static int
digest(enum hash h, struct tsb_view in, unsigned char *out, struct tsb_err *err)
{
	const EVP_MD *md = hash_md(h);

	if (md == NULL && rows[h].own != NULL) {
		rows[h].own(in, rows[h].size, out);
		return 0;
	}
	if (md == NULL || !openssl_digest(md, in, rows[h].size, out)) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "digest %s is not available", rows[h].md);
	}
	return 0;
}

int
hash_compute(enum hash h, struct tsb_view in, unsigned char out[HASH_SIZE_MAX], struct tsb_err *err)
{
	if (h != HASH_DOUBLE_SHA256)
		return digest(h, in, out, err);
	if (digest(HASH_SHA256, in, out, err))
		return -1;
	return digest(HASH_SHA256, tsb_view_of(out, 32), out, err);
}

void
hash_oid_format(enum hash h, struct tsb_bytes *out)
{
	const unsigned char oid[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	    rows[h].arc};

	if (rows[h].arc == 0)
		fatal("digest %d has no object identifier", (int)h);
	tsb_bytes_add(out, oid, sizeof(oid));
}
