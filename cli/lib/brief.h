/* Short texts for lines of lists. All are the arena's. */
#ifndef TSB_CLI_LIB_BRIEF_H
#define TSB_CLI_LIB_BRIEF_H

#include "lib/base/arena.h"

/* On one line, cut where the column ends; what a terminal could obey is escaped. */
const char *brief_text(struct arena *, struct tsb_view text, size_t columns);
/* "9 min", of seconds. */
const char *brief_span(struct arena *, int64_t seconds);
/* "until 23:43Z, in 9 min", of a time in seconds; the date stands before a time of another day. */
const char *brief_until(struct arena *, int64_t end);

#endif
