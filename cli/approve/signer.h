/* An approver's private key on this computer. */
#ifndef TSB_CLI_APPROVE_SIGNER_H
#define TSB_CLI_APPROVE_SIGNER_H

#include "lib/base/arena.h"
#include "lib/crypto/private.h"

#include "cli/lib/cli.h"

struct signer {
	struct crypto_private *key;
	struct tsb_view spki; /* its public half, DER SubjectPublicKeyInfo */
	struct tsb_view certificate; /* --certificate; empty = none */
};
#define signer_auto struct signer __attribute__((cleanup(signer_clear)))

/*
 * The key of --approver or $TSB_APPROVER. The passphrase, when the file has one, comes from
 * --passphrase-file, $TSB_APPROVER_PASSPHRASE or the terminal.
 */
int signer_load(struct cli *, struct signer *out) TSB_MUSTCHECK;
/* A bare signature with the digest that goes with the key (lib/crypto/private.h). */
int signer_sign(const struct signer *, struct tsb_view message, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void signer_clear(struct signer *);

#endif
