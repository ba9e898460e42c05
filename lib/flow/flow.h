/*
 * A process that serves the workflow. Each use case is one function (request.h, view.h, ending.h,
 * task.h, execute.h, certificate.h, policy.h): it owns its transactions, and calls the HSM before
 * or after them, never inside.
 */
#ifndef TSB_FLOW_FLOW_H
#define TSB_FLOW_FLOW_H

#include "lib/flow/context.h"
#include "lib/flow/rooms.h"

/*
 * owner names the process in claims and audit (copied). rooms lives as long as the process.
 * Connections are made when first needed. NULL when files that the settings name cannot be read;
 * freed with flow_free().
 */
struct flow *flow_new(const struct broker_conf *conf, enum store_login login, const char *owner,
    const struct flow_rooms *rooms, struct tsb_err *err);
void flow_free(struct flow **f);
/* store_linger() of its database, and store_idle() before the process waits for work. */
void flow_linger(struct flow *f);
bool flow_lingers(const struct flow *f);
void flow_idle(struct flow *f);
/* For callers that keep many calls in flight; NULL in the profile air-gapped. */
struct hsm *flow_hsm(struct flow *f);
/* Tells the dispatchers that a request is due. Nobody there: their own clocks find it. */
void flow_wake(struct flow *f, const struct tsb_uuid *id);

#endif
