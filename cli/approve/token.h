/* Tokens, signatures and attributes, shown readably; also used for keys and tasks. */
#ifndef TSB_CLI_APPROVE_TOKEN_H
#define TSB_CLI_APPROVE_TOKEN_H

#include "lib/ska/token.h"

#include "cli/lib/doc.h"

/* What the payload of a token asks for: text, policy, key to unwrap, certificate. */
void token_show_payload(struct doc *, const struct ska_approval_token *);
/* The new key of an unwrap payload. */
void token_show_unwrap(struct doc *, struct tsb_view payload);
/* What else than a message these bytes are: "the unwrapping of a key" ...; NULL = nothing known. */
const char *token_reading(struct tsb_view payload);

#endif
