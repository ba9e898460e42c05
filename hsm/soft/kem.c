#include "lib/first.h"

#include <openssl/err.h>

#include "hsm/soft/kem.h"

bool
kem_encapsulate(EVP_PKEY *key, struct tsb_bytes *ciphertext, struct tsb_bytes *secret)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t nciphertext = 0, nsecret = 0;
	bool done = ctx != NULL && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
	    EVP_PKEY_encapsulate(ctx, NULL, &nciphertext, NULL, &nsecret) == 1;

	if (done) {
		unsigned char *c = tsb_bytes_grow(ciphertext, nciphertext);
		unsigned char *s = tsb_bytes_grow(secret, nsecret);

		done = EVP_PKEY_encapsulate(ctx, c, &nciphertext, s, &nsecret) == 1;
	}
	ERR_clear_error();
	return done;
}

/* OpenSSL tells the size of ciphertexts where it makes them only. */
static bool
ciphertext_size(EVP_PKEY *key, size_t *n)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t nsecret = 0;

	return ctx != NULL && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
	    EVP_PKEY_encapsulate(ctx, NULL, n, NULL, &nsecret) == 1;
}

bool
kem_decapsulate(EVP_PKEY *key, struct tsb_view *in, struct tsb_bytes *secret)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t n = 0, nsecret = 0;
	bool done = ctx != NULL && ciphertext_size(key, &n) && in->n >= n &&
	    EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	    EVP_PKEY_decapsulate(ctx, NULL, &nsecret, in->p, n) == 1;

	if (done) {
		unsigned char *s = tsb_bytes_grow(secret, nsecret);

		done = EVP_PKEY_decapsulate(ctx, s, &nsecret, in->p, n) == 1;
		*in = tsb_view_of(in->p + n, in->n - n);
	}
	ERR_clear_error();
	return done;
}
