/* The animation: an animated GIF (GIF89a), because every browser and phone shows one at once. */
#include "lib/first.h"

#include <string.h>

#include "lib/qr/code.h"
#include "lib/qr/ur.h"

#define DELAY 20 /* hundredths of a second: what phones and laptop cameras keep up with */

/* The codes of all frames; their sizes may differ, since later numbers are longer. */
static int
make_codes(const struct ur *u, struct arena *a, struct qr_code *code, size_t n, int *size,
    struct tsb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		tsb_bytes_auto part = { 0 };

		ur_part(u, (uint32_t)i + 1, &part);
		if (qr_encode(tsb_view_bytes(&part), QR_ECC_L, a, &code[i], err))
			return -1;
		if (code[i].size > *size)
			*size = code[i].size;
	}
	return 0;
}

/* ---- compression (GIF89a, appendix F): LZW of pixels that are 0 or 1 ---- */

enum { LZW_BITS = 2, LZW_CLEAR = 4, LZW_END = 5, LZW_MAX = 4096, BLOCK_MAX = 255 };

struct lzw {
	struct tsb_bytes *out;
	uint16_t child[LZW_MAX][2]; /* the string that this one and a pixel make; 0 = none */
	unsigned next, bits;	    /* next string's code, bits of a code */
	unsigned string;	    /* pixels that are not written yet; LZW_CLEAR = none */
	uint32_t acc;
	unsigned held; /* bits in acc */
	unsigned char block[BLOCK_MAX];
	size_t n;
};

static void
lzw_flush(struct lzw *z)
{
	unsigned char n = (unsigned char)z->n;

	if (n == 0)
		return;
	tsb_bytes_add(z->out, &n, 1);
	tsb_bytes_add(z->out, z->block, z->n);
	z->n = 0;
}

static void
lzw_put(struct lzw *z, unsigned code)
{
	z->acc |= (uint32_t)code << z->held;
	for (z->held += z->bits; z->held >= 8; z->held -= 8, z->acc >>= 8) {
		z->block[z->n++] = (unsigned char)z->acc;
		if (z->n == BLOCK_MAX)
			lzw_flush(z);
	}
}

static void
lzw_clear(struct lzw *z)
{
	lzw_put(z, LZW_CLEAR);
	memset(z->child, 0, sizeof(z->child));
	z->next = LZW_END + 1;
	z->bits = LZW_BITS + 1;
}

static void
lzw_begin(struct lzw *z, struct tsb_bytes *out)
{
	tsb_bytes_add(out, (unsigned char[]){ LZW_BITS }, 1);
	z->out = out;
	z->n = 0;
	z->acc = z->held = 0;
	z->bits = LZW_BITS + 1;
	z->string = LZW_CLEAR;
	lzw_clear(z);
}

static void
lzw_row(struct lzw *z, const unsigned char *pixel, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned known = z->string == LZW_CLEAR ? pixel[i] : z->child[z->string][pixel[i]];

		/* 0 is the string of one white pixel: nobody's child */
		if (known || z->string == LZW_CLEAR) {
			z->string = known;
			continue;
		}
		lzw_put(z, z->string);
		/* The reader learns of a string one code later, hence longer codes begin one late. */
		if (z->next == 1U << z->bits)
			z->bits++;
		z->child[z->string][pixel[i]] = (uint16_t)z->next++;
		if (z->next == LZW_MAX)
			lzw_clear(z);
		z->string = pixel[i];
	}
}

static void
lzw_end(struct lzw *z)
{
	lzw_put(z, z->string);
	if (z->next == 1U << z->bits && z->bits < 12)
		z->bits++;
	lzw_put(z, LZW_END);
	z->bits = 8;
	if (z->held > 0)
		lzw_put(z, 0); /* fills the last byte; what is left over is not written */
	lzw_flush(z);
	tsb_bytes_add(z->out, "", 1); /* no more blocks */
}

/* ---- pictures ---- */

static void
add_two(struct tsb_bytes *out, size_t v)
{
	tsb_bytes_add(out, (unsigned char[]){ (unsigned char)v, (unsigned char)(v >> 8) }, 2);
}

static void
add_head(struct tsb_bytes *out, size_t side)
{
	/* a palette of two colours, white and black; the whole again and again (Netscape's extension) */
	static const unsigned char palette[] = { 0x80, 0, 0, 255, 255, 255, 0, 0, 0 };
	static const unsigned char repeat[] = "\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0";

	tsb_bytes_add_str(out, "GIF89a");
	add_two(out, side);
	add_two(out, side);
	tsb_bytes_add(out, palette, sizeof(palette));
	tsb_bytes_add(out, repeat, sizeof(repeat)); /* its NUL ends it */
}

/* In the middle of the picture, since the codes of later parts may be larger. */
static void
add_frame(const struct qr_code *code, size_t side, size_t scale, unsigned char *row, struct lzw *z,
    struct tsb_bytes *out)
{
	size_t size = (size_t)code->size, quiet = (side - size * scale) / 2;

	tsb_bytes_add(out, "\x21\xf9\x04\x04", 4); /* stays until it is drawn over */
	add_two(out, DELAY);
	tsb_bytes_add(out, "\0\0\x2c\0\0\0", 7);
	add_two(out, side);
	add_two(out, side);
	tsb_bytes_add(out, "", 1);
	lzw_begin(z, out);
	for (size_t y = 0; y < side; y++) {
		size_t inside = y - quiet;

		memset(row, 0, side);
		for (size_t x = 0; y >= quiet && inside < size * scale && x < size * scale; x++)
			row[quiet + x] = code->module[inside / scale * size + x / scale];
		lzw_row(z, row, side);
	}
	lzw_end(z);
}

/* Large enough to point a camera at; long animations are smaller, since each frame is made and sent. */
static int
default_scale(size_t nframes, int side)
{
	int scale = (nframes > 64 ? 400 : 600) / side;

	return scale < 1 ? 1 : scale > UR_GIF_SCALE_MAX ? UR_GIF_SCALE_MAX : scale;
}

static void
draw_frames(const struct qr_code *code, size_t n, int side, int scale, struct arena *a,
    struct tsb_bytes *out)
{
	size_t pixels = (size_t)side * (size_t)scale;
	unsigned char *row = arena_alloc(a, pixels);
	struct lzw *z = arena_alloc(a, sizeof(*z));

	add_head(out, pixels);
	for (size_t i = 0; i < n; i++)
		add_frame(&code[i], pixels, (size_t)scale, row, z, out);
	tsb_bytes_add_str(out, ";");
}

int
ur_gif(struct tsb_view text, int scale, struct tsb_bytes *out, struct tsb_err *err)
{
	arena_auto a = { 0 };
	ur_auto u = { 0 };
	struct qr_code *code;
	size_t n;
	int size = 0, side;

	if (scale != QR_SCALE_DEFAULT && (scale < 1 || scale > UR_GIF_SCALE_MAX))
		return tsb_fail(err, TSB_E_INPUT,
		    "scale of an animation must be from 1 to %d pixels a module", UR_GIF_SCALE_MAX);
	if (text.n > UR_GIF_TEXT_MAX)
		return tsb_fail(err, TSB_E_INPUT,
		    "an animation shows at most %d bytes, not %zu: nobody would wait for its end; "
		    "carry a package",
		    UR_GIF_TEXT_MAX, text.n);
	if (ur_open(&u, text, UR_FRAGMENT_DEFAULT, err))
		return -1;
	n = ur_part_count(&u);
	code = arena_array(&a, n, sizeof(*code));
	if (make_codes(&u, &a, code, n, &size, err))
		return -1;
	side = size + 2 * QR_QUIET;
	if (scale == QR_SCALE_DEFAULT)
		scale = default_scale(n, side);
	draw_frames(code, n, side, scale, &a, out);
	return 0;
}
