#include "lib/first.h"

#include <openssl/err.h>

#include "lib/base/str.h"
#include "lib/crypto/gcm.h"

#include "hsm/soft/cipher.h"
#include "hsm/soft/cipherctx.h"
#include "hsm/soft/ecies.h"
#include "hsm/soft/rsa.h"

#define BLOCK 16 /* bytes of AES */

enum scheme { SCHEME_RSA, SCHEME_ECIES, SCHEME_GCM, SCHEME_AES };

struct cipher_algorithm {
	const char *name;
	enum key_kind kind;
	enum scheme scheme;
	/* RSA: */
	enum rsa_padding padding;
	enum hash hash;
	/* AES but GCM: */
	const char *mode; /* OpenSSL's name */
	bool iv; /* of one block */
	bool whole; /* payloads are whole blocks */
	bool pad; /* PKCS#7 */
};

/* clang-format off */
#define ROW_OAEP(name, hash) { name, KEY_RSA, SCHEME_RSA, RSA_PAD_OAEP, hash }
#define ROW_RSA(name, padding) { name, KEY_RSA, SCHEME_RSA, padding, HASH_NONE }
#define ROW_AES(name, ...) { name, KEY_AES, SCHEME_AES, __VA_ARGS__ }
/* clang-format on */

static const struct cipher_algorithm algorithms[] = {
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA512", HASH_SHA512),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA384", HASH_SHA384),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA256", HASH_SHA256),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA224", HASH_SHA224),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA1", HASH_SHA1),
    ROW_OAEP("RSA_PADDING_OAEP", HASH_SHA1),
    ROW_RSA("RSA", RSA_PAD_PKCS1),
    ROW_RSA("RSA_PADDING_PKCS", RSA_PAD_PKCS1),
    ROW_RSA("RSA_NO_PADDING", RSA_PAD_NONE),
    {"ECIES", KEY_EC, SCHEME_ECIES},
    {"AES_GCM", KEY_AES, SCHEME_GCM},
    ROW_AES("AES_CTR", .mode = "CTR", .iv = true),
    ROW_AES("AES_ECB", .mode = "ECB", .whole = true),
    ROW_AES("AES_CBC_NO_PADDING", .mode = "CBC", .iv = true, .whole = true),
    ROW_AES("AES", .mode = "CBC", .iv = true, .pad = true),
};

int
cipher_select(const struct hsm_key *k, const char *name, const struct cipher_algorithm **out,
    struct tsb_err *err)
{
	const struct cipher_algorithm *alg = algorithms;

	while (alg < algorithms + TSB_COUNT(algorithms) && !tsb_streq(alg->name, name))
		alg++;
	if (alg == algorithms + TSB_COUNT(algorithms))
		return tsb_fail(err, TSB_E_CIPHER, "cipherAlgorithm %s is not offered by this HSM",
		    name);
	if (alg->kind != k->kind)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "algorithm %s is not supported by key '%s' (%s)", name, k->label,
		    key_kinds[k->kind].algorithm);
	*out = alg;
	return 0;
}

void
cipher_encrypted_clear(struct cipher_encrypted *e)
{
	tsb_bytes_clear(&e->payload);
	tsb_bytes_clear(&e->iv);
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
aes_run(const struct cipher_algorithm *alg, const struct key_opened *key, struct tsb_view iv,
    bool encrypt, struct tsb_view in, struct tsb_bytes *out)
{
	cipher_auto *cipher = cipherctx_fetch(key->secret.n, alg->mode);
	cipher_ctx_auto *ctx = EVP_CIPHER_CTX_new();
	tsb_bytes_auto result = {0};
	unsigned char *p = tsb_bytes_grow(&result, in.n + BLOCK);
	int n = 0, last = 0;
	bool ok = cipher && ctx &&
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
aes_encrypt(const struct cipher_algorithm *alg, const struct key_opened *key,
    struct tsb_view payload, struct cipher_encrypted *out, struct tsb_err *err)
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
aes_decrypt(const struct cipher_algorithm *alg, const struct key_opened *key,
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

/* 0 = as long as it can be. ECIES fixes it. */
static int
tag_size(const struct cipher_algorithm *alg, const struct wire_cipher *given, size_t *size,
    struct tsb_err *err)
{
	if (given->tag_length == 0) {
		*size = GCM_TAG_SIZE;
		return 0;
	}
	if (alg->scheme == SCHEME_ECIES && given->tag_length != 8 * ECIES_TAG_SIZE)
		return tsb_fail(err, TSB_E_TAG_LENGTH, "tagLength must be %d for %s",
		    8 * ECIES_TAG_SIZE, alg->name);
	*size = (size_t)given->tag_length / 8;
	return 0;
}

static int
gcm_encrypt(const struct key_opened *key, const struct wire_cipher *given, struct tsb_view payload,
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
gcm_decrypt(const struct key_opened *key, const struct wire_cipher *given, size_t tag,
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
cipher_encrypt(const struct hsm_key *k, const struct key_opened *opened,
    const struct cipher_algorithm *alg, const struct wire_cipher *given, struct tsb_view payload,
    struct cipher_encrypted *out, struct tsb_err *err)
{
	switch (alg->scheme) {
	case SCHEME_RSA:
		return rsa_encrypt(k->public_key, alg->padding, alg->hash, payload, &out->payload,
		    err);
	case SCHEME_ECIES:
		if (tag_size(alg, given, &out->tag_size, err))
			return -1;
		return ecies_encrypt(k->curve, k->public_key, given->additional, payload,
		    &out->payload, err);
	case SCHEME_GCM:
		if (tag_size(alg, given, &out->tag_size, err))
			return -1;
		return gcm_encrypt(opened, given, payload, out, err);
	case SCHEME_AES:
		return aes_encrypt(alg, opened, payload, out, err);
	}
	return tsb_fail(err, TSB_E_IMPL, "cipher %s has no scheme", alg->name);
}

int
cipher_decrypt(const struct hsm_key *k, const struct key_opened *opened,
    const struct cipher_algorithm *alg, const struct wire_cipher *given, struct tsb_view payload,
    struct tsb_bytes *out, struct tsb_err *err)
{
	size_t tag;

	switch (alg->scheme) {
	case SCHEME_RSA:
		return rsa_decrypt(opened->pair, alg->padding, alg->hash, payload, out, err);
	case SCHEME_ECIES:
		if (tag_size(alg, given, &tag, err))
			return -1;
		return ecies_decrypt(k->public_key, opened->pair, given->additional, payload, out,
		    err);
	case SCHEME_GCM:
		if (tag_size(alg, given, &tag, err))
			return -1;
		return gcm_decrypt(opened, given, tag, payload, out, err);
	case SCHEME_AES:
		return aes_decrypt(alg, opened, given, payload, out, err);
	}
	return tsb_fail(err, TSB_E_IMPL, "cipher %s has no scheme", alg->name);
}
