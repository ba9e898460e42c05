/*
 * A text that travels as several QR codes (api-notes.md 6.3), each with the text
 *
 *	TSBQR1|<id>|<k>|<n>|<hash>|<chunk>
 *
 * id is the UUID of the request or package, k counts from 1 to n, hash are the first 8 hex digits
 * of the SHA-256 of the whole text, and the chunks in order are the text. The text is printable
 * ASCII, so that no reader has to guess an encoding, and every part is one line.
 */
#ifndef TSB_QR_PART_H
#define TSB_QR_PART_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/uuid.h"

#define QR_PART_MARK "TSBQR1|"
#define QR_CHUNK_MAX 1800 /* bytes that phone cameras still read at once */
#define QR_PARTS_MAX 4096
#define QR_TEXT_MAX  (4 * 1024 * 1024)

/*
 * How many parts of at most chunk_max (1 to QR_CHUNK_MAX) bytes make up text; 1 for an empty one.
 */
size_t qr_part_count(struct tsb_view text, size_t chunk_max);
/* A text that is being split: it is checked and hashed once for all parts. Borrows text. */
struct qr_split {
	struct tsb_view text;
	struct tsb_uuid id;
	size_t chunk_max, n;
	char hash[9];
};
/* TSB_E_INPUT when a length is out of range or the text is not printable ASCII. */
int qr_split_init(struct qr_split *, struct tsb_view text, const struct tsb_uuid *id,
    size_t chunk_max, struct tsb_err *err) TSB_MUSTCHECK;
/* Part k (1 to n), appended to out. TSB_E_INPUT when there is no such part. */
int qr_split_part(const struct qr_split *, size_t k, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Whether text begins like a part; anything else is a text that fitted one code. */
bool qr_is_part(struct tsb_view text);

/* Parts of one text, as they come in: any order, any number of times. */
struct qr_join {
	bool begun;
	struct tsb_uuid id;
	size_t n, have;
	char hash[9];
	struct tsb_view *chunk; /* n of them; NULL = missing */
	struct arena arena;
};
#define qr_join_auto struct qr_join __attribute__((cleanup(qr_join_clear)))
void qr_join_clear(struct qr_join *);
/*
 * Takes a scanned part. Line ends and tabs behind it do not matter, and spaces that were cut off
 * there are found again by the hash. *fresh (may be NULL) false: it was there already.
 * TSB_E_PAYLOAD names the part and what is wrong with it: not a part, of another request, of
 * another text of the same request, another count, a number out of range, or other content for a
 * number that is there; then nothing changes.
 */
int qr_join_add(struct qr_join *, struct tsb_view part, bool *fresh, struct tsb_err *err)
    TSB_MUSTCHECK;
bool qr_join_complete(const struct qr_join *);
/* Numbers of the missing parts for people: "2, 5 to 7". Appends; nothing when none is missing. */
void qr_join_missing(const struct qr_join *, struct tsb_bytes *out);
/*
 * The text, in the arena. TSB_E_PAYLOAD while parts are missing (named), and when the hash does not
 * fit: a part was misread or changed.
 */
int qr_join_text(const struct qr_join *, struct arena *a, struct tsb_view *text,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
