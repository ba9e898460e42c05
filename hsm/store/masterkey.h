/*
 * The master key of a key store: 32 random bytes in a file, or scrypt of a passphrase. The file
 * "store" in the directory tells which, holds the salt, and proves that a master key is the right
 * one.
 */
#ifndef TSB_HSM_STORE_MASTERKEY_H
#define TSB_HSM_STORE_MASTERKEY_H

#include "lib/crypto/crypto.h"

#include "hsm/settings.h"

/*
 * Gives the master key of the store that the settings name. A missing store (directory, header,
 * master key file) is made when create is set; otherwise TSB_E_CONFIG_NOT_EXISTENT. The caller
 * wipes the key.
 */
int masterkey_open(const struct hsm_settings *, bool create, unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
