/* Codes and their pictures: libqrencode is the referee of symbols, gd reads PNGs back. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gd.h>
#include <qrencode.h>

#include "lib/qr/symbol.h"

static const size_t capacity[QR_ECC__MAX] = { 2953, 2331, 1663, 1273 }; /* table 7, version 40 */
static const QRecLevel levels[QR_ECC__MAX] = { QR_ECLEVEL_L, QR_ECLEVEL_M, QR_ECLEVEL_Q,
	QR_ECLEVEL_H };

/* The same bytes every time; every value occurs. */
static struct tsb_view
noise(size_t n)
{
	static unsigned char bytes[3000];
	uint32_t x = (uint32_t)n * 2654435761U + 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	return tsb_view_of(bytes, n);
}

/* How many versions are tested at a time: under valgrind not all. */
static int
stride(int fast)
{
	const char *valgrind = getenv("VALGRIND");

	return valgrind != NULL && *valgrind != '\0' ? 13 : fast;
}

/* ---- symbols ---- */

static QRcode *
referee(struct tsb_view text, int version, enum qr_ecc ecc, QRencodeMode mode)
{
	QRinput *input = QRinput_new2(version, levels[ecc]);
	QRcode *code;

	assert_non_null(input);
	assert_int_equal(QRinput_append(input, mode, (int)text.n, text.p), 0);
	code = QRcode_encodeInput(input);
	assert_non_null(code);
	QRinput_free(input);
	return code;
}

/*
 * Masks are a matter of taste (libqrencode counts fewer finder-like patterns), so the referee's symbol
 * must be one of our eight; the format bits in it tell which, so nothing is left unchecked.
 */
static bool
is_one_of_ours(const struct symbol *s, const QRcode *code)
{
	for (int mask = 0; mask < SYMBOL_MASKS; mask++) {
		static struct symbol masked;
		bool same = true;

		masked = *s;
		mask_apply(&masked, mask);
		for (int y = 0; y < s->size && same; y++)
			for (int x = 0; x < s->size && same; x++)
				same = (masked.grid[y][x] & SYMBOL_DARK) ==
				    (code->data[y * s->size + x] & 1);
		if (same)
			return true;
	}
	return false;
}

static void
compare(struct tsb_view text, int version, enum qr_ecc ecc, QRencodeMode mode)
{
	static struct symbol s;
	QRcode *code = referee(text, version, ecc, mode);

	assert_int_equal(code->version, version);
	symbol_make(text, version, ecc, &s);
	assert_int_equal(s.size, code->width);
	if (!is_one_of_ours(&s, code))
		fail_msg("version %d, level %s, %zu bytes: another symbol", version,
		    qr_ecc_names[ecc], text.n);
	QRcode_free(code);
}

static void
test_symbols_of_all_versions(void **state)
{
	for (int version = 1; version <= SYMBOL_VERSIONS; version += stride(1))
		for (enum qr_ecc ecc = 0; ecc < QR_ECC__MAX; ecc++) {
			size_t full = symbol_data(version, ecc) - (version < 10 ? 2 : 3);

			compare(noise(full), version, ecc, QR_MODE_8);
			compare(noise(full - 1), version, ecc, QR_MODE_8);
			compare(noise(full / 2 + 2), version, ecc, QR_MODE_8);
		}
}

/* Terminators of all lengths: the last characters that fit, for each version and level. */
static void
test_alphanumeric_symbols(void **state)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	static char text[4300];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = set[i * 7 % 45];
	for (int version = 1; version <= SYMBOL_VERSIONS; version += stride(1))
		for (enum qr_ecc ecc = 0; ecc < QR_ECC__MAX; ecc++) {
			size_t n = 1;

			while (stream_bits(tsb_view_of(text, n + 1), version) <=
			    symbol_data(version, ecc) * 8)
				n++;
			compare(tsb_view_of(text, n), version, ecc, QR_MODE_AN);
			compare(tsb_view_of(text, n - 1), version, ecc, QR_MODE_AN);
			compare(tsb_view_of(text, 1), version, ecc, QR_MODE_AN);
		}
}

/* ---- the choice of the mask: the rules again, one module at a time ---- */

static bool
dark(const struct symbol *s, int way, int line, int i)
{
	if (i < 0 || i >= s->size)
		return false;
	return (way == 0 ? s->grid[line][i] : s->grid[i][line]) & SYMBOL_DARK;
}

static long
points_of_line(const struct symbol *s, int way, int line)
{
	static const char *const finders[] = { "10111010000", "00001011101" };
	long points = 0;
	int run = 1;

	for (int i = 1; i <= s->size; i++) {
		if (i < s->size && dark(s, way, line, i) == dark(s, way, line, i - 1)) {
			run++;
			continue;
		}
		points += run >= 5 ? run - 2 : 0;
		run = 1;
	}
	for (int f = 0; f < 2; f++)
		for (int start = -4; start < s->size; start++) {
			int i = 0;

			while (i < 11 && dark(s, way, line, start + i) == (finders[f][i] == '1'))
				i++;
			points += i == 11 ? 40 : 0;
		}
	return points;
}

static long
points_of_symbol(const struct symbol *s)
{
	long points = 0, total = (long)s->size * s->size, black = 0;

	for (int y = 0; y < s->size; y++) {
		points += points_of_line(s, 0, y) + points_of_line(s, 1, y);
		for (int x = 0; x < s->size; x++) {
			bool d = dark(s, 0, y, x);

			black += d;
			if (x > 0 && y > 0 && d == dark(s, 0, y, x - 1) &&
			    d == dark(s, 0, y - 1, x) && d == dark(s, 0, y - 1, x - 1))
				points += 3;
		}
	}
	return points + 10 * (labs(20 * black - 10 * total) / total);
}

static void
test_mask_has_the_lowest_penalty(void **state)
{
	static struct symbol s, masked;

	for (int version = 1; version <= SYMBOL_VERSIONS; version += stride(3)) {
		long lowest = 0;
		int best = -1;

		symbol_make(noise(symbol_data(version, QR_ECC_M) - 3), version, QR_ECC_M, &s);
		for (int mask = 0; mask < SYMBOL_MASKS; mask++) {
			long points;

			masked = s;
			mask_apply(&masked, mask);
			points = points_of_symbol(&masked);
			if (best < 0 || points < lowest) {
				lowest = points;
				best = mask;
			}
		}
		assert_int_equal(mask_choose(&s), best);
	}
}

/* ---- codes ---- */

static void
test_capacity(void **state)
{
	arena_auto arena = { 0 };

	for (enum qr_ecc ecc = 0; ecc < QR_ECC__MAX; ecc++) {
		struct tsb_err err = { 0 };
		struct qr_code code = { 0 };

		assert_int_equal(qr_capacity(ecc), capacity[ecc]);
		assert_int_equal(qr_encode(noise(capacity[ecc]), ecc, &arena, &code, &err), 0);
		assert_int_equal(code.size, 177);
		assert_int_equal(qr_encode(noise(capacity[ecc] + 1), ecc, &arena, &code, &err), -1);
		assert_int_equal(err.code, TSB_E_INPUT);
		assert_int_equal(qr_encode(noise(0), ecc, &arena, &code, &err), -1);
		assert_int_equal(qr_encode(noise(1), ecc, &arena, &code, &err), 0);
		assert_int_equal(code.size, 21);
	}
}

/* As libqrencode chooses it when it may. */
static void
test_smallest_version_is_taken(void **state)
{
	arena_auto arena = { 0 };

	for (enum qr_ecc ecc = 0; ecc < QR_ECC__MAX; ecc++)
		for (size_t n = 1; n <= capacity[ecc]; n += n < 60 ? 1 : 97 * (size_t)stride(1)) {
			struct tsb_err err = { 0 };
			struct qr_code code;
			char lower[3000];
			QRcode *made;

			memset(lower, 'x', n);
			assert_int_equal(
			    qr_encode(tsb_view_of(lower, n), ecc, &arena, &code, &err), 0);
			made = referee(tsb_view_of(lower, n), 0, ecc, QR_MODE_8);
			assert_int_equal(code.size, made->width);
			QRcode_free(made);
		}
}

/* ---- PNG ---- */

static void
compare_picture(gdImagePtr image, const struct qr_code *code, int scale)
{
	int side = (code->size + 2 * QR_QUIET) * scale;

	assert_int_equal(gdImageSX(image), side);
	assert_int_equal(gdImageSY(image), side);
	assert_false(gdImageTrueColor(image));
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++) {
			int c = gdImageGetPixel(image, x, y), red = gdImageRed(image, c);
			int mx = x / scale - QR_QUIET, my = y / scale - QR_QUIET;
			bool is_dark = mx >= 0 && my >= 0 && mx < code->size && my < code->size &&
			    code->module[my * code->size + mx];

			if (red != (is_dark ? 0 : 255) || gdImageGreen(image, c) != red ||
			    gdImageBlue(image, c) != red)
				fail_msg("scale %d: pixel %d,%d", scale, x, y);
		}
}

static void
test_png_shows_the_modules(void **state)
{
	static const struct {
		size_t n;
		int scale, shown;
	} rows[] = { { 1, 1, 1 }, { 5, 3, 3 }, { 300, 2, 2 }, { 1860, 4, 4 }, { 10, QR_SCALE_MAX, 32 },
		{ 1, QR_SCALE_DEFAULT, 10 }, { 300, QR_SCALE_DEFAULT, 4 },
		{ 1860, QR_SCALE_DEFAULT, 2 }, { 2953, QR_SCALE_DEFAULT, 2 } };
	arena_auto arena = { 0 };

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto png = { 0 };
		struct tsb_err err = { 0 };
		struct qr_code code;
		gdImagePtr image;

		tsb_bytes_add_str(&png, "kept");
		assert_int_equal(qr_encode(noise(rows[i].n), QR_ECC_L, &arena, &code, &err), 0);
		assert_int_equal(qr_png(&code, rows[i].scale, &png, &err), 0);
		assert_memory_equal(png.p, "kept\x89PNG\r\n\x1a\n", 12);
		assert_int_equal(png.p[4 + 24], 1); /* bits a pixel, in IHDR */
		image = gdImageCreateFromPngPtr((int)png.n - 4, png.p + 4);
		assert_non_null(image);
		compare_picture(image, &code, rows[i].shown);
		gdImageDestroy(image);
	}
}

static void
test_png_of_no_scale_is_refused(void **state)
{
	static const int scales[] = { -1, QR_SCALE_MAX + 1, 1 << 30 };
	arena_auto arena = { 0 };
	tsb_bytes_auto png = { 0 };
	struct tsb_err err = { 0 };
	struct qr_code code;

	assert_int_equal(qr_encode(noise(1), QR_ECC_L, &arena, &code, &err), 0);
	for (size_t i = 0; i < TSB_COUNT(scales); i++) {
		assert_int_equal(qr_png(&code, scales[i], &png, &err), -1);
		assert_int_equal(err.code, TSB_E_INPUT);
		assert_int_equal(png.n, 0);
	}
}

/* ---- SVG ---- */

/* Draws the path again: M x y.5, h length, m gap 0. */
static void
draw_path(const char *d, unsigned char *grid, int size)
{
	int x = 0, y = 0, n = 0, length, used;

	while (*d != '"') {
		if (sscanf(d, "M%d %d.5%n", &x, &y, &used) == 2)
			n++;
		else if (sscanf(d, "h%d%n", &length, &used) == 1)
			for (; length > 0; length--, x++)
				grid[(y - QR_QUIET) * size + x - QR_QUIET] = 1;
		else if (sscanf(d, "m%d 0%n", &length, &used) == 1)
			x += length;
		else
			fail_msg("path: %.20s", d);
		d += used;
	}
	assert_int_equal(n, size); /* every row of this code has a dark module */
}

static void
test_svg_shows_the_modules(void **state)
{
	arena_auto arena = { 0 };
	tsb_bytes_auto svg = { 0 };
	struct tsb_err err = { 0 };
	struct qr_code code;
	unsigned char *grid;
	const char *d;

	assert_int_equal(qr_encode(noise(500), QR_ECC_Q, &arena, &code, &err), 0);
	qr_svg(&code, &svg);
	grid = arena_alloc(&arena, (size_t)code.size * (size_t)code.size);
	d = strstr(tsb_bytes_cstr(&svg), "<path stroke=\"#000\" fill=\"none\" d=\"");
	assert_non_null(d);
	draw_path(strstr(d, "d=\"") + 3, grid, code.size);
	assert_memory_equal(grid, code.module, (size_t)code.size * (size_t)code.size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols_of_all_versions),
		cmocka_unit_test(test_alphanumeric_symbols),
		cmocka_unit_test(test_mask_has_the_lowest_penalty),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_smallest_version_is_taken),
		cmocka_unit_test(test_png_shows_the_modules),
		cmocka_unit_test(test_png_of_no_scale_is_refused),
		cmocka_unit_test(test_svg_shows_the_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
