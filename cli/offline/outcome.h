/*
 * Writes results for their way out of the offline room: a signed package as a file, as QR codes or
 * as the texts of the codes. Results may hold what was decrypted: the files are for their owner
 * (0600).
 */
#ifndef TSB_CLI_OFFLINE_OUTCOME_H
#define TSB_CLI_OFFLINE_OUTCOME_H

#include "cli/offline/room.h"

/*
 * TSB_E_INPUT when none of --out, --qr, --text and --animation is given, or when the folder of --qr
 * has pictures already.
 */
int outcome_check(struct cli *) TSB_MUSTCHECK;
/* Writes what the options ask for; the package is for the site to. */
int outcome_write(struct cli *, const struct room *, const struct room_peer *to,
    struct tsb_view *results, size_t n) TSB_MUSTCHECK;

/* Writes the parts of text as PNG files DIR/PREFIX-<id>-<k>.png and makes the folder. */
int outcome_pictures(struct cli *, const char *prefix, const struct tsb_uuid *id,
    struct tsb_view text) TSB_MUSTCHECK;
/*
 * TSB_E_INPUT when DIR of --qr has pictures already, which would be mixed. Does nothing without the
 * option.
 */
int outcome_check_folder(struct cli *) TSB_MUSTCHECK;
/* Writes the text as an animation to FILE of --animation. Does nothing without the option. */
int outcome_animation(struct cli *, struct tsb_view text) TSB_MUSTCHECK;

#endif
