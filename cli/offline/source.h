/*
 * Files that were carried: packages, JSON, texts of scans, pictures of QR codes and folders of
 * them. What comes out is whole: parts are joined.
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
 * All that the operands name, each text once, "-" = standard input. Pictures are decoded by one run
 * of zbarimg. Parts of one text may be spread over all of them; CLI_INCOMPLETE while some are
 * missing.
 */
int source_read(struct cli *, struct source **out, size_t *n) TSB_MUSTCHECK;
/* What the name of an unwritten source says: packages are signed, all else is not. */
bool source_is_package(const struct source *);

#endif
