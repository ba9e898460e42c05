#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include "lib/base/str.h"
#include "lib/crypto/curve.h"
#include "lib/crypto/ecdsa_internal.h"
#include "lib/crypto/hash160.h"
#include "lib/crypto/k256.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/slip10.h"

#define HMAC_SIZE  64
#define POINT_SIZE 65
#define TRIES_MAX  100 /* one in 2^32 keys on P-256 needs a second one */

struct slip10_method {
	const char *curve; /* our name; NULL = Ed25519 */
	const char *seed_key; /* of the HMAC over the seed */
};

static const struct slip10_method methods[] = {
    {"secp256k1", "Bitcoin seed"},
    {"P-256", "Nist256p1 seed"},
    {NULL, "ed25519 seed"},
};

const struct slip10_method *
slip10_method(const struct curve *curve)
{
	for (size_t i = 0; i < TSB_COUNT(methods); i++)
		if (curve == NULL ? methods[i].curve == NULL
				  : tsb_streq(methods[i].curve, curve->name))
			return &methods[i];
	return NULL;
}

static const struct curve *
curve_of_method(const struct slip10_method *m)
{
	if (m->curve == NULL)
		return NULL;
	return tsb_streq(m->curve, curve_p256->name) ? curve_p256 : curve_secp256k1;
}

void
slip10_wipe(struct slip10_node *n)
{
	tsb_wipe(n, sizeof(*n));
}

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "the key could not be derived");
}

/* ---- private keys on a curve ---- */

static bool
hmac(struct tsb_view key, struct tsb_view data, unsigned char out[HMAC_SIZE])
{
	return HMAC(EVP_sha512(), key.p, (int)key.n, data.p, data.n, out, NULL) != NULL;
}

static bool
is_secp256k1(const struct slip10_method *m)
{
	return tsb_streq(m->curve, curve_secp256k1->name);
}

/* As add(). */
static int
k256_add(const unsigned char *key, const unsigned char *tweak, unsigned char out[SLIP10_KEY_SIZE])
{
	unsigned char point[K256_POINT];
	struct tsb_err why;

	if (key == NULL) {
		memcpy(out, tweak, SLIP10_KEY_SIZE);
		return k256_point(out, point, &why) == 0;
	}
	memcpy(out, key, SLIP10_KEY_SIZE);
	return k256_key_add(out, tweak);
}

/*
 * out = (key + tweak) mod the order; a key of NULL counts as 0. 1, or 0 where the tweak is not
 * below the order or the sum is 0: there is no such key then. -1 when OpenSSL fails.
 */
static int
add(const struct slip10_method *m, const unsigned char *key, const unsigned char *tweak,
    unsigned char out[SLIP10_KEY_SIZE])
{
	ecdsa_work_auto w = {0};
	number_auto *a = BN_secure_new();
	number_auto *b = BN_secure_new();

	if (a == NULL || b == NULL || !ecdsa_work_begin(&w, curve_of_method(m)) ||
	    BN_bin2bn(tweak, SLIP10_KEY_SIZE, b) == NULL)
		return -1;
	if (BN_cmp(b, w.order) >= 0)
		return 0;
	BN_set_flags(b, BN_FLG_CONSTTIME);
	if (key != NULL &&
	    (BN_bin2bn(key, SLIP10_KEY_SIZE, a) == NULL || !BN_mod_add_quick(b, a, b, w.order)))
		return -1;
	if (BN_is_zero(b))
		return 0;
	return BN_bn2binpad(b, out, SLIP10_KEY_SIZE) == SLIP10_KEY_SIZE ? 1 : -1;
}

/* The private key that the left half of i makes, added to key unless that is NULL; as add(). */
static int
take_left(const struct slip10_method *m, const unsigned char *key, const unsigned char i[HMAC_SIZE],
    unsigned char out[SLIP10_KEY_SIZE])
{
	if (is_secp256k1(m))
		return k256_add(key, i, out);
	if (m->curve != NULL)
		return add(m, key, i, out);
	memcpy(out, i, SLIP10_KEY_SIZE);
	return 1;
}

/* The same by libsecp256k1. */
static bool
k256_public_point(const unsigned char key[SLIP10_KEY_SIZE], bool compressed, unsigned char *out)
{
	unsigned char point[K256_POINT];
	struct tsb_err why;

	if (k256_point(key, point, &why))
		return false;
	if (compressed) {
		memcpy(out, point, sizeof(point));
		return true;
	}
	out[0] = POINT_CONVERSION_UNCOMPRESSED;
	return k256_point_expand(point, out + 1);
}

static bool
public_point(const struct slip10_method *m, const unsigned char key[SLIP10_KEY_SIZE],
    point_conversion_form_t form, unsigned char *out, size_t size)
{
	ecdsa_work_auto w = {0};
	number_auto *x = BN_secure_new();
	point_auto *point = NULL;

	if (is_secp256k1(m))
		return k256_public_point(key, form == POINT_CONVERSION_COMPRESSED, out);
	if (x == NULL || !ecdsa_work_begin(&w, curve_of_method(m)) ||
	    BN_bin2bn(key, SLIP10_KEY_SIZE, x) == NULL)
		return false;
	BN_set_flags(x, BN_FLG_CONSTTIME);
	point = EC_POINT_new(w.group);
	return point != NULL && EC_POINT_mul(w.group, point, x, NULL, NULL, w.ctx) == 1 &&
	    EC_POINT_point2oct(w.group, point, form, out, size, w.ctx) == size;
}

bool
slip10_public(const struct slip10_method *m, const struct slip10_node *n,
    unsigned char out[SLIP10_PUBLIC_SIZE])
{
	size_t size = SLIP10_PUBLIC_SIZE - 1;
	pkey_auto *pair = NULL;

	if (m->curve != NULL)
		return public_point(m, n->key, POINT_CONVERSION_COMPRESSED, out,
		    SLIP10_PUBLIC_SIZE);
	pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, n->key, SLIP10_KEY_SIZE);
	out[0] = 0;
	return pair != NULL && EVP_PKEY_get_raw_public_key(pair, out + 1, &size) == 1;
}

/* ---- masters and children ---- */

/* What no key comes of is hashed once more. */
int
slip10_master(const struct slip10_method *m, struct tsb_view seed, struct slip10_node *out,
    struct tsb_err *err)
{
	unsigned char i[HMAC_SIZE];
	struct tsb_view data = seed;
	int rc = 0;

	for (int tries = 0; rc == 0 && tries < TRIES_MAX; tries++) {
		rc =
		    hmac(tsb_view_str(m->seed_key), data, i) ? take_left(m, NULL, i, out->key) : -1;
		data = tsb_view_of(i, sizeof(i));
	}
	out->chain = (struct chain){0};
	memcpy(out->chain.code, i + SLIP10_KEY_SIZE, CHAIN_CODE_SIZE);
	tsb_wipe(i, sizeof(i));
	return rc == 1 ? 0 : failed(err);
}

static void
put_number(struct tsb_bytes *out, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*tsb_bytes_grow(out, 1) = (unsigned char)(v >> shift);
}

/* What is hashed: the private key for a hardened child, else the public one, and its number. */
static void
put_data(const struct slip10_node *n, const unsigned char public_key[SLIP10_PUBLIC_SIZE],
    uint32_t child, struct tsb_bytes *out)
{
	if (child & KEY_PATH_HARDENED) {
		*tsb_bytes_grow(out, 1) = 0;
		tsb_bytes_add(out, n->key, SLIP10_KEY_SIZE);
	} else {
		tsb_bytes_add(out, public_key, SLIP10_PUBLIC_SIZE);
	}
	put_number(out, child);
}

/* Where no key comes of it, the right half is hashed again. */
static int
find_child(const struct slip10_method *m, const struct slip10_node *n, uint32_t child,
    struct tsb_bytes *data, unsigned char i[HMAC_SIZE], unsigned char key[SLIP10_KEY_SIZE])
{
	int rc = 0;

	for (int tries = 0; rc == 0 && tries < TRIES_MAX; tries++) {
		if (!hmac(tsb_view_of(n->chain.code, CHAIN_CODE_SIZE), tsb_view_bytes(data), i))
			return -1;
		rc = take_left(m, n->key, i, key);
		tsb_bytes_reset(data);
		*tsb_bytes_grow(data, 1) = 1;
		tsb_bytes_add(data, i + SLIP10_KEY_SIZE, CHAIN_CODE_SIZE);
		put_number(data, child);
	}
	return rc;
}

static int
step(const struct slip10_method *m, uint32_t child, struct slip10_node *n, struct tsb_err *err)
{
	unsigned char public_key[SLIP10_PUBLIC_SIZE], name[HASH160_SIZE], i[HMAC_SIZE];
	slip10_node_auto next = {.chain = {.depth = n->chain.depth + 1, .child = child}};
	tsb_bytes_auto data = {0};
	int rc;

	if (!slip10_public(m, n, public_key))
		return failed(err);
	if (!crypto_hash160(tsb_view_of(public_key, sizeof(public_key)), name))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "derivation needs RIPEMD-160, which this OpenSSL does not offer");
	memcpy(next.chain.parent, name, sizeof(next.chain.parent));
	put_data(n, public_key, child, &data);
	rc = find_child(m, n, child, &data, i, next.key);
	memcpy(next.chain.code, i + SLIP10_KEY_SIZE, CHAIN_CODE_SIZE);
	tsb_wipe(i, sizeof(i));
	if (rc != 1)
		return failed(err);
	*n = next;
	return 0;
}

int
slip10_walk(const struct slip10_method *m, const struct key_path *path, struct slip10_node *n,
    struct tsb_err *err)
{
	if (n->chain.depth + path->n > CHAIN_DEPTH_MAX)
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "derivation path: it leads deeper than %d keys", CHAIN_DEPTH_MAX);
	for (size_t i = 0; m->curve == NULL && i < path->n; i++)
		if (!(path->v[i] & KEY_PATH_HARDENED))
			return tsb_fail(err, TSB_E_DERIVATION,
			    "derivation path: Ed25519 has hardened elements only (%u')",
			    (unsigned)path->v[i]);
	for (size_t i = 0; i < path->n; i++)
		if (step(m, path->v[i], n, err))
			return -1;
	return 0;
}

/* ---- pairs ---- */

int
slip10_read(const struct slip10_method *m, EVP_PKEY *pair, const struct chain *chain,
    struct slip10_node *out, struct tsb_err *err)
{
	BIGNUM *number = NULL;
	size_t n = SLIP10_KEY_SIZE;
	bool ok;

	out->chain = *chain;
	if (m->curve == NULL) {
		ok = EVP_PKEY_get_raw_private_key(pair, out->key, &n) == 1;
		return ok ? 0 : failed(err);
	}
	ok = EVP_PKEY_get_bn_param(pair, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
	    BN_bn2binpad(number, out->key, SLIP10_KEY_SIZE) == SLIP10_KEY_SIZE;
	BN_clear_free(number);
	return ok ? 0 : failed(err);
}

/* The parameters of an EC key, or NULL. */
static OSSL_PARAM *
parameters(const struct curve *curve, const BIGNUM *x, const unsigned char point[POINT_SIZE])
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (bld != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, x) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_SIZE))
		params = OSSL_PARAM_BLD_to_param(bld);
	OSSL_PARAM_BLD_free(bld);
	return params;
}

static EVP_PKEY *
ec_pair(const struct slip10_method *m, const unsigned char key[SLIP10_KEY_SIZE])
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	number_auto *x = BN_secure_new();
	unsigned char point[POINT_SIZE];
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pair = NULL;

	if (ctx != NULL && x != NULL && BN_bin2bn(key, SLIP10_KEY_SIZE, x) != NULL &&
	    public_point(m, key, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point)))
		params = parameters(curve_of_method(m), x, point);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pair, EVP_PKEY_KEYPAIR, params);
	OSSL_PARAM_free(params);
	return pair;
}

int
slip10_pair(const struct slip10_method *m, const struct slip10_node *n, EVP_PKEY **out,
    struct tsb_err *err)
{
	*out = m->curve != NULL
	    ? ec_pair(m, n->key)
	    : EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, n->key, SLIP10_KEY_SIZE);
	return *out != NULL ? 0 : failed(err);
}
