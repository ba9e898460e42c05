#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "lib/base/str.h"
#include "lib/crypto/hash160.h"
#include "lib/crypto/keccak.h"

#include "hsm/key/address.h"

#define COORDINATE 32
#define POINT      (1 + 2 * COORDINATE)

/* hash160 of the compressed key. */
static int
bitcoin(const unsigned char point[POINT], unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	unsigned char compressed[1 + COORDINATE];

	compressed[0] = 2 | (point[POINT - 1] & 1);
	memcpy(compressed + 1, point + 1, COORDINATE);
	return crypto_hash160(tsb_view_of(compressed, sizeof(compressed)), out)
	    ? 0
	    : tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		  "addressFormat.format BTC needs RIPEMD-160, which this OpenSSL does not offer");
}

static int
ethereum(const unsigned char point[POINT], unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	unsigned char hash[32];

	keccak(tsb_view_of(point + 1, 2 * COORDINATE), sizeof(hash), hash);
	memcpy(out, hash + sizeof(hash) - ADDRESS_SIZE, ADDRESS_SIZE);
	return 0;
}

typedef int compute_fn(const unsigned char[POINT], unsigned char[ADDRESS_SIZE], struct tsb_err *);

/* compute NULL: the API knows the format, but nobody has published its layout */
static const struct {
	const char *format;
	compute_fn *compute;
} formats[] = {
    {"BTC", bitcoin},
    {"ETH", ethereum},
    {"XLM", NULL},
    {"XRP", NULL},
    {"IOTA", NULL},
};

static int
find(const struct curve *curve, const char *format, compute_fn **out, struct tsb_err *err)
{
	size_t i = 0;

	while (i < TSB_COUNT(formats) && !tsb_streq(formats[i].format, format))
		i++;
	if (i == TSB_COUNT(formats))
		return tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		    "addressFormat.format must be BTC or ETH, not '%s'", format);
	if (formats[i].compute == NULL)
		return tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		    "addressFormat.format %s is not offered by this HSM", format);
	if (curve != curve_secp256k1)
		return tsb_fail(err, TSB_E_CRYPTOCURRENCY,
		    "addressFormat.format %s needs an EC key on secp256k1 (1.3.132.0.10)", format);
	*out = formats[i].compute;
	return 0;
}

/* A trial with any point shows whether OpenSSL has the digests. */
int
address_check(const struct curve *curve, const char *format, struct tsb_err *err)
{
	const unsigned char point[POINT] = {4};
	unsigned char out[ADDRESS_SIZE];
	compute_fn *compute;

	return find(curve, format, &compute, err) || compute(point, out, err) ? -1 : 0;
}

int
address_compute(EVP_PKEY *key, const struct curve *curve, const char *format,
    unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
{
	unsigned char point[POINT];
	compute_fn *compute;
	size_t n;

	if (find(curve, format, &compute, err))
		return -1;
	if (!EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, POINT, &n) ||
	    n != sizeof(point) || point[0] != 4) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "the public key has no uncompressed point");
	}
	return compute(point, out, err);
}
