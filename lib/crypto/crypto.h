/*
 * The home of OpenSSL for both sides: digests, random bytes, approver keys and signatures,
 * certificates, secret boxes. Public keys of approvers as DER SubjectPublicKeyInfo.
 */
#ifndef TSB_CRYPTO_CRYPTO_H
#define TSB_CRYPTO_CRYPTO_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/ska/sigalg.h"

#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_DIGEST_MAX  64

void crypto_sha256(struct tsb_view in, unsigned char out[CRYPTO_SHA256_SIZE]);
/* From the kernel through OpenSSL's private generator; failure is fatal. */
void crypto_random(void *p, size_t n);

/*
 * Key type of a SubjectPublicKeyInfo that an approver may use: RSA 1024-8192, EC on named curves,
 * DSA, Ed25519, ML-DSA where OpenSSL has it. TSB_E_PARSING_KEY when it does not decode to its last
 * byte, TSB_E_APPROVER_KEY_TYPE when the kind is not usable. Parsed keys are kept in a small
 * per-process cache.
 */
int crypto_spki_type(struct tsb_view spki, enum ska_key_type *type, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The same as ska_spki_check. */
int crypto_spki_check(struct tsb_view spki, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Of a key that a new policy names: RSA has at least so many bits (2048 until set, once at the
 * start). Policies that are there already keep shorter ones.
 */
int crypto_approver_check(struct tsb_view spki, struct tsb_err *err) TSB_MUSTCHECK;
void crypto_approver_rsa_min(unsigned bits);

/*
 * Verifies a bare signature (RSA PKCS#1 v1.5, DER ECDSA and DSA, 64 bytes Ed25519, ML-DSA without
 * context; the digest name is ignored for the last two, and DIGEST_NONE is refused for the others).
 * TSB_E_INVALID_SIGNATURE when wrong.
 */
int crypto_verify(struct tsb_view spki, enum ska_digest digest, struct tsb_view message,
    struct tsb_view signature, struct tsb_err *err) TSB_MUSTCHECK;
/* Verifies signature with algorithm (lib/ska/sigalg.h); refuses OIDs that do not fit the key. */
int crypto_verify_der(struct tsb_view spki, struct tsb_view message, struct tsb_view der,
    struct tsb_err *err) TSB_MUSTCHECK;

/* Of a key's attributes as an HSM attests them: bare over the XML, RSA or ECDSA with SHA-256. */
int crypto_verify_attestation(struct tsb_view spki, struct tsb_view xml, struct tsb_view signature,
    struct tsb_err *err) TSB_MUSTCHECK;
/* From DER of a public key that crypto_spki_check() takes, or of a certificate; else
 * TSB_E_PARSING_KEY. Bytes in the arena. */
int crypto_public_key(struct tsb_view der, struct arena *a, struct tsb_view *spki,
    struct tsb_err *err) TSB_MUSTCHECK;

/* TSB_E_PARSING_CERTIFICATE unless exactly one DER certificate. Bytes in the arena. */
int crypto_cert_spki(struct tsb_view cert, struct arena *a, struct tsb_view *spki,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Common name of the subject, or NULL. */
int crypto_cert_common_name(struct tsb_view cert, struct arena *a, const char **name,
    struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_INVALID_CERTIFICATE unless it is one of this key, however either writes it. */
int crypto_cert_check_key(struct tsb_view cert, struct tsb_view spki, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Subject in DER, as certificates that it issues name it. */
int crypto_cert_subject(struct tsb_view cert, struct arena *a, struct tsb_view *name,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Its subject key identifier, or the one that its key would get. */
int crypto_cert_key_id(struct tsb_view cert, struct arena *a, struct tsb_view *id,
    struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_INVALID_CERTIFICATE when now (seconds) is outside the validity. */
int crypto_cert_valid_at(struct tsb_view cert, int64_t now, struct tsb_err *err) TSB_MUSTCHECK;
/* Takes PEM (one block of any label) or bare base64 DER; TSB_E_READING_PEM when broken. */
int crypto_pem_to_der(struct tsb_view text, struct arena *a, struct tsb_view *der,
    struct tsb_err *err) TSB_MUSTCHECK;

/*
 * Secret box: AES-256-GCM with a random 96-bit nonce; output nonce | ciphertext | tag. The
 * additional data binds the box to its place. Opening a changed box is TSB_E_DECRYPT_FAILED.
 */
#define CRYPTO_BOX_KEY_SIZE 32
#define CRYPTO_BOX_OVERHEAD 28
void crypto_box_seal(const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_view additional,
    struct tsb_view plain, struct tsb_bytes *out);
int crypto_box_open(const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_view additional,
    struct tsb_view box, struct tsb_bytes *plain, struct tsb_err *err) TSB_MUSTCHECK;
/* scrypt (RFC 7914), r = 8, p = 1, N = 2^log_n. */
int crypto_scrypt(struct tsb_view password, struct tsb_view salt, unsigned log_n,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err) TSB_MUSTCHECK;

#endif
