#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/gcm.h"
#include "lib/crypto/owned.h"

/* Fetching is the dear part: once in a process. NULL for a key of another length. */
static EVP_CIPHER *
cipher_of(bool chacha20, size_t key_size)
{
	static struct {
		bool chacha20;
		size_t key_size;
		const char *name;
		EVP_CIPHER *cipher;
	} rows[] = {{false, 16, "AES-128-GCM", NULL}, {false, 24, "AES-192-GCM", NULL},
	    {false, 32, "AES-256-GCM", NULL}, {true, 32, "ChaCha20-Poly1305", NULL}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		if (rows[i].chacha20 != chacha20 || rows[i].key_size != key_size)
			continue;
		if (rows[i].cipher == NULL)
			rows[i].cipher = EVP_CIPHER_fetch(NULL, rows[i].name, NULL);
		return rows[i].cipher;
	}
	return NULL;
}

static bool
start(EVP_CIPHER_CTX *ctx, const struct gcm *g, bool seal)
{
	EVP_CIPHER *cipher = cipher_of(g->chacha20, g->key.n);
	int n;

	return ctx != NULL && cipher != NULL && g->additional.n <= INT_MAX &&
	    EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, seal, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)g->iv.n, NULL) == 1 &&
	    EVP_CipherInit_ex2(ctx, NULL, g->key.p, g->iv.p, seal, NULL) == 1 &&
	    (g->additional.n == 0 ||
		EVP_CipherUpdate(ctx, NULL, &n, g->additional.p, (int)g->additional.n) == 1);
}

int
gcm_seal(const struct gcm *g, struct tsb_view plain, struct tsb_bytes *out, struct tsb_err *err)
{
	cipher_ctx_auto *ctx = EVP_CIPHER_CTX_new();
	tsb_bytes_auto sealed = {0};
	unsigned char *p = tsb_bytes_grow(&sealed, plain.n + g->tag_size);
	int n = 0, last;

	if (plain.n > INT_MAX || !start(ctx, g, true) ||
	    (plain.n > 0 && EVP_CipherUpdate(ctx, p, &n, plain.p, (int)plain.n) != 1) ||
	    EVP_CipherFinal_ex(ctx, p + n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)g->tag_size, p + plain.n) != 1) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "the payload could not be encrypted");
	}
	tsb_bytes_add_view(out, tsb_view_bytes(&sealed));
	return 0;
}

int
gcm_open(const struct gcm *g, struct tsb_view sealed, struct tsb_bytes *out, struct tsb_err *err)
{
	cipher_ctx_auto *ctx = EVP_CIPHER_CTX_new();
	tsb_bytes_auto plain = {0};
	unsigned char tag[GCM_TAG_SIZE], *p;
	size_t size;
	int n = 0, last;

	if (sealed.n < g->tag_size || sealed.n > INT_MAX || g->tag_size > sizeof(tag))
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "the cipher text is shorter than its tag");
	size = sealed.n - g->tag_size;
	memcpy(tag, sealed.p + size, g->tag_size);
	p = tsb_bytes_grow(&plain, size + 1); /* never NULL, also for an empty text */
	if (!start(ctx, g, false) ||
	    (size > 0 && EVP_CipherUpdate(ctx, p, &n, sealed.p, (int)size) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)g->tag_size, tag) != 1 ||
	    EVP_CipherFinal_ex(ctx, p + n, &last) != 1) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "the tag does not fit: wrong key, initializationVector or data");
	}
	tsb_bytes_add(out, p, size);
	return 0;
}
