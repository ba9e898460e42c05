/* Key values made elsewhere, as they come out of a wrapped key: hostile until they are checked. */
#ifndef TSB_HSM_KEY_IMPORT_H
#define TSB_HSM_KEY_IMPORT_H

#include "hsm/key/key.h"

/*
 * Reads PKCS#8 (RFC 5208) to its last byte as a key of k->kind, and sets size and curve of k.
 * TSB_E_HSM unless it is a sound pair that this HSM could use; the caller frees it.
 */
int keyimport_pair(struct tsb_view pkcs8, struct hsm_key *k, EVP_PKEY **out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Sets size of k, whose kind is AES. TSB_E_HSM when no AES key has the size of value. */
int keyimport_secret(struct tsb_view value, struct hsm_key *k, struct tsb_err *err) TSB_MUSTCHECK;

#endif
