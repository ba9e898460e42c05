/* The attested description of a key (token-format.md 11). */
#ifndef TSB_HSM_KEY_ATTRIBUTES_H
#define TSB_HSM_KEY_ATTRIBUTES_H

#include "lib/ska/keyattr.h"

#include "hsm/key/key.h"

/* Describes k as it is at now (seconds); the result points into k and the arena. */
int attributes_describe(const struct hsm_key *k, uint64_t use_count, int64_t now, struct arena *a,
    struct keyattr *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Signature over the whole document: RSA PKCS#1 v1.5 with SHA-256. */
int attributes_sign(struct tsb_view xml, const struct hsm_key *attestation,
    struct token_key *private_half, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* keyAttributesDigest (docs/hsm-api.md): it stays the same until the key changes. */
int attributes_digest(struct hsm_key *k, struct arena *a, unsigned char digest[CRYPTO_SHA256_SIZE],
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
