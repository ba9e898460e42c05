/* Modules as pixels. */
#ifndef TSB_QR_DRAW_H
#define TSB_QR_DRAW_H

#include <gd.h>

#include "lib/qr/code.h"

/* In the middle of a white square picture of palette colours, scale pixels a module. */
void qr_draw(const struct qr_code *code, int scale, gdImagePtr image, int black);

#endif
