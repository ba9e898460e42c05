/*
 * The curve secp256k1 by libsecp256k1: keys that are sums, signatures in constant time, recovery
 * of public keys, and BIP-340. A public key is a compressed point, a number is big endian.
 */
#ifndef TSB_CRYPTO_K256_H
#define TSB_CRYPTO_K256_H

#include <openssl/evp.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"

#define K256_SIZE      32 /* a private key, a tweak, an x coordinate */
#define K256_POINT     33
#define K256_SIGNATURE 64 /* r || s */

/* ---- keys ---- */

/* The public half. TSB_E_DATA_CONSTELLATION unless key is in [1, order - 1]. */
int k256_point(const unsigned char key[K256_SIZE], unsigned char out[K256_POINT],
    struct tsb_err *err) TSB_MUSTCHECK;
/* Compresses a point in any encoding of SEC 1. False when it is none. */
bool k256_point_parse(struct tsb_view encoded, unsigned char out[K256_POINT]);
/*
 * Adds tweak to a private key, and tweak times the generator to a public one. False, and nothing
 * that may be used, when tweak is not below the order or the sum is zero.
 */
bool k256_key_add(unsigned char key[K256_SIZE], const unsigned char tweak[K256_SIZE]);
bool k256_point_add(unsigned char point[K256_POINT], const unsigned char tweak[K256_SIZE]);

/* x || y of a point, each K256_SIZE bytes. False when it is none. */
bool k256_point_expand(const unsigned char point[K256_POINT], unsigned char out[2 * K256_SIZE]);
/* The halves of one of OpenSSL's keys. False when it is not on this curve, or has no such half. */
bool k256_point_of(EVP_PKEY *, unsigned char out[K256_POINT]);
bool k256_key_of(EVP_PKEY *, unsigned char out[K256_SIZE]);

/* ---- ECDSA; of a digest its leftmost 32 bytes count, a shorter one is a number ---- */

/*
 * Makes r || s with s in the lower half. The nonce is that of RFC 6979 with SHA-256; unless
 * deterministic, with 32 random bytes as its additional data (3.6 there).
 */
int k256_ecdsa_sign(const unsigned char key[K256_SIZE], struct tsb_view digest, bool deterministic,
    unsigned char out[K256_SIGNATURE], struct tsb_err *err) TSB_MUSTCHECK;
/* Puts s into the lower half. False when r or s is not a number below the order. */
bool k256_ecdsa_lower(unsigned char signature[K256_SIGNATURE]);
/*
 * Which of the keys that fit this signature is point: 0 or 1, the parity of the nonce's y; 2 or 3
 * when its x was reduced. -1 when none is.
 */
int k256_ecdsa_recovery(const unsigned char signature[K256_SIGNATURE], struct tsb_view digest,
    const unsigned char point[K256_POINT]);

/* ---- BIP-340 ---- */

/*
 * What BIP-341 adds to a key before it signs: nothing, a number as it is (tweak), or the hash
 * TapTweak of the key's x coordinate and the root of its scripts. K256_SIZE bytes, or empty; one of
 * them.
 */
struct k256_taproot {
	struct tsb_view tweak, merkle_root;
};

/*
 * Signs message. aux are the auxiliary random bytes; NULL = made here. TSB_E_INPUT when the key
 * cannot be tweaked so.
 */
int k256_schnorr_sign(const unsigned char key[K256_SIZE], const struct k256_taproot *,
    struct tsb_view message, const unsigned char *aux, unsigned char out[K256_SIGNATURE],
    struct tsb_err *err) TSB_MUSTCHECK;
/* Whether signature is one of message by the key that taproot makes of point. */
bool k256_schnorr_verify(const unsigned char point[K256_POINT], const struct k256_taproot *,
    struct tsb_view message, struct tsb_view signature);

#endif
