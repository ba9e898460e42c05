/*
 * The master key of a key store: 32 random bytes in a file, or scrypt of a passphrase. The file
 * "store" in the directory says which, has the salt, and proves that a master key is the right one.
 */
#ifndef TSB_HSM_STORE_MASTERKEY_H
#define TSB_HSM_STORE_MASTERKEY_H

#include <sys/types.h>

#include "lib/crypto/crypto.h"

#include "hsm/settings.h"

/*
 * Gives the master key of the store that the settings name. If create is set, missing parts
 * (directory, header, master key file) are made; otherwise they are TSB_E_CONFIG_NOT_EXISTENT. The
 * caller wipes the key.
 */
int masterkey_open(const struct hsm_settings *, bool create, unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * For root, before it becomes the user who serves: makes the key file of a store that is still to
 * be made, and hands it over. 0 also when there is nothing to do: the file is there, the store is,
 * or it has a passphrase.
 */
int masterkey_prepare(const struct hsm_settings *, uid_t uid, gid_t gid, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * Gives it without making anything. Returns 1 instead, and no key, when masterkey_open() with
 * create would make what is missing, by_root after masterkey_prepare(); -1 where that would fail.
 */
int masterkey_check(const struct hsm_settings *, bool create, bool by_root,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err) TSB_MUSTCHECK;

#endif
