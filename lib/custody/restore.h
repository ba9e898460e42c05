/* A forgotten backup password: requests whose effect is EFFECT_CODE. */
#ifndef TSB_CUSTODY_RESTORE_H
#define TSB_CUSTODY_RESTORE_H

#include "lib/flow/rooms.h"
#include "lib/wire/custody.h"

/* A request whose result is a new code for a container under the new password. */
int custody_forgot(struct flow *f, const struct wire_approver_password *in, struct arena *a,
    struct tsb_uuid *id, struct tsb_err *err) TSB_MUSTCHECK;

/* For flow_new(): custody's part in such requests. */
extern const struct flow_restore custody_restore;

#endif
