/* Pairs of keys: made and written. */
#include "lib/first.h"

#include <limits.h>

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/crypto/owned.h"

#include "hsm/soft/internal.h"

#define DSA_Q_BITS 256 /* FIPS 186-4, 4.2: with 2048 and 3072 bits of p */

/* Each key has domain parameters of its own, which takes seconds. */
static EVP_PKEY *
generate_dsa(unsigned bits)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	pkey_ctx_auto *keys = NULL;
	pkey_auto *domain = NULL;
	EVP_PKEY *pair = NULL;

	if (ctx == NULL || EVP_PKEY_paramgen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, (int)bits) <= 0 ||
	    EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, DSA_Q_BITS) <= 0 ||
	    EVP_PKEY_paramgen(ctx, &domain) <= 0)
		return NULL;
	keys = EVP_PKEY_CTX_new_from_pkey(NULL, domain, NULL);
	if (keys == NULL || EVP_PKEY_keygen_init(keys) <= 0 || EVP_PKEY_keygen(keys, &pair) <= 0)
		return NULL;
	return pair;
}

static EVP_PKEY *
generate(const struct hsm_key *k)
{
	switch (k->kind) {
	case KEY_RSA:
		return EVP_RSA_gen(k->size);
	case KEY_EC:
		return EVP_EC_gen(k->curve->group);
	case KEY_ED:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case KEY_DSA:
		return generate_dsa(k->size);
	case KEY_ML_DSA:
	case KEY_SLH_DSA:
	case KEY_ML_KEM:
		return EVP_PKEY_Q_keygen(NULL, NULL, k->set->name);
	case KEY_AES:
	case KEY_CAMELLIA:
	case KEY_CHACHA20:
	case KEY_TDEA:
	case KEY_HMAC:
	case KEY_HSS_LMS:
	case KEY_XMSS:
	case KEY_KIND__MAX:
		break;
	}
	return NULL;
}

int
soft_pair_make(const struct hsm_key *k, EVP_PKEY **out, struct tsb_err *err)
{
	*out = generate(k);
	if (*out != NULL)
		return 0;
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "the key could not be generated");
}

int
soft_pair_encode(EVP_PKEY *pair, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	der_auto *der = NULL;
	int n = i2d_PUBKEY(pair, &der);

	if (n <= 0) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "the new key could not be encoded");
	}
	k->spki = arena_view(&k->arena, tsb_view_of(der, (size_t)n));
	return crypto_private_format(pair, part, err);
}

int
soft_pair_read(struct tsb_view der, struct tsb_bytes *pkcs8, struct tsb_err *err)
{
	const unsigned char *p = der.p;
	pkey_auto *pair = der.n > LONG_MAX ? NULL : d2i_AutoPrivateKey(NULL, &p, (long)der.n);

	ERR_clear_error();
	if (pair == NULL || p != der.p + der.n)
		return tsb_fail(err, TSB_E_KEY_ENCODING,
		    "privateKey: not one private key in DER (PKCS#8, or PKCS#1 of RSA)");
	return crypto_private_format(pair, pkcs8, err);
}
