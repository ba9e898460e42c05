/* Signature algorithms (api.md 15.1): which key, digest and padding each name means. */
#ifndef TSB_HSM_SIGN_H
#define TSB_HSM_SIGN_H

#include "hsm/hash.h"
#include "hsm/key.h"

enum sign_type { SIGN_DER, SIGN_RAW, SIGN_ETH };

struct sign_algorithm;

/*
 * The algorithm of this name for this key. TSB_E_INPUT for a name that the API does not know,
 * TSB_E_NOT_IMPLEMENTED and TSB_E_ALGORITHM_NOT_SUPPORTED when this build or key cannot do it,
 * TSB_E_PAYLOAD when a payload of n bytes does not fit.
 */
int sign_select(const struct hsm_key *, const char *name, size_t n,
    const struct sign_algorithm **out, struct tsb_err *err) TSB_MUSTCHECK;
/* NULL means DER. TSB_E_ALGORITHM_NOT_SUPPORTED when it does not fit the algorithm and key. */
int sign_type_parse(const struct hsm_key *, const struct sign_algorithm *, const char *text,
    enum sign_type *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Signs with the private key of k; appends the signature. Arguments were selected for this key. */
int sign_make(const struct hsm_key *k, EVP_PKEY *private_key, const struct sign_algorithm *,
    enum sign_type, struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Any form that the algorithm has is recognised (api.md 8.8). A wrong signature is not an error. */
int sign_verify(const struct hsm_key *k, const struct sign_algorithm *, struct tsb_view payload,
    struct tsb_view signature, bool *valid, struct tsb_err *err) TSB_MUSTCHECK;

#endif
