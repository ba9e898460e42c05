/* Keys of the HSM: what several commands send about one. */
#ifndef TSB_CLI_KEY_KEY_H
#define TSB_CLI_KEY_KEY_H

#include "lib/base/bytes.h"

#include "cli/lib/cli.h"

/* Writes the body that names the key of the first operand, with its password. */
int key_put_reference(struct cli *, struct tsb_bytes *body) TSB_MUSTCHECK;

#endif
