/* Encryption and decryption by OpenSSL. */
#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "lib/crypto/gcm.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/ecies.h"
#include "hsm/soft/internal.h"
#include "hsm/soft/rsa.h"

#define BLOCK_MAX 16 /* bytes */

EVP_CIPHER *
soft_cipher(enum key_kind kind, unsigned bits, const char *mode)
{
	static const char *const families[KEY_KIND__MAX] =
	    {[KEY_AES] = "AES", [KEY_CAMELLIA] = "CAMELLIA"};
	char name[32];

	if (families[kind] == NULL)
		return EVP_CIPHER_fetch(NULL, mode, NULL);
	snprintf(name, sizeof(name), "%s-%u-%s", families[kind], bits, mode);
	return EVP_CIPHER_fetch(NULL, name, NULL);
}

/* ---- without authentication ---- */

static int
check_blocks(const struct cipher_algorithm *alg, size_t n, struct tsb_err *err)
{
	if (alg->block != 0 && n % alg->block)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must be whole blocks of %u bytes for %s", alg->block, alg->name);
	return 0;
}

#define CHACHA20_COUNTER 4

/*
 * OpenSSL's IV of ChaCha20 has the block counter in front (RFC 8439, 2.3). A nonce alone begins at
 * block 0.
 */
static struct tsb_view
whole_iv(const struct cipher_algorithm *alg, const struct hsm_key *k, struct tsb_view iv,
    unsigned char buf[BLOCK_MAX])
{
	if (k->kind != KEY_CHACHA20 || iv.n != alg->iv)
		return iv;
	memset(buf, 0, CHACHA20_COUNTER);
	memcpy(buf + CHACHA20_COUNTER, iv.p, iv.n);
	return tsb_view_of(buf, CHACHA20_COUNTER + iv.n);
}

/* iv has the size that OpenSSL takes. */
static bool
plain_run(const struct cipher_algorithm *alg, const struct hsm_key *k, const struct soft_key *key,
    struct tsb_view iv, bool encrypt, struct tsb_view in, struct tsb_bytes *out)
{
	cipher_auto *cipher = soft_cipher(k->kind, k->size, alg->mode);
	cipher_ctx_auto *ctx = EVP_CIPHER_CTX_new();
	tsb_bytes_auto result = {0};
	unsigned char *p = tsb_bytes_grow(&result, in.n + BLOCK_MAX);
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
plain_encrypt(const struct cipher_algorithm *alg, const struct hsm_key *k,
    const struct soft_key *key, struct tsb_view payload, struct cipher_encrypted *out,
    struct tsb_err *err)
{
	unsigned char buf[BLOCK_MAX];
	struct tsb_view iv;

	if (check_blocks(alg, payload.n, err))
		return -1;
	if (alg->iv != 0)
		crypto_random(tsb_bytes_grow(&out->iv, alg->iv), alg->iv);
	iv = whole_iv(alg, k, tsb_view_bytes(&out->iv), buf);
	if (!plain_run(alg, k, key, iv, true, payload, &out->payload))
		return tsb_fail(err, TSB_E_HSM, "the payload could not be encrypted");
	return 0;
}

static int
check_iv(const struct cipher_algorithm *alg, const struct hsm_key *k, struct tsb_view iv,
    struct tsb_err *err)
{
	const bool counted = k->kind == KEY_CHACHA20 && alg->scheme == CIPHER_PLAIN;

	if (alg->iv == 0 || iv.n == alg->iv || (counted && iv.n == CHACHA20_COUNTER + alg->iv))
		return 0;
	return tsb_fail(err, TSB_E_INPUT, "initializationVector must have %u bytes%s for %s",
	    alg->iv, counted ? ", or 16 with the counter in front," : "", alg->name);
}

static int
plain_decrypt(const struct cipher_algorithm *alg, const struct hsm_key *k,
    const struct soft_key *key, const struct wire_cipher *given, struct tsb_view payload,
    struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char buf[BLOCK_MAX];

	if (check_blocks(alg, payload.n, err) || check_iv(alg, k, given->iv, err))
		return -1;
	if (!plain_run(alg, k, key, whole_iv(alg, k, given->iv, buf), false, payload, out))
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "the payload cannot be decrypted");
	return 0;
}

/* ---- ciphers with a tag ---- */

/* A tag of 0 bits means the longest one. But for GCM the length is fixed. */
static int
tag_size(const struct cipher_algorithm *alg, const struct wire_cipher *given, size_t *size,
    struct tsb_err *err)
{
	if (given->tag_length == 0) {
		*size = GCM_TAG_SIZE;
		return 0;
	}
	if (!alg->short_tag && given->tag_length != 8 * GCM_TAG_SIZE)
		return tsb_fail(err, TSB_E_TAG_LENGTH, "tagLength must be %d for %s",
		    8 * GCM_TAG_SIZE, alg->name);
	*size = (size_t)given->tag_length / 8;
	return 0;
}

static struct gcm
aead_of(const struct soft_key *key, const struct hsm_key *k, const struct wire_cipher *given,
    size_t tag)
{
	return (struct gcm){
	    .chacha20 = k->kind == KEY_CHACHA20,
	    .key = tsb_view_bytes(&key->secret),
	    .iv = given->iv,
	    .additional = given->additional,
	    .tag_size = tag,
	};
}

static int
aead_encrypt(const struct cipher_algorithm *alg, const struct hsm_key *k,
    const struct soft_key *key, const struct wire_cipher *given, struct tsb_view payload,
    struct cipher_encrypted *out, struct tsb_err *err)
{
	struct gcm g = aead_of(key, k, given, out->tag_size);

	crypto_random(tsb_bytes_grow(&out->iv, alg->iv), alg->iv);
	g.iv = tsb_view_bytes(&out->iv);
	return gcm_seal(&g, payload, &out->payload, err);
}

static int
aead_decrypt(const struct cipher_algorithm *alg, const struct hsm_key *k,
    const struct soft_key *key, const struct wire_cipher *given, size_t tag,
    struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct gcm g = aead_of(key, k, given, tag);

	if (given->iv.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "initializationVector is missing");
	if (g.chacha20 && check_iv(alg, k, given->iv, err))
		return -1;
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
	case CIPHER_AEAD:
		if (tag_size(alg, given, &out->tag_size, err))
			return -1;
		return aead_encrypt(alg, k, opened, given, payload, out, err);
	case CIPHER_PLAIN:
		return plain_encrypt(alg, k, opened, payload, out, err);
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
	case CIPHER_AEAD:
		if (tag_size(alg, given, &tag, err))
			return -1;
		return aead_decrypt(alg, k, opened, given, tag, payload, out, err);
	case CIPHER_PLAIN:
		return plain_decrypt(alg, k, opened, given, payload, out, err);
	}
	return tsb_fail(err, TSB_E_IMPL, "cipher %s has no scheme", alg->name);
}
