/* The last words of a command that failed. */
#ifndef TSB_CLI_LIB_FAILURE_H
#define TSB_CLI_LIB_FAILURE_H

#include "cli/lib/cli.h"

/* Prints c->err with number, reason and what to do next to stderr; JSON with --json. */
void failure_print(const struct cli *);

#endif
