#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/hash.h"
#include "lib/crypto/keccak.h"

static const struct {
	const char *md; /* name in OpenSSL */
	size_t size;
	void (*own)(struct tsb_view in, size_t size, unsigned char *out); /* when it has none */
} rows[HASH__MAX] = {
    [HASH_NONE] = {NULL, 0, NULL},
    [HASH_SHA1] = {"SHA1", 20, NULL},
    [HASH_SHA224] = {"SHA224", 28, NULL},
    [HASH_SHA256] = {"SHA256", 32, NULL},
    [HASH_SHA384] = {"SHA384", 48, NULL},
    [HASH_SHA512] = {"SHA512", 64, NULL},
    [HASH_SHA3_224] = {"SHA3-224", 28, NULL},
    [HASH_SHA3_256] = {"SHA3-256", 32, NULL},
    [HASH_SHA3_384] = {"SHA3-384", 48, NULL},
    [HASH_SHA3_512] = {"SHA3-512", 64, NULL},
    [HASH_KECCAK_224] = {"KECCAK-224", 28, keccak},
    [HASH_KECCAK_256] = {"KECCAK-256", 32, keccak},
    [HASH_KECCAK_384] = {"KECCAK-384", 48, keccak},
    [HASH_KECCAK_512] = {"KECCAK-512", 64, keccak},
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

static int
digest(enum hash h, struct tsb_view in, unsigned char *out, struct tsb_err *err)
{
	const EVP_MD *md = hash_md(h);

	if (md == NULL && rows[h].own != NULL) {
		rows[h].own(in, rows[h].size, out);
		return 0;
	}
	if (md == NULL || !EVP_Digest(in.p, in.n, out, NULL, md, NULL)) {
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
