/* Timestamp tokens (token-format.md 3): made with the timestamp key, known again by its label. */
#ifndef TSB_HSM_KEY_TIMESTAMP_H
#define TSB_HSM_KEY_TIMESTAMP_H

#include "lib/ska/token.h"

#include "hsm/key/key.h"
#include "hsm/token.h"

/* Appends the token over this payload and moment, and its signature with algorithm. */
int timestamp_make(const struct hsm_key *timestamp_key, struct token_key *private_half,
    enum ska_operation, struct tsb_view payload, int64_t seconds, struct tsb_bytes *token,
    struct tsb_bytes *signature, struct tsb_err *err) TSB_MUSTCHECK;

#endif
