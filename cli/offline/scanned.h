/*
 * Reads what scanners print, one code a line: parts of one text in any order (lib/qr/part.h,
 * lib/qr/ur.h), or packages and JSON that fitted one code.
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

/*
 * The line without white space around it and without the kind of code that zbar or a scanner (AIM,
 * "]Q1") sends before.
 */
struct tsb_view scanned_trim(struct tsb_view line);
/* Whether this byte ends the line so far: LF, CR, or the TAB of a scanner, but not one in JSON. */
bool scanned_ends_line(int c, struct tsb_view so_far);
/* One of our codes as a scanner types it with a foreign keyboard layout or with Caps Lock. */
bool scanned_other_layout(struct tsb_view line);
/*
 * Tells the kind of a trimmed line and takes it if it is a part; *fresh when that part is new.
 * TSB_E_PAYLOAD as the joiners.
 */
int scanned_take(struct scanned *, struct tsb_view line, enum scanned_line *kind, bool *fresh,
    struct tsb_err *err) TSB_MUSTCHECK;
/* At least one part has come. */
bool scanned_begun(const struct scanned *);
bool scanned_complete(const struct scanned *);
/* "have 3 of 7, missing 2, 5 to 7" */
void scanned_progress(const struct scanned *, struct tsb_bytes *out);
/* The text of all parts, in the arena. *id is the request that they name, if has_id. */
int scanned_text(const struct scanned *, struct arena *a, struct tsb_view *text, bool *has_id,
    struct tsb_uuid *id, struct tsb_err *err) TSB_MUSTCHECK;

#endif
