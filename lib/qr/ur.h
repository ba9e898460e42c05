/*
 * Uniform Resources (BCR-2020-005): a text as an endless row of parts for a screen and a camera.
 * The first n parts are its fragments in order, each later one mixes some of them, so that a reader
 * that missed a part does not wait for its return: any n parts that tell something new, or few
 * more, do.
 *
 *	UR:BYTES/<i>-<n>/<words>	part i (1, 2, ...) of a text of n fragments
 *	UR:BYTES/<words>		a text that fits one part
 *
 * The type "bytes" is a CBOR byte string; words are the first and last letters of Bytewords
 * (words.h) with a CRC-32 behind. All in capitals, which QR codes hold in 5.5 bits a letter.
 */
#ifndef TSB_QR_UR_H
#define TSB_QR_UR_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define UR_MARK             "UR:BYTES/"
#define UR_FRAGMENT_DEFAULT 480 /* bytes: codes of 89 modules, which cameras read off a screen */
#define UR_FRAGMENT_MAX     1000
#define UR_PARTS_MAX        4096
#define UR_TEXT_MAX         (UR_PARTS_MAX * UR_FRAGMENT_MAX - 5)

/* ---- out ---- */

struct ur {
	struct tsb_bytes message; /* CBOR, padded to n fragments */
	size_t length; /* without padding */
	size_t fragment, n;
	uint32_t checksum;
	struct arena arena;
	const struct fountain *fountain;
};
#define ur_auto struct ur __attribute__((cleanup(ur_clear)))
void ur_clear(struct ur *);
/*
 * Cuts text into fragments of at most fragment_max (10 to UR_FRAGMENT_MAX) bytes. u is empty
 * before. TSB_E_INPUT when text is empty or too long.
 */
int ur_open(struct ur *u, struct tsb_view text, size_t fragment_max, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Part i, from 1. Appends. */
void ur_part(const struct ur *, uint32_t i, struct tsb_bytes *out);
/* Parts that an animation shows before it begins again: each fragment and half as many mixtures. */
size_t ur_part_count(const struct ur *);

#define UR_GIF_TEXT_MAX  (256 * 1024) /* some 800 frames, under three minutes */
#define UR_GIF_SCALE_MAX 8
/*
 * The parts as an animated GIF that never ends, five codes a second, scale pixels a module (1 to
 * UR_GIF_SCALE_MAX, or QR_SCALE_DEFAULT). TSB_E_INPUT when text or scale is out of range. Appends.
 */
int ur_gif(struct tsb_view text, int scale, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- in ---- */

/* Whether text begins like a part, in either case. */
bool ur_is_part(struct tsb_view text);

/*
 * Parts of one text, as they come in: any order, any number of times. Memory is bounded by the text
 * that the first part announces, however many parts come.
 */
struct ur_join {
	bool begun;
	size_t length, fragment, n;
	uint32_t checksum;
	size_t have; /* fragments known so far: complete at n */
	unsigned char **row; /* n equations in echelon form; NULL = none begins here */
	unsigned char *scratch;
	struct arena arena;
	const struct fountain *fountain;
};
#define ur_join_auto struct ur_join __attribute__((cleanup(ur_join_clear)))
void ur_join_clear(struct ur_join *);
/*
 * Takes a scanned part (white space at its end does not matter). *fresh (may be NULL) false: it
 * told nothing new. TSB_E_PAYLOAD says what is wrong with it: not a part, misread, of another text,
 * or in contradiction to the others; then nothing changes.
 */
int ur_join_add(struct ur_join *, struct tsb_view part, bool *fresh, struct tsb_err *err)
    TSB_MUSTCHECK;
bool ur_join_complete(const struct ur_join *);
/* 0 to 100; 100 only when complete. */
int ur_join_percent(const struct ur_join *);
/*
 * The text, in the arena. TSB_E_PAYLOAD while parts are missing, and when the checksum does not
 * fit.
 */
int ur_join_text(const struct ur_join *, struct arena *a, struct tsb_view *text,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
