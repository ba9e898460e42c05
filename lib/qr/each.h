/* Work on independent pieces, shared out to the processors of the machine; for lib/qr only. */
#ifndef TSB_QR_EACH_H
#define TSB_QR_EACH_H

#include <stddef.h>

/*
 * Calls one(ctx, i) for each i below n, in any order and at the same time; all are done on return.
 */
void qr_each(void (*one)(void *ctx, size_t i), void *ctx, size_t n);

#endif
