#include "lib/first.h"

#include <pthread.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/crypto/crypto.h"

/* Finding the digest among the providers costs more than a short input does: it is done once. */
static EVP_MD *sha256;

static void
fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

void
crypto_sha256(struct tsb_view in, unsigned char out[CRYPTO_SHA256_SIZE])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, fetch) != 0 || sha256 == NULL ||
	    EVP_Digest(in.n == 0 ? (const void *)"" : in.p, in.n, out, NULL, sha256, NULL) != 1)
		fatal("OpenSSL has no SHA-256");
}

void
crypto_random(void *p, size_t n)
{
	if (RAND_priv_bytes_ex(NULL, p, n, 0) != 1)
		fatal("OpenSSL has no random bytes");
}
