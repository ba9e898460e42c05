/* Plain signatures by OpenSSL. */
#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/hmac.h>

#include "lib/crypto/ecdsa.h"
#include "lib/crypto/hbs.h"
#include "lib/crypto/message.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/internal.h"
#include "hsm/soft/rfc6979.h"

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error creating signature.");
}

static int
sign_hmac(struct tsb_view key, struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char mac[CRYPTO_SHA256_SIZE];
	unsigned n = sizeof(mac);

	if (HMAC(EVP_sha256(), key.p, (int)key.n, message.p, message.n, mac, &n) == NULL)
		return failed(err);
	tsb_bytes_add(out, mac, n);
	tsb_wipe(mac, sizeof(mac));
	return 0;
}

/* in was made of a payload of payload_size bytes. */
static int
sign_input(EVP_PKEY *key, const struct scheme *s, size_t payload_size, struct tsb_view in,
    struct tsb_bytes *out, struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char sig[2048];
	size_t n = sizeof(sig);

	if (ctx == NULL || EVP_PKEY_sign_init(ctx) <= 0 ||
	    !scheme_set_padding(s, payload_size, ctx) ||
	    EVP_PKEY_sign(ctx, sig, &n, in.p, in.n) <= 0)
		return failed(err);
	tsb_bytes_add(out, sig, n);
	return 0;
}

/* All of secp256k1, in constant time. */
static int
sign_k256(EVP_PKEY *key, const struct token_sign *what, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct scheme_extra *extra = what->extra;
	unsigned char number[K256_SIZE], signature[K256_SIGNATURE];
	int rc = -1;

	if (!k256_key_of(key, number))
		(void)failed(err);
	else if (scheme_is_schnorr(what->scheme))
		rc = k256_schnorr_sign(number, &extra->taproot, what->input,
		    extra->aux.n > 0 ? extra->aux.p : NULL, signature, err);
	else
		rc = k256_ecdsa_sign(number, what->input, scheme_is_deterministic(what->scheme),
		    signature, err);
	tsb_wipe(number, sizeof(number));
	if (rc)
		return -1;
	if (scheme_is_schnorr(what->scheme)) {
		tsb_bytes_add(out, signature, sizeof(signature));
		return 0;
	}
	return ecdsa_from_raw(curve_secp256k1, tsb_view_of(signature, sizeof(signature)), out)
	    ? 0
	    : failed(err);
}

int
soft_sign(const struct soft_key *key, const struct hsm_key *k, const struct token_sign *what,
    struct tsb_bytes *out, struct tsb_err *err)
{
	if (scheme_signs_messages(what->scheme))
		return message_sign(key->pair, what->scheme, what->extra, what->input, out, err);
	if (scheme_is_hmac(what->scheme))
		return sign_hmac(tsb_view_bytes(&key->secret), what->input, out, err);
	if (scheme_is_stateful(what->scheme))
		return hbs_sign(k->set, tsb_view_bytes(&key->secret), what->leaf, what->input, out,
		    err);
	if (k->curve == curve_secp256k1)
		return sign_k256(key->pair, what, out, err);
	if (scheme_is_deterministic(what->scheme))
		return rfc6979_sign(k->curve, key->pair, what->input, out, err);
	return sign_input(key->pair, what->scheme, what->payload_size, what->input, out, err);
}
