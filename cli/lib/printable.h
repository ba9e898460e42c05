/* Text from elsewhere on its way to a terminal. */
#ifndef TSB_CLI_LIB_PRINTABLE_H
#define TSB_CLI_LIB_PRINTABLE_H

#include "lib/base/bytes.h"

/* UTF-8 without control characters other than \n \t and without characters that reorder text. */
bool printable_all(struct tsb_view text);
/*
 * Appends the text: everything a terminal could take for a command becomes \x.., a line feed
 * becomes line_feed.
 */
void printable_add(struct tsb_view text, const char *line_feed, struct tsb_bytes *out);

#endif
