/* The sheet as one picture; its unit is the millimetre. */
#include "lib/first.h"

#include "lib/qr/escape.h"
#include "lib/qr/sheet_internal.h"

#define WIDTH        190
#define MARGIN       8
#define CELL         88 /* a code, as large as on the printed pages */
#define GAP          4
#define LINE         5 /* from one line of text to the next */
#define NAME_COLUMN  34
#define TEXT_COLUMNS 62 /* characters of the caption that fit a line */

struct canvas {
	struct tsb_bytes *out;
	int y; /* base line of the next text */
};

static void
open_text(struct canvas *c, int x, const char *attributes)
{
	tsb_bytes_addf(c->out, "<text x=\"%d\" y=\"%d\"%s>", x, c->y, attributes);
}

/* Text of any length in as many lines as it takes; SVG does not wrap by itself. */
static void
add_wrapped(struct canvas *c, int x, const char *text, size_t columns, const char *attributes)
{
	do {
		open_text(c, x, attributes);
		text = qr_escape_line(text, columns, c->out);
		tsb_bytes_add_str(c->out, "</text>\n");
		c->y += LINE;
	} while (text != NULL && *text != '\0');
}

static void
add_caption(struct canvas *c, const struct qr_sheet *s)
{
	add_wrapped(c, MARGIN, s->title, 56, " font-size=\"5\" font-weight=\"bold\"");
	c->y += 1;
	for (size_t i = 0; i < s->nlines; i++) {
		int top = c->y, bottom;

		add_wrapped(c, MARGIN, s->lines[i].name, 16, " font-weight=\"bold\"");
		bottom = c->y;
		c->y = top;
		add_wrapped(c, MARGIN + NAME_COLUMN, s->lines[i].text, TEXT_COLUMNS, "");
		if (c->y < bottom)
			c->y = bottom;
	}
}

static void
add_digest(struct canvas *c, const struct qr_sheet *s)
{
	unsigned char digest[SHEET_DIGEST];

	sheet_digest(s->text, digest);
	c->y += 2;
	open_text(c, MARGIN, " font-weight=\"bold\"");
	tsb_bytes_addf(c->out, "SHA-256 of the text (%zu bytes), in hex and in words</text>\n",
	    s->text.n);
	c->y += LINE;
	for (size_t i = 0; i < SHEET_ROWS; i++) {
		open_text(c, MARGIN, " class=\"m\"");
		sheet_hex_row(digest, i, c->out);
		tsb_bytes_add_str(c->out, "</text>");
		open_text(c, MARGIN + NAME_COLUMN, " class=\"m\"");
		sheet_words_row(digest, i, c->out);
		tsb_bytes_add_str(c->out, "</text>\n");
		c->y += LINE;
	}
}

static void
add_codes(struct canvas *c, const struct qr_sheet *s)
{
	for (size_t i = 0; i < s->ncodes; i++) {
		const struct qr_code *code = &s->codes[i];
		int x = MARGIN - 3 + (i % 2 == 0 ? 0 : CELL + GAP);

		tsb_bytes_addf(c->out,
		    "<g transform=\"translate(%d %d) scale(%.6f)\" shape-rendering=\"crispEdges\">",
		    x, c->y, (double)CELL / (code->size + 2 * QR_QUIET));
		qr_svg_path(code, c->out);
		tsb_bytes_addf(c->out,
		    "</g><text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-weight=\"bold\">%zu of %zu"
		    "</text>\n",
		    x + CELL / 2, c->y + CELL + 2, i + 1, s->ncodes);
		if (i % 2 != 0 || i + 1 == s->ncodes)
			c->y += CELL + 2 * GAP;
	}
}

void
sheet_svg(const struct qr_sheet *s, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0}, instruction = {0};
	struct canvas c = {&body, MARGIN + LINE};

	add_caption(&c, s);
	add_digest(&c, s);
	c.y += 1;
	sheet_instruction(s, &instruction);
	add_wrapped(&c, MARGIN, tsb_bytes_cstr(&instruction), 88, "");
	add_codes(&c, s);
	c.y += 2;
	tsb_bytes_addf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%dmm\" height=\"%dmm\" "
	    "viewBox=\"0 0 %d %d\" font-family=\"'Liberation Sans',Arial,Helvetica,sans-serif\" "
	    "font-size=\"3.8\">\n<title>",
	    WIDTH, c.y, WIDTH, c.y);
	qr_escape(s->title, out);
	tsb_bytes_addf(out,
	    "</title>\n<style>.m{font-family:'Liberation Mono',Courier,monospace}</style>\n"
	    "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>\n",
	    WIDTH, c.y);
	tsb_bytes_add_view(out, tsb_view_bytes(&body));
	tsb_bytes_add_str(out, "</svg>\n");
}
