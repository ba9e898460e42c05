/*
 * A private key of this side: of a site that signs packages, of an approver at the command line.
 */
#ifndef TSB_CRYPTO_PRIVATE_H
#define TSB_CRYPTO_PRIVATE_H

#include "lib/crypto/crypto.h"

struct crypto_private; /* wiped when freed */

/*
 * From PEM (PKCS#8, or the older forms that OpenSSL reads). passphrase NULL: an encrypted file is
 * TSB_E_DECRYPT_FAILED, as is a wrong passphrase. TSB_E_PARSING_KEY, TSB_E_APPROVER_KEY_TYPE for
 * keys that crypto_spki_check() refuses.
 */
int crypto_private_load(struct tsb_view pem, const char *passphrase, struct crypto_private **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The same from PKCS#8 DER in the clear, as crypto_pkcs12_open() gives it. */
int crypto_private_decode(struct tsb_view pkcs8, struct crypto_private **out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* rsa, p256, p384, p521, secp256k1, ed25519; TSB_E_INPUT for another name. */
int crypto_private_new(const char *type, struct crypto_private **out, struct tsb_err *err)
    TSB_MUSTCHECK;
void crypto_private_free(struct crypto_private **);
#define crypto_private_auto struct crypto_private __attribute__((cleanup(crypto_private_free)))
/* PKCS#8 PEM, encrypted (PBES2: PBKDF2-HMAC-SHA256, AES-256) unless passphrase is NULL. Appends. */
int crypto_private_pem(const struct crypto_private *, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* DER SubjectPublicKeyInfo, valid as long as the key. */
struct tsb_view crypto_private_spki(const struct crypto_private *);
/*
 * The digest of crypto_private_sign(): SHA-256, SHA-384 for P-384, SHA-512 for P-521, none for
 * Ed25519.
 */
enum ska_digest crypto_private_digest(const struct crypto_private *);
/* The same told from the public half; TSB_E_PARSING_KEY, TSB_E_APPROVER_KEY_TYPE. */
int crypto_spki_digest(struct tsb_view spki, enum ska_digest *digest, struct tsb_err *err)
    TSB_MUSTCHECK;
/* A bare signature, as crypto_verify() takes it. Appends. */
int crypto_private_sign(const struct crypto_private *, struct tsb_view message,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* A public key as PEM ("BEGIN PUBLIC KEY"). Appends. */
void crypto_spki_pem(struct tsb_view spki, struct tsb_bytes *out);

#endif
