/*
 * A process of its own for each service that approves: whatever becomes of it, and however long its
 * database or its service takes, requests go on to the HSM.
 */
#ifndef TSB_DISPATCHER_CHILDREN_H
#define TSB_DISPATCHER_CHILDREN_H

#include "lib/conf/settings.h"

struct children;
/* Starts nothing yet. work(conf, i) is the whole life of the i-th of n; it returns a status. */
struct children *children_new(size_t n, int (*work)(const struct broker_conf *conf, size_t i),
    const struct broker_conf *conf);
/* Starts those that do not run, one that ended young after a growing pause. Waits for nothing. */
void children_tend(struct children *);
/* Passes a signal on to all. */
void children_signal(const struct children *, int signal);
/* Ends all, by force those that do not end in a few seconds. Sets *c to NULL. */
void children_free(struct children **c);

#endif
