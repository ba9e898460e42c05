/* Elliptic curves that keys may have (api-notes.md 12.6). */
#ifndef TSB_CRYPTO_CURVE_H
#define TSB_CRYPTO_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

struct curve {
	const char *name; /* for people */
	const char *oid;
	const char *group; /* OpenSSL's name */
	size_t scalar; /* bytes of r and s */
};

/* NULL when the OID is unknown. */
const struct curve *curve_by_oid(const char *oid);
/* By name or OpenSSL's name, in either case; NULL for another. */
const struct curve *curve_by_name(const char *name);
/* Names in the order of the table; NULL from its end on. */
const char *curve_name(size_t i);
/* Whether this build's OpenSSL has it: some distributions leave curves out. */
bool curve_is_offered(const struct curve *);
/* The curve that an EC key is on; NULL when it is none of ours. */
const struct curve *curve_of(EVP_PKEY *key);
extern const struct curve *const curve_p256, *const curve_secp256k1;

#endif
