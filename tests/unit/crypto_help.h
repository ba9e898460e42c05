/* What the tests of lib/crypto share. */
#ifndef TESTS_UNIT_CRYPTO_HELP_H
#define TESTS_UNIT_CRYPTO_HELP_H

#include <openssl/evp.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* What a program makes on its way, until memory_clear(), which is for group tear-down. */
extern struct arena memory;
int memory_clear(void **state);

/* A call failed with this row of the table and a sentence; says: which has this in it. */
void assert_refused(int rc, const struct tsb_err *err, enum tsb_code code);
void assert_refused_as(int rc, const struct tsb_err *err, enum tsb_code code, const char *says);

/* DER SubjectPublicKeyInfo, in memory. */
struct tsb_view spki_of(EVP_PKEY *key);

#endif
