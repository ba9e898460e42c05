/* Wrap methods (api-notes.md 12.3): how one key wraps another, and of which kind that is. */
#ifndef TSB_HSM_KEY_WRAP_H
#define TSB_HSM_KEY_WRAP_H

#include "hsm/key/cipher.h"

struct wrap_method {
	const char *name;
	/* a secret key that was wrapped may be of any such kind; unwrapped it is AES */
	enum key_kind wrapping, wrapped;
	/* RSA: */
	enum rsa_padding padding;
	enum hash hash;
	/* AES, ML-KEM: "WRAP" (RFC 3394) or "WRAP-PAD" (RFC 5649) */
	const char *mode;
};

/*
 * Finds the method of this name. TSB_E_ALGORITHM_NOT_SUPPORTED when this key, which is to wrap or
 * unwrap, cannot do it.
 */
int wrap_select(const struct hsm_key *, const char *name, const struct wrap_method **out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
