/* Text encodings of bytes. Decoders are strict: exactly one text per byte string. */
#ifndef TSB_BASE_ENC_H
#define TSB_BASE_ENC_H

#include "lib/base/arena.h"
#include "lib/base/bytes.h"

/* RFC 4648 section 4, padded, no line breaks. */
void enc_base64(struct tsb_view in, struct tsb_bytes *out); /* appends */
char *enc_base64_str(struct arena *a, struct tsb_view in);
/* False for a wrong alphabet, white space, missing padding or left-over bits. */
bool enc_base64_decode(struct tsb_view text, struct arena *a, struct tsb_view *out);

void enc_hex(struct tsb_view in, struct tsb_bytes *out); /* lower case, appends */
/* The same into 2 * in.n characters, without a NUL; returns where they end. */
char *enc_hex_put(struct tsb_view in, char *out);
int enc_hex_value(char); /* of one digit of either case; -1 for another character */
char *enc_hex_str(struct arena *a, struct tsb_view in);
/* Either case; false for an odd length or another character. */
bool enc_hex_decode(struct tsb_view text, struct arena *a, struct tsb_view *out);

/* Bitcoin's alphabet; a zero byte in front is a '1'. Takes time n^2: for short values. Appends. */
void enc_base58(struct tsb_view in, struct tsb_bytes *out);

/* RFC 3986 percent-decoding; false for a broken escape or an encoded NUL. '+' stays '+'. */
bool enc_percent_decode(struct tsb_view text, struct arena *a, struct tsb_view *out);
/* Encodes all but unreserved characters. */
char *enc_percent_str(struct arena *a, const char *s);

#endif
