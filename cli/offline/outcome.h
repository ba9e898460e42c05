/*
 * Results on their way out of the offline room: a signed package as a file, as QR codes, as their
 * texts.
 */
#ifndef TSB_CLI_OFFLINE_OUTCOME_H
#define TSB_CLI_OFFLINE_OUTCOME_H

#include "cli/offline/room.h"

/*
 * Whether --out, --qr, --text or --animation say where to; TSB_E_INPUT when none does, or --qr is
 * not empty.
 */
int outcome_check(struct cli *) TSB_MUSTCHECK;
/* Writes what the options ask for. to: the site that the package is for. */
int outcome_write(struct cli *, const struct room *, const struct room_peer *to,
    struct tsb_view *results, size_t n) TSB_MUSTCHECK;

/* PNG files DIR/PREFIX-<id>-<k>.png with the parts of text; the folder is made. */
int outcome_pictures(struct cli *, const char *prefix, const struct tsb_uuid *id,
    struct tsb_view text) TSB_MUSTCHECK;
/*
 * Whether DIR of --qr can take pictures without mixing them with others; nothing without the
 * option.
 */
int outcome_check_folder(struct cli *) TSB_MUSTCHECK;
/* The text as an animation in FILE of --animation; nothing without the option. */
int outcome_animation(struct cli *, struct tsb_view text) TSB_MUSTCHECK;
/* A file for a stick: whole or not there, on the disk when it returns. */
int outcome_file(struct cli *, const char *path, struct tsb_view content) TSB_MUSTCHECK;

#endif
