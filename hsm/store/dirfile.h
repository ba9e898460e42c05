/* Small files in one directory. After a crash there is the old file or the new one. */
#ifndef TSB_HSM_STORE_DIRFILE_H
#define TSB_HSM_STORE_DIRFILE_H

#include <dirent.h>
#include <sys/stat.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/base/file.h"

/*
 * Creates name with this content. Returns 0 when the file is on disk, 1 when name exists already
 * (nothing changed), or -1 with TSB_E_IO. Of several processes exactly one gets 0.
 */
int dirfile_create(int dir, const char *name, struct tsb_view content, mode_t mode,
    struct tsb_err *err) TSB_MUSTCHECK;
int dirfile_create_with(int dir, const char *name, tsb_file_content *content, void *arg,
    mode_t mode, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Replaces the content of name: readers, also after a crash, find the old one or the new one. When
 * it returns 0 the file is on disk; after -1 (TSB_E_IO) it may be either.
 */
int dirfile_replace_with(int dir, const char *name, tsb_file_content *content, void *arg,
    mode_t mode, struct tsb_err *err) TSB_MUSTCHECK;
/* Reads a regular file of at most max bytes. Returns 0, 1 if there is none, or -1 with TSB_E_IO. */
int dirfile_read(int dir, const char *name, size_t max, struct tsb_bytes *out, struct stat *st,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Whether a file is still the one that an earlier stat described, with the same content. */
bool dirfile_same(const struct stat *, const struct stat *);
/*
 * Which file this is: its inode and, where the file system knows, when it was made. A copy is
 * another file, as is what a backup brings back. With an empty name it is that of the descriptor.
 * TSB_E_IO.
 */
#define DIRFILE_IDENTITY_SIZE 20
int dirfile_identity(int dir_or_fd, const char *name, unsigned char out[DIRFILE_IDENTITY_SIZE],
    struct tsb_err *err) TSB_MUSTCHECK;
/* Reads the folder from its start; the caller closes it. NULL with TSB_E_IO. */
DIR *dirfile_list(int dir, struct tsb_err *err);
/* Removes what killed writers left behind. Holds all locks meanwhile. */
int dirfile_sweep(int dir, struct tsb_err *err) TSB_MUSTCHECK;
/* Removes name durably. */
int dirfile_remove(int dir, const char *name, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Waits for the lock of this number, a byte of the file "lock" (open file description locks,
 * fcntl_locking(2): they exclude other processes and end with their holder). Returns the descriptor
 * that holds it, or -1 with TSB_E_IO.
 */
#define DIRFILE_LOCK_ALL UINT32_MAX
int dirfile_lock(int dir, uint32_t number, struct tsb_err *err) TSB_MUSTCHECK;
#define dirfile_lock_auto tsb_fd_auto

#endif
