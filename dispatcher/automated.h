/*
 * An automated approver: a service decides by a program of its own whether to approve, and signs
 * with the key of an approver whom policies name (docs/approvers.md).
 */
#ifndef TSB_DISPATCHER_AUTOMATED_H
#define TSB_DISPATCHER_AUTOMATED_H

#include "lib/conf/settings.h"

/*
 * Asks the i-th service of the settings about the tasks of its approver until dispatcher_stop. The
 * whole life of a process; returns its status.
 */
int automated_run(const struct broker_conf *conf, size_t i);

#endif
