#include "lib/first.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/base/enc.h"
#include "lib/base/err.h"

struct signer {
	EVP_PKEY *key;
	struct tsb_bytes spki;
};

struct signer *
signer_new(const char *kind)
{
	struct signer *s = calloc(1, sizeof(*s));
	unsigned char *der = NULL;
	int n;

	if (s == NULL)
		fatal("out of memory");
	s->key = strcmp(kind, "p256") == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	if (s->key == NULL || (n = i2d_PUBKEY(s->key, &der)) <= 0)
		fatal("cannot make a key of kind %s", kind);
	enc_base64(tsb_view_of(der, (size_t)n), &s->spki);
	OPENSSL_free(der);
	return s;
}

void
signer_free(struct signer *s)
{
	EVP_PKEY_free(s->key);
	tsb_bytes_clear(&s->spki);
	free(s);
}

const char *
signer_spki(const struct signer *s)
{
	return tsb_bytes_cstr((struct tsb_bytes *)&s->spki);
}

char *
signer_sign(const struct signer *s, struct arena *a, struct tsb_view message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[512];
	size_t n = sizeof(signature);

	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, s->key) != 1 ||
	    EVP_DigestSign(ctx, signature, &n, message.p, message.n) != 1)
		fatal("cannot sign");
	EVP_MD_CTX_free(ctx);
	return enc_base64_str(a, tsb_view_of(signature, n));
}
