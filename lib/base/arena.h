/*
 * The request arena: everything made while one request is served lives here and is wiped and
 * released at once. Allocation never fails to its caller: exhaustion is fatal (a worker is
 * restarted, its request is lost, nothing else).
 */
#ifndef TSB_BASE_ARENA_H
#define TSB_BASE_ARENA_H

#include "lib/base/bytes.h"

struct arena {
	struct arena_block *head;
};

#define arena_auto struct arena __attribute__((cleanup(arena_clear)))

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
void *arena_array(struct arena *a, size_t count, size_t size); /* zeroed; overflow is fatal */
char *arena_str(struct arena *a, const char *s); /* copy; NULL stays NULL */
char *arena_strn(struct arena *a, const void *p, size_t n); /* copy with a NUL behind */
struct tsb_view arena_view(struct arena *a, struct tsb_view v);
char *arena_printf(struct arena *a, const char *fmt, ...) TSB_PRINTF(2, 3);
/* Bytes in use. */
size_t arena_size(const struct arena *a);
/* Wipes all, keeps the first block for the next request. */
void arena_reset(struct arena *a);
/* Wipes and frees all. */
void arena_clear(struct arena *a);

#endif
