/*
 * Uniform Resources: the published example of BCR-2020-005 in both directions, texts of all sizes
 * with parts lost and shuffled, and parts that are refused.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gd.h>

#include "lib/base/enc.h"
#include "lib/qr/code.h"
#include "lib/qr/ur.h"
#include "lib/qr/words.h"

/*
 * 256 bytes of the generator that the scheme uses, seeded with "Wolf"; fragments of at most 30
 * bytes.
 */
static const char wolf[] =
    "916ec65cf77cadf55cd7f9cda1a1030026ddd42e905b77adc36e4f2d3ccba44f7f04f2de44f42d84c374"
    "a0e149136f25b01852545961d55f7f7a8cde6d0e2ec43f3b2dcb644a2209e8c9e34af5c4747984a5e873"
    "c9cf5f965e25ee29039fdf8ca74f1c769fc07eb7ebaec46e0695aea6cbd60b3ec4bbff1b9ffe8a9e7240"
    "129377b9d3711ed38d412fbb4442256f1e6f595e0fc57fed451fb0a0101fb76b1fb1e1b88cfdfdaa9462"
    "94a47de8fff173f021c0e6f65b05c0a494e50791270a0050a73ae69b6725505a2ec8a5791457c9876dd3"
    "4aadd192a53aa0dc66b556c0c215c7ceb8248b717c22951e65305b56a3706e3e86eb01c803bbf915d80e"
    "dcd64d4d";

static const struct {
	uint32_t i;
	const char *part;
} published[] = {
    {1,
	"UR:BYTES/1-9/LPADASCFADAXCYWENBPLJKHDCAHKADAEMEJTSWHHYLKEPMYKHHTSYTSNOYOYAXAEDSUTTYD"
	"MMHHPKTPMSRJTDKGSLPGH"},
    {9,
	"UR:BYTES/9-9/LPASASCFADAXCYWENBPLJKHDCAJSKECPMDCKIHDYHPHFOTJOJTFMLNWMADSPAXRKYTBZTPB"
	"AUOTBGTGTAEAEVTGAVTNY"},
    {10,
	"UR:BYTES/10-9/LPBKASCFADAXCYWENBPLJKHDCAHKADAEMEJTSWHHYLKEPMYKHHTSYTSNOYOYAXAEDSUTTY"
	"DMMHHPKTPMSRJTWDKIPLZS"},
    {12,
	"UR:BYTES/12-9/LPBNASCFADAXCYWENBPLJKHDCARLLALUZMDMGSTOSPEYIEFMWEJLWTPEDAMKTKSRVLCYGM"
	"ZEMOVOVLLARODTMTBNPTRS"},
    {13,
	"UR:BYTES/13-9/LPBTASCFADAXCYWENBPLJKHDCAMTKGTPKNGHCHCHYKETWSVWGWFDHPGMGTYLCTOTZOPDRP"
	"AYOSCHCMHPLFFZIACHRFGD"},
    {16,
	"UR:BYTES/16-9/LPBEASCFADAXCYWENBPLJKHDCAWYGEKOBAMWTLIHSNPALNSGHENSKKIYNTHDZOTSIMTOJE"
	"TPRSTTMUKIRLRSBTAMJTPD"},
    {20,
	"UR:BYTES/20-9/LPBBASCFADAXCYWENBPLJKHDCAYAPMRLEELEAXPASFRTRDKNCFFWJYJZGYETDMLEWTKPKT"
	"GLLEPFRLTATAZTKSMHKBOT"},
};
#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct tsb_view
wolf_bytes(struct arena *a)
{
	struct tsb_view v;

	assert_true(enc_hex_decode(tsb_view_str(wolf), a, &v));
	return v;
}

static void
test_ur_part_published_example(void **state)
{
	struct tsb_err err = {0};
	arena_auto a = {0};
	ur_auto u = {0};

	(void)state;
	assert_int_equal(ur_open(&u, wolf_bytes(&a), 30, &err), 0);
	assert_int_equal(u.n, 9);
	assert_int_equal(ur_part_count(&u), 14);
	for (size_t k = 0; k < LENGTH(published); k++) {
		tsb_bytes_auto part = {0};

		ur_part(&u, published[k].i, &part);
		assert_string_equal(tsb_bytes_cstr(&part), published[k].part);
		assert_true(ur_is_part(tsb_view_bytes(&part)));
	}
}

static void
test_ur_single_part_published_example(void **state)
{
	static const char part[] =
	    "UR:BYTES/HDEYMEJTSWHHYLKEPMYKHHTSYTSNOYOYAXAEDSUTTYDMMHHPKTPMSRJTGW"
	    "DPFNSBOXGWLBAAWZUEFYWKDPLRSRJYNBVYGABWJLDAPFCSDWKBRKCH";
	struct tsb_err err = {0};
	arena_auto a = {0};
	ur_auto u = {0};
	ur_join_auto join = {0};
	tsb_bytes_auto made = {0};
	struct tsb_view text, fifty = tsb_view_of(wolf_bytes(&a).p, 50);

	(void)state;
	assert_int_equal(ur_open(&u, fifty, 100, &err), 0);
	assert_int_equal(ur_part_count(&u), 1);
	ur_part(&u, 1, &made);
	assert_string_equal(tsb_bytes_cstr(&made), part);
	assert_int_equal(ur_join_add(&join, tsb_view_str(part), NULL, &err), 0);
	assert_int_equal(ur_join_percent(&join), 100);
	assert_int_equal(ur_join_text(&join, &a, &text, &err), 0);
	assert_true(tsb_view_eq(text, fifty));
}

/* Mixed parts alone: none of the fragments is ever seen by itself. */
static void
test_ur_join_mixed_parts_alone(void **state)
{
	struct tsb_err err = {0};
	arena_auto a = {0};
	ur_auto u = {0};
	ur_join_auto join = {0};
	struct tsb_view text;

	(void)state;
	assert_int_equal(ur_open(&u, wolf_bytes(&a), 30, &err), 0);
	for (uint32_t i = 10; !ur_join_complete(&join); i++) {
		tsb_bytes_auto part = {0};

		assert_true(i < 60);
		ur_part(&u, i, &part);
		assert_int_equal(ur_join_add(&join, tsb_view_bytes(&part), NULL, &err), 0);
	}
	assert_int_equal(ur_join_text(&join, &a, &text, &err), 0);
	assert_true(tsb_view_eq(text, wolf_bytes(&a)));
}

static uint32_t seed = 1;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void
add(struct ur_join *join, const struct tsb_bytes *part, bool *fresh)
{
	struct tsb_err err = {0};

	assert_int_equal(ur_join_add(join, tsb_view_bytes(part), fresh, &err), 0);
}

/* A camera that begins anywhere and misses every third part. */
static void
test_ur_join_texts_of_all_sizes(void **state)
{
	static const struct {
		size_t length, fragment;
	} rows[] = {{1, 10}, {5, 10}, {6, 10}, {23, 10}, {24, 10}, {255, 99}, {256, 99},
	    {4000, 480}, {65535, 480}, {65536, 480}, {40000, 10}};

	(void)state;
	for (size_t r = 0; r < LENGTH(rows); r++) {
		struct tsb_err err = {0};
		arena_auto a = {0};
		ur_auto u = {0};
		ur_join_auto join = {0};
		unsigned char *made = arena_alloc(&a, rows[r].length);
		struct tsb_view text;
		uint32_t i = 1 + below(10);
		bool fresh = false;
		size_t told = 0;

		for (size_t k = 0; k < rows[r].length; k++)
			made[k] = (unsigned char)(' ' + below(95));
		assert_int_equal(ur_open(&u, tsb_view_of(made, rows[r].length), rows[r].fragment,
				     &err),
		    0);
		for (; !ur_join_complete(&join); i++) {
			tsb_bytes_auto part = {0};

			assert_int_equal(ur_join_text(&join, &a, &text, &err), -1);
			if (below(3) == 0)
				continue;
			ur_part(&u, i, &part);
			tsb_bytes_add_str(&part, "\r\n");
			add(&join, &part, &fresh);
			told += fresh;
			add(&join, &part, &fresh);
			assert_false(fresh);
		}
		assert_int_equal(told, u.n);
		assert_int_equal(ur_join_text(&join, &a, &text, &err), 0);
		assert_true(tsb_view_eq(text, tsb_view_of(made, rows[r].length)));
	}
}

static void
test_ur_join_refuses_and_keeps_what_it_has(void **state)
{
	static const struct {
		const char *part, *says;
	} rows[] = {
	    {"", "not a part"},
	    {"UR:BYTES/", "misread"},
	    {"UR:CRYPTO-PSBT/HDEYME", "not a part"},
	    {"TSBQR1|a|1|2|00000000|x", "not a part"},
	    {"UR:BYTES/1-/AEAE", "behind"},
	    {"UR:BYTES/1/AEAE", "behind"},
	    {"UR:BYTES/-1-9/AEAE", "behind"},
	    {"UR:BYTES/1-9AEAE", "misread"},
	    {"UR:BYTES/99999999999-9/AEAE", "behind"},
	    {"UR:BYTES/1-9/AEAEA", "misread"},
	    {"UR:BYTES/1-9/AEAEAEAEAEAE", "misread"},
	    {"UR:BYTES/1-9/??????????????", "misread"},
	    /* The first part with one letter changed, and with another number outside. */
	    {"UR:BYTES/1-9/LPADASCFADAXCYWENBPLJKHDCAHKADAEMEJTSWHHYLKEPMYKHHTSYTSNOYOYAXAED"
	     "SUTTYDMMHHPKTPMSRJTDKGSLPGE",
		"misread"},
	    {"UR:BYTES/2-9/LPADASCFADAXCYWENBPLJKHDCAHKADAEMEJTSWHHYLKEPMYKHHTSYTSNOYOYAXAED"
	     "SUTTYDMMHHPKTPMSRJTDKGSLPGH",
		"does not hold"},
	};
	struct tsb_err err = {0};
	ur_join_auto join = {0};

	(void)state;
	for (int begun = 0; begun < 2; begun++) {
		for (size_t r = 0; r < LENGTH(rows); r++) {
			err = (struct tsb_err){0};
			assert_int_equal(ur_join_add(&join, tsb_view_str(rows[r].part), NULL, &err),
			    -1);
			assert_int_equal(err.code, TSB_E_PAYLOAD);
			if (!strstr(err.msg, rows[r].says))
				fail_msg("%s: %s", rows[r].part, err.msg);
			assert_int_equal(join.begun, begun);
			assert_int_equal(join.have, begun);
		}
		assert_int_equal(ur_join_add(&join, tsb_view_str(published[0].part), NULL, &err),
		    0);
	}
}

/* A part with these numbers and right check bytes, as a forger makes it. */
static void
forge(uint32_t i, uint32_t n, uint32_t length, uint32_t checksum, size_t size, int fill,
    struct tsb_bytes *out)
{
	tsb_bytes_auto cbor = {0};
	const uint32_t number[] = {i, n, length, checksum};

	tsb_bytes_add_str(&cbor, "\x85");
	for (int k = 0; k < 4; k++) {
		unsigned char head[] = {26, (unsigned char)(number[k] >> 24),
		    (unsigned char)(number[k] >> 16), (unsigned char)(number[k] >> 8),
		    (unsigned char)number[k]};

		tsb_bytes_add(&cbor, head, sizeof(head));
	}
	tsb_bytes_add(&cbor, "\x59", 1);
	*tsb_bytes_grow(&cbor, 1) = (unsigned char)(size >> 8);
	*tsb_bytes_grow(&cbor, 1) = (unsigned char)size;
	memset(tsb_bytes_grow(&cbor, size), fill, size);
	tsb_bytes_addf(out, "ur:bytes/%u-%u/", (unsigned)i, (unsigned)n);
	qr_words_minimal(tsb_view_bytes(&cbor), out);
}

static void
test_ur_join_refuses_forged_numbers(void **state)
{
	static const struct {
		uint32_t i, n, length;
		size_t size;
		const char *says;
	} rows[] = {
	    {0, 3, 30, 10, "does not hold"},
	    {1, 0, 30, 10, "do not make a text"},
	    {1, 5000, 50000, 10, "do not make a text"},
	    {1, 3, 31, 10, "do not make a text"},
	    {1, 3, 20, 10, "do not make a text"},
	    {1, 3, 0xFFFFFFFF, 10, "do not make a text"},
	    {1, 3, 0, 10, "do not make a text"},
	    {1, 4096, 0x00800000, 2100, "do not make a text"},
	    {1, 2, 5000, 2500, "longer than a QR code"},
	    {1, 3, 30, 0, "does not hold"},
	};

	(void)state;
	for (size_t r = 0; r < LENGTH(rows); r++) {
		struct tsb_err err = {0};
		ur_join_auto join = {0};
		tsb_bytes_auto part = {0};

		forge(rows[r].i, rows[r].n, rows[r].length, 7, rows[r].size, 'x', &part);
		assert_int_equal(ur_join_add(&join, tsb_view_bytes(&part), NULL, &err), -1);
		assert_int_equal(err.code, TSB_E_PAYLOAD);
		if (!strstr(err.msg, rows[r].says))
			fail_msg("row %zu: %s", r, err.msg);
		assert_false(join.begun);
	}
}

static int
add_forged(struct ur_join *join, uint32_t i, uint32_t checksum, int fill, struct tsb_err *err)
{
	tsb_bytes_auto part = {0};

	forge(i, 3, 30, checksum, 10, fill, &part);
	return ur_join_add(join, tsb_view_bytes(&part), NULL, err);
}

static void
test_ur_join_other_text_contradiction_and_checksum(void **state)
{
	struct tsb_err err = {0};
	arena_auto a = {0};
	ur_join_auto join = {0};
	struct tsb_view text;

	(void)state;
	assert_int_equal(add_forged(&join, 1, 7, 'a', &err), 0);
	assert_int_equal(add_forged(&join, 2, 8, 'a', &err), -1);
	assert_non_null(strstr(err.msg, "another text"));
	assert_int_equal(add_forged(&join, 1, 7, 'b', &err), -1);
	assert_non_null(strstr(err.msg, "contradicts"));
	assert_int_equal(join.have, 1);
	assert_int_equal(ur_join_percent(&join), 33);
	assert_int_equal(ur_join_text(&join, &a, &text, &err), -1);
	assert_non_null(strstr(err.msg, "1 of 3"));
	assert_int_equal(add_forged(&join, 3, 7, 'a', &err), 0);
	assert_int_equal(add_forged(&join, 2, 7, 'a', &err), 0);
	assert_int_equal(ur_join_text(&join, &a, &text, &err), -1);
	assert_non_null(strstr(err.msg, "do not make the text"));
}

static void
test_ur_open_refuses_sizes(void **state)
{
	static const struct {
		size_t length, fragment;
	} rows[] = {{0, 480}, {1, 9}, {1, 1001}, {40956, 10}, {UR_TEXT_MAX + 1, 1000}};
	unsigned char *zeros = calloc(1, UR_TEXT_MAX + 1);

	(void)state;
	for (size_t r = 0; r < LENGTH(rows); r++) {
		struct tsb_err err = {0};
		ur_auto u = {0};

		assert_int_equal(ur_open(&u, tsb_view_of(zeros, rows[r].length), rows[r].fragment,
				     &err),
		    -1);
		assert_int_equal(err.code, TSB_E_INPUT);
	}
	free(zeros);
}

/*
 * Graphics control blocks with a delay, one a frame; what frames show is read back by tests of
 * sites.
 */
static size_t
frames(const struct tsb_bytes *gif)
{
	size_t n = 0;

	for (size_t i = 0; i + 8 < gif->n; i++)
		n += !memcmp(gif->p + i, "\x21\xf9\x04", 3) && gif->p[i + 4] == 20 &&
		    gif->p[i + 5] == 0 && gif->p[i + 7] == 0 && gif->p[i + 8] == ',';
	return n;
}

static void
test_ur_gif_has_a_frame_a_part(void **state)
{
	struct tsb_err err = {0};
	tsb_bytes_auto text = {0}, gif = {0};

	(void)state;
	memset(tsb_bytes_grow(&text, 2000), 'x', 2000);
	assert_int_equal(ur_gif(tsb_view_bytes(&text), 2, &gif, &err), 0);
	assert_memory_equal(gif.p, "GIF89a", 6);
	assert_int_equal(gif.p[gif.n - 1], ';');
	assert_int_equal(frames(&gif), 8); /* 2003 bytes are 5 fragments */
	assert_int_equal(ur_gif(tsb_view_bytes(&text), QR_SCALE_DEFAULT, &gif, &err), 0);
	assert_int_equal(ur_gif(tsb_view_bytes(&text), -1, &gif, &err), -1);
	assert_int_equal(ur_gif(tsb_view_bytes(&text), UR_GIF_SCALE_MAX + 1, &gif, &err), -1);
	memset(tsb_bytes_grow(&text, UR_GIF_TEXT_MAX), 'x', UR_GIF_TEXT_MAX);
	assert_int_equal(ur_gif(tsb_view_bytes(&text), 2, &gif, &err), -1);
	assert_int_equal(err.code, TSB_E_INPUT);
}

static void
compare_picture(gdImagePtr image, const struct qr_code *code, int scale)
{
	int side = (code->size + 2 * QR_QUIET) * scale;

	assert_int_equal(gdImageSX(image), side);
	assert_int_equal(gdImageSY(image), side);
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++) {
			int mx = x / scale - QR_QUIET, my = y / scale - QR_QUIET;
			bool dark = mx >= 0 && my >= 0 && mx < code->size && my < code->size &&
			    code->module[my * code->size + mx];

			if (gdImageRed(image, gdImageGetPixel(image, x, y)) != (dark ? 0 : 255))
				fail_msg("scale %d: pixel %d,%d", scale, x, y);
		}
}

/* gd reads the first picture: at the largest scale the table of strings is filled many times. */
static void
test_ur_gif_shows_the_modules(void **state)
{
	static const int sizes[] = {10, 100, 470};

	(void)state;
	for (size_t s = 0; s < LENGTH(sizes); s++)
		for (int scale = 1; scale <= UR_GIF_SCALE_MAX; scale++) {
			struct tsb_err err = {0};
			arena_auto a = {0};
			ur_auto u = {0};
			tsb_bytes_auto part = {0}, gif = {0};
			struct tsb_view text = tsb_view_of(wolf, (size_t)sizes[s]);
			struct qr_code code;
			gdImagePtr image;

			assert_int_equal(ur_open(&u, text, UR_FRAGMENT_DEFAULT, &err), 0);
			ur_part(&u, 1, &part);
			assert_int_equal(qr_encode(tsb_view_bytes(&part), QR_ECC_L, &a, &code,
					     &err),
			    0);
			assert_int_equal(ur_gif(text, scale, &gif, &err), 0);
			image = gdImageCreateFromGifPtr((int)gif.n, gif.p);
			assert_non_null(image);
			compare_picture(image, &code, scale);
			gdImageDestroy(image);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ur_part_published_example),
	    cmocka_unit_test(test_ur_single_part_published_example),
	    cmocka_unit_test(test_ur_join_mixed_parts_alone),
	    cmocka_unit_test(test_ur_join_texts_of_all_sizes),
	    cmocka_unit_test(test_ur_join_refuses_and_keeps_what_it_has),
	    cmocka_unit_test(test_ur_join_refuses_forged_numbers),
	    cmocka_unit_test(test_ur_join_other_text_contradiction_and_checksum),
	    cmocka_unit_test(test_ur_open_refuses_sizes),
	    cmocka_unit_test(test_ur_gif_has_a_frame_a_part),
	    cmocka_unit_test(test_ur_gif_shows_the_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
