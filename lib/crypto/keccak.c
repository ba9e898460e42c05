/* Keccak-f[1600] (FIPS 202, 3.2). OpenSSL offers this padding only from 3.2 on. */
#include "lib/first.h"

#include <string.h>

#include "lib/crypto/keccak.h"

#define LANES  25
#define ROUNDS 24

static const uint64_t round_constant[ROUNDS] = {0x0000000000000001, 0x0000000000008082,
    0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b,
    0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080,
    0x0000000080000001, 0x8000000080008008};

/* Rho's rotation and pi's target of the lane, along the path that starts at lane 1. */
static const struct {
	unsigned char to, rotate;
} path[LANES - 1] = {{10, 1}, {7, 3}, {11, 6}, {17, 10}, {18, 15}, {3, 21}, {5, 28}, {16, 36},
    {8, 45}, {21, 55}, {24, 2}, {4, 14}, {15, 27}, {23, 41}, {19, 56}, {13, 8}, {12, 25}, {2, 43},
    {20, 62}, {14, 18}, {22, 39}, {9, 61}, {6, 20}, {1, 44}};

static uint64_t
rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void
theta(uint64_t a[LANES])
{
	uint64_t parity[5];

	for (int x = 0; x < 5; x++)
		parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	for (int x = 0; x < 5; x++) {
		uint64_t d = parity[(x + 4) % 5] ^ rotl(parity[(x + 1) % 5], 1);

		for (int y = 0; y < LANES; y += 5)
			a[y + x] ^= d;
	}
}

static void
rho_pi(uint64_t a[LANES])
{
	uint64_t moving = a[1];

	for (size_t i = 0; i < TSB_COUNT(path); i++) {
		uint64_t next = a[path[i].to];

		a[path[i].to] = rotl(moving, path[i].rotate);
		moving = next;
	}
}

static void
chi(uint64_t a[LANES])
{
	for (int y = 0; y < LANES; y += 5) {
		uint64_t row[5];

		memcpy(row, a + y, sizeof(row));
		for (int x = 0; x < 5; x++)
			a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
	}
}

static void
permute(uint64_t a[LANES])
{
	for (int round = 0; round < ROUNDS; round++) {
		theta(a);
		rho_pi(a);
		chi(a);
		a[0] ^= round_constant[round];
	}
}

static void
xor_byte(uint64_t a[LANES], size_t at, unsigned char b)
{
	a[at / 8] ^= (uint64_t)b << (8 * (at % 8));
}

void
keccak(struct tsb_view in, size_t size, unsigned char *out)
{
	const size_t rate = 200 - 2 * size;
	uint64_t a[LANES] = {0};
	size_t at = 0;

	for (size_t i = 0; i < in.n; i++) {
		xor_byte(a, at++, in.p[i]);
		if (at == rate) {
			permute(a);
			at = 0;
		}
	}
	xor_byte(a, at, 0x01);
	xor_byte(a, rate - 1, 0x80);
	permute(a);
	/* Every size is below its rate: one squeeze is enough. */
	for (size_t i = 0; i < size; i++)
		out[i] = (unsigned char)(a[i / 8] >> (8 * (i % 8)));
}
