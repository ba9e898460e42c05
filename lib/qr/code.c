#include "lib/first.h"

#include "lib/qr/symbol.h"

const char *const qr_ecc_names[QR_ECC__MAX] = { "L", "M", "Q", "H" };

#define BYTE_HEADER 3 /* bytes of the largest version around a text in byte mode: mode, length, end */

size_t
qr_capacity(enum qr_ecc ecc)
{
	return symbol_data(SYMBOL_VERSIONS, ecc) - BYTE_HEADER;
}

/* The smallest version that holds text, which is not longer than qr_capacity(). */
static int
find_version(struct tsb_view text, enum qr_ecc ecc)
{
	size_t bits = 0;

	int version;

	for (version = 1; version < SYMBOL_VERSIONS; version++) {
		if (version == 1 || version == 10 || version == 27) /* the header grows */
			bits = stream_bits(text, version);
		if (bits <= symbol_data(version, ecc) * 8)
			break;
	}
	return version;
}

int
qr_encode(struct tsb_view text, enum qr_ecc ecc, struct arena *a, struct qr_code *out,
    struct tsb_err *err)
{
	unsigned char *module;
	struct symbol symbol;

	if (text.n == 0 || text.n > qr_capacity(ecc))
		return tsb_fail(err, TSB_E_INPUT,
		    "a QR code of error level %s holds 1 to %zu bytes, not %zu", qr_ecc_names[ecc],
		    qr_capacity(ecc), text.n);
	symbol_make(text, find_version(text, ecc), ecc, &symbol);
	mask_apply(&symbol, mask_choose(&symbol));
	module = arena_alloc(a, (size_t)symbol.size * (size_t)symbol.size);
	for (int y = 0, i = 0; y < symbol.size; y++)
		for (int x = 0; x < symbol.size; x++)
			module[i++] = symbol.grid[y][x] & SYMBOL_DARK;
	*out = (struct qr_code){ symbol.size, module };
	return 0;
}

/* letter and number, of three digits at most; a formatted print would take most of a sheet's time. */
static char *
put_step(char *p, char letter, int number)
{
	*p++ = letter;
	if (number >= 100)
		*p++ = (char)('0' + number / 100);
	if (number >= 10)
		*p++ = (char)('0' + number / 10 % 10);
	*p++ = (char)('0' + number % 10);
	return p;
}

/* One stroked line a row: half as long as squares, and printers keep its edges. */
void
qr_svg_path(const struct qr_code *code, struct tsb_bytes *out)
{
	tsb_bytes_add_str(out, "<path stroke=\"#000\" fill=\"none\" d=\"");
	for (int y = 0; y < code->size; y++) {
		const unsigned char *row = code->module + (size_t)y * (size_t)code->size;
		char line[SYMBOL_SIZE_MAX * 6 + 16], *p = line; /* "h1m1 0" for two modules at least */
		int from = -1;					 /* where the last run ended */

		for (int x = 0, end; x < code->size; x = end) {
			for (end = x + 1; end < code->size && row[end] == row[x];)
				end++;
			if (!row[x])
				continue;
			if (from < 0) {
				p = put_step(p, 'M', x + QR_QUIET);
				p = put_step(p, ' ', y + QR_QUIET);
				*p++ = '.';
				*p++ = '5';
			} else {
				p = put_step(p, 'm', x - from);
				*p++ = ' ';
				*p++ = '0';
			}
			p = put_step(p, 'h', end - x);
			from = end;
		}
		tsb_bytes_add(out, line, (size_t)(p - line));
	}
	tsb_bytes_add_str(out, "\"/>");
}

void
qr_svg(const struct qr_code *code, struct tsb_bytes *out)
{
	int side = code->size + 2 * QR_QUIET;

	tsb_bytes_addf(out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
	    "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>",
	    side, side, side, side);
	qr_svg_path(code, out);
	tsb_bytes_add_str(out, "</svg>");
}
