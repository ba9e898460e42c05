/* Timestamp tokens (token-format.md 3). The label in a token tells which key made it. */
#ifndef TSB_HSM_KEY_TIMESTAMP_H
#define TSB_HSM_KEY_TIMESTAMP_H

#include "lib/ska/token.h"

#include "hsm/key/key.h"
#include "hsm/token.h"

/* Appends a token over this payload and time, and its signature with algorithm. */
int timestamp_make(const struct hsm_key *timestamp_key, struct token_key *private_half,
    enum ska_operation, struct tsb_view payload, int64_t seconds, struct tsb_bytes *token,
    struct tsb_bytes *signature, struct tsb_err *err) TSB_MUSTCHECK;

#endif
