/*
 * The segments of an encrypted file (docs/file-format.md): AES-256-GCM, each with its number and
 * whether it is the last in its nonce (the construction STREAM), so that none can be left out,
 * moved, or cut off unseen.
 */
#ifndef TSB_HSM_KEY_SEGMENT_H
#define TSB_HSM_KEY_SEGMENT_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/crypto/gcm.h"

#define SEGMENT_LOG2   16
#define SEGMENT_PLAIN  ((size_t)1 << SEGMENT_LOG2) /* bytes of each but the last, which may be 0 */
#define SEGMENT_SEALED (SEGMENT_PLAIN + GCM_TAG_SIZE)

#define SEGMENT_KEY_SIZE    32
#define SEGMENT_PREFIX_SIZE 7 /* of the nonces */
#define SEGMENT_SECRET_SIZE (SEGMENT_KEY_SIZE + SEGMENT_PREFIX_SIZE)

struct segments {
	unsigned char secret[SEGMENT_SECRET_SIZE]; /* key and prefix; wiped by segments_clear() */
	uint32_t next; /* number of the segment */
};
void segments_clear(struct segments *);
#define segments_auto struct segments __attribute__((cleanup(segments_clear)))

/* Appends the next segment, of at most SEGMENT_PLAIN bytes. */
int segment_seal(struct segments *, struct tsb_view plain, bool last, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends what is in the next segment; TSB_E_DECRYPT_FAILED unless it was sealed as that. */
int segment_open(struct segments *, struct tsb_view sealed, bool last, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
