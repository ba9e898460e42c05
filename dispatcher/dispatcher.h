/* tsb-dispatcher: submits due requests to the HSM and expires overdue ones. */
#ifndef TSB_DISPATCHER_H
#define TSB_DISPATCHER_H

#include <signal.h>

#include "dispatcher/children.h"
#include "lib/flow/flow.h"

extern volatile sig_atomic_t dispatcher_stop; /* SIGTERM came */
extern volatile sig_atomic_t dispatcher_hangup; /* SIGHUP came: the log file is reopened */

/* Datagram socket bound to path (an old one is replaced), or -1. */
int wake_open(const char *path, struct tsb_err *err);
/* -1 when no socket can be made at path; the folder of dflt is made by systemd. */
int wake_check(const char *path, const char *dflt, struct tsb_err *err) TSB_MUSTCHECK;
/* Next id waiting in the socket; false when there is none. */
bool wake_take(int fd, struct tsb_uuid *id);

/* What a process of the dispatcher works with; freed with flow_free(). */
struct flow *dispatcher_flow(const struct broker_conf *conf, struct tsb_err *err);

/*
 * Works until dispatcher_stop, then lets calls in flight finish. wake_fd may be -1. automated has
 * the processes of the automated approvers.
 */
void dispatcher_run(struct flow *f, const struct broker_conf *conf, int wake_fd,
    struct children *automated);

#endif
