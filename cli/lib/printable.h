/* Text from elsewhere on its way to a terminal. */
#ifndef TSB_CLI_LIB_PRINTABLE_H
#define TSB_CLI_LIB_PRINTABLE_H

#include <stdio.h>

#include "lib/base/bytes.h"

/* Lines of text from elsewhere end here, whatever the terminal could hold. */
#define PRINTABLE_WIDTH 80

/* UTF-8 without control characters other than \n \t and without characters that nobody sees. */
bool printable_all(struct tsb_view text);
/*
 * Appends the text: everything a terminal could take for a command becomes \x.., a line feed
 * becomes line_feed.
 */
void printable_add(struct tsb_view text, const char *line_feed, struct tsb_bytes *out);
/*
 * The same in lines of at most width columns, the first of which begins at column. What goes on in
 * a further line, after a line feed or because the line is full, stands behind blanks and a bar at
 * the column indent: no terminal begins a line with a word of the text.
 */
void printable_lay(struct tsb_view text, size_t column, size_t indent, size_t width,
    struct tsb_bytes *out);
/* Appends at most columns of the text, one line; "..." stands for what is cut off. */
void printable_cut(struct tsb_view text, size_t columns, struct tsb_bytes *out);
/* Three blanks or more in a row, of any kind: with them a text can draw columns. */
bool printable_has_gap(struct tsb_view text);
/*
 * Appends JSON as one line. What printable_all() refuses becomes \uXXXX, which in strings stands
 * for the same text.
 */
void printable_add_json(struct tsb_view json, struct tsb_bytes *out);
/* Columns of the terminal that a stream leads to, PRINTABLE_WIDTH at most; 0 = no terminal. */
size_t printable_columns(FILE *stream);

#endif
