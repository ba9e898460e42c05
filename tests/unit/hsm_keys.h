/* Keys for the tests of tsb-hsm's operations: made as a creation request makes them. */
#ifndef TSB_TESTS_HSM_KEYS_H
#define TSB_TESTS_HSM_KEYS_H

#include "hsm/key/key.h"

#define HSM_KEYS_NOW 1700000000

/* algorithm "RSA" (2048), "ED", or the OID of a curve. Everything is allowed; none has a policy. */
struct hsm_key *hsm_keys_make(const char *algorithm, const char *password);
/* An AES key of this value (hex). */
struct hsm_key *hsm_keys_secret(const char *hex, const char *password);
/* What opens it; the caller clears it. */
struct key_opened hsm_keys_open(const struct hsm_key *, const char *password);

/* Bytes of hex, in memory that lives until the program ends. */
struct tsb_view hsm_keys_hex(const char *hex);
void hsm_keys_expect(struct tsb_view got, const char *hex);

#endif
