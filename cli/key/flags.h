/* --attributes: which flags of a key or data object are on, which are off. */
#ifndef TSB_CLI_KEY_FLAGS_H
#define TSB_CLI_KEY_FLAGS_H

#include "lib/base/bytes.h"

#include "cli/lib/cli.h"

/*
 * Adds the object attributes of a new key from --attributes or, without the option, from dflt: what
 * is not named is off.
 */
int flags_put_new(struct cli *, const char *dflt, struct tsb_bytes *body) TSB_MUSTCHECK;
/* The same with only the members that --attributes names; nothing without the option. */
int flags_put_named(struct cli *, struct tsb_bytes *body) TSB_MUSTCHECK;
/* Those of a data object. */
int flags_put_data(struct cli *, struct tsb_bytes *body) TSB_MUSTCHECK;

#endif
