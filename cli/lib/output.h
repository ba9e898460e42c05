/* Single lines and bodies for people and scripts. */
#ifndef TSB_CLI_LIB_OUTPUT_H
#define TSB_CLI_LIB_OUTPUT_H

#include "lib/base/bytes.h"

/* A message for the person, on stderr so that stdout stays clean for scripts. */
void output_note(const char *fmt, ...) TSB_PRINTF(1, 2);
/* Appends a message as output_note() prints it: further lines stand behind a bar. */
void output_message(struct tsb_view text, struct tsb_bytes *out);
/* One line on stdout; line feeds and what a terminal could take for a command are escaped. */
void output_line(const char *text);
/* The same for columns, which a terminal that is too narrow shows in lines behind a bar. */
void output_row(const char *text);
/* A result of the server on stdout: output_line(), but PEM keeps its lines. */
void output_result(const char *text);
/* JSON of the server on stdout, in one line, with what a terminal could obey as \uXXXX. */
void output_body(struct tsb_view body);

#endif
