/* Cipher algorithms (api-notes.md 12.2): which key, mode and padding each name means. */
#ifndef TSB_HSM_SOFT_CIPHER_H
#define TSB_HSM_SOFT_CIPHER_H

#include "lib/wire/wire.h"

#include "hsm/key/key.h"

struct cipher_algorithm;

/*
 * The algorithm of this name for this key. TSB_E_CIPHER for a name of the API that this HSM does
 * not offer, TSB_E_ALGORITHM_NOT_SUPPORTED when it is not one for this kind of key.
 */
int cipher_select(const struct hsm_key *, const char *name, const struct cipher_algorithm **out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* payload ends with the tag. iv stays empty where the cipher has none. */
struct cipher_encrypted {
	struct tsb_bytes payload, iv;
	size_t tag_size;
};
void cipher_encrypted_clear(struct cipher_encrypted *);
#define cipher_encrypted_auto                                                                      \
	struct cipher_encrypted __attribute__((cleanup(cipher_encrypted_clear)))

/*
 * opened is looked at for AES keys only. TSB_E_PAYLOAD when the size of the payload does not fit,
 * TSB_E_TAG_LENGTH when the tag length does not fit the cipher.
 */
int cipher_encrypt(const struct hsm_key *, const struct key_opened *,
    const struct cipher_algorithm *, const struct wire_cipher *, struct tsb_view payload,
    struct cipher_encrypted *out, struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_DECRYPT_FAILED for a wrong tag or padding; TSB_E_INPUT without the IV that is needed. */
int cipher_decrypt(const struct hsm_key *, const struct key_opened *,
    const struct cipher_algorithm *, const struct wire_cipher *, struct tsb_view payload,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
