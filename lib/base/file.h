/*
 * Small files: read whole and bounded, written so that a crash leaves the old content or the new
 * one. Nothing passes through buffers of stdio, so that no copy of a secret stays behind.
 */
#ifndef TSB_BASE_FILE_H
#define TSB_BASE_FILE_H

#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* Closes a descriptor at the end of its block; -1 is none. */
void tsb_fd_close(int *fd);
#define tsb_fd_auto int __attribute__((cleanup(tsb_fd_close)))

/*
 * Appends the whole file to out. TSB_E_FILE_NOT_FOUND when it does not open, TSB_E_IO when it does
 * not read, TSB_E_INPUT when it is longer than max bytes; then out is as before.
 */
int tsb_file_read(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The same into the arena. */
int tsb_file_load(const char *path, size_t max, struct arena *a, struct tsb_view *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* tsb_file_read() from an open descriptor to its end; name is for messages. */
int tsb_file_read_fd(int fd, const char *name, size_t max, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The text without a byte order mark (U+FEFF in UTF-8) at its start. */
struct tsb_view tsb_text_start(struct tsb_view text);
/* The first line of text without its end; TSB_E_INPUT when it is empty or holds a NUL. */
int tsb_file_first_line(struct tsb_view text, const char *name, struct tsb_view *line,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends the first line of a file. */
int tsb_file_read_line(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;

/*
 * A file without a name in this folder, for this process alone: its descriptor, or -1 with
 * TSB_E_IO. It is gone when that is closed.
 */
int tsb_file_temporary(const char *folder, struct tsb_err *err) TSB_MUSTCHECK;
/* Writes all of content; TSB_E_IO, and then part of it may be written. */
int tsb_file_write_fd(int fd, const char *name, struct tsb_view content, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The folder that path is in, opened, or -1 with TSB_E_IO. *name is the last part of path. */
int tsb_file_folder(const char *path, const char **name, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Makes name in the folder dir with this content, synced. Returns 0, 1 when the name is taken
 * (nothing changed), or -1 with TSB_E_IO and no file. The caller syncs the folder.
 */
int tsb_file_create(int dir, const char *name, mode_t mode, struct tsb_view content,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The same with a content that depends on the file itself: it is made when the file is there, and
 * fd tells which. It stays valid until the file is written. -1 as any failure.
 */
typedef int tsb_file_content(int fd, void *arg, struct tsb_view *content, struct tsb_err *err);
int tsb_file_create_with(int dir, const char *name, mode_t mode, tsb_file_content *content,
    void *arg, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Replaces the content of name through the new file tmp: readers find the old or the new content,
 * after a crash too. TSB_E_IO, and then name is as before and tmp is gone. The caller syncs the
 * folder.
 */
int tsb_file_replace(int dir, const char *tmp, const char *name, mode_t mode,
    struct tsb_view content, struct tsb_err *err) TSB_MUSTCHECK;
int tsb_file_replace_with(int dir, const char *tmp, const char *name, mode_t mode,
    tsb_file_content *content, void *arg, struct tsb_err *err) TSB_MUSTCHECK;

#endif
