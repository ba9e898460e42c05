/* A request as QR codes. */
#ifndef TSB_GAP_CODES_H
#define TSB_GAP_CODES_H

#include "lib/qr/code.h"
#include "lib/wire/offline.h"

/* One code with the bare text, or numbered parts of it. */
struct gap_codes {
	struct tsb_view text; /* of all of them together */
	size_t n;
	struct qr_code *code;
};
/*
 * One code where the text fits, unless parts are asked for; else numbered parts. part: that one
 * alone (TSB_E_INPUT when there are fewer), 0 = all. Codes are in a.
 */
int gap_codes_make(const struct wire_offline_request *r, enum qr_ecc ecc, bool parts, size_t part,
    struct arena *a, struct gap_codes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
