/* Encryption and decryption by OpenSSL. */
#include "lib/first.h"

#include <stdio.h>

#include <openssl/err.h>

#include "lib/crypto/gcm.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/ecies.h"
#include "hsm/soft/internal.h"
#include "hsm/soft/rsa.h"

#define BLOCK 16 /* bytes of AES */

EVP_CIPHER *
soft_aes(size_t n, const char *mode)
{
	char name[32];

	snprintf(name, sizeof(name), "AES-%zu-%s", n * 8, mode);
	return EVP_CIPHER_fetch(NULL, name, NULL);
}

/* ---- AES without authentication ---- */

static int
check_blocks(const struct cipher_algorithm *alg, size_t n, struct tsb_err *err)
{
	if (alg->whole && n % BLOCK)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must be whole blocks of %d bytes for %s", BLOCK, alg->name);
	return 0;
}

static bool
aes_run(const struct cipher_algorithm *alg, const struct soft_key *key, struct tsb_view iv,
    bool encrypt, struct tsb_view in, struct tsb_bytes *out)
{
	cipher_auto *cipher = soft_aes(key->secret.n, alg->mode);
	cipher_ctx_auto *ctx = EVP_CIPHER_CTX_new();
	tsb_bytes_auto result = {0};
	unsigned char *p = tsb_bytes_grow(&result, in.n + BLOCK);
	int n = 0, last = 0;
	bool ok = cipher != NULL && ctx != NULL &&
	    EVP_CipherInit_ex2(ctx, cipher, key->secret.p, iv.p, encrypt, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, alg->pad) == 1 &&
	    EVP_CipherUpdate(ctx, p, &n, in.p, (int)in.n) == 1 &&
	    EVP_CipherFinal_ex(ctx, p + n, &last) == 1;

	if (ok)
		tsb_bytes_add(out, p, (size_t)(n + last));
	ERR_clear_error();
	return ok;
}

static int
aes_encrypt(const struct cipher_algorithm *alg, const struct soft_key *key, struct tsb_view payload,
    struct cipher_encrypted *out, struct tsb_err *err)
{
	if (check_blocks(alg, payload.n, err))
		return -1;
	if (alg->iv)
		crypto_random(tsb_bytes_grow(&out->iv, BLOCK), BLOCK);
	if (!aes_run(alg, key, tsb_view_bytes(&out->iv), true, payload, &out->payload))
		return tsb_fail(err, TSB_E_HSM, "the payload could not be encrypted");
	return 0;
}

static int
aes_decrypt(const struct cipher_algorithm *alg, const struct soft_key *key,
    const struct wire_cipher *given, struct tsb_view payload, struct tsb_bytes *out,
    struct tsb_err *err)
{
	if (check_blocks(alg, payload.n, err))
		return -1;
	if (alg->iv && given->iv.n != BLOCK)
		return tsb_fail(err, TSB_E_INPUT, "initializationVector must have %d bytes for %s",
		    BLOCK, alg->name);
	if (!aes_run(alg, key, given->iv, false, payload, out))
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "the payload cannot be decrypted");
	return 0;
}

/* ---- ciphers with a tag ---- */

/* A tag of 0 bits means the longest one. With ECIES the length is fixed. */
static int
tag_size(const struct cipher_algorithm *alg, const struct wire_cipher *given, size_t *size,
    struct tsb_err *err)
{
	if (given->tag_length == 0) {
		*size = GCM_TAG_SIZE;
		return 0;
	}
	if (alg->scheme == CIPHER_ECIES && given->tag_length != 8 * ECIES_TAG_SIZE)
		return tsb_fail(err, TSB_E_TAG_LENGTH, "tagLength must be %d for %s",
		    8 * ECIES_TAG_SIZE, alg->name);
	*size = (size_t)given->tag_length / 8;
	return 0;
}

static int
gcm_encrypt(const struct soft_key *key, const struct wire_cipher *given, struct tsb_view payload,
    struct cipher_encrypted *out, struct tsb_err *err)
{
	struct gcm g = {
	    .key = tsb_view_bytes(&key->secret),
	    .additional = given->additional,
	    .tag_size = out->tag_size,
	};

	crypto_random(tsb_bytes_grow(&out->iv, GCM_IV_SIZE), GCM_IV_SIZE);
	g.iv = tsb_view_bytes(&out->iv);
	return gcm_seal(&g, payload, &out->payload, err);
}

static int
gcm_decrypt(const struct soft_key *key, const struct wire_cipher *given, size_t tag,
    struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct gcm g = {
	    .key = tsb_view_bytes(&key->secret),
	    .iv = given->iv,
	    .additional = given->additional,
	    .tag_size = tag,
	};

	if (given->iv.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "initializationVector is missing");
	return gcm_open(&g, payload, out, err);
}

/* ---- all ---- */

int
soft_encrypt(const struct soft_key *opened, const struct hsm_key *k,
    const struct cipher_algorithm *alg, const struct wire_cipher *given, struct tsb_view payload,
    struct cipher_encrypted *out, struct tsb_err *err)
{
	switch (alg->scheme) {
	case CIPHER_RSA:
		return rsa_encrypt(k->public_key, alg->padding, alg->hash, payload, &out->payload,
		    err);
	case CIPHER_ECIES:
		if (tag_size(alg, given, &out->tag_size, err))
			return -1;
		return ecies_encrypt(k->curve, k->public_key, given->additional, payload,
		    &out->payload, err);
	case CIPHER_GCM:
		if (tag_size(alg, given, &out->tag_size, err))
			return -1;
		return gcm_encrypt(opened, given, payload, out, err);
	case CIPHER_AES:
		return aes_encrypt(alg, opened, payload, out, err);
	}
	return tsb_fail(err, TSB_E_IMPL, "cipher %s has no scheme", alg->name);
}

int
soft_decrypt(const struct soft_key *opened, const struct hsm_key *k,
    const struct cipher_algorithm *alg, const struct wire_cipher *given, struct tsb_view payload,
    struct tsb_bytes *out, struct tsb_err *err)
{
	size_t tag;

	switch (alg->scheme) {
	case CIPHER_RSA:
		return rsa_decrypt(opened->pair, alg->padding, alg->hash, payload, out, err);
	case CIPHER_ECIES:
		if (tag_size(alg, given, &tag, err))
			return -1;
		return ecies_decrypt(k->public_key, opened->pair, given->additional, payload, out,
		    err);
	case CIPHER_GCM:
		if (tag_size(alg, given, &tag, err))
			return -1;
		return gcm_decrypt(opened, given, tag, payload, out, err);
	case CIPHER_AES:
		return aes_decrypt(alg, opened, given, payload, out, err);
	}
	return tsb_fail(err, TSB_E_IMPL, "cipher %s has no scheme", alg->name);
}
