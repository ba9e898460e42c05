/* A request on paper: its codes, and what people read beside them. */
#ifndef TSB_GAP_SHEET_H
#define TSB_GAP_SHEET_H

#include "lib/gap/codes.h"
#include "lib/qr/sheet.h"

/* Appends the page. site: name of this site, may be empty; now_ms: when the sheet is made. */
void gap_sheet_format(const struct wire_offline_request *r, const struct tsb_request_view *v,
    const struct gap_codes *codes, const char *site, enum qr_sheet_format format, struct arena *a,
    int64_t now_ms, struct tsb_bytes *out);

#endif
