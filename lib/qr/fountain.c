/*
 * The scheme fixes each step, down to the order in which random numbers are drawn and rounded: two
 * programs that differ in one of them cannot read each other's mixed parts.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/crypto/crypto.h"
#include "lib/qr/fountain.h"

struct fountain {
	size_t n;
	double *keep; /* alias method: column i stands for i with this probability, */
	uint16_t *other; /* else for that one */
};

/* ---- random numbers: xoshiro256** (Blackman, Vigna), seeded with a SHA-256 in big endian ---- */

struct xoshiro {
	uint64_t s[4];
};

static void
xoshiro_seed(struct xoshiro *x, uint32_t i, uint32_t checksum)
{
	unsigned char seed[8], hash[CRYPTO_SHA256_SIZE];

	for (int k = 0; k < 4; k++) {
		seed[k] = (unsigned char)(i >> (24 - 8 * k));
		seed[4 + k] = (unsigned char)(checksum >> (24 - 8 * k));
	}
	crypto_sha256(tsb_view_of(seed, sizeof(seed)), hash);
	for (int k = 0; k < 4; k++) {
		x->s[k] = 0;
		for (int b = 0; b < 8; b++)
			x->s[k] = x->s[k] << 8 | hash[8 * k + b];
	}
}

static uint64_t
rotate(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static uint64_t
xoshiro_next(struct xoshiro *x)
{
	uint64_t *s = x->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* In [0, 1): the upper 53 bits, so that no value rounds up to 1. */
static double
xoshiro_unit(struct xoshiro *x)
{
	return (double)(xoshiro_next(x) >> 11) / (double)(1ULL << 53);
}

/* ---- how many: degree d with a weight of 1/d (alias method of Walker and Vose) ---- */

const struct fountain *
fountain_new(size_t n, struct arena *a)
{
	struct fountain *f = arena_alloc(a, sizeof(*f));
	double *weight = arena_array(a, n, sizeof(*weight)), sum = 0;
	uint16_t *small = arena_array(a, n, sizeof(*small)), *large;
	size_t nsmall = 0, nlarge = 0;

	large = arena_array(a, n, sizeof(*large));
	f->n = n;
	f->keep = arena_array(a, n, sizeof(*f->keep));
	f->other = arena_array(a, n, sizeof(*f->other));
	for (size_t d = 1; d <= n; d++)
		sum += 1.0 / (double)d;
	for (size_t i = n; i-- > 0;) {
		f->keep[i] = 1;
		weight[i] = 1.0 / (double)(i + 1) * ((double)n / sum);
		if (weight[i] < 1)
			small[nsmall++] = (uint16_t)i;
		else
			large[nlarge++] = (uint16_t)i;
	}
	while (nsmall > 0 && nlarge > 0) {
		uint16_t s = small[--nsmall], l = large[--nlarge];

		f->keep[s] = weight[s];
		f->other[s] = l;
		weight[l] += weight[s] - 1;
		if (weight[l] < 1)
			small[nsmall++] = l;
		else
			large[nlarge++] = l;
	}
	return f;
}

static size_t
degree(const struct fountain *f, struct xoshiro *x)
{
	double column = xoshiro_unit(x) * (double)f->n, coin = xoshiro_unit(x);
	size_t i = (size_t)column;

	return (size_t)(coin < f->keep[i] ? i : f->other[i]) + 1;
}

/* ---- which ---- */

size_t
fountain_choose(const struct fountain *f, uint32_t i, uint32_t checksum, uint16_t *index)
{
	struct xoshiro x;
	size_t count;

	if (i <= f->n) {
		index[0] = (uint16_t)(i - 1);
		return 1;
	}
	xoshiro_seed(&x, i, checksum);
	count = degree(f, &x);
	for (size_t k = 0; k < f->n; k++)
		index[k] = (uint16_t)k;
	/* The rest stays in order when one is drawn: the scheme removes it from a list. */
	for (size_t k = 0; k < count; k++) {
		size_t at = k + (size_t)(xoshiro_unit(&x) * (double)(f->n - k));
		uint16_t drawn = index[at];

		memmove(index + k + 1, index + k, (at - k) * sizeof(*index));
		index[k] = drawn;
	}
	return count;
}
