/* Text helpers. */
#ifndef TSB_BASE_STR_H
#define TSB_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/bytes.h"

bool tsb_streq(const char *a, const char *b); /* NULL equals only NULL */
/* A copy for free(); NULL gives NULL. Running out of memory is fatal. */
char *tsb_strdup(const char *s);
/* The first n bytes, or all when s is shorter. */
char *tsb_strndup(const char *s, size_t n);
/*
 * Bytes of the well-formed UTF-8 character at the start of text, which is not empty, and its
 * number; 0 when there is none.
 */
size_t tsb_utf8_next(struct tsb_view text, unsigned *code);
/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool tsb_utf8_valid(struct tsb_view v);
/* UTF-8 without NUL and without control characters (C0, DEL, C1): labels and names. */
bool tsb_label_valid(struct tsb_view v);
/* How many characters well-formed UTF-8 has. */
size_t tsb_utf8_count(struct tsb_view v);
/* Decimal digits only, whole text, within [min, max]. */
bool tsb_str_to_long(const char *s, long min, long max, long *out);

#endif
