/* Keys in the clear. */
#ifndef TSB_CLI_KEY_PLAIN_H
#define TSB_CLI_KEY_PLAIN_H

#include "cli/lib/cli.h"

/* tsb key import FILE --name NAME: gives the HSM a key, certificate, secret or seed of the file. */
int plain_import(struct cli *) TSB_MUSTCHECK;

#endif
