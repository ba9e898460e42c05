/* Key values made elsewhere, as they come out of a wrapped key: hostile until they are checked. */
#include "lib/first.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "lib/crypto/owned.h"

#include "hsm/soft/internal.h"

#define SECRET_MAX (64 * 1024) /* bytes: no kind has so many, and their bits are a number */

static int
unusable(struct tsb_err *err, const char *why)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error unwrapping key: %s", why);
}

static int
check_size(EVP_PKEY *pair, struct hsm_key *k, struct tsb_err *err)
{
	k->size = (unsigned)EVP_PKEY_get_bits(pair);
	if (key_size_is_taken(k->kind, k->size))
		return 0;
	return unusable(err,
	    k->kind == KEY_RSA
		? "an RSA key must have 2048 to 8192 bits, unless keys.rsaBits allows 1024"
		: "the key has a size that is not offered here");
}

/* Domain parameters from elsewhere may be such that signatures give the private key away. */
static int
check_dsa(EVP_PKEY *pair, struct hsm_key *k, struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);

	if (check_size(pair, k, err))
		return -1;
	if (ctx == NULL || EVP_PKEY_param_check(ctx) != 1)
		return unusable(err, "the domain parameters of the key are not sound");
	return 0;
}

/* Whatever encoding it came in, the public half is written as for keys that were made here. */
static int
check_ec(EVP_PKEY *pair, struct hsm_key *k, struct tsb_err *err)
{
	k->curve = curve_of(pair);
	if (k->curve == NULL ||
	    EVP_PKEY_set_utf8_string_param(pair, OSSL_PKEY_PARAM_EC_ENCODING,
		OSSL_PKEY_EC_ENCODING_GROUP) != 1 ||
	    EVP_PKEY_set_utf8_string_param(pair, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1)
		return unusable(err, "the curve of the key is not supported");
	return 0;
}

/* A mismatched pair would make signatures that nobody can verify. */
static bool
halves_match(EVP_PKEY *pair)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);

	return ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
}

static int
check_kind(EVP_PKEY *pair, struct hsm_key *k, struct tsb_err *err)
{
	if (k->kind == KEY_DSA)
		return check_dsa(pair, k, err);
	if (k->kind == KEY_EC)
		return check_ec(pair, k, err);
	return key_kind_has_size(k->kind) ? check_size(pair, k, err) : 0;
}

static int
check(EVP_PKEY *pair, struct hsm_key *k, struct tsb_err *err)
{
	if (!key_fits(k, pair))
		return unusable(err, "it holds a key of another type");
	if (check_kind(pair, k, err))
		return -1;
	/* the public half of an ED key was computed here */
	if (k->kind != KEY_ED && !halves_match(pair))
		return unusable(err, "private and public key do not belong together");
	return 0;
}

int
soft_import(struct tsb_view value, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	pkey_auto *pair = NULL;
	struct tsb_err why;

	if (key_is_secret(k)) {
		/* no more than soft_unwrap() says, lest it tell whether the padding was right */
		if (value.n > SECRET_MAX || !key_size_is_taken(k->kind, (unsigned)value.n * 8))
			return tsb_fail(err, TSB_E_HSM, "Error unwrapping key");
		k->size = (unsigned)value.n * 8;
		tsb_bytes_add_view(part, value);
		return 0;
	}
	if (crypto_private_parse(value, &pair, &why))
		return unusable(err, "it holds no private key (PKCS#8)");
	return check(pair, k, err) || soft_pair_encode(pair, k, part, err) ? -1 : 0;
}
