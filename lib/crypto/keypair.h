/*
 * Key pairs that the broker makes for approvers: RSA keys, their certificates and the containers in
 * which they travel. Private keys are PKCS#8 DER in bytes that are wiped.
 */
#ifndef TSB_CRYPTO_KEYPAIR_H
#define TSB_CRYPTO_KEYPAIR_H

#include "lib/crypto/crypto.h"
#include "lib/crypto/gcm.h"

/* seed: random bytes of the HSM, mixed into the generator beside the kernel's. */
int crypto_rsa_new(int bits, struct tsb_view seed, struct tsb_bytes *private_key,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Self-signed, DER, for digital signatures only; valid from now (seconds) for this many days. */
int crypto_cert_self_signed(struct tsb_view private_key, const char *common_name, int64_t now,
    long days, struct tsb_bytes *cert, struct tsb_err *err) TSB_MUSTCHECK;
/* RSA-OAEP with SHA-256 for both digests and no label. */
int crypto_rsa_oaep_seal(struct tsb_view spki, struct tsb_view plain, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- PKCS#12 (pkcs12.c): AES-256-CBC by PBKDF2 with HMAC-SHA-256, MAC with SHA-256 ---- */

int crypto_pkcs12_seal(struct tsb_view private_key, struct tsb_view cert, const char *alias,
    struct tsb_view password, struct tsb_bytes *container, struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_DECRYPT_FAILED when the password is wrong. */
int crypto_pkcs12_open(struct tsb_view container, struct tsb_view password,
    struct tsb_bytes *private_key, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- AES-GCM under a key that both sides hold (box.c): ciphertext | tag of 16 bytes ---- */

/* key of 16 or 32 bytes; iv is made. TSB_E_INPUT for another length. */
int crypto_gcm_seal(struct tsb_view key, struct tsb_view plain, unsigned char iv[GCM_IV_SIZE],
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
int crypto_gcm_open(struct tsb_view key, struct tsb_view iv, struct tsb_view sealed,
    struct tsb_bytes *plain, struct tsb_err *err) TSB_MUSTCHECK;

#endif
