/*
 * The choice of a mask (ISO/IEC 18004:2015, 7.8). Eight candidates are scored over all rows and columns,
 * so a line is three machine words and its modules are scored 64 at a time.
 */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/qr/symbol.h"

#define WORDS 3 /* 192 modules; those beyond the symbol are 0, light as the quiet zone */
#define PERIOD 12 /* all masks repeat after so many modules, in both directions */

/* All that is inlined into score() is compiled twice. */
#define INLINE static inline __attribute__((always_inline))

struct line {
	uint64_t w[WORDS];
};

/* The same symbol seen as rows ([0]) and as columns ([1]). */
struct lines {
	struct line at[2][SYMBOL_SIZE_MAX];
};

static bool
mask_bit(int mask, int x, int y)
{
	switch (mask) {
	case 0:
		return (x + y) % 2 == 0;
	case 1:
		return y % 2 == 0;
	case 2:
		return x % 3 == 0;
	case 3:
		return (x + y) % 3 == 0;
	case 4:
		return (x / 3 + y / 2) % 2 == 0;
	case 5:
		return x * y % 2 + x * y % 3 == 0;
	case 6:
		return (x * y % 2 + x * y % 3) % 2 == 0;
	default:
		return ((x + y) % 2 + x * y % 3) % 2 == 0;
	}
}

void
mask_apply(struct symbol *s, int mask)
{
	unsigned format = symbol_format_bits(s->ecc, mask);
	int x, y;

	for (y = 0; y < s->size; y++) {
		unsigned char flip[PERIOD];

		for (x = 0; x < PERIOD; x++)
			flip[x] = mask_bit(mask, x, y);
		for (x = 0; x < s->size; x++)
			if (!(s->grid[y][x] & SYMBOL_FIXED))
				s->grid[y][x] ^= flip[x % PERIOD];
	}
	for (int i = 0; i < 15; i++)
		for (int copy = 0; copy < 2; copy++) {
			symbol_format_place(s->size, i, copy, &x, &y);
			s->grid[y][x] = SYMBOL_FIXED | (format >> i & 1);
		}
}

/* ---- lines ---- */

static void
set_bit(struct line *line, int i, bool value)
{
	uint64_t bit = UINT64_C(1) << i % 64;

	line->w[i / 64] = (line->w[i / 64] & ~bit) | (value ? bit : 0);
}

/* Bit i of the result is bit i + n. */
INLINE struct line
down(struct line a, int n)
{
	return (struct line){ { a.w[0] >> n | a.w[1] << (64 - n), a.w[1] >> n | a.w[2] << (64 - n),
	    a.w[2] >> n } };
}

/* Bit i of the result is bit i - n. */
INLINE struct line
up(struct line a, int n)
{
	return (struct line){ { a.w[0] << n, a.w[1] << n | a.w[0] >> (64 - n),
	    a.w[2] << n | a.w[1] >> (64 - n) } };
}

INLINE int
count(struct line a)
{
	return __builtin_popcountll(a.w[0]) + __builtin_popcountll(a.w[1]) +
	    __builtin_popcountll(a.w[2]);
}

#define EACH(result, expression)                                                                   \
	for (int i_ = 0; i_ < WORDS; i_++)                                                         \
		(result).w[i_] = (expression);
#define W(a) ((a).w[i_])

/* ---- penalties (7.8.3.1) ---- */

/* Where a module and the next one are the same. */
INLINE struct line
same_as_next(struct line a, struct line inside)
{
	struct line next = down(a, 1), edge = down(inside, 1), out;

	EACH(out, ~(W(a) ^ W(next)) & W(edge));
	return out;
}

/* Runs of five and more: three points, and one for each module beyond five. */
INLINE int
score_runs(struct line same)
{
	struct line two = down(same, 1), four, before, start;

	EACH(two, W(two) & W(same)); /* a run of n has n - 1 such places, n - 2 pairs of them ... */
	four = down(two, 2);
	EACH(four, W(four) & W(two));
	before = up(four, 1);
	EACH(start, W(four) & ~W(before));
	return count(four) + 2 * count(start);
}

/* Squares of 2 by 2: three points each. */
INLINE int
score_squares(struct line a, struct line b, struct line same_a, struct line same_b)
{
	struct line squares;

	EACH(squares, ~(W(a) ^ W(b)) & W(same_a) & W(same_b));
	return 3 * count(squares);
}

/* Any dark module among the four before each, and among the four from each on. */
INLINE struct line
four_before(struct line a)
{
	struct line a1 = up(a, 1), a2 = up(a, 2), a3 = up(a, 3), a4 = up(a, 4), out;

	EACH(out, W(a1) | W(a2) | W(a3) | W(a4));
	return out;
}

INLINE struct line
four_from(struct line a)
{
	struct line a1 = down(a, 1), a2 = down(a, 2), a3 = down(a, 3), out;

	EACH(out, W(a) | W(a1) | W(a2) | W(a3));
	return out;
}

/* What looks like a finder, 1011101 with four light modules on one side: 40 points each. */
INLINE int
score_finders(struct line a)
{
	struct line a1 = down(a, 1), a2 = down(a, 2), a3 = down(a, 3), a4 = down(a, 4);
	struct line a5 = down(a, 5), a6 = down(a, 6), finder, before, after;

	EACH(finder, W(a) & ~W(a1) & W(a2) & W(a3) & W(a4) & ~W(a5) & W(a6));
	if ((finder.w[0] | finder.w[1] | finder.w[2]) == 0)
		return 0;
	before = four_before(a);
	after = down(four_from(a), 7);
	EACH(before, W(finder) & ~W(before));
	EACH(after, W(finder) & ~W(after));
	return 40 * (count(before) + count(after));
}

/* Ten points for each five per cent by which dark modules are not half of all. */
static int
score_balance(int dark, int size)
{
	return 10 * (abs(20 * dark - 10 * size * size) / (size * size));
}

INLINE int
score_lines(const struct lines *lines, int size)
{
	struct line inside = { { 0 } }, before = { { 0 } };
	int total = 0, dark = 0;

	for (int i = 0; i < size; i++)
		set_bit(&inside, i, true);
	for (int way = 0; way < 2; way++)
		for (int i = 0; i < size; i++) {
			struct line a = lines->at[way][i], same = same_as_next(a, inside);

			total += score_runs(same) + score_finders(a);
			if (way == 0) {
				dark += count(a);
				if (i > 0)
					total += score_squares(lines->at[0][i - 1], a, before, same);
			}
			before = same;
		}
	return total + score_balance(dark, size);
}

/* Counting bits is most of the work: with the instruction for it all of this takes a third of the time. */
#ifdef __x86_64__
__attribute__((target("popcnt"))) static int
score_popcnt(const struct lines *lines, int size)
{
	return score_lines(lines, size);
}
#endif

static int
score(const struct lines *lines, int size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("popcnt"))
		return score_popcnt(lines, size);
#endif
	return score_lines(lines, size);
}

/* ---- candidates ---- */

/* A line's mask, free modules only. way 0: a row, 1: a column. */
static struct line
mask_line(int mask, int way, int at)
{
	uint64_t pattern = 0;
	struct line out;

	for (int i = 0; i < PERIOD; i++)
		if (way == 0 ? mask_bit(mask, i, at) : mask_bit(mask, at, i))
			pattern |= UINT64_C(1) << i;
	for (int i = 0; i < WORDS; i++) {
		int shift = i * 64 % PERIOD;
		uint64_t turned = (pattern >> shift | pattern << (PERIOD - shift)) & 0xfff;

		out.w[i] = turned * UINT64_C(0x1001001001001001);
	}
	return out;
}

static void
pack(const struct symbol *s, struct lines *data, struct lines *open)
{
	memset(data, 0, sizeof(*data));
	memset(open, 0, sizeof(*open));
	for (int y = 0; y < s->size; y++)
		for (int x = 0; x < s->size; x++) {
			uint64_t dark = s->grid[y][x] & SYMBOL_DARK;
			uint64_t is_open = !(s->grid[y][x] & SYMBOL_FIXED);

			data->at[0][y].w[x / 64] |= dark << x % 64;
			data->at[1][x].w[y / 64] |= dark << y % 64;
			open->at[0][y].w[x / 64] |= is_open << x % 64;
			open->at[1][x].w[y / 64] |= is_open << y % 64;
		}
}

static void
make_candidate(const struct symbol *s, int mask, const struct lines *data, const struct lines *open,
    struct lines *out)
{
	unsigned format = symbol_format_bits(s->ecc, mask);
	int x, y;

	for (int way = 0; way < 2; way++) {
		struct line pattern[PERIOD];

		for (int i = 0; i < PERIOD; i++)
			pattern[i] = mask_line(mask, way, i);
		for (int i = 0; i < s->size; i++)
			EACH(out->at[way][i],
			    W(data->at[way][i]) ^ (W(pattern[i % PERIOD]) & W(open->at[way][i])));
	}
	for (int i = 0; i < 15; i++)
		for (int copy = 0; copy < 2; copy++) {
			symbol_format_place(s->size, i, copy, &x, &y);
			set_bit(&out->at[0][y], x, format >> i & 1);
			set_bit(&out->at[1][x], y, format >> i & 1);
		}
}

int
mask_choose(const struct symbol *s)
{
	struct lines data, open, candidate;
	int best = 0, lowest = -1;

	pack(s, &data, &open);
	for (int mask = 0; mask < SYMBOL_MASKS; mask++) {
		int points;

		make_candidate(s, mask, &data, &open, &candidate);
		points = score(&candidate, s->size);
		if (lowest < 0 || points < lowest) {
			lowest = points;
			best = mask;
		}
	}
	return best;
}
