/* A request on paper: its codes, and what people read beside them. */
#ifndef TSB_GAP_SHEET_H
#define TSB_GAP_SHEET_H

#include "lib/gap/codes.h"
#include "lib/qr/sheet.h"
#include "lib/ska/policy.h"

/* What the sheet tells. */
struct gap_sheet {
	const struct wire_offline_request *request;
	const struct tsb_request_view *view;
	const struct ska_rule *rule; /* names the approvers; NULL: not known here */
	const struct gap_codes *codes;
	const char *site; /* name of this site, may be empty */
	int64_t now_ms; /* when the sheet is made */
};
/* Appends the page. */
void gap_sheet_format(const struct gap_sheet *s, enum qr_sheet_format format, struct arena *a,
    struct tsb_bytes *out);

#endif
