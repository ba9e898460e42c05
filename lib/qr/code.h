/*
 * QR codes (ISO/IEC 18004) of model 2, in byte mode or, where a text allows it, the smaller
 * alphanumeric mode, and their pictures. libqrencode makes the modules, gd the PNG; lib/qr is their
 * home.
 */
#ifndef TSB_QR_CODE_H
#define TSB_QR_CODE_H

#include "lib/qr/part.h"

enum qr_ecc { QR_ECC_L, QR_ECC_M, QR_ECC_Q, QR_ECC_H, QR_ECC__MAX };
extern const char *const qr_ecc_names[QR_ECC__MAX]; /* "L" ... */

#define QR_QUIET         4 /* modules of white around a code that readers need */
#define QR_SCALE_MAX     32 /* pixels a module */
#define QR_SCALE_DEFAULT 0 /* qr_png chooses */

/* One code: size * size modules, 1 = black, without the quiet zone. In the arena. */
struct qr_code {
	int size;
	const unsigned char *module;
};

/* Bytes that the largest code of this level holds: 2953, 2331, 1663, 1273. */
size_t qr_capacity(enum qr_ecc);
/* TSB_E_INPUT when text is empty or longer than that. */
int qr_encode(struct tsb_view text, enum qr_ecc, struct arena *a, struct qr_code *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The same for n texts, on all processors: nearly all of a code's time goes into choosing its mask.
 */
int qr_encode_all(const struct tsb_view *texts, size_t n, enum qr_ecc, struct arena *a,
    struct qr_code *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Codes of the parts first (from 1) to first + n - 1. */
int qr_encode_parts(const struct qr_split *, size_t first, size_t n, enum qr_ecc, struct arena *a,
    struct qr_code *out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Black on white, one bit a pixel, scale (1 to QR_SCALE_MAX, or QR_SCALE_DEFAULT) pixels a module,
 * quiet zone. Appends.
 */
int qr_png(const struct qr_code *, int scale, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The same for n codes, on all processors; out are n empty buffers. */
int qr_png_all(const struct qr_code *, size_t n, int scale, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The black modules as a <path>, one unit a module, right and below of the quiet zone. Appends. */
void qr_svg_path(const struct qr_code *, struct tsb_bytes *out);
/*
 * An <svg> element with one path, quiet zone included; its size is left to who embeds it. Appends.
 */
void qr_svg(const struct qr_code *, struct tsb_bytes *out);

#endif
