/* Small files in one directory: written so that a crash leaves the old file or the new one. */
#ifndef TSB_HSM_STORE_DIRFILE_H
#define TSB_HSM_STORE_DIRFILE_H

#include <sys/stat.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/base/file.h"

/*
 * Makes name with this content. Returns 0, 1 when name is there already (nothing changed), or -1
 * with TSB_E_IO. Of several processes exactly one gets 0. When it returns 0 the file is on disk.
 */
int dirfile_create(int dir, const char *name, struct tsb_view content, mode_t mode,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Puts this content in the place of name's: a reader, and whoever comes after a crash, finds the
 * one or the other. When it returns 0 the file is on disk; after -1 (TSB_E_IO) it may be either.
 */
int dirfile_replace(int dir, const char *name, struct tsb_view content, mode_t mode,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Reads a regular file of at most max bytes. Returns 0, 1 when there is none, -1 with TSB_E_IO. */
int dirfile_read(int dir, const char *name, size_t max, struct tsb_bytes *out, struct stat *st,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Removes what writers that were killed left behind. Takes all locks meanwhile. */
int dirfile_sweep(int dir, struct tsb_err *err) TSB_MUSTCHECK;
/* Removes name and makes that durable. */
int dirfile_remove(int dir, const char *name, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Waits for number's lock, one byte of the file "lock" (fcntl_locking(2), open file description
 * locks: they hold between processes and end with them). Returns the descriptor that holds it.
 */
#define DIRFILE_LOCK_ALL UINT32_MAX
int dirfile_lock(int dir, uint32_t number, struct tsb_err *err) TSB_MUSTCHECK;
#define dirfile_lock_auto tsb_fd_auto

#endif
