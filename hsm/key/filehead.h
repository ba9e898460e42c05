/*
 * Encrypted files (docs/file-format.md): what stands before the segments. The key of a file is
 * random, and is in its header as ECIES encrypts it, bound to what precedes it.
 */
#ifndef TSB_HSM_KEY_FILEHEAD_H
#define TSB_HSM_KEY_FILEHEAD_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

#define FILE_HEAD_SEALED_MAX 256 /* bytes of the encrypted key */
#define FILE_HEAD_MAX        512 /* of the header */

struct file_head {
	struct tsb_view curve; /* of the key that opens it, dotted OID */
	struct tsb_view bound; /* what the encrypted key is bound to */
	struct tsb_view sealed; /* the encrypted key */
	size_t size; /* bytes of the header */
};

/* Appends the part that the encrypted key is bound to. */
void file_head_bound(const char *curve_oid, struct tsb_bytes *out);
/* Appends the rest: sealed of at most FILE_HEAD_SEALED_MAX bytes. */
void file_head_sealed(struct tsb_view sealed, struct tsb_bytes *out);
/*
 * Reads the header from the first bytes of a file, FILE_HEAD_MAX of them if it has so many. Views
 * into start. TSB_E_FILE_HEADER for everything that this version does not write.
 */
int file_head_read(struct tsb_view start, struct file_head *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
