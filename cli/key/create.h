/* What new keys have in common, whether the HSM makes them or they are brought along. */
#ifndef TSB_CLI_KEY_CREATE_H
#define TSB_CLI_KEY_CREATE_H

#include "lib/base/bytes.h"

#include "cli/lib/cli.h"

/* The object identifier of --curve or, without the option, of dflt; TSB_E_INPUT for no name. */
int create_curve(struct cli *, const char *dflt, const char **oid) TSB_MUSTCHECK;
/* What a key of this algorithm is for unless --attributes says it, as "sign"; a constant. */
const char *create_uses(const char *algorithm);
/* Adds policy, addressFormat and attributes; uses as create_uses() gives them. */
int create_put_rest(struct cli *, const char *uses, struct tsb_bytes *body) TSB_MUSTCHECK;
/* Shows the answer to a creation, and who may destroy the key. */
int create_show(struct cli *, const char *label, struct tsb_view answer) TSB_MUSTCHECK;

#endif
