/*
 * Approvers whose keys the broker makes, hands out once and can give back (api-notes.md 10). All
 * but custody_list() and custody_delete() need general.secretKeyFile (TSB_E_CONFIG_NOT_EXISTENT).
 * TSB_E_APPROVER_UNKNOWN for unknown names.
 */
#ifndef TSB_CUSTODY_CUSTODY_H
#define TSB_CUSTODY_CUSTODY_H

#include "lib/custody/onetime.h"
#include "lib/wire/custody.h"

/*
 * TSB_E_APPROVER_EXISTS. The approver is pending until somebody onboards with the code. *warning: a
 * sentence for the caller while anybody may restore approvers, else NULL.
 */
int custody_create(struct flow *f, const struct wire_approver_create *in, struct arena *a,
    int64_t now_ms, char code[CUSTODY_CODE_SIZE], const char **warning, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The container for whoever knows the code, once: encrypted with the transport password. */
int custody_onboard(struct flow *f, const struct wire_approver_onboard *in, struct arena *a,
    int64_t now_ms, struct tsb_view *encrypted, struct tsb_view *iv, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * A new code; the old one is void. again: also for an approver who was onboarded before.
 * TSB_E_UNSUPPORTED_OPERATION for one who was restored: codes for it come from approved requests.
 */
int custody_renew(struct flow *f, const char *name, bool again, struct arena *a, int64_t now_ms,
    char code[CUSTODY_CODE_SIZE], struct tsb_err *err) TSB_MUSTCHECK;
int custody_change_password(struct flow *f, const struct wire_approver_password *in,
    struct arena *a, int64_t now_ms, struct tsb_err *err) TSB_MUSTCHECK;
int custody_list(struct flow *f, struct arena *a, struct tsb_approver **rows, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
int custody_delete(struct flow *f, const char *name, struct arena *a, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
