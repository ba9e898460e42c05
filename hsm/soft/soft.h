/* The token "soft": key files have the private halves themselves, and OpenSSL computes. */
#ifndef TSB_HSM_SOFT_SOFT_H
#define TSB_HSM_SOFT_SOFT_H

#include "hsm/token.h"

extern const struct token_ops soft_token;

#endif
