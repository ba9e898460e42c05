/*
 * Signatures of keys that wear out: HSS/LMS (RFC 8554) and XMSS (RFC 8391, NIST SP 800-208). Such a
 * key is a tree with so many leaves, and each leaf may sign once: two signatures of one leaf let
 * anybody forge a third. Whoever holds the key counts the leaves, and has the count on disk before
 * a leaf signs. By Botan 3, if the build found it: see pq_set_is_offered(), without which all of
 * these fail with TSB_E_ALGORITHM_NOT_SUPPORTED.
 */
#ifndef TSB_CRYPTO_HBS_H
#define TSB_CRYPTO_HBS_H

#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/crypto/pq.h"

/* How many leaves a key of this set has, which is pq_set_is_stateful(). */
uint32_t hbs_leaves(const struct pq_set *);
/* Makes a key and appends its halves. The private one names no leaf. TSB_E_HSM. */
int hbs_make(const struct pq_set *, struct tsb_bytes *private_half, struct tsb_bytes *spki,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Whether these are the halves of one key of this set. */
bool hbs_check(const struct pq_set *, struct tsb_view private_half, struct tsb_view spki);
/* Signs with this leaf and appends the signature. TSB_E_HSM; then nothing of it is known. */
int hbs_sign(const struct pq_set *, struct tsb_view private_half, uint32_t leaf,
    struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* A wrong signature is not an error. TSB_E_HSM when the public key does not decode. */
int hbs_verify(const struct pq_set *, struct tsb_view spki, struct tsb_view message,
    struct tsb_view signature, bool *valid, struct tsb_err *err) TSB_MUSTCHECK;

#endif
