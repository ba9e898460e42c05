#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/hook.h"
#include "lib/crypto/crypto.h"

#include "hsm/store/dirfile.h"

#define TMP_PREFIX ".new."

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define fd_auto int __attribute__((cleanup(close_fd)))

static int
io_error(struct tsb_err *err, const char *what, const char *name)
{
	return tsb_fail(err, TSB_E_IO, "cannot %s %s: %s", what, name, strerror(errno));
}

static int
write_all(int fd, struct tsb_view v)
{
	while (v.n) {
		ssize_t n = write(fd, v.p, v.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		v.p += n;
		v.n -= (size_t)n;
	}
	return 0;
}

/*
 * The kernel stamps files with a clock of some milliseconds. Readers tell versions of a file by
 * inode, size and time, and an inode may be used again at once: so the time gets its full
 * resolution.
 */
static int
stamp(int fd)
{
	struct timespec now[2];

	if (clock_gettime(CLOCK_REALTIME, &now[0]))
		return -1;
	now[1] = now[0];
	return futimens(fd, now);
}

static int
write_unnamed(int dir, const char *tmp, struct tsb_view content, mode_t mode, struct tsb_err *err)
{
	fd_auto fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return io_error(err, "create", tmp);
	(void)hook_fault("hsm.dirfile.created");
	if (write_all(fd, content) || stamp(fd) || fsync(fd)) {
		(void)io_error(err, "write", tmp);
		unlinkat(dir, tmp, 0);
		return -1;
	}
	(void)hook_fault("hsm.dirfile.written");
	return 0;
}

#define TMP_SIZE 64

static void
temporary_name(char tmp[TMP_SIZE])
{
	uint64_t unique;

	crypto_random(&unique, sizeof(unique));
	snprintf(tmp, TMP_SIZE, TMP_PREFIX "%016llx", (unsigned long long)unique);
}

int
dirfile_create(int dir, const char *name, struct tsb_view content, mode_t mode, struct tsb_err *err)
{
	char tmp[TMP_SIZE];
	int rc, error;

	temporary_name(tmp);
	if (write_unnamed(dir, tmp, content, mode, err))
		return -1;
	/* Not rename: link() never replaces, so of two writers one learns that it came second. */
	rc = linkat(dir, tmp, dir, name, 0);
	error = errno;
	(void)hook_fault("hsm.dirfile.linked");
	unlinkat(dir, tmp, 0);
	if (rc && error == EEXIST)
		return 1;
	errno = error;
	if (rc || fsync(dir))
		return io_error(err, "create", name);
	return 0;
}

int
dirfile_replace(int dir, const char *name, struct tsb_view content, mode_t mode,
    struct tsb_err *err)
{
	char tmp[TMP_SIZE];

	temporary_name(tmp);
	if (write_unnamed(dir, tmp, content, mode, err))
		return -1;
	(void)hook_fault("hsm.change.written");
	if (renameat(dir, tmp, dir, name)) {
		(void)io_error(err, "replace", name);
		unlinkat(dir, tmp, 0);
		return -1;
	}
	(void)hook_fault("hsm.change.renamed");
	return fsync(dir) ? io_error(err, "replace", name) : 0;
}

int
dirfile_read(int dir, const char *name, size_t max, struct tsb_bytes *out, struct stat *st,
    struct tsb_err *err)
{
	fd_auto fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t have = 0;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, st))
		return io_error(err, "read", name);
	if (!S_ISREG(st->st_mode) || st->st_size < 0 || (uint64_t)st->st_size > max)
		return tsb_fail(err, TSB_E_IO, "%s is not a file of at most %zu bytes", name, max);
	tsb_bytes_reset(out);
	tsb_bytes_grow(out, (size_t)st->st_size);
	while (have < out->n) {
		ssize_t n = read(fd, out->p + have, out->n - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return tsb_fail(err, TSB_E_IO, "cannot read %s to its end", name);
		have += (size_t)n;
	}
	return 0;
}

int
dirfile_remove(int dir, const char *name, struct tsb_err *err)
{
	if ((unlinkat(dir, name, 0) && errno != ENOENT) || fsync(dir))
		return io_error(err, "remove", name);
	return 0;
}

int
dirfile_lock(int dir, uint32_t number, struct tsb_err *err)
{
	int fd;
	struct flock range = {.l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = number,
	    .l_len = 1};

	if (number == DIRFILE_LOCK_ALL)
		range.l_start = range.l_len = 0; /* to the end, wherever it is */
	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return io_error(err, "open", "lock");
	while (fcntl(fd, F_OFD_SETLKW, &range)) {
		if (errno == EINTR)
			continue;
		(void)io_error(err, "lock", "lock");
		close(fd);
		return -1;
	}
	return fd;
}

void
dirfile_unlock(int *fd)
{
	close_fd(fd);
	*fd = -1;
}

int
dirfile_sweep(int dir, struct tsb_err *err)
{
	dirfile_lock_auto lock = dirfile_lock(dir, DIRFILE_LOCK_ALL, err);
	struct dirent *entry;
	DIR *d;
	int fd;

	if (lock < 0)
		return -1;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void)io_error(err, "list", "the directory");
		close_fd(&fd);
		return -1;
	}
	while ((entry = readdir(d)))
		if (strncmp(entry->d_name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0)
			unlinkat(dir, entry->d_name, 0);
	closedir(d);
	return 0;
}
