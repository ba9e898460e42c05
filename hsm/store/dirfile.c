#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/hook.h"
#include "lib/crypto/crypto.h"

#include "hsm/store/dirfile.h"

#define TMP_PREFIX ".new."

static int
io_error(struct tsb_err *err, const char *what, const char *name)
{
	return tsb_fail(err, TSB_E_IO, "cannot %s %s: %s", what, name, strerror(errno));
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
dirfile_create_with(int dir, const char *name, tsb_file_content *content, void *arg, mode_t mode,
    struct tsb_err *err)
{
	char tmp[TMP_SIZE];
	int rc, error;

	temporary_name(tmp);
	rc = tsb_file_create_with(dir, tmp, mode, content, arg, err);
	if (rc != 0)
		return rc < 0 ? -1 : tsb_fail(err, TSB_E_IO, "cannot create %s: it exists", tmp);
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

/* A content that is known before. */
static int
given(int fd, void *arg, struct tsb_view *content, struct tsb_err *err)
{
	*content = *(const struct tsb_view *)arg;
	return 0;
}

int
dirfile_create(int dir, const char *name, struct tsb_view content, mode_t mode, struct tsb_err *err)
{
	return dirfile_create_with(dir, name, given, &content, mode, err);
}

int
dirfile_replace_with(int dir, const char *name, tsb_file_content *content, void *arg, mode_t mode,
    struct tsb_err *err)
{
	char tmp[TMP_SIZE];

	temporary_name(tmp);
	if (tsb_file_replace_with(dir, tmp, name, mode, content, arg, err))
		return -1;
	return fsync(dir) ? io_error(err, "replace", name) : 0;
}

int
dirfile_read(int dir, const char *name, size_t max, struct tsb_bytes *out, struct stat *st,
    struct tsb_err *err)
{
	tsb_fd_auto fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, st))
		return io_error(err, "read", name);
	if (!S_ISREG(st->st_mode) || st->st_size < 0 || (uint64_t)st->st_size > max)
		return tsb_fail(err, TSB_E_IO, "%s is not a file of at most %zu bytes", name, max);
	tsb_bytes_reset(out);
	return tsb_file_read_fd(fd, name, max, out, err);
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
	if (d == NULL) {
		(void)io_error(err, "list", "the directory");
		tsb_fd_close(&fd);
		return -1;
	}
	while ((entry = readdir(d)))
		if (strncmp(entry->d_name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0)
			unlinkat(dir, entry->d_name, 0);
	closedir(d);
	return 0;
}

static void
put_number(unsigned char *out, uint64_t v, size_t n)
{
	for (; n > 0; n--, v >>= 8)
		*out++ = (unsigned char)v;
}

int
dirfile_identity(int dir, const char *name, unsigned char out[DIRFILE_IDENTITY_SIZE],
    struct tsb_err *err)
{
	struct statx st;
	bool dated;

	if (statx(dir, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st))
		return io_error(err, "identify", name);
	dated = (st.stx_mask & STATX_BTIME) != 0;
	put_number(out, st.stx_ino, 8);
	put_number(out + 8, dated ? (uint64_t)st.stx_btime.tv_sec : 0, 8);
	put_number(out + 16, dated ? st.stx_btime.tv_nsec : 0, 4);
	return 0;
}

bool
dirfile_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

DIR *
dirfile_list(int dir, struct tsb_err *err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d != NULL)
		return d;
	(void)tsb_fail(err, TSB_E_IO, "cannot list the key store: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}
