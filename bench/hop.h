/* Signatures of other processes, as tsb-floor asks for them. */
#ifndef TSB_BENCH_HOP_H
#define TSB_BENCH_HOP_H

#include "lib/base/arena.h"

/*
 * Asks the signers at this unix socket for a signature over payload (base64): the signature as
 * base64, in the arena. Anything else is fatal.
 */
const char *hop_sign(const char *path, const char *payload, struct arena *);

#endif
