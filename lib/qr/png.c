#include "lib/first.h"

#include "lib/qr/draw.h"
#include "lib/qr/each.h"

/* Most of the time goes into the compressor; level 1 is half of it and hardly larger. */
#define COMPRESSION 1

/* Pixels. One code is looked at, by a camera or people. */
enum { WIDTH_OF_ONE = 600, WIDTH_OF_MANY = 300 };

/*
 * Readers of picture files take five times as long for twice the pixels a module, which counts for
 * a hundred codes; at one pixel they miss every second one.
 */
static int
default_scale(const struct qr_code *code, int width)
{
	int scale = width / (code->size + 2 * QR_QUIET);

	return scale < 2 ? 2 : scale;
}

static void
draw_png(const struct qr_code *code, int scale, int width, struct tsb_bytes *out)
{
	gdImagePtr image;
	int side, size;
	void *png;

	if (scale == QR_SCALE_DEFAULT)
		scale = default_scale(code, width);
	side = (code->size + 2 * QR_QUIET) * scale;
	image = draw_square(side);
	draw_code(image, code, scale);
	png = gdImagePngPtrEx(image, &size, COMPRESSION);
	gdImageDestroy(image);
	if (png == NULL)
		fatal("gd makes no PNG of %d by %d pixels", side, side);
	tsb_bytes_add(out, png, (size_t)size);
	gdFree(png);
}

struct drawing {
	const struct qr_code *codes;
	int scale, width;
	struct tsb_bytes *out;
};

static void
draw_one(void *ctx, size_t i)
{
	struct drawing *d = ctx;

	draw_png(&d->codes[i], d->scale, d->width, &d->out[i]);
}

int
qr_png_all(const struct qr_code *codes, size_t n, int scale, struct tsb_bytes *out,
    struct tsb_err *err)
{
	struct drawing d = {codes, scale, n > 1 ? WIDTH_OF_MANY : WIDTH_OF_ONE, out};

	if (scale != QR_SCALE_DEFAULT && (scale < 1 || scale > QR_SCALE_MAX))
		return tsb_fail(err, TSB_E_INPUT, "scale must be from 1 to %d pixels a module",
		    QR_SCALE_MAX);
	qr_each(draw_one, &d, n);
	return 0;
}

int
qr_png(const struct qr_code *code, int scale, struct tsb_bytes *out, struct tsb_err *err)
{
	return qr_png_all(code, 1, scale, out, err);
}
