#include "lib/first.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dispatcher/dispatcher.h"

int
wake_open(const char *path, struct tsb_err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(at.sun_path))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "dispatcher.listen: %s is too long",
		    path);
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
