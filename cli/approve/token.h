/* Shows tokens, signatures and attributes readably. */
#ifndef TSB_CLI_APPROVE_TOKEN_H
#define TSB_CLI_APPROVE_TOKEN_H

#include "lib/ska/token.h"

#include "cli/lib/doc.h"

/* Shows what the payload of a token asks for: text, policy, key to unwrap, certificate. */
void token_show_payload(struct doc *, const struct ska_approval_token *);
/* Shows the new key of an unwrap payload. */
void token_show_unwrap(struct doc *, struct tsb_view payload);
/* What the bytes may be besides a message, as "the unwrapping of a key"; NULL = nothing known. */
const char *token_reading(struct tsb_view payload);

#endif
