#include "lib/first.h"

#include <string.h>

#include <gd.h>

#include "lib/qr/draw.h"

/* Most of the time goes into the compressor; level 1 is half of it and hardly larger. */
#define COMPRESSION 1

void
qr_draw(const struct qr_code *code, int scale, gdImagePtr image, int black)
{
	int quiet = (image->sx - code->size * scale) / 2;

	for (int y = 0; y < code->size; y++) {
		const unsigned char *row = code->module + (size_t)y * (size_t)code->size;
		unsigned char *first = image->pixels[quiet + y * scale];

		for (int x = 0; x < code->size; x++)
			if (row[x])
				memset(first + quiet + x * scale, black, (size_t)scale);
		for (int i = 1; i < scale; i++)
			memcpy(image->pixels[quiet + y * scale + i], first, (size_t)image->sx);
	}
}

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

int
qr_png(const struct qr_code *code, int scale, struct tsb_bytes *out, struct tsb_err *err)
{
	gdImagePtr image;
	int side, black, size;
	void *png;

	if (scale == QR_SCALE_DEFAULT)
		scale = default_scale(code);
	if (scale < 1 || scale > QR_SCALE_MAX)
		return tsb_fail(err, TSB_E_INPUT, "scale must be from 1 to %d pixels a module",
		    QR_SCALE_MAX);
	side = (code->size + 2 * QR_QUIET) * scale;
	image = gdImageCreate(side, side);
	if (image == NULL)
		fatal("out of memory: a picture of %d by %d pixels", side, side);
	gdImageColorAllocate(image, 255, 255, 255); /* the first colour is the background */
	black = gdImageColorAllocate(image, 0, 0, 0);
	qr_draw(code, scale, image, black);
	png = gdImagePngPtrEx(image, &size, COMPRESSION);
	gdImageDestroy(image);
	if (png == NULL)
		fatal("gd makes no PNG of %d by %d pixels", side, side);
	tsb_bytes_add(out, png, (size_t)size);
	gdFree(png);
	return 0;
}
