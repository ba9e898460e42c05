#include "lib/first.h"

#include <errno.h>
#include <string.h>

#include <qrencode.h>

#include "lib/qr/code.h"

const char *const qr_ecc_names[QR_ECC__MAX] = { "L", "M", "Q", "H" };

/* Version 40 in byte mode (ISO/IEC 18004, table 7). */
static const size_t capacity[QR_ECC__MAX] = { 2953, 2331, 1663, 1273 };

size_t
qr_capacity(enum qr_ecc ecc)
{
	return capacity[ecc];
}

/* Of the 45 characters that take 5.5 bits each (ISO/IEC 18004, table 5). */
static bool
is_alphanumeric(struct tsb_view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] ||
		    !strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", text.p[i]))
			return false;
	return true;
}

static QRcode *
make(struct tsb_view text, QRecLevel level)
{
	QRinput *input = QRinput_new2(0, level);
	QRencodeMode mode = is_alphanumeric(text) ? QR_MODE_AN : QR_MODE_8;
	QRcode *made = NULL;

	if (input != NULL && QRinput_append(input, mode, (int)text.n, text.p) == 0)
		made = QRcode_encodeInput(input);
	if (made == NULL)
		fatal("libqrencode: %s", strerror(errno));
	QRinput_free(input);
	return made;
}

int
qr_encode(struct tsb_view text, enum qr_ecc ecc, struct arena *a, struct qr_code *out,
    struct tsb_err *err)
{
	static const QRecLevel levels[QR_ECC__MAX] = { QR_ECLEVEL_L, QR_ECLEVEL_M, QR_ECLEVEL_Q,
		QR_ECLEVEL_H };
	unsigned char *module;
	QRcode *made;
	size_t n;

	if (text.n == 0 || text.n > capacity[ecc])
		return tsb_fail(err, TSB_E_INPUT,
		    "a QR code of error level %s holds 1 to %zu bytes, not %zu", qr_ecc_names[ecc],
		    capacity[ecc], text.n);
	made = make(text, levels[ecc]);
	n = (size_t)made->width * (size_t)made->width;
	module = arena_alloc(a, n);
	for (size_t i = 0; i < n; i++)
		module[i] = made->data[i] & 1;
	*out = (struct qr_code){ made->width, module };
	QRcode_free(made);
	return 0;
}

/* One stroked line a row: half as long as squares, and printers keep its edges. */
void
qr_svg_path(const struct qr_code *code, struct tsb_bytes *out)
{
	tsb_bytes_add_str(out, "<path stroke=\"#000\" fill=\"none\" d=\"");
	for (int y = 0; y < code->size; y++) {
		const unsigned char *row = code->module + (size_t)y * (size_t)code->size;
		int from = -1; /* where the last run of this row ended */

		for (int x = 0, end; x < code->size; x = end) {
			for (end = x + 1; end < code->size && row[end] == row[x];)
				end++;
			if (!row[x])
				continue;
			if (from < 0)
				tsb_bytes_addf(out, "M%d %d.5", x + QR_QUIET, y + QR_QUIET);
			else
				tsb_bytes_addf(out, "m%d 0", x - from);
			tsb_bytes_addf(out, "h%d", end - x);
			from = end;
		}
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
