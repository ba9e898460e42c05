#include "lib/first.h"

#include <string.h>

#include <openssl/err.h>

#include "lib/base/str.h"
#include "lib/crypto/hash160.h"
#include "lib/crypto/k256.h"
#include "lib/crypto/keccak.h"

#include "hsm/key/address.h"

/* A public key as addresses take it: a compressed point, or Ed25519 behind a mark as long. */
#define KEY_SIZE     K256_POINT
#define MARK_ED25519 0xED

/* RIPEMD-160 may be missing in OpenSSL's default provider. */
static int
hash160(const unsigned char key[KEY_SIZE], unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	return crypto_hash160(tsb_view_of(key, KEY_SIZE), out)
	    ? 0
	    : tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		  "addressFormat needs RIPEMD-160, which this OpenSSL does not offer");
}

static int
ethereum(const unsigned char key[KEY_SIZE], unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	unsigned char point[2 * K256_SIZE], hash[32];

	if (!k256_point_expand(key, point))
		return tsb_fail(err, TSB_E_HSM, "the public key is no point of secp256k1");
	keccak(tsb_view_of(point, sizeof(point)), sizeof(hash), hash);
	memcpy(out, hash + sizeof(hash) - ADDRESS_SIZE, ADDRESS_SIZE);
	return 0;
}

typedef int compute_fn(const unsigned char[KEY_SIZE], unsigned char[ADDRESS_SIZE],
    struct tsb_err *);

/* NULL: not of such keys. Nobody has published what IOTA is, and XLM has 32 bytes. */
static const struct {
	const char *format;
	compute_fn *secp256k1, *ed25519;
	const char *needs;
} formats[] = {
    {"BTC", hash160, NULL, "needs an EC key on secp256k1 (1.3.132.0.10)"},
    {"ETH", ethereum, NULL, "needs an EC key on secp256k1 (1.3.132.0.10)"},
    {"XRP", hash160, hash160, "needs an EC key on secp256k1 (1.3.132.0.10) or an ED key"},
    {"XLM", NULL, NULL, "is not offered by this HSM"},
    {"IOTA", NULL, NULL, "is not offered by this HSM"},
};

static int
find(enum key_kind kind, const struct curve *curve, const char *format, compute_fn **out,
    struct tsb_err *err)
{
	size_t i = 0;

	while (i < TSB_COUNT(formats) && !tsb_streq(formats[i].format, format))
		i++;
	if (i == TSB_COUNT(formats))
		return tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		    "addressFormat.format must be BTC, ETH or XRP, not '%s'", format);
	*out = kind == KEY_ED                            ? formats[i].ed25519
	    : kind == KEY_EC && curve == curve_secp256k1 ? formats[i].secp256k1
							 : NULL;
	if (*out == NULL)
		return tsb_fail(err, TSB_E_CRYPTOCURRENCY, "addressFormat.format %s %s", format,
		    formats[i].needs);
	return 0;
}

/* A trial with the generator shows whether OpenSSL has the digests. */
int
address_check(enum key_kind kind, const struct curve *curve, const char *format,
    struct tsb_err *err)
{
	const unsigned char one[K256_SIZE] = {[K256_SIZE - 1] = 1};
	unsigned char key[KEY_SIZE], out[ADDRESS_SIZE];
	compute_fn *compute;

	return find(kind, curve, format, &compute, err) || k256_point(one, key, err) ||
		compute(key, out, err)
	    ? -1
	    : 0;
}

static bool
put_key(EVP_PKEY *key, enum key_kind kind, unsigned char out[KEY_SIZE])
{
	size_t n = KEY_SIZE - 1;

	if (kind != KEY_ED)
		return k256_point_of(key, out);
	out[0] = MARK_ED25519;
	return EVP_PKEY_get_raw_public_key(key, out + 1, &n) == 1 && n == KEY_SIZE - 1;
}

int
address_compute(EVP_PKEY *public_key, enum key_kind kind, const char *format,
    unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	unsigned char key[KEY_SIZE];
	compute_fn *compute;

	if (find(kind, curve_of(public_key), format, &compute, err))
		return -1;
	if (!put_key(public_key, kind, key)) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "the public key cannot be read");
	}
	return compute(key, out, err);
}

int
address_of(const struct hsm_key *k, unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	if (!k->has_policy)
		return tsb_fail(err, TSB_E_ADDRESS, "key '%s' has no policy, hence no address",
		    k->label);
	if (k->address_format == NULL)
		return tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		    "key '%s' was made without addressFormat", k->label);
	return address_compute(k->public_key, k->kind, k->address_format, out, err);
}
