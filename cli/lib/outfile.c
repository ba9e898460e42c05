#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/str.h"

#include "cli/lib/outfile.h"

/* A stream that is open already, by one of its names; -1 = the path is none. */
static int
open_stream(const char *path)
{
	long number;

	if (tsb_streq(path, "-") || tsb_streq(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (tsb_streq(path, "/dev/stderr"))
		return STDERR_FILENO;
	if (strncmp(path, "/dev/fd/", 8) == 0 && tsb_str_to_long(path + 8, 0, INT_MAX, &number))
		return (int)number;
	return -1;
}

static int
cannot_write(const struct outfile *o, const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_IO, "cannot write %s: %s", o->path, why);
}

/* A device or a pipe; the name may have become something else since it was looked at. */
static int
open_special(struct outfile *o, struct tsb_err *err)
{
	struct stat st;

	o->fd = openat(o->folder, o->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	tsb_fd_close(&o->folder);
	if (o->fd < 0 || fstat(o->fd, &st) != 0)
		return cannot_write(o, strerror(errno), err);
	if (S_ISREG(st.st_mode))
		return cannot_write(o, "it is another file now", err);
	return 0;
}

/* A new file: who has the old one open, or another link to it, does not see the content. */
static int
open_regular(struct outfile *o, mode_t mode, struct tsb_err *err)
{
	snprintf(o->next, sizeof(o->next), ".tsb-%ld", (long)getpid());
	unlinkat(o->folder, o->next, 0); /* left behind by a program that was killed */
	o->fd =
	    openat(o->folder, o->next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (o->fd >= 0)
		return 0;
	o->next[0] = '\0';
	return cannot_write(o, strerror(errno), err);
}

int
outfile_open(struct outfile *o, const char *path, enum file_secrecy secrecy, struct tsb_err *err)
{
	mode_t mode = secrecy == FILE_SECRET ? 0600 : 0666;
	struct stat st;

	*o = (struct outfile){.path = path, .fd = open_stream(path), .folder = -1};
	o->borrowed = o->fd >= 0;
	if (o->borrowed)
		return fflush(stdout) == 0
		    ? 0
		    : tsb_fail(err, TSB_E_IO, "cannot write to standard output");
	if ((o->folder = tsb_file_folder(path, &o->name, err)) < 0)
		return -1;
	if (fstatat(o->folder, o->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return open_regular(o, mode, err);
	if (S_ISLNK(st.st_mode))
		return tsb_fail(err, TSB_E_IO,
		    "%s is a symbolic link, and links are not followed: name the file itself",
		    path);
	if (S_ISDIR(st.st_mode))
		return cannot_write(o, "it is a folder", err);
	if (!S_ISREG(st.st_mode))
		return open_special(o, err);
	return open_regular(o, secrecy == FILE_PUBLIC ? st.st_mode & 0777 : mode, err);
}

int
outfile_write(struct outfile *o, struct tsb_view bytes, struct tsb_err *err)
{
	return tsb_file_write_fd(o->fd, o->path, bytes, err);
}

int
outfile_commit(struct outfile *o, struct tsb_err *err)
{
	if (o->folder < 0)
		return 0;
	if (fsync(o->fd) != 0 || renameat(o->folder, o->next, o->folder, o->name) != 0)
		return cannot_write(o, strerror(errno), err);
	o->next[0] = '\0';
	return file_sync_folder(o->folder, o->path, err);
}

void
outfile_close(struct outfile *o)
{
	if (o->folder >= 0 && o->next[0] != '\0')
		unlinkat(o->folder, o->next, 0);
	if (!o->borrowed)
		tsb_fd_close(&o->fd);
	tsb_fd_close(&o->folder);
}

int
file_write(const char *path, enum file_secrecy secrecy, struct tsb_view content,
    struct tsb_err *err)
{
	outfile_auto o = {.fd = -1, .folder = -1};

	return outfile_open(&o, path, secrecy, err) || outfile_write(&o, content, err) ||
		outfile_commit(&o, err)
	    ? -1
	    : 0;
}
