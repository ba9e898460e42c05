/* The key of the HSM that opens backups. */
#ifndef TSB_CUSTODY_BACKUPKEY_H
#define TSB_CUSTODY_BACKUPKEY_H

#include "lib/flow/context.h"

/*
 * SubjectPublicKeyInfo of hsm.backupKeyName, a key that the HSM makes when it is missing;
 * TSB_E_INTEGRITY_KEY when it has no such key that fits.
 */
int custody_backup_key(struct flow *f, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
