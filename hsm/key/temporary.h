/*
 * Keys that are derived from a stored master at each use: "MASTER/44'/0'". Such a key has the
 * policy, the password and the attributes of its master, and nothing of it is stored.
 */
#ifndef TSB_HSM_KEY_TEMPORARY_H
#define TSB_HSM_KEY_TEMPORARY_H

#include "hsm/key/key.h"
#include "hsm/key/path.h"

/*
 * Until its private half is opened, which needs the password, its public half is not known: spki is
 * empty, and public_key tells kind and curve alone. It has one reference.
 */
struct hsm_key *key_temporary(struct hsm_key *master, struct tsb_view name,
    const struct key_path *path);
/* Makes spki, which is set, the public half. TSB_E_HSM. */
int key_temporary_settle(struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;

#endif
