#include "lib/first.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>

#include "hsm/ecdsa.h"

#define HMAC_SIZE 32
#define SCALAR_MAX 72

/* What every computation on a curve needs. */
struct work {
	BN_CTX *ctx;
	EC_GROUP *group;
	const BIGNUM *order;
};

static void
work_end(struct work *w)
{
	BN_CTX_free(w->ctx);
	EC_GROUP_free(w->group);
}
#define work_auto struct work __attribute__((cleanup(work_end)))

static void
free_point(EC_POINT **p)
{
	EC_POINT_clear_free(*p);
}
#define point_auto EC_POINT __attribute__((cleanup(free_point)))

static void
free_bn(BIGNUM **p)
{
	BN_clear_free(*p);
}
#define bn_auto BIGNUM __attribute__((cleanup(free_bn)))

static void
free_sig(ECDSA_SIG **p)
{
	ECDSA_SIG_free(*p);
}
#define sig_auto ECDSA_SIG __attribute__((cleanup(free_sig)))

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error creating signature. ECDSA computation failed.");
}

/* A secure context wipes the intermediate numbers. */
static bool
work_begin(struct work *w, const struct curve *curve)
{
	w->ctx = BN_CTX_secure_new();
	w->group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve->oid));
	w->order = w->group ? EC_GROUP_get0_order(w->group) : NULL;
	return w->ctx && w->order;
}

/* ---- forms ---- */

static ECDSA_SIG *
parse_der(struct tsb_view der)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = der.n ? d2i_ECDSA_SIG(NULL, &p, (long)der.n) : NULL;
	unsigned char *again = NULL;
	int n;

	if (!sig) {
		ERR_clear_error();
		return NULL;
	}
	/* Encoding it again tells DER from the other encodings that BER allows. */
	n = i2d_ECDSA_SIG(sig, &again);
	if (n < 0 || (size_t)n != der.n || memcmp(again, der.p, der.n) != 0) {
		ECDSA_SIG_free(sig);
		sig = NULL;
	}
	OPENSSL_free(again);
	return sig;
}

bool
ecdsa_is_der(struct tsb_view der)
{
	sig_auto *sig = parse_der(der);

	return sig != NULL;
}

static bool
add_der(const ECDSA_SIG *sig, struct tsb_bytes *out)
{
	unsigned char *der = NULL;
	int n = i2d_ECDSA_SIG(sig, &der);

	if (n > 0)
		tsb_bytes_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return n > 0;
}

/* Takes both numbers. */
static bool
add_der_of(BIGNUM *r, BIGNUM *s, struct tsb_bytes *out)
{
	sig_auto *sig = ECDSA_SIG_new();

	if (!sig || !ECDSA_SIG_set0(sig, r, s)) {
		BN_free(r);
		BN_free(s);
		return false;
	}
	return add_der(sig, out);
}

static bool
add_padded(const BIGNUM *v, size_t size, struct tsb_bytes *out)
{
	unsigned char buf[SCALAR_MAX];

	if (BN_bn2binpad(v, buf, (int)size) < 0)
		return false;
	tsb_bytes_add(out, buf, size);
	return true;
}

int
ecdsa_to_raw(const struct curve *curve, struct tsb_view der, struct tsb_bytes *raw,
    struct tsb_err *err)
{
	sig_auto *sig = parse_der(der);
	tsb_bytes_auto both = { 0 };

	if (!sig || !add_padded(ECDSA_SIG_get0_r(sig), curve->scalar, &both) ||
	    !add_padded(ECDSA_SIG_get0_s(sig), curve->scalar, &both))
		return failed(err);
	tsb_bytes_add_view(raw, tsb_view_bytes(&both));
	return 0;
}

bool
ecdsa_from_raw(const struct curve *curve, struct tsb_view raw, struct tsb_bytes *der)
{
	const size_t size = curve->scalar;
	unsigned char v;

	if (raw.n == 2 * size + 1) {
		v = raw.p[2 * size];
		if (v > 1 && v != 27 && v != 28)
			return false;
	} else if (raw.n != 2 * size) {
		return false;
	}
	return add_der_of(BN_bin2bn(raw.p, (int)size, NULL),
	    BN_bin2bn(raw.p + size, (int)size, NULL), der);
}

/* ---- Ethereum ---- */

/* bits2int of RFC 6979: the leftmost bits of the digest, as many as the order has. */
static BIGNUM *
digest_number(const BIGNUM *order, struct tsb_view digest)
{
	int excess = (int)(8 * digest.n) - BN_num_bits(order);
	BIGNUM *z = BN_bin2bn(digest.p, (int)digest.n, NULL);

	if (z && excess > 0 && !BN_rshift(z, z, excess)) {
		BN_free(z);
		z = NULL;
	}
	return z;
}

static EC_POINT *
public_point(const struct work *w, EVP_PKEY *key)
{
	static const char name[] = OSSL_PKEY_PARAM_PUB_KEY;
	unsigned char buf[2 * SCALAR_MAX + 1];
	EC_POINT *q = EC_POINT_new(w->group);
	size_t n;

	if (q && EVP_PKEY_get_octet_string_param(key, name, buf, sizeof(buf), &n) &&
	    EC_POINT_oct2point(w->group, q, buf, n, w->ctx))
		return q;
	EC_POINT_free(q);
	return NULL;
}

/*
 * SEC 1, 4.1.6: the key that a signature and the parity of its nonce point belong to is
 * r^-1 (s R - z G). True when that is q.
 */
static bool
recovers(const struct work *w, const BIGNUM *r, const BIGNUM *s, const BIGNUM *z, int odd,
    const EC_POINT *q)
{
	point_auto *nonce = EC_POINT_new(w->group);
	point_auto *got = EC_POINT_new(w->group);
	bn_auto *inverse = BN_mod_inverse(NULL, r, w->order, w->ctx);
	bn_auto *a = BN_new();
	bn_auto *b = BN_new();

	return nonce && got && inverse && a && b &&
	    EC_POINT_set_compressed_coordinates(w->group, nonce, r, odd, w->ctx) &&
	    BN_mod_mul(a, s, inverse, w->order, w->ctx) &&
	    BN_mod_mul(b, z, inverse, w->order, w->ctx) &&
	    BN_mod_sub(b, w->order, b, w->order, w->ctx) &&
	    EC_POINT_mul(w->group, got, b, nonce, a, w->ctx) &&
	    EC_POINT_cmp(w->group, got, q, w->ctx) == 0;
}

static BIGNUM *
lower_half(const struct work *w, const BIGNUM *s)
{
	BIGNUM *low = BN_new(), *half = BN_new();
	bool ok = low && half && BN_rshift1(half, w->order) &&
	    (BN_cmp(s, half) > 0 ? BN_sub(low, w->order, s) : BN_copy(low, s) != NULL);

	BN_free(half);
	if (ok)
		return low;
	BN_free(low);
	return NULL;
}

int
ecdsa_to_eth(const struct curve *curve, EVP_PKEY *public_key, struct tsb_view digest,
    struct tsb_view der, struct tsb_bytes *out, struct tsb_err *err)
{
	work_auto w = { 0 };
	sig_auto *sig = parse_der(der);
	tsb_bytes_auto both = { 0 };

	if (!sig || !work_begin(&w, curve))
		return failed(err);

	const BIGNUM *r = ECDSA_SIG_get0_r(sig);
	bn_auto *s = lower_half(&w, ECDSA_SIG_get0_s(sig));
	bn_auto *z = digest_number(w.order, digest);
	point_auto *q = public_point(&w, public_key);

	if (!s || !z || !q || !add_padded(r, curve->scalar, &both) ||
	    !add_padded(s, curve->scalar, &both))
		return failed(err);
	for (unsigned char odd = 0; odd < 2; odd++) {
		if (!recovers(&w, r, s, z, odd, q))
			continue;
		tsb_bytes_add_view(out, tsb_view_bytes(&both));
		tsb_bytes_add(out, (const unsigned char[]){ (unsigned char)(27 + odd) }, 1);
		return 0;
	}
	/* r was reduced by the order: chance 2^-127. */
	return failed(err);
}

/* ---- RFC 6979 ---- */

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
	tsb_bytes_auto in = { 0 };

	tsb_bytes_add(&in, d->v, sizeof(d->v));
	tsb_bytes_add(&in, &separator, 1);
	tsb_bytes_add_view(&in, seed);
	return hmac(d->k, tsb_view_bytes(&in), d->k) &&
	    hmac(d->k, tsb_view_of(d->v, sizeof(d->v)), d->v);
}

/* Steps a to g. */
static bool
drbg_init(struct drbg *d, const struct work *w, const BIGNUM *x, const BIGNUM *z)
{
	const size_t size = (size_t)BN_num_bytes(w->order);
	tsb_bytes_auto seed = { 0 };
	bn_auto *reduced = BN_new();

	memset(d->k, 0, sizeof(d->k));
	memset(d->v, 1, sizeof(d->v));
	return reduced && BN_nnmod(reduced, z, w->order, w->ctx) && add_padded(x, size, &seed) &&
	    add_padded(reduced, size, &seed) && drbg_update(d, 0, tsb_view_bytes(&seed)) &&
	    drbg_update(d, 1, tsb_view_bytes(&seed));
}

/* Step h: the next candidate that lies in [1, order - 1]. */
static bool
drbg_nonce(struct drbg *d, const struct work *w, BIGNUM *k)
{
	const int bits = BN_num_bits(w->order);
	const size_t size = (size_t)BN_num_bytes(w->order);

	for (int tries = 0; tries < 100; tries++) {
		tsb_bytes_auto t = { 0 };

		while (t.n < size) {
			if (!hmac(d->k, tsb_view_of(d->v, sizeof(d->v)), d->v))
				return false;
			tsb_bytes_add(&t, d->v, sizeof(d->v));
		}
		if (!BN_bin2bn(t.p, (int)size, k) || !BN_rshift(k, k, (int)(8 * size) - bits))
			return false;
		if (!BN_is_zero(k) && BN_cmp(k, w->order) < 0)
			return true;
		if (!drbg_update(d, 0, (struct tsb_view){ 0 }))
			return false;
	}
	return false;
}

/* The order is a prime: v^(order-2) is the inverse, in time that does not depend on v. */
static bool
invert(const struct work *w, BIGNUM *out, const BIGNUM *v)
{
	bn_auto *exponent = BN_dup(w->order);
	bn_auto *two = BN_new();

	return exponent && two && BN_set_word(two, 2) && BN_sub(exponent, exponent, two) &&
	    BN_mod_exp_mont_consttime(out, v, exponent, w->order, w->ctx, NULL);
}

/*
 * s = k^-1 (z + r x), computed as (b k)^-1 (b z + b r x) with a random b, so that what BN_mod_mul
 * shows of its operands in time says nothing about k and x.
 */
static bool
blinded_s(const struct work *w, const BIGNUM *k, const BIGNUM *r, const BIGNUM *x, const BIGNUM *z,
    BIGNUM *s)
{
	bn_auto *b = BN_secure_new();
	bn_auto *u = BN_secure_new();
	bn_auto *t = BN_secure_new();
	bn_auto *n = BN_dup(w->order);

	if (!b || !u || !t || !n)
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
sign_with_nonce(const struct work *w, const BIGNUM *k, const BIGNUM *x, const BIGNUM *z,
    BIGNUM *r, BIGNUM *s)
{
	point_auto *point = EC_POINT_new(w->group);

	/* A lone generator multiple takes OpenSSL's constant-time ladder. */
	return point && EC_POINT_mul(w->group, point, k, NULL, NULL, w->ctx) &&
	    EC_POINT_get_affine_coordinates(w->group, point, r, NULL, w->ctx) &&
	    BN_nnmod(r, r, w->order, w->ctx) && blinded_s(w, k, r, x, z, s);
}

int
ecdsa_sign_deterministic(const struct curve *curve, EVP_PKEY *private_key, struct tsb_view digest,
    struct tsb_bytes *der, struct tsb_err *err)
{
	work_auto w = { 0 };
	bn_auto *x = NULL;
	bn_auto *k = BN_secure_new();
	BIGNUM *r = BN_new(), *s = BN_new();
	struct drbg drbg;
	bool ok = false;

	if (k && r && s && work_begin(&w, curve) &&
	    EVP_PKEY_get_bn_param(private_key, OSSL_PKEY_PARAM_PRIV_KEY, &x)) {
		bn_auto *z = digest_number(w.order, digest);

		BN_set_flags(x, BN_FLG_CONSTTIME);
		BN_set_flags(k, BN_FLG_CONSTTIME);
		ok = z && drbg_init(&drbg, &w, x, z) && drbg_nonce(&drbg, &w, k) &&
		    sign_with_nonce(&w, k, x, z, r, s) && !BN_is_zero(r) && !BN_is_zero(s);
	}
	tsb_wipe(&drbg, sizeof(drbg));
	if (!ok) {
		BN_free(r);
		BN_free(s);
		return failed(err);
	}
	return add_der_of(r, s, der) ? 0 : failed(err);
}
