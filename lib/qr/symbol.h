/*
 * The symbol of a QR code, step by step (ISO/IEC 18004:2015, clause 7); for lib/qr only. libqrencode does
 * the same and takes ten times as long, nearly all of it for the choice of the mask; the unit test
 * compares every version and level with it.
 */
#ifndef TSB_QR_SYMBOL_H
#define TSB_QR_SYMBOL_H

#include "lib/qr/code.h"

#define SYMBOL_VERSIONS 40
#define SYMBOL_SIZE_MAX 177
#define SYMBOL_MASKS 8

enum {
	SYMBOL_DARK = 1,
	SYMBOL_FIXED = 2, /* belongs to a function pattern: no data, no mask */
};

struct symbol {
	int version, size;
	enum qr_ecc ecc;
	unsigned char grid[SYMBOL_SIZE_MAX][SYMBOL_SIZE_MAX]; /* row, column */
};

/* Bits of text with its header: alphanumeric mode when all characters have it, else byte mode. */
size_t stream_bits(struct tsb_view text, int version);
/* Exactly n data codewords; the text must fit them. */
void stream_make(struct tsb_view text, int version, unsigned char *out, size_t n);

/* Data codewords of a version (1 to SYMBOL_VERSIONS). */
size_t symbol_data(int version, enum qr_ecc);
/* Function patterns and the text's codewords, not masked yet. The text must fit the version. */
void symbol_make(struct tsb_view text, int version, enum qr_ecc, struct symbol *out);
/* The 15 bits that tell readers level and mask (7.9), and where bit i stands: two places each. */
unsigned symbol_format_bits(enum qr_ecc, int mask);
void symbol_format_place(int size, int i, int copy, int *x, int *y);

/* The mask with the lowest penalty (7.8.3). */
int mask_choose(const struct symbol *);
/* Masks the data and writes the format. */
void mask_apply(struct symbol *, int mask);

/* Appends the remainder of data, count bytes, to out: the Reed-Solomon code of 7.5.2. */
#define RS_MAX 30
struct rs {
	int count;
	unsigned char row[256][RS_MAX]; /* generator polynomial times each factor */
};
void rs_init(struct rs *, int count);
void rs_encode(const struct rs *, const unsigned char *data, size_t n, unsigned char *out);

#endif
