/*
 * Bytewords (BCR-2020-012): a word of four letters for each byte, chosen to be told apart when read
 * aloud.
 */
#ifndef TSB_QR_WORDS_H
#define TSB_QR_WORDS_H

#include "lib/base/bytes.h"

extern const char qr_words[256][5];

/* One word a byte with a separator between them, without the check bytes of the scheme. Appends. */
void qr_words_format(struct tsb_view bytes, const char *separator, struct tsb_bytes *out);

#endif
