/* What --help prints: all commands, those of one group, or all about one command. */
#ifndef TSB_CLI_LIB_HELP_H
#define TSB_CLI_LIB_HELP_H

#include "cli/lib/cli.h"

/* "key create " or "sign ", in the arena. */
const char *help_words(struct cli *, const struct cli_command *);
/* The commands of a group, or all of them (NULL), to standard output. */
void help_commands(struct cli *, const char *group);
/*
 * c->command to standard output: its own options first, then the algorithms that they may name,
 * then the options that every command has.
 */
void help_command(struct cli *);

#endif
