/* What an option such as --out names, written piece by piece. */
#ifndef TSB_CLI_LIB_OUTFILE_H
#define TSB_CLI_LIB_OUTFILE_H

#include "cli/lib/file.h"

struct outfile {
	const char *path; /* as named */
	int fd; /* -1 = not open */
	int folder; /* of a new file, -1 = none */
	bool borrowed; /* a stream of the process */
	const char *name; /* in the folder */
	char next[32]; /* the new file until it is whole */
};

/*
 * Opens a new file beside the one that path names, or a device, a pipe, or "-" = standard output. A
 * symbolic link is refused with TSB_E_IO. Ends with outfile_close().
 */
int outfile_open(struct outfile *, const char *path, enum file_secrecy secrecy, struct tsb_err *err)
    TSB_MUSTCHECK;
int outfile_write(struct outfile *, struct tsb_view bytes, struct tsb_err *err) TSB_MUSTCHECK;
/* Puts what was written in its place, synced: other links to the old file keep its content. */
int outfile_commit(struct outfile *, struct tsb_err *err) TSB_MUSTCHECK;
/* Without a commit the new file is gone, and the old one as it was. */
void outfile_close(struct outfile *);
#define outfile_auto struct outfile __attribute__((cleanup(outfile_close)))

#endif
