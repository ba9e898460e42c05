#include "lib/first.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "lib/base/str.h"
#include "lib/crypto/curve.h"

/*
 * OIDs as the standards give them. Interface texts in circulation print 1.2.840.10045.3.1.1 to .3
 * for the X9.62 curves of 239 bits (they are prime192v1 to v3) and 1.3.36.3.3.2.8.1.1.1 for
 * brainpoolP224r1 (it is brainpoolP160r1). These four have no row: a caller gets no curve that it
 * did not mean.
 */
static const struct curve curves[] = {
    {"P-256", "1.2.840.10045.3.1.7", "prime256v1", 32},
    {"secp256k1", "1.3.132.0.10", "secp256k1", 32},
    {"P-384", "1.3.132.0.34", "secp384r1", 48},
    {"P-521", "1.3.132.0.35", "secp521r1", 66},
    {"secp224k1", "1.3.132.0.32", "secp224k1", 29},
    {"P-224", "1.3.132.0.33", "secp224r1", 28},
    {"x962p239v1", "1.2.840.10045.3.1.4", "prime239v1", 30},
    {"x962p239v2", "1.2.840.10045.3.1.5", "prime239v2", 30},
    {"x962p239v3", "1.2.840.10045.3.1.6", "prime239v3", 30},
    {"brainpoolP224r1", "1.3.36.3.3.2.8.1.1.5", "brainpoolP224r1", 28},
    {"brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 32},
    {"brainpoolP320r1", "1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1", 40},
    {"brainpoolP384r1", "1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 48},
    {"brainpoolP512r1", "1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 64},
    /* no OpenSSL has it */
    {"FRP256v1", "1.2.250.1.223.101.256.1", "FRP256v1", 32},
};

const struct curve *const curve_p256 = &curves[0], *const curve_secp256k1 = &curves[1];

const struct curve *
curve_by_oid(const char *oid)
{
	for (size_t i = 0; i < TSB_COUNT(curves); i++)
		if (tsb_streq(curves[i].oid, oid))
			return &curves[i];
	return NULL;
}

const struct curve *
curve_by_name(const char *name)
{
	for (size_t i = 0; i < TSB_COUNT(curves); i++)
		if (strcasecmp(curves[i].name, name) == 0 || strcasecmp(curves[i].group, name) == 0)
			return &curves[i];
	return NULL;
}

const char *
curve_name(size_t i)
{
	return i < TSB_COUNT(curves) ? curves[i].name : NULL;
}

bool
curve_is_offered(const struct curve *curve)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve->oid));
	bool offered = group != NULL;

	EC_GROUP_free(group);
	ERR_clear_error();
	return offered;
}

const struct curve *
curve_of(EVP_PKEY *key)
{
	char group[64];

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return NULL;
	for (size_t i = 0; i < TSB_COUNT(curves); i++)
		if (tsb_streq(curves[i].group, group))
			return &curves[i];
	return NULL;
}
