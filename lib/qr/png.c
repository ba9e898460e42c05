/*
 * A PNG (ISO/IEC 15948) of one bit a pixel. gd writes the same four times slower, which counts for a
 * request of hundreds of codes; it reads these back in the unit test.
 */
#include "lib/first.h"

#include <string.h>

#include <zlib.h>

#include "lib/qr/code.h"

#define FILTER_NONE 0
#define FILTER_UP 2 /* differences to the row above: all 0 when it repeats */
#define ROW_MAX (1 + ((177 + 2 * QR_QUIET) * QR_SCALE_MAX + 7) / 8)

static void
put_u32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

/* Leaves room for the length, which end_chunk() knows; returns where the chunk starts. */
static size_t
begin_chunk(const char *type, struct tsb_bytes *out)
{
	size_t start = out->n;

	tsb_bytes_add(out, "\0\0\0\0", 4);
	tsb_bytes_add(out, type, 4);
	return start;
}

static void
end_chunk(size_t start, struct tsb_bytes *out)
{
	size_t n = out->n - start - 8;
	uint32_t crc = (uint32_t)crc32(0, out->p + start + 4, (uInt)(n + 4));

	put_u32(out->p + start, (uint32_t)n);
	put_u32(tsb_bytes_grow(out, 4), crc);
}

static void
add_header(int side, struct tsb_bytes *out)
{
	/* width, height, 1 bit, grey, deflate, the five filters, not interlaced */
	unsigned char header[13] = { [8] = 1 };
	size_t start = begin_chunk("IHDR", out);

	put_u32(header, (uint32_t)side);
	put_u32(header + 4, (uint32_t)side);
	tsb_bytes_add(out, header, sizeof(header));
	end_chunk(start, out);
}

/* 0 is black. */
static void
blacken(unsigned char *pixels, int from, int to)
{
	for (; from < to && from % 8 != 0; from++)
		pixels[from / 8] &= (unsigned char)~(0x80 >> from % 8);
	for (; from + 8 <= to; from += 8)
		pixels[from / 8] = 0;
	for (; from < to; from++)
		pixels[from / 8] &= (unsigned char)~(0x80 >> from % 8);
}

static void
draw_row(const struct qr_code *code, int y, int scale, unsigned char *pixels)
{
	const unsigned char *row = code->module + (size_t)y * (size_t)code->size;

	for (int x = 0, end; x < code->size; x = end) {
		for (end = x + 1; end < code->size && row[end] == row[x];)
			end++;
		if (row[x])
			blacken(pixels, (x + QR_QUIET) * scale, (end + QR_QUIET) * scale);
	}
}

static void
pack(z_stream *z, unsigned char *bytes, size_t n, int flush)
{
	int result;

	z->next_in = bytes;
	z->avail_in = (uInt)n;
	result = deflate(z, flush);
	if (z->avail_in != 0 || result != (flush == Z_FINISH ? Z_STREAM_END : Z_OK))
		fatal("zlib: a picture cannot be compressed (%d)", result);
}

static void
add_rows(const struct qr_code *code, int scale, int side, z_stream *z)
{
	unsigned char row[ROW_MAX], again[ROW_MAX] = { FILTER_UP };
	size_t n = 1 + ((size_t)side + 7) / 8;

	for (int y = -QR_QUIET; y < code->size + QR_QUIET; y++) {
		memset(row, 0xff, n);
		row[0] = FILTER_NONE;
		if (y >= 0 && y < code->size)
			draw_row(code, y, scale, row + 1);
		pack(z, row, n, Z_NO_FLUSH);
		for (int i = 1; i < scale; i++)
			pack(z, again, n, Z_NO_FLUSH);
	}
	pack(z, row, 0, Z_FINISH);
}

/* Only runs are worth a search: modules look random, and rows that repeat are zeros already. */
static void
add_image(const struct qr_code *code, int scale, int side, struct tsb_bytes *out)
{
	size_t start = begin_chunk("IDAT", out), bound;
	z_stream z = { 0 };

	if (deflateInit2(&z, 1, Z_DEFLATED, 15, 8, Z_RLE) != Z_OK)
		fatal("zlib: out of memory");
	bound = deflateBound(&z, (uLong)side * (1 + ((uLong)side + 7) / 8));
	z.next_out = tsb_bytes_grow(out, bound);
	z.avail_out = (uInt)bound;
	add_rows(code, scale, side, &z);
	out->n -= z.avail_out;
	deflateEnd(&z);
	end_chunk(start, out);
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
	int side;

	if (scale == QR_SCALE_DEFAULT)
		scale = default_scale(code);
	if (scale < 1 || scale > QR_SCALE_MAX)
		return tsb_fail(err, TSB_E_INPUT, "scale must be from 1 to %d pixels a module",
		    QR_SCALE_MAX);
	side = (code->size + 2 * QR_QUIET) * scale;
	tsb_bytes_add(out, "\x89PNG\r\n\x1a\n", 8);
	add_header(side, out);
	add_image(code, scale, side, out);
	end_chunk(begin_chunk("IEND", out), out);
	return 0;
}
