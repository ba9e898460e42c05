/* Tokens, signatures and attributes, shown readably; also used for keys and tasks. */
#ifndef TSB_CLI_TOKEN_H
#define TSB_CLI_TOKEN_H

#include "lib/ska/token.h"

#include "cli/output.h"

/* Keys that signatures of the HSM are checked with, from --timestamp-key and --attestation-key. */
struct token_keys {
	struct tsb_view timestamp, attestation; /* SubjectPublicKeyInfo; empty = not given */
};
int token_keys_load(struct cli *, struct token_keys *out) TSB_MUSTCHECK;

/* What the payload of a token asks for: text, policy, key to unwrap, certificate. */
void token_show_payload(struct doc *, const struct ska_approval_token *);
/* The new key of an unwrap payload. */
void token_show_unwrap(struct doc *, struct tsb_view payload);
/* What else than a message these bytes are: "the unwrapping of a key" ...; NULL = nothing known. */
const char *token_reading(struct tsb_view payload);

#endif
