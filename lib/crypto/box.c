#include "lib/first.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/keypair.h"

#define NONCE_SIZE 12
#define TAG_SIZE   16
#define PLAIN_MAX  (INT_MAX / 2)
/* 2^20 blocks of 1 KiB: one derivation takes 1 GiB, more is a mistake or an attack. */
#define LOG_N_MAX 20

_Static_assert(NONCE_SIZE + TAG_SIZE == CRYPTO_BOX_OVERHEAD, "overhead of a box");

static void
cipher_ctx_free(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}
#define cipher_ctx_auto EVP_CIPHER_CTX __attribute__((cleanup(cipher_ctx_free)))

static EVP_CIPHER *
aes_gcm(void)
{
	static EVP_CIPHER *cipher; /* fetching is the dear part */

	if (cipher == NULL && (cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) == NULL)
		fatal("OpenSSL has no AES-256-GCM");
	return cipher;
}

/* Ready for data: key, nonce and additional data are in. */
static EVP_CIPHER_CTX *
start(const unsigned char *key, const unsigned char *nonce, struct tsb_view additional, int seal)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	if (additional.n > PLAIN_MAX)
		fatal("additional data of %zu bytes", additional.n);
	if (ctx == NULL || EVP_CipherInit_ex2(ctx, aes_gcm(), key, nonce, seal, NULL) != 1 ||
	    (additional.n > 0 &&
		EVP_CipherUpdate(ctx, NULL, &n, additional.p, (int)additional.n) != 1))
		fatal("OpenSSL cannot start AES-256-GCM");
	return ctx;
}

void
crypto_box_seal(const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_view additional,
    struct tsb_view plain, struct tsb_bytes *out)
{
	unsigned char nonce[NONCE_SIZE], *p;
	int n = 0, rest = 0;

	if (plain.n > PLAIN_MAX)
		fatal("secret box of %zu bytes", plain.n);
	crypto_random(nonce, sizeof(nonce));
	cipher_ctx_auto *ctx = start(key, nonce, additional, 1);
	p = tsb_bytes_grow(out, CRYPTO_BOX_OVERHEAD + plain.n);
	for (size_t i = 0; i < sizeof(nonce); i++)
		*p++ = nonce[i];
	if ((plain.n > 0 && EVP_CipherUpdate(ctx, p, &n, plain.p, (int)plain.n) != 1) ||
	    EVP_CipherFinal_ex(ctx, p + n, &rest) != 1 || (size_t)n + (size_t)rest != plain.n ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, p + plain.n) != 1)
		fatal("OpenSSL cannot seal a secret box");
}

int
crypto_box_open(const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_view additional,
    struct tsb_view box, struct tsb_bytes *plain, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	unsigned char tag[TAG_SIZE], *p;
	int n = 0, rest = 0;
	size_t size;

	if (box.n < CRYPTO_BOX_OVERHEAD || box.n > PLAIN_MAX)
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "a sealed value has a wrong length");
	size = box.n - CRYPTO_BOX_OVERHEAD;
	for (size_t i = 0; i < sizeof(tag); i++)
		tag[i] = box.p[box.n - sizeof(tag) + i];
	cipher_ctx_auto *ctx = start(key, box.p, additional, 0);
	p = tsb_bytes_grow(&text, size);
	if ((size > 0 && EVP_CipherUpdate(ctx, p, &n, box.p + NONCE_SIZE, (int)size) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) != 1 ||
	    EVP_CipherFinal_ex(ctx, p + n, &rest) != 1 || (size_t)n + (size_t)rest != size) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "a sealed value does not open: it was changed or the key is another one");
	}
	tsb_bytes_add_view(plain, tsb_view_bytes(&text));
	return 0;
}

/* ---- a key that both sides hold ---- */

static EVP_CIPHER_CTX *
gcm_start(struct tsb_view key, const unsigned char *iv, int seal, struct tsb_err *err)
{
	const EVP_CIPHER *cipher = key.n == 16 ? EVP_aes_128_gcm()
	    : key.n == 32                      ? EVP_aes_256_gcm()
					       : NULL;
	EVP_CIPHER_CTX *ctx;

	if (cipher == NULL) {
		(void)tsb_fail(err, TSB_E_INPUT, "a key of AES-GCM has 16 or 32 bytes");
		return NULL;
	}
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL || EVP_CipherInit_ex2(ctx, cipher, key.p, iv, seal, NULL) != 1)
		fatal("OpenSSL cannot start AES-GCM");
	return ctx;
}

int
crypto_gcm_seal(struct tsb_view key, struct tsb_view plain, unsigned char iv[CRYPTO_GCM_IV_SIZE],
    struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char *p;
	int n = 0, rest = 0;

	if (plain.n > PLAIN_MAX)
		fatal("AES-GCM over %zu bytes", plain.n);
	crypto_random(iv, CRYPTO_GCM_IV_SIZE);
	cipher_ctx_auto *ctx = gcm_start(key, iv, 1, err);
	if (ctx == NULL)
		return -1;
	p = tsb_bytes_grow(out, plain.n + TAG_SIZE);
	if ((plain.n > 0 && EVP_CipherUpdate(ctx, p, &n, plain.p, (int)plain.n) != 1) ||
	    EVP_CipherFinal_ex(ctx, p + n, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, p + plain.n) != 1)
		fatal("OpenSSL cannot seal with AES-GCM");
	return 0;
}

int
crypto_gcm_open(struct tsb_view key, struct tsb_view iv, struct tsb_view sealed,
    struct tsb_bytes *plain, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	unsigned char tag[TAG_SIZE], *p;
	int n = 0, rest = 0;
	size_t size;

	if (iv.n != CRYPTO_GCM_IV_SIZE || sealed.n < TAG_SIZE || sealed.n > PLAIN_MAX)
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "an encrypted value has a wrong length");
	size = sealed.n - TAG_SIZE;
	for (size_t i = 0; i < sizeof(tag); i++)
		tag[i] = sealed.p[size + i];
	cipher_ctx_auto *ctx = gcm_start(key, iv.p, 0, err);
	if (ctx == NULL)
		return -1;
	p = tsb_bytes_grow(&text, size);
	if ((size > 0 && EVP_CipherUpdate(ctx, p, &n, sealed.p, (int)size) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) != 1 ||
	    EVP_CipherFinal_ex(ctx, p + n, &rest) != 1) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "an encrypted value does not open: it was changed or the key is another one");
	}
	tsb_bytes_add_view(plain, tsb_view_bytes(&text));
	return 0;
}

/* ---- passwords ---- */

int
crypto_scrypt(struct tsb_view password, struct tsb_view salt, unsigned log_n,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	uint64_t n = (uint64_t)1 << (log_n & 31);

	if (log_n < 1 || log_n > LOG_N_MAX)
		return tsb_fail(err, TSB_E_INPUT, "scrypt: cost 2^%u is not within 2^1 to 2^%d",
		    log_n, LOG_N_MAX);
	/* Memory: 128 r N, the same again for the other parts at small N. */
	if (EVP_PBE_scrypt(password.n == 0 ? "" : (const char *)password.p, password.n, salt.p,
		salt.n, n, 8, 1, 2 * 1024 * n + 1024 * 1024, key, CRYPTO_BOX_KEY_SIZE) != 1) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_TECHNICAL, "scrypt: not enough memory for cost 2^%u",
		    log_n);
	}
	return 0;
}
