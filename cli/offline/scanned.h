/*
 * What scanners print, a code a line: parts of one text in any order (lib/qr/part.h, lib/qr/ur.h),
 * or texts that fitted one code: packages and JSON.
 */
#ifndef TSB_CLI_OFFLINE_SCANNED_H
#define TSB_CLI_OFFLINE_SCANNED_H

#include "lib/qr/part.h"
#include "lib/qr/ur.h"

struct scanned {
	struct qr_join parts;
	struct ur_join ur;
};
#define scanned_auto struct scanned __attribute__((cleanup(scanned_clear)))
void scanned_clear(struct scanned *);

enum scanned_line {
	SCANNED_NOTHING, /* an empty line */
	SCANNED_PART,
	SCANNED_TEXT, /* whole by itself */
	SCANNED_OTHER, /* nothing that is known here */
};

/* Without the white space around it, and without the kind of code that zbar may print before it. */
struct tsb_view scanned_trim(struct tsb_view line);
/*
 * Of a trimmed line; parts are taken. *fresh: a part that was not there. TSB_E_PAYLOAD as the
 * joiners.
 */
int scanned_take(struct scanned *, struct tsb_view line, enum scanned_line *kind, bool *fresh,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Some parts came. */
bool scanned_begun(const struct scanned *);
bool scanned_complete(const struct scanned *);
/* "have 3 of 7, missing 2, 5 to 7" */
void scanned_progress(const struct scanned *, struct tsb_bytes *out);
/* The text of all parts, in the arena. *id (has_id) is what they say that they carry. */
int scanned_text(const struct scanned *, struct arena *a, struct tsb_view *text, bool *has_id,
    struct tsb_uuid *id, struct tsb_err *err) TSB_MUSTCHECK;

#endif
