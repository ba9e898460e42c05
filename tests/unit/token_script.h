/*
 * A second token for the tests: values stay in it, key files have handles, and it does what it is
 * told. It computes with "soft" inside.
 */
#ifndef TSB_TESTS_TOKEN_SCRIPT_H
#define TSB_TESTS_TOKEN_SCRIPT_H

#include "hsm/token.h"

#define TOKEN_SCRIPT "script"

extern const struct token_ops token_script;

/* What it offers (bits of 1 << enum token_task), and what it was asked to do since. */
struct token_script_state {
	unsigned offers;
	unsigned asked, made, opened, closed, destroyed;
};
extern struct token_script_state token_script_state;

/* Forgets keys and counts; offers everything. */
void token_script_reset(void);
/* Number of private halves that it has. */
unsigned token_script_keys(void);

#endif
