/* The key of the HSM that opens backups. */
#ifndef TSB_CUSTODY_BACKUPKEY_H
#define TSB_CUSTODY_BACKUPKEY_H

#include "lib/flow/context.h"
#include "lib/ska/keyattr.h"

/*
 * hsm.backupKeyName, which the HSM makes for this broker when it is missing. TSB_E_INTEGRITY_KEY
 * when the HSM has a key of that name that does not fit, or that this broker did not make.
 */
int custody_backup_key(struct flow *f, struct arena *a, int64_t now_ms, struct keyattr *key,
    struct tsb_err *err) TSB_MUSTCHECK;
/* A sentence for people while the key's ruleUse asks nobody, else NULL. */
const char *custody_backup_key_warning(const struct broker_conf *conf, const struct keyattr *key,
    struct arena *a);
/*
 * The same for a program that starts, which waits two seconds for the HSM. NULL also when there is
 * no such key yet, no HSM, or no answer.
 */
const char *custody_start_warning(const struct broker_conf *conf, struct arena *a);

#endif
