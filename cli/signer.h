/* An approver's private key on this computer. */
#ifndef TSB_CLI_SIGNER_H
#define TSB_CLI_SIGNER_H

#include "lib/base/arena.h"
#include "lib/ska/sigalg.h"

#include "cli/cli.h"

struct signer {
	struct evp_pkey_st *key;
	struct tsb_bytes spki; /* its public half, DER SubjectPublicKeyInfo */
	enum ska_digest digest;
	struct tsb_view certificate; /* --certificate; empty = none */
};
#define signer_auto struct signer __attribute__((cleanup(signer_clear)))

/*
 * The key of --approver or $TSB_APPROVER. The passphrase, when the file has one, comes from
 * --passphrase-file, $TSB_APPROVER_PASSPHRASE or the terminal.
 */
int signer_load(struct cli *, struct signer *out) TSB_MUSTCHECK;
/* A new key: rsa, p256, p384, p521, secp256k1, ed25519. */
int signer_generate(const char *type, struct signer *out, struct tsb_err *err) TSB_MUSTCHECK;
/* PKCS#8 PEM, encrypted (PBES2: PBKDF2-HMAC-SHA256, AES-256) unless passphrase is NULL. Appends. */
int signer_private_pem(const struct signer *, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void signer_public_pem(const struct signer *, struct tsb_bytes *out);
/* A bare signature with the digest of the key: SHA-256, SHA-384 for P-384, SHA-512 for P-521. */
int signer_sign(const struct signer *, struct tsb_view message, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void signer_clear(struct signer *);

#endif
