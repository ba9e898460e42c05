#include "lib/first.h"

#include <string.h>

#include "lib/qr/draw.h"

gdImagePtr
draw_square(int side)
{
	gdImagePtr image = gdImageCreate(side, side);

	if (image == NULL)
		fatal("out of memory: a picture of %d by %d pixels", side, side);
	/* the first colour is the background */
	gdImageColorAllocate(image, 255, 255, 255);
	gdImageColorAllocate(image, 0, 0, 0);
	return image;
}

void
draw_code(gdImagePtr image, const struct qr_code *code, int scale)
{
	int quiet = (image->sx - code->size * scale) / 2;

	for (int y = 0; y < code->size; y++) {
		const unsigned char *row = code->module + (size_t)y * (size_t)code->size;
		unsigned char *first = image->pixels[quiet + y * scale];

		for (int x = 0; x < code->size; x++)
			if (row[x])
				memset(first + quiet + x * scale, DRAW_BLACK, (size_t)scale);
		for (int i = 1; i < scale; i++)
			memcpy(image->pixels[quiet + y * scale + i], first, (size_t)image->sx);
	}
}
