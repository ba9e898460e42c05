#include "lib/first.h"

#include <string.h>

#include "lib/qr/draw.h"

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
