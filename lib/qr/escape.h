/*
 * Text from outside inside HTML and SVG: markup is escaped, and what could make the reader see
 * other text than there is (controls, marks that turn the direction of writing, characters without
 * width) is shown by its code point, as "[U+202E]".
 */
#ifndef TSB_QR_ESCAPE_H
#define TSB_QR_ESCAPE_H

#include "lib/base/bytes.h"

/* Appends; NULL is the empty text, bytes that are not UTF-8 become '?'. */
void qr_escape(const char *text, struct tsb_bytes *out);
/* The same for a line of so many columns, broken at a space if it can be; returns what is left. */
const char *qr_escape_line(const char *text, size_t columns, struct tsb_bytes *out);

#endif
