/* A request for the carrier in a form that cameras read: pictures, print sheets, an animation. */
#ifndef TSB_GAP_PICTURE_H
#define TSB_GAP_PICTURE_H

#include "lib/flow/context.h"
#include "lib/qr/code.h"

enum gap_format { GAP_PNG, GAP_SVG, GAP_HTML, GAP_PDF_READY, GAP_UR, GAP_FORMAT__MAX };
extern const char *const gap_format_names[GAP_FORMAT__MAX]; /* as callers write them */

struct gap_picture_ask {
	enum gap_format format;
	enum qr_ecc ecc;
	bool parts; /* numbered parts even where one code would do */
	int scale; /* pixels per module */
	size_t part; /* this one alone, 0 = all */
};

struct gap_picture {
	const char *content_type; /* NULL: JSON, with all parts as PNG in base64 */
	const char *name; /* of the file */
	bool shown; /* browsers show it; else they store it */
	bool active; /* a format that could hold scripts */
};

/*
 * Appends the picture of a request. Texts of *picture are in a or fixed. Errors are those of
 * gap_carry_request(); TSB_E_INPUT when there is no such part.
 */
int gap_picture_make(struct flow *f, const struct tsb_uuid *id, const struct gap_picture_ask *ask,
    struct arena *a, int64_t now_ms, struct gap_picture *picture, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
