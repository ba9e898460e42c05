/*
 * Signatures that applications ask a key for, checked with its public key: by tsb-hsm for
 * /v1/verify, by the broker for results of an offline HSM.
 */
#ifndef TSB_CRYPTO_SIGNATURE_H
#define TSB_CRYPTO_SIGNATURE_H

#include "lib/crypto/crypto.h"
#include "lib/crypto/extra.h"

/* What was asked for, and what came. */
struct crypto_signed {
	const char *algorithm; /* a name of api-notes.md 12.1 */
	const char *type; /* "DER", "RAW", "ETH"; NULL = the default of the algorithm */
	struct scheme_extra extra;
	struct tsb_view payload, signature;
};
/*
 * TSB_E_ALGORITHM_NOT_SUPPORTED when the algorithm is unknown or does not fit the key,
 * TSB_E_PAYLOAD when the payload's length does not fit the algorithm, TSB_E_INVALID_SIGNATURE.
 */
int crypto_signature_check(struct tsb_view spki, const struct crypto_signed *, struct tsb_err *err)
    TSB_MUSTCHECK;

/*
 * Whether a key can sign a payload of n bytes by the algorithm; the errors of
 * crypto_signature_check(). An algorithm unknown to this build is no error: the HSM that has the
 * key may know it.
 */
int crypto_signature_fits(struct tsb_view spki, const char *algorithm, size_t n,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
