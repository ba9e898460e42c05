#include "lib/first.h"

#include <string.h>

#include "lib/qr/symbol.h"

/* GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. Nothing here is secret: time may depend on values. */
static unsigned char
multiply(unsigned a, unsigned b)
{
	unsigned product = 0;

	for (; b != 0; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = a << 1 ^ (a & 0x80 ? 0x11d : 0);
	}
	return (unsigned char)product;
}

void
rs_init(struct rs *rs, int count)
{
	unsigned char generator[RS_MAX] = { 0 }; /* highest power first, without the leading 1 */
	unsigned char root = 1;

	rs->count = count;
	generator[count - 1] = 1;
	for (int i = 0; i < count; i++) { /* times (x - root) */
		for (int j = 0; j < count; j++) {
			generator[j] = multiply(generator[j], root);
			if (j + 1 < count)
				generator[j] ^= generator[j + 1];
		}
		root = multiply(root, 2);
	}
	/* Every factor is a sum of powers of two, and so is its row. */
	memset(rs->row, 0, sizeof(rs->row));
	for (unsigned bit = 1; bit < 256; bit <<= 1) {
		for (int j = 0; j < count; j++)
			rs->row[bit][j] = multiply(generator[j], bit);
		for (unsigned low = 1; low < bit; low++)
			for (int j = 0; j < RS_MAX; j++)
				rs->row[bit | low][j] = rs->row[bit][j] ^ rs->row[low][j];
	}
}

void
rs_encode(const struct rs *rs, const unsigned char *data, size_t n, unsigned char *out)
{
	unsigned char remainder[RS_MAX + 1] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const unsigned char *row = rs->row[data[i] ^ remainder[0]];

		for (int j = 0; j < RS_MAX; j++)
			remainder[j] = remainder[j + 1] ^ row[j];
	}
	memcpy(out, remainder, (size_t)rs->count);
}
