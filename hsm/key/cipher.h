/* Cipher algorithms (api-notes.md 12.2): which key, mode and padding each name means. */
#ifndef TSB_HSM_KEY_CIPHER_H
#define TSB_HSM_KEY_CIPHER_H

#include "lib/crypto/hash.h"

#include "hsm/key/key.h"

enum rsa_padding {
	RSA_PAD_OAEP, /* the mask generation function uses the same hash */
	RSA_PAD_PKCS1, /* v1.5 */
	RSA_PAD_NONE /* a number of the size of the modulus */
};

enum cipher_scheme { CIPHER_RSA, CIPHER_ECIES, CIPHER_AEAD, CIPHER_PLAIN };

struct cipher_algorithm {
	const char *name;
	enum key_kind kind;
	enum cipher_scheme scheme;
	/* RSA: */
	enum rsa_padding padding;
	enum hash hash;
	/* secret keys: */
	const char *mode; /* OpenSSL's name: "CBC" of a family, or the whole one */
	bool short_tag; /* AEAD: a tag may be shorter than 16 bytes */
	unsigned iv; /* bytes; 0 = it has none */
	unsigned block; /* payloads are whole blocks of so many bytes; 0 = any bytes */
	bool pad; /* PKCS#7 */
};

/*
 * Finds the algorithm of this name for this key. TSB_E_CIPHER if the API knows the name but this
 * HSM does not offer it, TSB_E_ALGORITHM_NOT_SUPPORTED if it is not for keys of this kind.
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

#endif
