#include "lib/first.h"

#include <errno.h>
#include <string.h>

#include <qrencode.h>

#include "lib/qr/code.h"
#include "lib/qr/each.h"

#define SIZE_MAX_MODULES 177 /* version 40 */

const char *const qr_ecc_names[QR_ECC__MAX] = {"L", "M", "Q", "H"};

/* Version 40 in byte mode (ISO/IEC 18004, table 7). */
static const size_t capacity[QR_ECC__MAX] = {2953, 2331, 1663, 1273};

size_t
qr_capacity(enum qr_ecc ecc)
{
	return capacity[ecc];
}

/* All characters have the smaller alphanumeric mode (table 5). */
static bool
is_alphanumeric(struct tsb_view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\0' ||
		    strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", text.p[i]) == NULL)
			return false;
	return true;
}

/* NULL only when the library has no memory: text fits, and its modes are right. */
static QRcode *
make(struct tsb_view text, enum qr_ecc ecc)
{
	static const QRecLevel levels[QR_ECC__MAX] = {QR_ECLEVEL_L, QR_ECLEVEL_M, QR_ECLEVEL_Q,
	    QR_ECLEVEL_H};
	QRinput *input = QRinput_new2(0, levels[ecc]);
	QRcode *code = NULL;

	if (input != NULL &&
	    QRinput_append(input, is_alphanumeric(text) ? QR_MODE_AN : QR_MODE_8, (int)text.n,
		text.p) == 0)
		code = QRcode_encodeInput(input);
	QRinput_free(input);
	return code;
}

struct making {
	const struct tsb_view *texts;
	enum qr_ecc ecc;
	QRcode **made;
};

static void
make_one(void *ctx, size_t i)
{
	struct making *m = ctx;

	m->made[i] = make(m->texts[i], m->ecc);
}

static void
take(QRcode *made, struct arena *a, struct qr_code *out)
{
	size_t n;
	unsigned char *module;

	if (made == NULL)
		fatal("libqrencode: %s", strerror(errno));
	n = (size_t)made->width * (size_t)made->width;
	module = arena_alloc(a, n);
	for (size_t i = 0; i < n; i++)
		module[i] = made->data[i] & 1;
	*out = (struct qr_code){made->width, module};
	QRcode_free(made);
}

int
qr_encode_all(const struct tsb_view *texts, size_t n, enum qr_ecc ecc, struct arena *a,
    struct qr_code *out, struct tsb_err *err)
{
	struct making m = {texts, ecc, arena_array(a, n, sizeof(*m.made))};

	for (size_t i = 0; i < n; i++)
		if (texts[i].n == 0 || texts[i].n > capacity[ecc])
			return tsb_fail(err, TSB_E_INPUT,
			    "a QR code of error level %s holds 1 to %zu bytes, not %zu",
			    qr_ecc_names[ecc], capacity[ecc], texts[i].n);
	qr_each(make_one, &m, n);
	for (size_t i = 0; i < n; i++)
		take(m.made[i], a, &out[i]);
	return 0;
}

int
qr_encode(struct tsb_view text, enum qr_ecc ecc, struct arena *a, struct qr_code *out,
    struct tsb_err *err)
{
	return qr_encode_all(&text, 1, ecc, a, out, err);
}

int
qr_encode_parts(const struct qr_split *split, size_t first, size_t n, enum qr_ecc ecc,
    struct arena *a, struct qr_code *out, struct tsb_err *err)
{
	struct tsb_view *texts = arena_array(a, n, sizeof(*texts));

	for (size_t i = 0; i < n; i++) {
		tsb_bytes_auto part = {0};

		if (qr_split_part(split, first + i, &part, err))
			return -1;
		texts[i] = arena_view(a, tsb_view_bytes(&part));
	}
	return qr_encode_all(texts, n, ecc, a, out, err);
}

/*
 * letter and number, of three digits at most; a formatted print would take most of a sheet's time.
 */
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
		char line[SIZE_MAX_MODULES * 6 + 16],
		    *p = line; /* "h1m1 0" for two modules at least */
		int from = -1; /* where the last run ended */

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
