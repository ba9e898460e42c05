/*
 * An approver's key is kept in two forms: a container (PKCS#12) that its password opens, sealed
 * with the broker's secret, and a backup that only the HSM's backup key opens.
 */
#ifndef TSB_CUSTODY_KEEP_H
#define TSB_CUSTODY_KEEP_H

#include "lib/flow/context.h"

/* 0, or TSB_E_CONFIG_NOT_EXISTENT without general.secretKeyFile. */
int custody_need_secret(const struct flow *f, struct tsb_err *err) TSB_MUSTCHECK;
/* PKCS#12 under the password, sealed, into row->container. */
int custody_container_seal(struct flow *f, struct tsb_approver *row, struct tsb_view private_key,
    struct tsb_view password, struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
int custody_container_open(struct flow *f, const struct tsb_approver *row,
    struct tsb_bytes *container, struct tsb_err *err) TSB_MUSTCHECK;
/* The private key for the backup key alone: row->backup, wrapped_key, backup_key. */
int custody_backup_seal(struct tsb_approver *row, struct tsb_view private_key, struct tsb_view spki,
    struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
/* key: the content of wrapped_key. */
int custody_backup_open(const struct tsb_approver *row, struct tsb_view key,
    struct tsb_bytes *private_key, struct tsb_err *err) TSB_MUSTCHECK;
/* The audit row of a change; before NULL = created, after NULL = deleted. */
struct store_audit custody_audit(const char *action, const struct tsb_approver *before,
    const struct tsb_approver *after);

#endif
