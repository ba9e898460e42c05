#include "lib/first.h"

#include "lib/qr/draw.h"
#include "lib/qr/each.h"

/* Most of the time goes into the compressor; level 1 is half of it and hardly larger. */
#define COMPRESSION 1

/*
 * About 300 pixels wide. Readers of picture files take five times as long for twice the pixels a module,
 * and at one pixel they miss every second code; people enlarge what is too small for a camera.
 */
static int
default_scale(const struct qr_code *code)
{
	int scale = 300 / (code->size + 2 * QR_QUIET);

	return scale < 2 ? 2 : scale;
}

static void
draw_png(const struct qr_code *code, int scale, struct tsb_bytes *out)
{
	gdImagePtr image;
	int side, size;
	void *png;

	if (scale == QR_SCALE_DEFAULT)
		scale = default_scale(code);
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
	int scale;
	struct tsb_bytes *out;
};

static void
draw_one(void *ctx, size_t i)
{
	struct drawing *d = ctx;

	draw_png(&d->codes[i], d->scale, &d->out[i]);
}

int
qr_png_all(const struct qr_code *codes, size_t n, int scale, struct tsb_bytes *out,
    struct tsb_err *err)
{
	struct drawing d = { codes, scale, out };

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
