/* What all sheets say, and the sheets for browsers. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"
#include "lib/qr/escape.h"
#include "lib/qr/sheet.h"
#include "lib/qr/sheet_internal.h"
#include "lib/qr/words.h"

const char *const qr_sheet_format_names[SHEET__MAX] = {"svg", "html", "pdf-ready"};

/* ---- the digest ---- */

void
sheet_digest(struct tsb_view text, unsigned char digest[SHEET_DIGEST])
{
	crypto_sha256(text, digest);
}

void
sheet_hex_row(const unsigned char *digest, size_t row, struct tsb_bytes *out)
{
	for (size_t i = 0; i < SHEET_ROW; i += 2) {
		tsb_bytes_add_str(out, i > 0 ? " " : "");
		enc_hex(tsb_view_of(digest + row * SHEET_ROW + i, 2), out);
	}
}

void
sheet_words_row(const unsigned char *digest, size_t row, struct tsb_bytes *out)
{
	qr_words_format(tsb_view_of(digest + row * SHEET_ROW, SHEET_ROW), " ", out);
}

void
sheet_instruction(const struct qr_sheet *s, struct tsb_bytes *out)
{
	if (s->ncodes == 1)
		tsb_bytes_add_str(out,
		    "Read the code with \"tsb offline scan\", or give a picture of it");
	else
		tsb_bytes_addf(out,
		    "Read all %zu codes, in any order and as often as you like, with \"tsb offline "
		    "scan\", or give pictures of them",
		    s->ncodes);
	tsb_bytes_add_str(out,
	    " to \"tsb offline show\"; before anything is executed, compare the digest shown there "
	    "with the one printed here, word by word.");
}

/* ---- HTML ---- */

/*
 * A page is 180 by 250 mm, which A4 and Letter have inside margins of 12 mm. Two codes side by
 * side have modules of more than half a millimetre, which cameras of phones and sheet scanners
 * resolve.
 */
#define PER_PAGE 4

static const char style[] =
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:6mm 0;width:180mm;color:#000;background:#fff;"
    "font:10pt/1.4 \"Liberation Sans\",Arial,Helvetica,sans-serif}"
    "h1{margin:0;font-size:13pt;line-height:1.25;overflow-wrap:anywhere}"
    "h2{margin:0 0 1mm;font-size:10pt}"
    "header{padding-bottom:2.5mm;border-bottom:.6mm solid #000}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.3mm 5mm;margin:3mm 0}"
    "dt{font-weight:bold}dd{margin:0;overflow-wrap:anywhere}"
    ".pair{margin-bottom:4mm;display:grid;grid-template-columns:88mm 88mm;gap:4mm}"
    ".box{padding:2.5mm 3mm;border:.25mm solid #000}"
    ".pair div .box{margin-bottom:4mm}"
    "pre{margin:0;font:10.5pt/1.5 \"Liberation Mono\",Courier,monospace}"
    "figure{margin:0;break-inside:avoid}figure svg{display:block;width:88mm;height:88mm}"
    "figcaption{text-align:center;font-size:12pt;font-weight:bold}"
    "table{margin:0 0 2mm;width:100%;border-collapse:collapse;table-layout:fixed}"
    "td{height:9.5mm;padding:1mm 1.5mm;border:.25mm solid #000;vertical-align:top;font-size:8pt}"
    "td.tall{height:16mm}"
    ".running{display:flex;justify-content:space-between;gap:8mm;margin-bottom:4mm;"
    "border-bottom:.25mm solid #000;font-size:8.5pt}"
    ".running span:last-child{white-space:nowrap}"
    "footer{margin-top:auto;padding-top:2mm;text-align:right;font-size:8.5pt}"
    "section{margin-bottom:8mm}";

/* Every section is a page of its own, on a screen too: people print the pages that they see. */
static const char style_pages[] =
    "@page{margin:12mm}"
    "section{display:flex;flex-direction:column;min-height:250mm;margin:0 0 12mm;"
    "break-after:page}"
    "section:last-of-type{break-after:auto}"
    "@media print{body{padding:0}section{margin:0}}";

struct page {
	const struct qr_sheet *sheet;
	bool paged;
	size_t number, count;
	const unsigned char *digest;
	struct tsb_bytes *out;
};

static void
add_digest(const struct page *p)
{
	tsb_bytes_add_str(p->out,
	    "<div class=\"box\"><h2>SHA-256 of the text, in hex and in words</h2><pre>");
	for (size_t i = 0; i < SHEET_ROWS; i++) {
		tsb_bytes_add_str(p->out, i > 0 ? "\n" : "");
		sheet_hex_row(p->digest, i, p->out);
		tsb_bytes_add_str(p->out, "  ");
		sheet_words_row(p->digest, i, p->out);
	}
	tsb_bytes_add_str(p->out, "</pre></div>\n");
}

static void
add_instruction(const struct page *p)
{
	tsb_bytes_add_str(p->out, "<div class=\"box\"><h2>To read this</h2>");
	sheet_instruction(p->sheet, p->out);
	tsb_bytes_add_str(p->out, "</div>");
}

static void
add_figure(const struct page *p, size_t i)
{
	tsb_bytes_add_str(p->out, "<figure>");
	qr_svg(&p->sheet->codes[i], p->out);
	tsb_bytes_addf(p->out, "<figcaption>%zu of %zu</figcaption></figure>\n", i + 1,
	    p->sheet->ncodes);
}

static void
add_notes(const struct page *p)
{
	static const char *const rows[][2] = {
	    {"Date and time", "Place"},
	    {"Serial number of the stick or other carrier", "Digest compared aloud, in words, by"},
	    {"Operator", "Signature of the operator"},
	    {"First witness", "Signature of the first witness"},
	    {"Second witness", "Signature of the second witness"},
	};

	tsb_bytes_add_str(p->out, "<h2>Notes of the ceremony</h2><table>");
	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		tsb_bytes_addf(p->out, "<tr><td>%s</td><td>%s</td></tr>", rows[i][0], rows[i][1]);
	tsb_bytes_add_str(p->out,
	    "<tr><td colspan=\"2\" class=\"tall\">Executed or refused, and remarks</td></tr></table>\n");
}

static void
end_page(struct page *p)
{
	if (p->paged)
		tsb_bytes_addf(p->out, "<footer>Page %zu of %zu</footer>", p->number, p->count);
	p->number++;
	tsb_bytes_add_str(p->out, "</section>\n");
}

static void
add_cover(struct page *p)
{
	const struct qr_sheet *s = p->sheet;

	tsb_bytes_add_str(p->out, "<section><header><h1>");
	qr_escape(s->title, p->out);
	tsb_bytes_add_str(p->out, "</h1></header><dl>");
	for (size_t i = 0; i < s->nlines; i++) {
		tsb_bytes_add_str(p->out, "<dt>");
		qr_escape(s->lines[i].name, p->out);
		tsb_bytes_add_str(p->out, "</dt><dd>");
		qr_escape(s->lines[i].text, p->out);
		tsb_bytes_add_str(p->out, "</dd>");
	}
	tsb_bytes_addf(p->out, "<dt>text</dt><dd>%zu bytes in %zu QR code%s</dd></dl>\n", s->text.n,
	    s->ncodes, s->ncodes == 1 ? "" : "s");
	tsb_bytes_add_str(p->out, "<div class=\"pair\">");
	if (s->ncodes == 1) {
		add_figure(p, 0);
		tsb_bytes_add_str(p->out, "<div>");
	}
	add_digest(p);
	add_instruction(p);
	tsb_bytes_add_str(p->out, s->ncodes == 1 ? "</div></div>\n" : "</div>\n");
	add_notes(p);
	end_page(p);
}

/* Loose sheets of paper get mixed up: each names its request and the hash of its parts. */
static void
add_code_page(struct page *p, size_t first)
{
	const struct qr_sheet *s = p->sheet;
	size_t end = first + PER_PAGE < s->ncodes ? first + PER_PAGE : s->ncodes;

	tsb_bytes_add_str(p->out, "<section>");
	if (p->paged) {
		tsb_bytes_add_str(p->out, "<div class=\"running\"><span>");
		qr_escape(s->title, p->out);
		tsb_bytes_add_str(p->out, "</span><span>SHA-256 ");
		enc_hex(tsb_view_of(p->digest, 2), p->out);
		tsb_bytes_add_str(p->out, " ");
		enc_hex(tsb_view_of(p->digest + 2, 2), p->out);
		tsb_bytes_add_str(p->out, "…</span></div>");
	}
	tsb_bytes_add_str(p->out, "<div class=\"pair\">");
	for (size_t i = first; i < end; i++)
		add_figure(p, i);
	tsb_bytes_add_str(p->out, "</div>");
	end_page(p);
}

static void
format_html(const struct qr_sheet *s, bool paged, struct tsb_bytes *out)
{
	unsigned char digest[SHEET_DIGEST];
	struct page p = {s, paged, 1, 1, digest, out};

	sheet_digest(s->text, digest);
	if (s->ncodes > 1)
		p.count += (s->ncodes + PER_PAGE - 1) / PER_PAGE;
	tsb_bytes_add_str(out,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<title>");
	qr_escape(s->title, out);
	tsb_bytes_addf(out, "</title>\n<style>%s%s</style></head>\n<body>\n", style,
	    paged ? style_pages : "");
	add_cover(&p);
	for (size_t i = 0; s->ncodes > 1 && i < s->ncodes; i += PER_PAGE)
		add_code_page(&p, i);
	tsb_bytes_add_str(out, "</body></html>\n");
}

void
qr_sheet_format(const struct qr_sheet *s, enum qr_sheet_format format, struct tsb_bytes *out)
{
	if (format == SHEET_SVG)
		sheet_svg(s, out);
	else
		format_html(s, format == SHEET_PDF_READY, out);
}
