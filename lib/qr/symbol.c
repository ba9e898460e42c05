#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/qr/symbol.h"

#define CODEWORDS_MAX 3706

/* Table 9: error correction codewords of a block, and how many blocks. */
static const unsigned char block_ecc[QR_ECC__MAX][SYMBOL_VERSIONS] = {
	{ 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30,
	    30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30 },
	{ 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28,
	    28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28 },
	{ 13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30, 28, 30, 30,
	    30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30 },
	{ 17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28, 30, 24, 30,
	    30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30 },
};
static const unsigned char block_count[QR_ECC__MAX][SYMBOL_VERSIONS] = {
	{ 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14,
	    15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25 },
	{ 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25,
	    26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49 },
	{ 1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34,
	    34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68 },
	{ 1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37,
	    40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81 },
};

/* ---- codewords (7.5 and 7.6) ---- */

/* All codewords of a version: the modules that function patterns leave over, in bytes (table 1). */
static size_t
codewords(int version)
{
	int align = version / 7 + 2, modules = (16 * version + 128) * version + 64;

	if (version >= 2)
		modules -= (25 * align - 10) * align - 55;
	if (version >= 7)
		modules -= 36;
	return (size_t)modules / 8;
}

size_t
symbol_data(int version, enum qr_ecc ecc)
{
	return codewords(version) -
	    (size_t)block_ecc[ecc][version - 1] * block_count[ecc][version - 1];
}

/* Splits the data into blocks and interleaves them with their error correction (7.6). */
static void
interleave(const unsigned char *data, int version, enum qr_ecc ecc, unsigned char *out)
{
	size_t blocks = block_count[ecc][version - 1], check = block_ecc[ecc][version - 1];
	size_t all = codewords(version), longer = all % blocks; /* by one, and they come last */
	size_t each = all / blocks - check, tail = all - blocks * check;
	unsigned char remainder[RS_MAX];
	struct rs rs;

	rs_init(&rs, (int)check);
	for (size_t b = 0; b < blocks; b++) {
		size_t n = each + (b >= blocks - longer);

		for (size_t i = 0; i < each; i++)
			out[i * blocks + b] = data[i];
		if (n > each)
			out[each * blocks + b - (blocks - longer)] = data[each];
		rs_encode(&rs, data, n, remainder);
		for (size_t i = 0; i < check; i++)
			out[tail + i * blocks + b] = remainder[i];
		data += n;
	}
}

/* ---- function patterns (6.3) ---- */

static void
fix(struct symbol *s, int x, int y, bool dark)
{
	if (x >= 0 && y >= 0 && x < s->size && y < s->size)
		s->grid[y][x] = SYMBOL_FIXED | (dark ? SYMBOL_DARK : 0);
}

/* Rings around a centre: dark, light, dark ... as the bits of rings say. */
static void
add_rings(struct symbol *s, int x, int y, int radius, unsigned rings)
{
	for (int dy = -radius; dy <= radius; dy++)
		for (int dx = -radius; dx <= radius; dx++) {
			int ring = abs(dx) > abs(dy) ? abs(dx) : abs(dy);

			fix(s, x + dx, y + dy, rings >> ring & 1);
		}
}

static void
add_alignment(struct symbol *s)
{
	int n = s->version / 7 + 2, at[7] = { 6 };
	int step = s->version == 32 ? 26 : (s->size - 13 + 2 * n - 3) / (2 * n - 2) * 2;

	if (s->version == 1)
		return;
	for (int i = 1; i < n; i++)
		at[i] = s->size - 7 - (n - 1 - i) * step;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			bool corner = (i == 0 && j == 0) || (i == 0 && j == n - 1) ||
			    (i == n - 1 && j == 0);

			if (!corner)
				add_rings(s, at[i], at[j], 2, 5);
		}
}

/* value with the remainder of the BCH code behind it (annexes C and D). */
static unsigned
bch(unsigned value, int bits, unsigned generator)
{
	unsigned rest = value;

	for (int i = 0; i < bits; i++)
		rest = rest << 1 ^ (rest >> (bits - 1) & 1 ? generator : 0);
	return value << bits | (rest & ((1U << bits) - 1));
}

static void
add_version(struct symbol *s)
{
	unsigned bits = bch((unsigned)s->version, 12, 0x1f25);

	if (s->version < 7)
		return;
	for (int i = 0; i < 18; i++) {
		int a = s->size - 11 + i % 3, b = i / 3;

		fix(s, a, b, bits >> i & 1);
		fix(s, b, a, bits >> i & 1);
	}
}

unsigned
symbol_format_bits(enum qr_ecc ecc, int mask)
{
	static const unsigned level[QR_ECC__MAX] = { 1, 0, 3, 2 };

	return bch(level[ecc] << 3 | (unsigned)mask, 10, 0x537) ^ 0x5412;
}

void
symbol_format_place(int size, int i, int copy, int *x, int *y)
{
	if (copy == 0) { /* around the upper left corner, leaving out the timing patterns */
		*x = i < 8 ? 8 : i == 8 ? 7 : 14 - i;
		*y = i < 6 ? i : i < 8 ? i + 1 : 8;
	} else { /* under the upper right one, then beside the lower left one */
		*x = i < 8 ? size - 1 - i : 8;
		*y = i < 8 ? 8 : size - 15 + i;
	}
}

static void
add_patterns(struct symbol *s)
{
	int far = s->size - 4, x, y;

	for (int i = 0; i < s->size; i++) {
		fix(s, i, 6, i % 2 == 0);
		fix(s, 6, i, i % 2 == 0);
	}
	add_rings(s, 3, 3, 4, 0xb);
	add_rings(s, far, 3, 4, 0xb);
	add_rings(s, 3, far, 4, 0xb);
	add_alignment(s);
	add_version(s);
	for (int i = 0; i < 15; i++)
		for (int copy = 0; copy < 2; copy++) {
			symbol_format_place(s->size, i, copy, &x, &y);
			fix(s, x, y, false);
		}
	fix(s, 8, s->size - 8, true); /* always dark (7.9.1) */
}

/* ---- placement (7.7.3) ---- */

/* Two columns at a time from the right, up and down by turns, around what is fixed. */
static void
place(struct symbol *s, const unsigned char *data, size_t bits)
{
	size_t i = 0;

	for (int right = s->size - 1, up = 1; right > 0; right -= 2, up = !up) {
		if (right == 6) /* the timing pattern takes a whole column */
			right = 5;
		for (int step = 0; step < s->size; step++) {
			unsigned char *row = s->grid[up ? s->size - 1 - step : step];

			for (int x = right; x > right - 2; x--)
				if (!(row[x] & SYMBOL_FIXED) && i < bits) {
					row[x] = data[i / 8] >> (7 - i % 8) & 1;
					i++;
				}
		}
	}
}

void
symbol_make(struct tsb_view text, int version, enum qr_ecc ecc, struct symbol *s)
{
	unsigned char data[CODEWORDS_MAX], all[CODEWORDS_MAX];

	s->version = version;
	s->size = 17 + 4 * version;
	s->ecc = ecc;
	for (int y = 0; y < s->size; y++)
		memset(s->grid[y], 0, (size_t)s->size);
	add_patterns(s);
	stream_make(text, version, data, symbol_data(version, ecc));
	interleave(data, version, ecc, all);
	place(s, all, codewords(version) * 8);
}
