/*
 * Remembers what the offline room has executed: done/<request id>.json, or done/token-<SHA-256 of
 * the token>.json for a request that was scanned without its id. The intent is on disk before the
 * HSM is called, the result before anybody sees it. So the same request again changes nothing, and
 * running a killed program again recovers.
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
 * Reads what the room knows about this request. TSB_E_PAYLOAD when it executed another one under
 * this id, or when the file is damaged.
 */
int journal_read(struct cli *, const struct room *, const struct carried *, struct journal *out)
    TSB_MUSTCHECK;
/* Both fill j; it is on disk when they return. */
int journal_intend(struct cli *, const struct carried *, struct journal *j) TSB_MUSTCHECK;
int journal_record(struct cli *, const struct carried *, struct journal *j, struct tsb_view result)
    TSB_MUSTCHECK;
/*
 * Finds another executed request with the same approved token: *out is its name and time, NULL =
 * none. HSMs cannot tell the two apart when the token has no timestamp.
 */
int journal_find_token(struct cli *, const struct room *, const struct carried *, const char **out)
    TSB_MUSTCHECK;

#endif
