/*
 * Reads files from the other side of the air gap: packages, JSON, texts of scans, pictures of QR
 * codes and folders of them. Joins parts, so that every text is whole.
 */
#ifndef TSB_CLI_OFFLINE_SOURCE_H
#define TSB_CLI_OFFLINE_SOURCE_H

#include "lib/base/uuid.h"

#include "cli/lib/cli.h"

struct source {
	const char *from; /* file, or "3 pictures": for messages */
	struct tsb_view
	    text; /* a package, or a JSON object without white space between its members */
	bool has_id; /* scanned parts say what they carry */
	struct tsb_uuid id;
};

/*
 * Reads all that the operands name, each text once, "-" = standard input. One run of zbarimg
 * decodes the pictures. Parts of one text may be spread over all files; CLI_INCOMPLETE when some
 * are missing.
 */
int source_read(struct cli *, struct source **out, size_t *n) TSB_MUSTCHECK;
/* Packages are signed, all else is not. */
bool source_is_package(const struct source *);

#endif
