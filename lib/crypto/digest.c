#include "lib/first.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/crypto/crypto.h"

void
crypto_sha256(struct tsb_view in, unsigned char out[CRYPTO_SHA256_SIZE])
{
	if (EVP_Q_digest(NULL, "SHA2-256", NULL, in.n == 0 ? (const void *)"" : in.p, in.n, out,
		NULL) != 1)
		fatal("OpenSSL has no SHA-256");
}

void
crypto_random(void *p, size_t n)
{
	if (RAND_priv_bytes_ex(NULL, p, n, 0) != 1)
		fatal("OpenSSL has no random bytes");
}
