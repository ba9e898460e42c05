#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/bytes.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/shown.h"
#include "lib/base/str.h"

#define LINE_MAX_ 2048

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static const char *log_program = "tsb";
static const char *log_path;
static int log_fd = STDERR_FILENO;
static enum log_level log_max = LOG_INFO;
static char request_id[64];

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int
log_open(const char *program, const char *path, enum log_level level, struct tsb_err *err)
{
	log_program = program;
	log_max = level;
	if (path == NULL)
		return 0;
	log_fd = open_file(path);
	if (log_fd < 0) {
		log_fd = STDERR_FILENO;
		return tsb_fail(err, TSB_E_IO, "log file %s: %s", path, strerror(errno));
	}
	log_path = path;
	return 0;
}

int
log_check(const char *path, struct tsb_err *err)
{
	char folder[PATH_MAX];
	char *slash;

	if (path == NULL || access(path, W_OK) == 0)
		return 0;
	if (errno == ENOENT) {
		snprintf(folder, sizeof(folder), "%s", path);
		slash = strrchr(folder, '/');
		if (slash != NULL)
			slash[slash == folder] = '\0';
		if (access(slash != NULL ? folder : ".", W_OK | X_OK) == 0)
			return 0;
	}
	return tsb_fail(err, TSB_E_IO, "log file %s: %s", path, strerror(errno));
}

/* Where the last lines begin, in text that may begin inside a line. */
static size_t
tail_start(struct tsb_view text, long lines, bool whole)
{
	size_t at = text.n;

	for (; lines > 0 && at > 0; lines--) {
		const unsigned char *end = memrchr(text.p, '\n', at - 1);

		if (end == NULL)
			return whole ? 0 : at;
		at = (size_t)(end - text.p) + 1;
	}
	return at;
}

int
log_tail(long lines, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	tsb_fd_auto fd = -1;
	struct tsb_view v;
	struct stat st;
	off_t from;
	ssize_t n;

	if (log_path == NULL)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND,
		    "%s has no log file (log.file): see the journal of its host, journalctl -u %s",
		    log_program, log_program);
	fd = open(log_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return tsb_fail(err, TSB_E_IO, "log file: %s", strerror(errno));
	from = st.st_size > (off_t)max ? st.st_size - (off_t)max : 0;
	n = pread(fd, tsb_bytes_grow(&text, max), max, from);
	if (n < 0)
		return tsb_fail(err, TSB_E_IO, "log file: %s", strerror(errno));
	v = tsb_view_of(text.p, (size_t)n);
	n = (ssize_t)tail_start(v, lines, from == 0);
	tsb_bytes_add_view(out, tsb_view_of(v.p + n, v.n - (size_t)n));
	return 0;
}

void
log_reopen(void)
{
	int fd;

	if (log_path == NULL)
		return;
	fd = open_file(log_path);
	if (fd < 0) {
		log_error("log file %s: %s, keeping the old one", log_path, strerror(errno));
		return;
	}
	close(log_fd);
	log_fd = fd;
}

void
log_alone(void)
{
	unsigned log = (unsigned)log_fd;

	if (log > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, log - 1, 0);
	(void)close_range(log > STDERR_FILENO ? log + 1 : STDERR_FILENO + 1, ~0U, 0);
}

void
log_request(const char *id)
{
	snprintf(request_id, sizeof(request_id), "%s", id == NULL ? "" : id);
}

bool
log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < TSB_COUNT(level_names); i++) {
		if (tsb_streq(name, level_names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static size_t
head(char *line, size_t size, enum log_level level)
{
	struct timespec t;
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	n = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s[%ld] ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    t.tv_nsec / 1000000, level_names[level], log_program, (long)getpid());
	if (request_id[0] != '\0')
		n += snprintf(line + n, size - (size_t)n, "req=%s ", request_id);
	return (size_t)n;
}

/* No text from elsewhere begins a line or moves the cursor of who reads the log. */
static size_t
escape(char *line, const char *text)
{
	struct tsb_view rest = tsb_view_str(text);
	size_t n = 0;

	while (rest.n > 0) {
		unsigned code = 0;
		size_t len = tsb_utf8_next(rest, &code);

		if (len > 0 && tsb_shown(code)) {
			memcpy(line + n, rest.p, len);
			n += len;
		} else {
			n += (size_t)sprintf(line + n, "\\x%02x", rest.p[0]);
			len = 1;
		}
		rest = tsb_view_of(rest.p + len, rest.n - len);
	}
	return n;
}

static void log_line(enum log_level, const char *fmt, va_list) TSB_PRINTF(2, 0);

/* One write() a line, so that lines of several processes do not mix. */
static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_], line[LINE_MAX_ * 4 + 256];
	size_t n;
	int saved = errno;

	if (level > log_max)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	n = head(line, sizeof(line), level);
	n += escape(line + n, text);
	line[n++] = '\n';
	/* there is nowhere to report a full disk */
	if (write(log_fd, line, n) < 0)
		(void)0;
	errno = saved;
}

#define LOG_FUNCTION(name, level)                                                                  \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		log_line(level, fmt, ap);                                                          \
		va_end(ap);                                                                        \
	}

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)

void
log_failure(enum log_level level, const char *context, const struct tsb_err *err)
{
	static void (*const by_level[])(const char *, ...) = {log_error, log_warn, log_info,
	    log_debug};

	by_level[level]("%s: %s (%d %s) at %s:%d", context, err->msg, tsb_err_number(err->code),
	    tsb_err_reason(err->code), err->file, err->line);
}
