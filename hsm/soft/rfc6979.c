#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "lib/crypto/ecdsa_internal.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/rfc6979.h"

#define HMAC_SIZE 32

/* OSSL_SIGNATURE_PARAM_NONCE_TYPE: the headers have it since 3.2, the library may be newer. */
#define NONCE_TYPE    "nonce-type"
#define NONCE_RFC6979 1

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error creating signature. ECDSA computation failed.");
}

/* ---- by hand ---- */

/* State of its section 3.2: K and V. */
struct drbg {
	unsigned char k[HMAC_SIZE], v[HMAC_SIZE];
};

static bool
hmac(const unsigned char key[HMAC_SIZE], struct tsb_view in, unsigned char out[HMAC_SIZE])
{
	return HMAC(EVP_sha256(), key, HMAC_SIZE, in.p, in.n, out, NULL) != NULL;
}

/* K = HMAC_K(V || separator || seed), V = HMAC_K(V) */
static bool
drbg_update(struct drbg *d, unsigned char separator, struct tsb_view seed)
{
	tsb_bytes_auto in = {0};

	tsb_bytes_add(&in, d->v, sizeof(d->v));
	tsb_bytes_add(&in, &separator, 1);
	tsb_bytes_add_view(&in, seed);
	return hmac(d->k, tsb_view_bytes(&in), d->k) &&
	    hmac(d->k, tsb_view_of(d->v, sizeof(d->v)), d->v);
}

/* Steps a to g. */
static bool
drbg_init(struct drbg *d, const struct ecdsa_work *w, const BIGNUM *x, const BIGNUM *z)
{
	const size_t size = (size_t)BN_num_bytes(w->order);
	tsb_bytes_auto seed = {0};
	number_auto *reduced = BN_new();

	memset(d->k, 0, sizeof(d->k));
	memset(d->v, 1, sizeof(d->v));
	return reduced != NULL && BN_nnmod(reduced, z, w->order, w->ctx) &&
	    ecdsa_put_number(x, size, &seed) && ecdsa_put_number(reduced, size, &seed) &&
	    drbg_update(d, 0, tsb_view_bytes(&seed)) && drbg_update(d, 1, tsb_view_bytes(&seed));
}

/* Step h: the next candidate that lies in [1, order - 1]. */
static bool
drbg_nonce(struct drbg *d, const struct ecdsa_work *w, BIGNUM *k)
{
	const int bits = BN_num_bits(w->order);
	const size_t size = (size_t)BN_num_bytes(w->order);

	for (int tries = 0; tries < 100; tries++) {
		tsb_bytes_auto t = {0};

		while (t.n < size) {
			if (!hmac(d->k, tsb_view_of(d->v, sizeof(d->v)), d->v))
				return false;
			tsb_bytes_add(&t, d->v, sizeof(d->v));
		}
		if (BN_bin2bn(t.p, (int)size, k) == NULL ||
		    !BN_rshift(k, k, (int)(8 * size) - bits))
			return false;
		if (!BN_is_zero(k) && BN_cmp(k, w->order) < 0)
			return true;
		if (!drbg_update(d, 0, (struct tsb_view){0}))
			return false;
	}
	return false;
}

/* The order is a prime: v^(order-2) is the inverse, in time that does not depend on v. */
static bool
invert(const struct ecdsa_work *w, BIGNUM *out, const BIGNUM *v)
{
	number_auto *exponent = BN_dup(w->order);
	number_auto *two = BN_new();

	return exponent != NULL && two != NULL && BN_set_word(two, 2) &&
	    BN_sub(exponent, exponent, two) &&
	    BN_mod_exp_mont_consttime(out, v, exponent, w->order, w->ctx, NULL);
}

/*
 * s = k^-1 (z + r x), computed as (b k)^-1 (b z + b r x) with a random b, so that what BN_mod_mul
 * shows of its operands in time says nothing about k and x.
 */
static bool
blinded_s(const struct ecdsa_work *w, const BIGNUM *k, const BIGNUM *r, const BIGNUM *x,
    const BIGNUM *z, BIGNUM *s)
{
	number_auto *b = BN_secure_new();
	number_auto *u = BN_secure_new();
	number_auto *t = BN_secure_new();
	number_auto *n = BN_dup(w->order);

	if (b == NULL || u == NULL || t == NULL || n == NULL)
		return false;
	do
		if (!BN_priv_rand_range(b, w->order))
			return false;
	while (BN_is_zero(b));
	return BN_mod_mul(t, b, x, n, w->ctx) && BN_mod_mul(t, t, r, n, w->ctx) &&
	    BN_mod_mul(u, b, z, n, w->ctx) && BN_mod_add(t, t, u, n, w->ctx) &&
	    BN_mod_mul(u, b, k, n, w->ctx) && invert(w, u, u) && BN_mod_mul(s, u, t, n, w->ctx);
}

static bool
sign_with_nonce(const struct ecdsa_work *w, const BIGNUM *k, const BIGNUM *x, const BIGNUM *z,
    BIGNUM *r, BIGNUM *s)
{
	point_auto *point = EC_POINT_new(w->group);

	/* A lone generator multiple takes OpenSSL's constant-time ladder. */
	return point != NULL && EC_POINT_mul(w->group, point, k, NULL, NULL, w->ctx) &&
	    EC_POINT_get_affine_coordinates(w->group, point, r, NULL, w->ctx) &&
	    BN_nnmod(r, r, w->order, w->ctx) && blinded_s(w, k, r, x, z, s);
}

int
rfc6979_by_hand(const struct curve *curve, EVP_PKEY *private_key, struct tsb_view digest,
    struct tsb_bytes *der, struct tsb_err *err)
{
	ecdsa_work_auto w = {0};
	number_auto *x = NULL;
	number_auto *k = BN_secure_new();
	BIGNUM *r = BN_new(), *s = BN_new();
	struct drbg drbg;
	bool ok = false;

	if (k != NULL && r != NULL && s != NULL && ecdsa_work_begin(&w, curve) &&
	    EVP_PKEY_get_bn_param(private_key, OSSL_PKEY_PARAM_PRIV_KEY, &x)) {
		number_auto *z = ecdsa_digest_number(w.order, digest);

		BN_set_flags(x, BN_FLG_CONSTTIME);
		BN_set_flags(k, BN_FLG_CONSTTIME);
		ok = z != NULL && drbg_init(&drbg, &w, x, z) && drbg_nonce(&drbg, &w, k) &&
		    sign_with_nonce(&w, k, x, z, r, s) && !BN_is_zero(r) && !BN_is_zero(s);
	}
	tsb_wipe(&drbg, sizeof(drbg));
	if (!ok) {
		BN_free(r);
		BN_free(s);
		return failed(err);
	}
	return ecdsa_put_der(r, s, der) ? 0 : failed(err);
}

/* ---- by OpenSSL ---- */

bool
rfc6979_in_openssl(void)
{
	static enum { UNASKED, OFFERED, LACKING } answer;

	if (answer == UNASKED) {
		EVP_SIGNATURE *ecdsa = EVP_SIGNATURE_fetch(NULL, "ECDSA", NULL);
		const OSSL_PARAM *settable =
		    ecdsa == NULL ? NULL : EVP_SIGNATURE_settable_ctx_params(ecdsa);

		answer = settable != NULL && OSSL_PARAM_locate_const(settable, NONCE_TYPE) != NULL
		    ? OFFERED
		    : LACKING;
		EVP_SIGNATURE_free(ecdsa);
		ERR_clear_error();
	}
	return answer == OFFERED;
}

int
rfc6979_by_openssl(EVP_PKEY *private_key, struct tsb_view digest, struct tsb_bytes *der,
    struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, private_key, NULL);
	unsigned nonce = NONCE_RFC6979;
	char md[] = "SHA256"; /* of the HMAC, too */
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_uint(NONCE_TYPE, &nonce),
	    OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, md, 0),
	    OSSL_PARAM_construct_end(),
	};
	unsigned char sig[256];
	size_t n = sizeof(sig);

	if (ctx == NULL || EVP_PKEY_sign_init_ex(ctx, params) <= 0 ||
	    EVP_PKEY_sign(ctx, sig, &n, digest.p, digest.n) <= 0)
		return failed(err);
	tsb_bytes_add(der, sig, n);
	return 0;
}

int
rfc6979_sign(const struct curve *curve, EVP_PKEY *private_key, struct tsb_view digest,
    struct tsb_bytes *der, struct tsb_err *err)
{
	return rfc6979_in_openssl() ? rfc6979_by_openssl(private_key, digest, der, err)
				    : rfc6979_by_hand(curve, private_key, digest, der, err);
}
