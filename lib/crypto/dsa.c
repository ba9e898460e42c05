/* Both forms are those of ECDSA, with q for the order of the curve. */
#include "lib/first.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "lib/crypto/dsa.h"
#include "lib/crypto/ecdsa.h"

size_t
dsa_order_size(EVP_PKEY *key)
{
	BIGNUM *q = NULL;
	size_t n = 0;

	if (key != NULL && EVP_PKEY_is_a(key, "DSA") &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_Q, &q) == 1)
		n = (size_t)BN_num_bytes(q);
	BN_free(q);
	ERR_clear_error();
	return n;
}

int
dsa_to_raw(EVP_PKEY *key, struct tsb_view der, struct tsb_bytes *raw, struct tsb_err *err)
{
	const struct curve numbers = {.scalar = dsa_order_size(key)};

	return ecdsa_to_raw(&numbers, der, raw, err);
}

bool
dsa_from_raw(EVP_PKEY *key, struct tsb_view raw, struct tsb_bytes *der)
{
	const struct curve numbers = {.scalar = dsa_order_size(key)};

	return raw.n == 2 * numbers.scalar && ecdsa_from_raw(&numbers, raw, der);
}
