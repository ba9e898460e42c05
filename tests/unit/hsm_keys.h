/* Keys for the tests of tsb-hsm's operations: made as a creation request makes them. */
#ifndef TSB_TESTS_HSM_KEYS_H
#define TSB_TESTS_HSM_KEYS_H

#include "hsm/key/key.h"
#include "hsm/token.h"

#define HSM_KEYS_NOW 1700000000

/* algorithm "RSA" (2048), "ED", or the OID of a curve. Everything is allowed; none has a policy. */
struct hsm_key *hsm_keys_make(const char *algorithm, const char *password);
/* An AES key of this value (hex). */
struct hsm_key *hsm_keys_secret(const char *hex, const char *password);
/* The token "soft" alone, opened once. */
const struct tokens *hsm_keys_tokens(void);
/* The private half; the caller releases it, before the key. */
struct token_key *hsm_keys_open(struct hsm_key *, const char *password);
struct soft_key;
const struct soft_key *hsm_keys_soft(const struct token_key *);
/* The private part in the clear, of a key without password. */
void hsm_keys_value(const struct hsm_key *, struct tsb_bytes *out);

/* Bytes of hex, in memory that lives until the program ends. */
struct tsb_view hsm_keys_hex(const char *hex);
void hsm_keys_expect(struct tsb_view got, const char *hex);

#endif
