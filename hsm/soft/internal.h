/*
 * What the files of this folder share. Private parts are PKCS#8 (RFC 5208), or the bytes of a
 * secret key.
 */
#ifndef TSB_HSM_SOFT_INTERNAL_H
#define TSB_HSM_SOFT_INTERNAL_H

#include "lib/wire/wire.h"

#include "hsm/key/cipher.h"
#include "hsm/key/sign.h"
#include "hsm/key/wrap.h"
#include "hsm/soft/slip10.h"

/* An opened key: its kind tells which of the two it has. */
struct soft_key {
	struct token_key base;
	EVP_PKEY *pair;
	struct tsb_bytes secret; /* of a secret key, or of one that wears out (lib/crypto/hbs.h) */
};

/* ---- pair.c ---- */

/* Makes a pair of k's kind, size and curve; the caller frees it. */
int soft_pair_make(const struct hsm_key *k, EVP_PKEY **out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Appends PKCS#8 of a private key in DER: PKCS#8, or one of the older forms. TSB_E_KEY_ENCODING.
 */
int soft_pair_read(struct tsb_view der, struct tsb_bytes *pkcs8, struct tsb_err *err) TSB_MUSTCHECK;
/* Sets the public half of k and appends its private part. */
int soft_pair_encode(EVP_PKEY *, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- derive.c ---- */

/* How keys are derived from k; NULL when they are not. */
const struct slip10_method *soft_method(const struct hsm_key *k);
/* As token_ops.sow and .derive. */
int soft_sow(struct token *, struct tsb_view seed, struct hsm_key *k, struct tsb_bytes *part,
    struct tsb_err *err) TSB_MUSTCHECK;
int soft_derive(struct token *, const struct hsm_key *from, struct tsb_view from_part,
    const struct key_path *, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
    TSB_MUSTCHECK;
/* A master key of a seed that nobody gets to know. */
int soft_sow_random(struct token *, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- import.c ---- */

/*
 * Makes a value from elsewhere the private part of k, whose kind is set, and sets size, curve and
 * public half. TSB_E_HSM unless it is a sound key that this HSM can use.
 */
int soft_import(struct tsb_view value, struct hsm_key *k, struct tsb_bytes *part,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- sign.c ---- */

/* As token_ops.sign. */
int soft_sign(const struct soft_key *, const struct hsm_key *, const struct token_sign *,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- cipher.c ---- */

/* What a mode ("GCM", "DES-EDE3-CBC") means for such keys; NULL when there is none. */
EVP_CIPHER *soft_cipher(enum key_kind, unsigned bits, const char *mode);

/*
 * The key may be NULL unless it is a secret one. TSB_E_PAYLOAD when the size of the payload does
 * not fit, TSB_E_TAG_LENGTH when the tag length does not fit the cipher.
 */
int soft_encrypt(const struct soft_key *, const struct hsm_key *, const struct cipher_algorithm *,
    const struct wire_cipher *, struct tsb_view payload, struct cipher_encrypted *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_DECRYPT_FAILED for a wrong tag or padding, TSB_E_INPUT for an IV of the wrong size. */
int soft_decrypt(const struct soft_key *, const struct hsm_key *, const struct cipher_algorithm *,
    const struct wire_cipher *, struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- wrap.c ---- */

/* Appends value, which is PKCS#8 or a secret key, wrapped. The key may be NULL unless it is AES. */
int soft_wrap(const struct soft_key *, const struct hsm_key *, const struct wrap_method *,
    struct tsb_view value, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Appends the value. TSB_E_HSM "Error unwrapping key", whatever is wrong with wrapped. */
int soft_unwrap(const struct soft_key *, const struct wrap_method *, struct tsb_view wrapped,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
