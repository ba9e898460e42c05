/*
 * Approvers whose keys the broker makes, hands out once and can give back (api-notes.md 10).
 * Everything here needs general.secretKeyFile (TSB_E_CONFIG_NOT_EXISTENT). TSB_E_APPROVER_UNKNOWN
 * for unknown names.
 */
#ifndef TSB_CUSTODY_CUSTODY_H
#define TSB_CUSTODY_CUSTODY_H

#include "lib/flow/flow.h"
#include "lib/wire/custody.h"

#define FLOW_CODE_SIZE 7 /* six digits and NUL */

int flow_custody_create(struct flow *f, const struct wire_approver_create *in, struct arena *a,
    int64_t now_ms, char code[FLOW_CODE_SIZE], struct tsb_err *err) TSB_MUSTCHECK;
/* The container for whoever knows the code, once: encrypted with the transport password. */
int flow_custody_onboard(struct flow *f, const struct wire_approver_onboard *in, struct arena *a,
    int64_t now_ms, struct tsb_view *encrypted, struct tsb_view *iv, struct tsb_err *err)
    TSB_MUSTCHECK;
/* A new code; the old one is void. again: also for an approver who was onboarded before. */
int flow_custody_renew(struct flow *f, const char *name, bool again, struct arena *a,
    int64_t now_ms, char code[FLOW_CODE_SIZE], struct tsb_err *err) TSB_MUSTCHECK;
int flow_custody_change_password(struct flow *f, const struct wire_approver_password *in,
    struct arena *a, int64_t now_ms, struct tsb_err *err) TSB_MUSTCHECK;
int flow_custody_list(struct flow *f, struct arena *a, struct tsb_approver **rows, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
int flow_custody_delete(struct flow *f, const char *name, struct arena *a, struct tsb_err *err)
    TSB_MUSTCHECK;
/* A request whose result is a new code for a container under the new password (restore.c). */
int flow_custody_forgot(struct flow *f, const struct wire_approver_password *in, struct arena *a,
    struct tsb_uuid *id, struct tsb_err *err) TSB_MUSTCHECK;

#endif
