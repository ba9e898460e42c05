/*
 * Signature algorithms (api-notes.md 12.1): which key, digest and padding each name means, for
 * those who make signatures and those who check them.
 */
#ifndef TSB_CRYPTO_SCHEME_H
#define TSB_CRYPTO_SCHEME_H

#include "lib/crypto/curve.h"
#include "lib/crypto/extra.h"
#include "lib/crypto/hash.h"

enum scheme_form { FORM_DER, FORM_RAW, FORM_ETH, FORM__MAX };
extern const char *const scheme_form_names[FORM__MAX]; /* "DER" ...: a signatureType */

/* A key that may sign, as the choice of an algorithm sees it. */
struct scheme_key {
	const char *label; /* for people; NULL = not known */
	const char *type; /* what scheme_type_of() says, or a type that cannot sign */
	EVP_PKEY *public_key; /* NULL if it has none */
};

struct scheme;

/* NULL for a name that the API does not know. */
const struct scheme *scheme_find(const char *name);
/* Why this build cannot do it ("ML-DSA needs OpenSSL 3.5"), a constant text; NULL = it can. */
const char *scheme_missing(const struct scheme *);
/* "RSA", "EC", "ED", "DSA", "ML-DSA" or "SLH-DSA"; NULL for a key of another type. */
const char *scheme_type_of(EVP_PKEY *);

/*
 * The algorithm of this name for this key. TSB_E_INPUT for a name that the API does not know,
 * TSB_E_ALGORITHM_NOT_SUPPORTED when this key or build cannot do it, TSB_E_PAYLOAD when a payload
 * of n bytes does not fit.
 */
int scheme_select(const struct scheme_key *, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The same for a key that somebody else holds: what this build lacks does not matter. */
int scheme_fit(const struct scheme_key *, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* NULL means DER. TSB_E_ALGORITHM_NOT_SUPPORTED when it does not fit the algorithm and key. */
int scheme_form_parse(const struct scheme_key *, const struct scheme *, const char *text,
    enum scheme_form *out, struct tsb_err *err) TSB_MUSTCHECK;

bool scheme_is_ecdsa(const struct scheme *);
bool scheme_signs_messages(const struct scheme *); /* see message.h, which has the rest of them */
bool scheme_is_schnorr(const struct scheme *); /* BIP-340 */
bool scheme_takes_context(const struct scheme *); /* of FIPS 204 and 205 */
bool scheme_is_dsa(const struct scheme *);
bool scheme_is_hmac(const struct scheme *); /* the same; the key is a secret one */
bool scheme_is_stateful(const struct scheme *); /* hbs.h; the payload is the message */
bool scheme_is_deterministic(const struct scheme *); /* ECDSA with the nonce of RFC 6979 */
/* The input of the padding or the curve: the payload, or its digest in buf. */
int scheme_prepare(const struct scheme *, struct tsb_view payload, unsigned char buf[HASH_SIZE_MAX],
    struct tsb_view *in, struct tsb_err *err) TSB_MUSTCHECK;
/* Padding of RSA for a payload of n bytes; nothing to do for the others. */
bool scheme_set_padding(const struct scheme *, size_t n, EVP_PKEY_CTX *);

#endif
