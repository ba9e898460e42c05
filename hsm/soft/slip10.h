/*
 * Private keys from seeds and from other private keys: SLIP-10, on secp256k1 the same as BIP-32.
 * The arithmetic on curves is that of libsecp256k1 and, on P-256, of OpenSSL.
 */
#ifndef TSB_HSM_SOFT_SLIP10_H
#define TSB_HSM_SOFT_SLIP10_H

#include <openssl/evp.h>

#include "lib/base/err.h"

#include "hsm/key/chain.h"
#include "hsm/key/path.h"

#define SLIP10_KEY_SIZE    32
#define SLIP10_PUBLIC_SIZE 33
#define SLIP10_SEED_MIN    16
#define SLIP10_SEED_MAX    64

struct curve;
struct slip10_method;

/* A private key and what is beside it. Its owner wipes it. */
struct slip10_node {
	unsigned char key[SLIP10_KEY_SIZE]; /* big endian; of Ed25519 the seed of RFC 8032 */
	struct chain chain;
};
void slip10_wipe(struct slip10_node *);
#define slip10_node_auto struct slip10_node __attribute__((cleanup(slip10_wipe)))

/* For Ed25519 curve is NULL. NULL when there is no derivation on the curve. */
const struct slip10_method *slip10_method(const struct curve *curve);

/* The master key of a seed of SLIP10_SEED_MIN to SLIP10_SEED_MAX bytes. TSB_E_HSM. */
int slip10_master(const struct slip10_method *, struct tsb_view seed, struct slip10_node *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Replaces the node by its descendant. TSB_E_DERIVATION for an element that the curve does not
 * have; TSB_E_KEY_NAME when the path leads too deep.
 */
int slip10_walk(const struct slip10_method *, const struct key_path *, struct slip10_node *,
    struct tsb_err *err) TSB_MUSTCHECK;

/* A node of the private half of this pair. TSB_E_HSM. */
int slip10_read(const struct slip10_method *, EVP_PKEY *pair, const struct chain *,
    struct slip10_node *out, struct tsb_err *err) TSB_MUSTCHECK;
/* The pair of a node; the caller frees it. TSB_E_HSM. */
int slip10_pair(const struct slip10_method *, const struct slip10_node *, EVP_PKEY **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Its public key: compressed, of Ed25519 behind a zero byte. False when OpenSSL fails. */
bool slip10_public(const struct slip10_method *, const struct slip10_node *,
    unsigned char out[SLIP10_PUBLIC_SIZE]);

#endif
