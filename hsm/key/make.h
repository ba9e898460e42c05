/* New keys: a creation request (api-notes.md 7.1, 7.2) is checked, then a token makes the key. */
#ifndef TSB_HSM_KEY_MAKE_H
#define TSB_HSM_KEY_MAKE_H

#include "lib/wire/wire.h"

#include "hsm/key/wrap.h"
#include "hsm/token.h"

/*
 * Checks everything before it makes the key, and does not store it. now is in seconds. On 0 *out
 * has one reference. TSB_E_ALGORITHM_NOT_SUPPORTED when the token does not offer such keys.
 */
int key_make(const struct tokens *, struct wire_key_create *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;
/* An attestation key (RSA 3072) or a timestamp key (EC P-256). It signs and cannot be deleted. */
int key_make_system(const struct tokens *, enum key_system, const char *label, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;

/*
 * The same of a key that was brought along in the clear. TSB_E_KEY_ENCODING, TSB_E_PARSING_KEY for
 * what does not decode or belong together, TSB_E_CERTIFICATE_ENCODING, TSB_E_INVALID_CERTIFICATE.
 */
int key_make_plain(const struct tokens *, struct wire_key_plain *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;

/* The same of a seed (in->seed): the master key that SLIP-10 makes of it. TSB_E_DERIVATION. */
int key_make_seed(const struct tokens *, struct wire_key_plain *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * A key that is derived from master, with its policy and its password, which in has. The token
 * offers TOKEN_DERIVE for master. TSB_E_KEY_NAME, TSB_E_DERIVATION, TSB_E_KEY_ATTRIBUTES.
 */
int key_make_derived(const struct tokens *, const struct hsm_key *master,
    const struct wire_key_derive *in, int64_t now, struct hsm_key **out, struct tsb_err *err)
    TSB_MUSTCHECK;

struct key_wrapped {
	const struct hsm_key *by; /* its token unwraps, and keeps the new key */
	struct token_key *opened; /* of by */
	const struct wrap_method *method; /* selected for by */
	struct tsb_view value; /* as wrapped */
};

/* Checks what a request says of the new key, before anything is unwrapped. */
int key_check_unwrapped(struct wire_key_create *in, enum key_kind, struct arena *a,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Unwraps the key and gives it the attributes of the request. TSB_E_HSM when the value is not a key
 * of its kind. On 0 *out has one reference.
 */
int key_make_unwrapped(const struct tokens *, const struct wire_key_create *in,
    const struct key_wrapped *, int64_t now, struct hsm_key **out, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
