/* The animation: an animated GIF (GIF89a), because every browser and phone shows one at once. */
#include "lib/first.h"

#include "lib/qr/draw.h"
#include "lib/qr/ur.h"

#define DELAY 20 /* hundredths of a second: phones and laptop cameras keep up */

/* The codes of all frames; their sizes may differ, since later numbers are longer. */
static int
make_codes(const struct ur *u, struct arena *a, struct qr_code *code, size_t n, int *size,
    struct tsb_err *err)
{
	struct tsb_view *text = arena_array(a, n, sizeof(*text));

	for (size_t i = 0; i < n; i++) {
		tsb_bytes_auto part = {0};

		ur_part(u, (uint32_t)i + 1, &part);
		text[i] = arena_view(a, tsb_view_bytes(&part));
	}
	if (qr_encode_all(text, n, QR_ECC_L, a, code, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (code[i].size > *size)
			*size = code[i].size;
	return 0;
}

/*
 * Large enough to point a camera at; long animations are smaller, since each frame is made and
 * sent.
 */
static int
default_scale(size_t nframes, int side)
{
	int scale = (nframes > 64 ? 400 : 600) / side;

	return scale < 1 ? 1 : scale > UR_GIF_SCALE_MAX ? UR_GIF_SCALE_MAX : scale;
}

static void
add_block(void *block, int size, struct tsb_bytes *out)
{
	if (block == NULL)
		fatal("gd makes no GIF");
	tsb_bytes_add(out, block, (size_t)size);
	gdFree(block);
}

static void
draw_frames(const struct qr_code *code, size_t n, int side, int scale, struct tsb_bytes *out)
{
	gdImagePtr image = draw_square(side * scale);
	int size;
	void *block = gdImageGifAnimBeginPtr(image, &size, 1, 0); /* 0: without end */

	add_block(block, size, out);
	for (size_t i = 0; i < n; i++) {
		gdImageFilledRectangle(image, 0, 0, image->sx - 1, image->sy - 1, DRAW_WHITE);
		draw_code(image, &code[i], scale);
		block = gdImageGifAnimAddPtr(image, &size, 0, 0, 0, DELAY, gdDisposalNone, NULL);
		add_block(block, size, out);
	}
	gdImageDestroy(image);
	block = gdImageGifAnimEndPtr(&size);
	add_block(block, size, out);
}

int
ur_gif(struct tsb_view text, int scale, struct tsb_bytes *out, struct tsb_err *err)
{
	arena_auto a = {0};
	ur_auto u = {0};
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
	draw_frames(code, n, side, scale, out);
	return 0;
}
