/*
 * Requests that failed in a way that says nothing about others: each is left alone for a growing
 * pause, and the search goes on behind it. Kept in memory only: a restarted dispatcher tries them
 * anew.
 */
#ifndef TSB_DISPATCHER_ASIDE_H
#define TSB_DISPATCHER_ASIDE_H

#include "lib/base/uuid.h"

#define ASIDE_MAX 256

struct aside {
	struct aside_row {
		struct tsb_uuid id;
		int64_t since, until, pause; /* monotonic ms */
	} row[ASIDE_MAX];
	size_t n;
};

/* Adds an id, or doubles its pause up to most_ms. When full, the one that waits longest goes. */
void aside_put(struct aside *, const struct tsb_uuid *id, int64_t now, int64_t most_ms);
void aside_drop(struct aside *, const struct tsb_uuid *id);
/* When it was put here last, and until when it is left alone; 0 = it is not here. */
int64_t aside_since(const struct aside *, const struct tsb_uuid *id);
int64_t aside_until(const struct aside *, const struct tsb_uuid *id);

#endif
