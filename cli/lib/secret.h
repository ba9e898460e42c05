/* Passwords and passphrases: the first line of a file, or typed without echo; never an argument. */
#ifndef TSB_CLI_LIB_SECRET_H
#define TSB_CLI_LIB_SECRET_H

#include "cli/lib/cli.h"

/*
 * From the file of the option or from the terminal, which is asked twice for a new one, so that a
 * slip does not lock anything away. *out is the arena's and may be empty only in a file.
 * TSB_E_INPUT without either, or when the two differ.
 */
int secret_of(struct cli *, enum cli_option, const char *what, bool twice, const char **out)
    TSB_MUSTCHECK;
/*
 * The passphrase under which a key file is written: --passphrase-file, the variable env (NULL =
 * none) or the terminal; NULL with --no-passphrase. TSB_E_INPUT for one of less than 8 characters.
 */
int secret_new_passphrase(struct cli *, const char *env, const char **out) TSB_MUSTCHECK;

#endif
