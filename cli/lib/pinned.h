/* Keys that the caller trusts to be those of the HSM: its signatures are checked with them. */
#ifndef TSB_CLI_LIB_PINNED_H
#define TSB_CLI_LIB_PINNED_H

#include "lib/base/bytes.h"

#include "cli/lib/cli.h"

struct pinned_keys {
	struct tsb_view timestamp, attestation; /* SubjectPublicKeyInfo; empty = not given */
};
/*
 * The keys of --timestamp-key and of --attestation-key or $TSB_ATTESTATION_KEY, in the arena. 0, or
 * -1 with c->err.
 */
int pinned_keys_load(struct cli *, struct pinned_keys *out) TSB_MUSTCHECK;

#endif
