/* Zip files (APPNOTE.TXT 6.3) whose members are stored as they are. */
#ifndef TSB_BASE_ZIP_H
#define TSB_BASE_ZIP_H

#include "lib/base/bytes.h"

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

#endif
