/*
 * Bytewords (BCR-2020-012): a word of four letters for each byte, chosen to be told apart when read
 * aloud. First and last letter of a word are enough to know it, which makes the minimal style.
 */
#ifndef TSB_QR_WORDS_H
#define TSB_QR_WORDS_H

#include "lib/base/arena.h"

extern const char qr_words[256][5];

/* One word a byte with a separator between them, without the check bytes of the scheme. Appends. */
void qr_words_format(struct tsb_view bytes, const char *separator, struct tsb_bytes *out);

/* Minimal style in capitals, with the four bytes of the CRC-32 behind. Appends. */
void qr_words_minimal(struct tsb_view bytes, struct tsb_bytes *out);
/* In either case of letters; false for letters that make no word, and for a wrong CRC-32. */
bool qr_words_minimal_decode(struct tsb_view text, struct arena *a, struct tsb_view *bytes);

#endif
