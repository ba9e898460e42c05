/* Signatures of the HSM's keys. The algorithms are those of lib/crypto/scheme.h. */
#ifndef TSB_HSM_KEY_SIGN_H
#define TSB_HSM_KEY_SIGN_H

#include "lib/crypto/scheme.h"

#include "hsm/key/key.h"
#include "hsm/token.h"

/* scheme_select() for this key. */
int sign_select(const struct hsm_key *, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* scheme_form_parse() for this key. */
int sign_form_parse(const struct hsm_key *, const struct scheme *, const char *text,
    enum scheme_form *out, struct tsb_err *err) TSB_MUSTCHECK;
/* How to sign: selected for the key. */
struct sign_how {
	const struct scheme *scheme;
	enum scheme_form form;
	struct scheme_extra extra;
	uint32_t leaf; /* of a key that wears out: taken by keystore_take_leaf() */
};
/* Signs with the private half of k and appends the signature in its form. */
int sign_make(const struct hsm_key *k, struct token_key *private_half, const struct sign_how *,
    struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
