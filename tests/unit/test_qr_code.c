/* Codes and their pictures, which gd reads back. */
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

#include "lib/qr/code.h"

static const size_t capacity[QR_ECC__MAX] = {2953, 2331, 1663, 1273}; /* table 7, version 40 */

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

/* ---- codes ---- */

static void
test_capacity(void **state)
{
	arena_auto arena = {0};

	for (enum qr_ecc ecc = 0; ecc < QR_ECC__MAX; ecc++) {
		struct tsb_err err = {0};
		struct qr_code code = {0};

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

/* ISO/IEC 18004, table 7: what a version holds at level L. */
static void
test_smallest_version_is_taken(void **state)
{
	static const struct {
		size_t n;
		int version;
	} bytes[] = {{17, 1}, {18, 2}, {230, 9}, {231, 10}, {1465, 27}, {1466, 28}},
	  letters[] = {{25, 1}, {26, 2}, {335, 9}, {336, 10}, {2132, 27}, {2133, 28}};
	arena_auto arena = {0};
	char text[3000];
	struct tsb_err err = {0};
	struct qr_code code;

	for (size_t i = 0; i < TSB_COUNT(bytes); i++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(qr_encode(tsb_view_of(text, bytes[i].n), QR_ECC_L, &arena, &code,
				     &err),
		    0);
		assert_int_equal(code.size, 17 + 4 * bytes[i].version);
		memset(text, 'X', sizeof(text));
		assert_int_equal(qr_encode(tsb_view_of(text, letters[i].n), QR_ECC_L, &arena, &code,
				     &err),
		    0);
		assert_int_equal(code.size, 17 + 4 * letters[i].version);
	}
}

/* As many as take several threads, and each as if it were made alone. */
static void
test_many_are_as_one_by_one(void **state)
{
	enum { N = 50 };
	arena_auto arena = {0};
	struct tsb_view texts[N];
	struct tsb_bytes pngs[N] = {{0}};
	struct qr_code codes[N], alone;
	struct tsb_err err = {0};

	for (size_t i = 0; i < N; i++)
		texts[i] = arena_view(&arena, noise(i + 1));
	assert_int_equal(qr_encode_all(texts, N, QR_ECC_M, &arena, codes, &err), 0);
	assert_int_equal(qr_png_all(codes, N, 2, pngs, &err), 0);
	for (size_t i = 0; i < N; i++) {
		tsb_bytes_auto png = {0};

		assert_int_equal(qr_encode(texts[i], QR_ECC_M, &arena, &alone, &err), 0);
		assert_int_equal(codes[i].size, alone.size);
		assert_memory_equal(codes[i].module, alone.module,
		    (size_t)alone.size * (size_t)alone.size);
		assert_int_equal(qr_png(&alone, 2, &png, &err), 0);
		assert_true(tsb_view_eq(tsb_view_bytes(&png), tsb_view_bytes(&pngs[i])));
		tsb_bytes_clear(&pngs[i]);
	}
	texts[N / 2].n = 0;
	assert_int_equal(qr_encode_all(texts, N, QR_ECC_M, &arena, codes, &err), -1);
	assert_int_equal(err.code, TSB_E_INPUT);
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
	} rows[] = {{1, 1, 1}, {5, 3, 3}, {300, 2, 2}, {1860, 4, 4}, {10, QR_SCALE_MAX, 32},
	    {1, QR_SCALE_DEFAULT, 20}, {300, QR_SCALE_DEFAULT, 8}, {1860, QR_SCALE_DEFAULT, 3},
	    {2953, QR_SCALE_DEFAULT, 3}};
	arena_auto arena = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto png = {0};
		struct tsb_err err = {0};
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
	static const int scales[] = {-1, QR_SCALE_MAX + 1, 1 << 30};
	arena_auto arena = {0};
	tsb_bytes_auto png = {0};
	struct tsb_err err = {0};
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
	arena_auto arena = {0};
	tsb_bytes_auto svg = {0};
	struct tsb_err err = {0};
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
	    cmocka_unit_test(test_capacity),
	    cmocka_unit_test(test_smallest_version_is_taken),
	    cmocka_unit_test(test_many_are_as_one_by_one),
	    cmocka_unit_test(test_png_shows_the_modules),
	    cmocka_unit_test(test_png_of_no_scale_is_refused),
	    cmocka_unit_test(test_svg_shows_the_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
