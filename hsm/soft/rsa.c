#include "lib/first.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/crypto/owned.h"

#include "hsm/soft/rsa.h"

/* OSSL_ASYM_CIPHER_PARAM_IMPLICIT_REJECTION of OpenSSL 3.2, where it is on by default */
#define IMPLICIT_REJECTION "implicit-rejection"

static bool
set_padding(EVP_PKEY_CTX *ctx, enum rsa_padding padding, enum hash hash)
{
	switch (padding) {
	case RSA_PAD_OAEP:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, hash_md(hash)) > 0 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash_md(hash)) > 0;
	case RSA_PAD_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	case RSA_PAD_NONE:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0;
	}
	return false;
}

/* RFC 8017, 7.1.1 and 7.2.1. 0 when not even an empty message fits. */
static size_t
message_max(size_t modulus, enum rsa_padding padding, enum hash hash)
{
	size_t overhead = padding == RSA_PAD_OAEP ? 2 * hash_size(hash) + 2
	    : padding == RSA_PAD_PKCS1            ? 11
						  : 0;

	return modulus > overhead ? modulus - overhead : 0;
}

int
rsa_encrypt(EVP_PKEY *key, enum rsa_padding padding, enum hash hash, struct tsb_view in,
    struct tsb_bytes *out, struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t modulus = (size_t)EVP_PKEY_get_size(key), n = modulus;
	size_t max = message_max(modulus, padding, hash);
	tsb_bytes_auto block = {0};
	tsb_bytes_auto result = {0};

	if (in.n > max)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "payload must have at most %zu bytes for this key and cipherAlgorithm", max);
	if (padding == RSA_PAD_NONE)
		memset(tsb_bytes_grow(&block, modulus - in.n), 0, modulus - in.n);
	tsb_bytes_add_view(&block, in);
	if (ctx == NULL || EVP_PKEY_encrypt_init(ctx) <= 0 || !set_padding(ctx, padding, hash) ||
	    EVP_PKEY_encrypt(ctx, tsb_bytes_grow(&result, n), &n, block.p, block.n) <= 0) {
		ERR_clear_error();
		return padding == RSA_PAD_NONE
		    ? tsb_fail(err, TSB_E_PAYLOAD, "payload is not below the modulus of the key")
		    : tsb_fail(err, TSB_E_HSM, "the payload could not be encrypted");
	}
	tsb_bytes_add(out, result.p, n);
	return 0;
}

static bool
rejects_implicitly(EVP_PKEY_CTX *ctx)
{
	return OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(ctx), IMPLICIT_REJECTION) !=
	    NULL;
}

static bool
decrypt(EVP_PKEY_CTX *ctx, enum rsa_padding padding, enum hash hash, struct tsb_view in,
    struct tsb_bytes *result, size_t n)
{
	bool ok = set_padding(ctx, padding, hash) &&
	    EVP_PKEY_decrypt(ctx, tsb_bytes_grow(result, n), &n, in.p, in.n) > 0;

	if (ok)
		result->n = n;
	return ok;
}

int
rsa_decrypt(EVP_PKEY *key, enum rsa_padding padding, enum hash hash, struct tsb_view in,
    struct tsb_bytes *out, struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t modulus = (size_t)EVP_PKEY_get_size(key);
	tsb_bytes_auto result = {0};
	bool ours = false, ok = in.n == modulus && ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0;

	if (ok) {
		ours = padding == RSA_PAD_PKCS1 && !rejects_implicitly(ctx);
		ok = decrypt(ctx, ours ? RSA_PAD_NONE : padding, hash, in, &result, modulus);
	}
	if (!ok) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "the payload cannot be decrypted");
	}
	if (ours)
		return rsa_pkcs1_message(key, in, tsb_view_bytes(&result), out, err);
	tsb_bytes_add_view(out, tsb_view_bytes(&result));
	return 0;
}
