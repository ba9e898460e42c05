/*
 * Zip files (APPNOTE.TXT 6.3) whose members are stored as they are: without compression a library
 * would save nothing.
 */
#ifndef TSB_BASE_ZIP_H
#define TSB_BASE_ZIP_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* CRC-32 of ISO-HDLC. */
uint32_t tsb_crc32(struct tsb_view bytes);

/* Zeroed at first. Members are of 1980-01-01: the same content gives the same file. */
struct zip {
	struct tsb_bytes body, directory;
	unsigned n;
};
/* name is UTF-8, without a slash at its start. */
void zip_add(struct zip *, const char *name, struct tsb_view content);
/* Appends the whole file, and clears zip. */
void zip_end(struct zip *, struct tsb_bytes *out);

/*
 * The content of the one member whose name ends so, a view into the file; its checksum fits.
 * TSB_E_INPUT: the file is no such zip file, has none or several, or has it compressed.
 */
int zip_find(struct tsb_view file, const char *suffix, struct tsb_view *content,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
