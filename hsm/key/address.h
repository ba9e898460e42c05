/* Blockchain addresses without prefix and checksum (api-notes.md 12.7). */
#ifndef TSB_HSM_KEY_ADDRESS_H
#define TSB_HSM_KEY_ADDRESS_H

#include "hsm/key/key.h"

#define ADDRESS_SIZE 20

/* Before there is a key: TSB_E_CRYPTOCURRENCY when address_compute() would fail with it. */
int address_check(enum key_kind, const struct curve *, const char *format, struct tsb_err *err)
    TSB_MUSTCHECK;
/* TSB_E_CRYPTOCURRENCY when the format is unknown or not possible for this key. */
int address_compute(EVP_PKEY *public_key, enum key_kind, const char *format,
    unsigned char out[ADDRESS_SIZE], struct tsb_err *err) TSB_MUSTCHECK;
/* The same in k's own format. TSB_E_ADDRESS without policy, TSB_E_CRYPTOCURRENCY without format. */
int address_of(const struct hsm_key *k, unsigned char out[ADDRESS_SIZE], struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
