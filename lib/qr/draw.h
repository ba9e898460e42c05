/* Modules as pixels of a picture of gd; for lib/qr only. */
#ifndef TSB_QR_DRAW_H
#define TSB_QR_DRAW_H

#include <gd.h>

#include "lib/qr/code.h"

enum { DRAW_WHITE, DRAW_BLACK };

/* A white square with these two colours as its palette. */
gdImagePtr draw_square(int side);
/* In the middle of the picture. */
void draw_code(gdImagePtr, const struct qr_code *, int scale);

#endif
