/* Shared by the files that keep approvers' keys: custody.c, restore.c, onetime.c, backupkey.c. */
#ifndef TSB_CUSTODY_INTERNAL_H
#define TSB_CUSTODY_INTERNAL_H

#include "lib/custody/custody.h"

/* ---- one-time codes (onetime.c) ---- */

/* A new code into row, which becomes pending. */
int flow_code_issue(struct flow *f, struct tsb_approver *row, struct arena *a, int64_t now_ms,
    char code[FLOW_CODE_SIZE], struct tsb_err *err) TSB_MUSTCHECK;
void flow_code_void(struct tsb_approver *row);
/*
 * A try is counted, and written, before the code is looked at: parallel guesses cannot be more than
 * the tries. TSB_E_INVALID_ONE_TIME_CODE when there is none left.
 */
int flow_code_count_try(struct tsb_approver *row, int64_t now_ms, struct tsb_err *err)
    TSB_MUSTCHECK;
int flow_code_check(struct flow *f, const struct tsb_approver *row, struct tsb_view code,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- the HSM's part (backupkey.c) ---- */

/* SubjectPublicKeyInfo of hsm.backupKeyName, which is made when it is missing; else 702. */
int flow_backup_key(struct flow *f, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- what is kept (custody.c) ---- */

int flow_custody_need_secret(const struct flow *f, struct tsb_err *err) TSB_MUSTCHECK;
/* PKCS#12 under the password, sealed, into row->container. */
int flow_container_seal(struct flow *f, struct tsb_approver *row, struct tsb_view private_key,
    struct tsb_view password, struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
int flow_container_open(struct flow *f, const struct tsb_approver *row, struct tsb_bytes *container,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The private key for the backup key alone: row->backup, wrapped_key, backup_key. */
int flow_backup_seal(struct tsb_approver *row, struct tsb_view private_key, struct tsb_view spki,
    struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
/* key: what wrapped_key held. */
int flow_backup_open(const struct tsb_approver *row, struct tsb_view key,
    struct tsb_bytes *private_key, struct tsb_err *err) TSB_MUSTCHECK;
struct store_audit flow_custody_audit(const struct flow *f, const char *action,
    const struct tsb_approver *before, const struct tsb_approver *after);

#endif
