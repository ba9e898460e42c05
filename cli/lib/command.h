/* From the words of a command line to the command that they name. */
#ifndef TSB_CLI_LIB_COMMAND_H
#define TSB_CLI_LIB_COMMAND_H

#include "cli/lib/cli.h"

/* What main() does: help, options, the command, its last words. The exit status of the program. */
int command_main(const struct cli_program *, int argc, char **argv);

#endif
