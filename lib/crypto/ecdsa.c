#include "lib/first.h"

#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "lib/crypto/ecdsa_internal.h"
#include "lib/crypto/k256.h"
#include "lib/crypto/owned.h"

#define SCALAR_MAX 72

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error creating signature. ECDSA computation failed.");
}

/* ---- parts ---- */

bool
ecdsa_work_begin(struct ecdsa_work *w, const struct curve *curve)
{
	w->ctx = BN_CTX_secure_new();
	w->group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve->oid));
	w->order = w->group != NULL ? EC_GROUP_get0_order(w->group) : NULL;
	return w->ctx != NULL && w->order != NULL;
}

void
ecdsa_work_end(struct ecdsa_work *w)
{
	BN_CTX_free(w->ctx);
	EC_GROUP_free(w->group);
}

BIGNUM *
ecdsa_digest_number(const BIGNUM *order, struct tsb_view digest)
{
	int excess = (int)(8 * digest.n) - BN_num_bits(order);
	BIGNUM *z = BN_bin2bn(digest.p, (int)digest.n, NULL);

	if (z != NULL && excess > 0 && !BN_rshift(z, z, excess)) {
		BN_free(z);
		z = NULL;
	}
	return z;
}

bool
ecdsa_put_number(const BIGNUM *v, size_t size, struct tsb_bytes *out)
{
	unsigned char buf[SCALAR_MAX];

	if (BN_bn2binpad(v, buf, (int)size) < 0)
		return false;
	tsb_bytes_add(out, buf, size);
	return true;
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

bool
ecdsa_put_der(BIGNUM *r, BIGNUM *s, struct tsb_bytes *out)
{
	ecdsa_sig_auto *sig = ECDSA_SIG_new();

	if (sig == NULL || !ECDSA_SIG_set0(sig, r, s)) {
		BN_free(r);
		BN_free(s);
		return false;
	}
	return add_der(sig, out);
}

/* ---- forms ---- */

static ECDSA_SIG *
parse_der(struct tsb_view der)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = der.n ? d2i_ECDSA_SIG(NULL, &p, (long)der.n) : NULL;
	unsigned char *again = NULL;
	int n;

	if (sig == NULL) {
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
	ecdsa_sig_auto *sig = parse_der(der);

	return sig != NULL;
}

int
ecdsa_to_raw(const struct curve *curve, struct tsb_view der, struct tsb_bytes *raw,
    struct tsb_err *err)
{
	ecdsa_sig_auto *sig = parse_der(der);
	tsb_bytes_auto both = {0};

	if (sig == NULL || !ecdsa_put_number(ECDSA_SIG_get0_r(sig), curve->scalar, &both) ||
	    !ecdsa_put_number(ECDSA_SIG_get0_s(sig), curve->scalar, &both))
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
	return ecdsa_put_der(BN_bin2bn(raw.p, (int)size, NULL),
	    BN_bin2bn(raw.p + size, (int)size, NULL), der);
}

/* ---- secp256k1 ---- */

int
ecdsa_to_low_s(struct tsb_view der, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto raw = {0};

	if (ecdsa_to_raw(curve_secp256k1, der, &raw, err))
		return -1;
	return k256_ecdsa_lower(raw.p) && ecdsa_from_raw(curve_secp256k1, tsb_view_bytes(&raw), out)
	    ? 0
	    : failed(err);
}

int
ecdsa_to_eth(EVP_PKEY *public_key, struct tsb_view digest, struct tsb_view der,
    struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto raw = {0};
	unsigned char point[K256_POINT];
	int odd;

	if (ecdsa_to_raw(curve_secp256k1, der, &raw, err))
		return -1;
	if (!k256_ecdsa_lower(raw.p) || !k256_point_of(public_key, point))
		return failed(err);
	odd = k256_ecdsa_recovery(raw.p, digest, point);
	if (odd != 0 && odd != 1)
		return failed(err); /* r was reduced by the order: chance 2^-127. */
	tsb_bytes_add_view(out, tsb_view_bytes(&raw));
	tsb_bytes_add(out, (const unsigned char[]){(unsigned char)(27 + odd)}, 1);
	return 0;
}
