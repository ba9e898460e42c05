/* Single lines and bodies for people and scripts. */
#ifndef TSB_CLI_LIB_OUTPUT_H
#define TSB_CLI_LIB_OUTPUT_H

#include "lib/base/bytes.h"

/* A message for the person, on stderr so that stdout stays clean for scripts. */
void output_note(const char *fmt, ...) TSB_PRINTF(1, 2);
/* One line on stdout; what a terminal could take for a command is escaped. */
void output_line(const char *text);
/* A body of the server on stdout, with a line feed. */
void output_body(struct tsb_view body);

#endif
