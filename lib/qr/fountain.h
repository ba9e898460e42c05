/* Which fragments a part mixes (BCR-2024-001): the same answer for encoder and decoder. */
#ifndef TSB_QR_FOUNTAIN_H
#define TSB_QR_FOUNTAIN_H

#include "lib/base/arena.h"

struct fountain;

/* For texts of n fragments, 1 to UR_PARTS_MAX. In the arena. */
const struct fountain *fountain_new(size_t n, struct arena *a);
/*
 * Numbers (from 0) of the fragments in part i (from 1), each once. index has room for n; the result
 * is how many there are.
 */
size_t fountain_choose(const struct fountain *, uint32_t i, uint32_t checksum, uint16_t *index);

#endif
