/* New keys: checks of a creation request (api-notes.md 7.1, 7.2), and making them in a token. */
#ifndef TSB_HSM_KEY_MAKE_H
#define TSB_HSM_KEY_MAKE_H

#include "lib/wire/wire.h"

#include "hsm/key/wrap.h"
#include "hsm/token.h"

/*
 * Checks everything first, then makes the key, which is not stored yet. now in seconds. On 0 *out
 * has one reference.
 */
int key_make(const struct tokens *, struct wire_key_create *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;
/* An attestation key (RSA 3072) or a timestamp key (EC P-256): signs, cannot be deleted. */
int key_make_system(const struct tokens *, enum key_system, const char *label, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;

struct key_wrapped {
	const struct hsm_key *by; /* whose token unwraps, and has the new key then */
	struct token_key *opened; /* of by */
	const struct wrap_method *method; /* selected for by */
	struct tsb_view value; /* as wrapped */
};

/* What a request says of a key of this kind that is to be unwrapped, before it is. */
int key_check_unwrapped(struct wire_key_create *in, enum key_kind, struct arena *a,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The key that was wrapped, as in says. TSB_E_HSM when the value is no such key. */
int key_make_unwrapped(const struct tokens *, const struct wire_key_create *in,
    const struct key_wrapped *, int64_t now, struct hsm_key **out, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
