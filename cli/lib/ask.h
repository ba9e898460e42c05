/* Questions to the person at the terminal, whatever standard input and output are. */
#ifndef TSB_CLI_LIB_ASK_H
#define TSB_CLI_LIB_ASK_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* A line from the terminal without echo; false when there is no terminal or nothing was typed. */
bool ask_secret(const char *prompt, struct arena *a, const char **out);
/* A question with the answers y and n; *yes. TSB_E_INPUT when there is no terminal to ask at. */
int ask_yes(const char *question, bool *yes, struct tsb_err *err) TSB_MUSTCHECK;

#endif
