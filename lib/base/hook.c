#include "lib/first.h"

#include "lib/base/hook.h"

#ifdef TSB_TEST_HOOKS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static size_t
read_file(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

long
hook_clock_offset_ms(void)
{
	const char *path = getenv("TSB_TEST_CLOCK");
	char text[64];
	int fd;

	if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	read_file(fd, text, sizeof(text));
	close(fd);
	return (long)(strtod(text, NULL) * 1000);
}

/* Takes the line of point out of the file; its value, or NULL. Serialised by a lock on the file. */
static const char *
take_line(int fd, const char *point)
{
	static char text[65536], value[64];
	size_t n, length = strlen(point);

	n = read_file(fd, text, sizeof(text));
	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n');

		end = end == NULL ? text + n : end + 1;
		if (strncmp(line, point, length) == 0 && line[length] == ' ') {
			snprintf(value, sizeof(value), "%.*s",
			    (int)strcspn(line + length + 1, "\n"), line + length + 1);
			memmove(line, end, (size_t)(text + n - end) + 1);
			n -= (size_t)(end - line);
			if (pwrite(fd, text, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n) != 0)
				return NULL;
			return value;
		}
		line = end;
	}
	return NULL;
}

int
hook_fault(const char *point)
{
	const char *path = getenv("TSB_TEST_FAULTS"), *value;
	int fd, result = 0;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return 0;
	if (lseek(fd, 0, SEEK_END) > 0 && flock(fd, LOCK_EX) == 0) {
		value = take_line(fd, point);
		if (value != NULL && strcmp(value, "kill") == 0) {
			close(fd);
			kill(getpid(), SIGKILL);
		}
		if (value != NULL && strcmp(value, "stop") == 0) {
			close(fd);
			raise(SIGSTOP);
			return 0;
		}
		result = value == NULL ? 0 : atoi(value);
	}
	close(fd);
	return result;
}

#else

/* ISO C wants a declaration in every translation unit. */
typedef int hook_nothing;

#endif
