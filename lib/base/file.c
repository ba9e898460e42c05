#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/hook.h"

#define BLOCK 4096

void
tsb_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
io_error(struct tsb_err *err, const char *what, const char *name)
{
	return tsb_fail(err, TSB_E_IO, "cannot %s %s: %s", what, name, strerror(errno));
}

/* ---- reading ---- */

/* One block more in out. Returns how many bytes came, 0 at the end, -1 with errno. */
static ssize_t
read_block(int fd, struct tsb_bytes *out)
{
	unsigned char *p = tsb_bytes_grow(out, BLOCK);
	ssize_t n;

	do
		n = read(fd, p, BLOCK);
	while (n < 0 && errno == EINTR);
	out->n -= BLOCK - (n > 0 ? (size_t)n : 0);
	return n;
}

int
tsb_file_read_fd(int fd, const char *name, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	const size_t before = out->n;
	ssize_t n;

	while ((n = read_block(fd, out)) > 0 && out->n - before <= max)
		;
	if (n == 0)
		return 0;
	out->n = before;
	if (n < 0)
		return io_error(err, "read", name);
	return tsb_fail(err, TSB_E_INPUT, "%s is longer than %zu bytes", name, max);
}

int
tsb_file_read(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_fd_auto fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND, "cannot open %s: %s", path,
		    strerror(errno));
	return tsb_file_read_fd(fd, path, max, out, err);
}

int
tsb_file_load(const char *path, size_t max, struct arena *a, struct tsb_view *out,
    struct tsb_err *err)
{
	tsb_bytes_auto text = {0};

	if (tsb_file_read(path, max, &text, err))
		return -1;
	*out = arena_view(a, tsb_view_bytes(&text));
	return 0;
}

struct tsb_view
tsb_text_start(struct tsb_view text)
{
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		return tsb_view_of(text.p + 3, text.n - 3);
	return text;
}

int
tsb_file_first_line(struct tsb_view text, const char *name, struct tsb_view *line,
    struct tsb_err *err)
{
	size_t n;

	text = tsb_text_start(text);
	for (n = 0; n < text.n && text.p[n] != '\n' && text.p[n] != '\r'; n++)
		if (text.p[n] == '\0')
			return tsb_fail(err, TSB_E_INPUT, "the first line of %s is not text", name);
	if (n == 0)
		return tsb_fail(err, TSB_E_INPUT, "the first line of %s is empty", name);
	*line = tsb_view_of(text.p, n);
	return 0;
}

int
tsb_file_read_line(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	struct tsb_view line;

	if (tsb_file_read(path, max, &text, err) ||
	    tsb_file_first_line(tsb_view_bytes(&text), path, &line, err))
		return -1;
	tsb_bytes_add_view(out, line);
	return 0;
}

/* Not every file system makes files without a name. */
int
tsb_file_temporary(const char *folder, struct tsb_err *err)
{
	arena_auto a = {0};
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *name;

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		name = arena_printf(&a, "%s/tsb.XXXXXX", folder);
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(name);
	}
	if (fd < 0)
		(void)!tsb_fail(err, TSB_E_IO, "cannot make a file in %s: %s", folder,
		    strerror(errno));
	return fd;
}

/* ---- writing ---- */

int
tsb_file_write_fd(int fd, const char *name, struct tsb_view content, struct tsb_err *err)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(err, "write", name);
		content.p += n;
		content.n -= (size_t)n;
	}
	return 0;
}

int
tsb_file_folder(const char *path, const char **name, struct tsb_err *err)
{
	const char *slash = strrchr(path, '/');
	arena_auto a = {0};
	const char *folder = slash == NULL ? "."
	    : slash == path                ? "/"
					   : arena_strn(&a, path, (size_t)(slash - path));
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return io_error(err, "open the folder of", path);
	*name = slash == NULL ? path : slash + 1;
	return dir;
}

/*
 * The kernel stamps files with a clock of some milliseconds. Readers may tell versions of a file by
 * inode, size and time, and an inode may be used again at once: so the time gets its full
 * resolution. Where a medium belongs to somebody else only its owner may set times: files there
 * keep the kernel's.
 */
static int
stamp(int fd)
{
	struct timespec now[2];

	if (clock_gettime(CLOCK_REALTIME, &now[0]) != 0)
		return -1;
	now[1] = now[0];
	return futimens(fd, now) == 0 || errno == EPERM ? 0 : -1;
}

static int
fill(int fd, const char *name, struct tsb_view content, struct tsb_err *err)
{
	if (tsb_file_write_fd(fd, name, content, err))
		return -1;
	return stamp(fd) != 0 || fsync(fd) != 0 ? io_error(err, "write", name) : 0;
}

int
tsb_file_create_with(int dir, const char *name, mode_t mode, tsb_file_content *content, void *arg,
    struct tsb_err *err)
{
	tsb_fd_auto fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	struct tsb_view v;

	if (fd < 0)
		return errno == EEXIST ? 1 : io_error(err, "create", name);
	(void)hook_fault("file.created");
	if (content(fd, arg, &v, err) || fill(fd, name, v, err)) {
		unlinkat(dir, name, 0);
		return -1;
	}
	(void)hook_fault("file.written");
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
tsb_file_create(int dir, const char *name, mode_t mode, struct tsb_view content,
    struct tsb_err *err)
{
	return tsb_file_create_with(dir, name, mode, given, &content, err);
}

int
tsb_file_replace(int dir, const char *tmp, const char *name, mode_t mode, struct tsb_view content,
    struct tsb_err *err)
{
	return tsb_file_replace_with(dir, tmp, name, mode, given, &content, err);
}

int
tsb_file_replace_with(int dir, const char *tmp, const char *name, mode_t mode,
    tsb_file_content *content, void *arg, struct tsb_err *err)
{
	int rc = tsb_file_create_with(dir, tmp, mode, content, arg, err);

	if (rc > 0)
		return tsb_fail(err, TSB_E_IO, "cannot create %s: it exists", tmp);
	if (rc < 0)
		return -1;
	if (renameat(dir, tmp, dir, name) != 0) {
		(void)io_error(err, "replace", name);
		unlinkat(dir, tmp, 0);
		return -1;
	}
	(void)hook_fault("file.renamed");
	return 0;
}
