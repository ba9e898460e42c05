/*
 * The print sheet of a request: QR codes with their numbers, their text, its digest in words
 * that two people can read to each other, and a place for the notes of a key ceremony.
 * Self-contained: no script, no font, no picture from elsewhere; everything from outside is
 * escaped.
 */
#ifndef TSB_QR_SHEET_H
#define TSB_QR_SHEET_H

#include "lib/qr/code.h"

enum qr_sheet_format {
	SHEET_SVG, /* one picture: caption and all codes */
	SHEET_HTML, /* a page for screen and printer */
	SHEET_PDF_READY, /* HTML with page breaks, margins and page numbers for A4 and Letter: print to PDF */
	SHEET__MAX
};
extern const char *const qr_sheet_format_names[SHEET__MAX]; /* "svg", "html", "pdf-ready" */

/* A line of the caption: "key" "invoice-signing-01". */
struct qr_sheet_line {
	const char *name, *text;
};

struct qr_sheet {
	const char *title; /* "Request 0190... for an offline HSM" */
	const struct qr_sheet_line *lines;
	size_t nlines;
	struct tsb_view
	    text; /* of all codes together; the sheet shows its digest in hex and words */
	const struct qr_code *codes;
	size_t ncodes;
};

/* Appends the whole document. */
void qr_sheet_format(const struct qr_sheet *, enum qr_sheet_format, struct tsb_bytes *out);

#endif
