#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "lib/crypto/owned.h"

#include "hsm/soft/ecies.h"

#define INFO      "tsb-hsm ECIES 1"
#define KEY_SIZE  32
#define POINT_MAX (1 + 2 * 66) /* of P-521 */

struct point {
	unsigned char b[POINT_MAX];
	size_t n;
};

static bool
point_of(EVP_PKEY *key, struct point *out)
{
	unsigned char *encoded = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(key, &encoded);

	if (n > 0 && n <= sizeof(out->b))
		memcpy(out->b, encoded, n);
	OPENSSL_free(encoded);
	out->n = n;
	return n > 0 && n <= sizeof(out->b) && out->b[0] == 4;
}

/* A point off the curve, or at infinity, does not become a key. */
static EVP_PKEY *
key_of_point(EVP_PKEY *same_curve, struct tsb_view point)
{
	EVP_PKEY *key = EVP_PKEY_new();

	if (key != NULL && EVP_PKEY_copy_parameters(key, same_curve) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(key, point.p, point.n) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static bool
agree(EVP_PKEY *own, EVP_PKEY *peer, struct tsb_bytes *shared)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t n = 0;
	bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer_ex(ctx, peer, 1) == 1 && EVP_PKEY_derive(ctx, NULL, &n) == 1 &&
	    EVP_PKEY_derive(ctx, tsb_bytes_grow(shared, n), &n) == 1;

	if (ok)
		shared->n = n;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* Both points go into the key, so that no other pair of points leads to it. */
static bool
derive(const struct tsb_bytes *shared, struct tsb_view ephemeral, const struct point *receiver,
    unsigned char out[KEY_SIZE + GCM_IV_SIZE])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	tsb_bytes_auto info = {0};
	OSSL_PARAM params[4];
	bool ok;

	tsb_bytes_add_str(&info, INFO);
	tsb_bytes_add_view(&info, ephemeral);
	tsb_bytes_add(&info, receiver->b, receiver->n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared->p, shared->n);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.p, info.n);
	params[3] = OSSL_PARAM_construct_end();
	ok = ctx != NULL && EVP_KDF_derive(ctx, out, KEY_SIZE + GCM_IV_SIZE, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* The key and nonce of one message: material is wiped by the caller. */
static bool
make_keys(EVP_PKEY *own, EVP_PKEY *peer, struct tsb_view ephemeral, const struct point *receiver,
    unsigned char material[KEY_SIZE + GCM_IV_SIZE])
{
	tsb_bytes_auto shared = {0};
	bool ok = own != NULL && peer != NULL && agree(own, peer, &shared) &&
	    derive(&shared, ephemeral, receiver, material);

	ERR_clear_error();
	return ok;
}

static struct gcm
gcm_of(const unsigned char material[KEY_SIZE + GCM_IV_SIZE], struct tsb_view additional)
{
	return (struct gcm){
	    .key = tsb_view_of(material, KEY_SIZE),
	    .iv = tsb_view_of(material + KEY_SIZE, GCM_IV_SIZE),
	    .additional = additional,
	    .tag_size = ECIES_TAG_SIZE,
	};
}

int
ecies_encrypt(const struct curve *curve, EVP_PKEY *public_key, struct tsb_view additional,
    struct tsb_view plain, struct tsb_bytes *out, struct tsb_err *err)
{
	pkey_auto *ephemeral = EVP_EC_gen(curve->group);
	unsigned char material[KEY_SIZE + GCM_IV_SIZE] = {0};
	struct point point, receiver;
	struct gcm g = gcm_of(material, additional);
	int rc;

	if (ephemeral == NULL || !point_of(ephemeral, &point) || !point_of(public_key, &receiver) ||
	    !make_keys(ephemeral, public_key, tsb_view_of(point.b, point.n), &receiver, material)) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "the payload could not be encrypted");
	}
	tsb_bytes_add(out, point.b, point.n);
	rc = gcm_seal(&g, plain, out, err);
	tsb_wipe(material, sizeof(material));
	return rc;
}

int
ecies_decrypt(EVP_PKEY *public_key, EVP_PKEY *private_key, struct tsb_view additional,
    struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char material[KEY_SIZE + GCM_IV_SIZE] = {0};
	struct gcm g = gcm_of(material, additional);
	pkey_auto *ephemeral = NULL;
	struct point receiver;
	struct tsb_view point;
	struct tsb_err why;
	int rc = -1;

	if (!point_of(public_key, &receiver))
		return tsb_fail(err, TSB_E_HSM, "the public key could not be encoded");
	point = tsb_view_of(in.p, receiver.n);
	/*
	 * 4: we make points in this form only; another form would be a second reading of the same
	 * point
	 */
	if (in.n >= point.n + ECIES_TAG_SIZE && in.p[0] == 4)
		ephemeral = key_of_point(public_key, point);
	if (ephemeral != NULL && make_keys(private_key, ephemeral, point, &receiver, material))
		rc = gcm_open(&g, tsb_view_of(in.p + point.n, in.n - point.n), out, &why);
	tsb_wipe(material, sizeof(material));
	ERR_clear_error();
	return rc ? tsb_fail(err, TSB_E_DECRYPT_FAILED, "the payload cannot be decrypted") : 0;
}
