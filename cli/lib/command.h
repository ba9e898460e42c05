/* Finds and runs the command that a command line names. */
#ifndef TSB_CLI_LIB_COMMAND_H
#define TSB_CLI_LIB_COMMAND_H

#include "cli/lib/cli.h"

/* All of main(): reads the options, explains or runs a command. Returns the exit status. */
int command_main(const struct cli_program *, int argc, char **argv);

#endif
