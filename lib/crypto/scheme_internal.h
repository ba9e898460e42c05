/* The rows of the algorithms: for the files of lib/crypto that ask them more. */
#ifndef TSB_CRYPTO_SCHEME_INTERNAL_H
#define TSB_CRYPTO_SCHEME_INTERNAL_H

#include "lib/crypto/scheme.h"

enum method {
	METHOD_PKCS1,
	METHOD_PSS,
	METHOD_ECDSA,
	METHOD_RFC6979,
	METHOD_EDDSA,
	METHOD_CONTEXT, /* FIPS 204 and 205; with a hash in its pre-hash form */
	METHOD_SCHNORR, /* BIP-340 */
	METHOD_DSA,
	METHOD_STATEFUL, /* hbs.h */
	METHOD_HMAC,
	METHOD_UNPUBLISHED, /* a name without a meaning that is known */
	METHOD_NONE /* not offered by this version */
};

/* Meaning of the payload. */
enum input {
	INPUT_MESSAGE, /* digested here */
	INPUT_DIGEST, /* the digest itself, of exactly its size */
	INPUT_ANY /* PKCS#1: padded as it is; PSS: a digest of any size; ECDSA and DSA: a digest */
};

struct scheme {
	const char *name;
	const char *type; /* of the key, as the API calls it */
	enum method method;
	enum input input;
	enum hash hash;
	int x509; /* NID of the algorithm in a certificate; NID_undef = none */
};

#endif
