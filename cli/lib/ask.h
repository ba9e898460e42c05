/* Questions to the person at the terminal, whatever standard input and output are. */
#ifndef TSB_CLI_LIB_ASK_H
#define TSB_CLI_LIB_ASK_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/*
 * A line typed without echo; the text is the arena's. False when there is no terminal or nothing
 * was typed.
 */
bool ask_secret(const char *prompt, struct arena *a, const char **out);
/*
 * A line; *out is the arena's, or NULL when it is empty. TSB_E_INPUT when there is no terminal to
 * ask at, or it was closed.
 */
int ask_line(const char *prompt, struct arena *a, const char **out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Sets *yes by the answer, y or n. TSB_E_INPUT when there is no terminal to ask at. */
int ask_yes(const char *question, bool *yes, struct tsb_err *err) TSB_MUSTCHECK;
/* The same with further answers: *out is 'y', 'n' or one of letters; all that is unclear is 'n'. */
int ask_choice(const char *question, const char *letters, char *out, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
