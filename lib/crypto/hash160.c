#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/hash160.h"

bool
crypto_hash160(struct tsb_view in, unsigned char out[HASH160_SIZE])
{
	EVP_MD *ripemd = EVP_MD_fetch(NULL, "RIPEMD160", NULL);
	unsigned char sha[CRYPTO_SHA256_SIZE];
	bool ok;

	crypto_sha256(in, sha);
	ok = ripemd != NULL && EVP_Digest(sha, sizeof(sha), out, NULL, ripemd, NULL) == 1;
	EVP_MD_free(ripemd);
	ERR_clear_error();
	return ok;
}
