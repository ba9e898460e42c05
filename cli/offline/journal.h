/*
 * What the offline room has executed: done/<request id>.json, or done/token-<SHA-256 of the
 * token>.json for requests that were scanned without their id. The intent is on the disk before the
 * HSM is called, the result before anybody sees it; so the same request again changes nothing, and
 * a killed program is recovered by running it again.
 */
#ifndef TSB_CLI_OFFLINE_JOURNAL_H
#define TSB_CLI_OFFLINE_JOURNAL_H

#include "cli/offline/carried.h"

enum journal_state {
	JOURNAL_NONE,
	JOURNAL_INTENT, /* the HSM was about to be called */
	JOURNAL_DONE,
};

struct journal {
	enum journal_state state;
	const char *file;
	int64_t at_ms; /* of the intent */
	unsigned char key_digest[TSB_SHA256]; /* of the key's attributes before the call */
	int64_t hsm_seconds; /* the HSM's time before the call */
	struct tsb_view result; /* JOURNAL_DONE: compact text (wire/offline.h) */
};

/*
 * What is known about this request. TSB_E_PAYLOAD when another one was executed under its id, or
 * the file is damaged.
 */
int journal_read(struct cli *, const struct room *, const struct carried *, struct journal *out)
    TSB_MUSTCHECK;
/* On the disk when it returns. Fills j. */
int journal_intend(struct cli *, const struct carried *, struct journal *j) TSB_MUSTCHECK;
int journal_record(struct cli *, const struct carried *, struct journal *j, struct tsb_view result)
    TSB_MUSTCHECK;
/*
 * Another request with the same approved token that was executed: its name and time, NULL = none.
 * HSMs cannot tell the two apart when the token has no timestamp.
 */
int journal_find_token(struct cli *, const struct room *, const struct carried *, const char **out)
    TSB_MUSTCHECK;

#endif
