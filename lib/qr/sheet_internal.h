/* What the sheets of all formats share; for lib/qr only. */
#ifndef TSB_QR_SHEET_INTERNAL_H
#define TSB_QR_SHEET_INTERNAL_H

#include "lib/qr/sheet.h"

#define SHEET_DIGEST 32
#define SHEET_ROW    4 /* bytes of the digest in one row */
#define SHEET_ROWS   (SHEET_DIGEST / SHEET_ROW)

void sheet_digest(struct tsb_view text, unsigned char digest[SHEET_DIGEST]);
/* Row of the digest as "ba78 16bf" and as words. Appends. */
void sheet_hex_row(const unsigned char *digest, size_t row, struct tsb_bytes *out);
void sheet_words_row(const unsigned char *digest, size_t row, struct tsb_bytes *out);
/* The one sentence that tells what to do; needs no escaping in text nodes. */
void sheet_instruction(const struct qr_sheet *, struct tsb_bytes *out);
void sheet_svg(const struct qr_sheet *, struct tsb_bytes *out);

#endif
