#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/str.h"

#include "dispatcher/dispatcher.h"

static int
check_length(const char *path, struct tsb_err *err)
{
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "dispatcher.listen: %s is too long",
		    path);
	return 0;
}

/* A dispatcher takes the place of another; what is no socket belongs to somebody else. */
static int
check_place(const char *path, struct tsb_err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0 || S_ISSOCK(st.st_mode))
		return 0;
	return tsb_fail(err, TSB_E_IO, "dispatcher.listen: %s exists and is no socket", path);
}

int
wake_check(const char *path, const char *dflt, struct tsb_err *err)
{
	const char *name;
	struct tsb_err why;
	tsb_fd_auto folder = -1;

	if (check_length(path, err))
		return -1;
	if (tsb_streq(path, dflt))
		return 0;
	if ((folder = tsb_file_folder(path, &name, &why)) < 0)
		return tsb_fail(err, why.code, "dispatcher.listen: %s", why.msg);
	if (faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return tsb_fail(err, TSB_E_IO, "dispatcher.listen: the folder of %s: %s", path,
		    strerror(errno));
	return check_place(path, err);
}

int
wake_open(const char *path, struct tsb_err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, rc;

	if (check_length(path, err) || check_place(path, err))
		return -1;
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return tsb_fail(err, TSB_E_IO, "socket: %s", strerror(errno));
	unlink(path);
	mask = umask(0117); /* user and group may wake */
	rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
	umask(mask);
	if (rc != 0) {
		tsb_fail(err, TSB_E_IO, "dispatcher.listen: %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

bool
wake_take(int fd, struct tsb_uuid *id)
{
	char text[UUID_TEXT + 1];
	ssize_t n;

	while (fd >= 0 && (n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT)) >= 0) {
		text[n] = '\0';
		if (uuid_parse(text, id))
			return true;
	}
	return false;
}
