/* The listening socket: from systemd, inherited as descriptor 0, or made here. */
#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/web/internal.h"

static bool
is_listening(int fd)
{
	int yes = 0;
	socklen_t n = sizeof(yes);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) && yes;
}

static int
inherited_socket(void)
{
	int n = sd_listen_fds(1);

	if (n > 1)
		log_warn("systemd passed %d sockets, the first is used", n);
	if (n > 0 && is_listening(SD_LISTEN_FDS_START))
		return SD_LISTEN_FDS_START;
	return is_listening(STDIN_FILENO) ? STDIN_FILENO : -1;
}

/* Removes a socket that nobody listens on any more; anything else at that place stays. */
static int
remove_stale(const struct sockaddr_un *addr, struct tsb_err *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT
		    ? 0
		    : tsb_fail(err, TSB_E_INIT, "%s: %s", addr->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return tsb_fail(err, TSB_E_INIT, "%s exists and is no socket", addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	if (rc && errno == ECONNREFUSED)
		rc = unlink(addr->sun_path);
	else
		rc = -1;
	if (fd >= 0)
		close(fd);
	return rc ? tsb_fail(err, TSB_E_INIT, "%s is in use", addr->sun_path) : 0;
}

/* The settings are wrong, or the address is none. */
static int
unix_address(const char *path, struct sockaddr_un *addr, struct tsb_err *err)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (path[0] != '/' || strlen(path) >= sizeof(addr->sun_path))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "unix:%s is no absolute path, or too long for a socket", path);
	strcpy(addr->sun_path, path);
	return 0;
}

static int
listen_unix(const char *path, long mode, struct web_listener *out, struct tsb_err *err)
{
	struct sockaddr_un addr;
	struct stat st;
	mode_t mask;
	int fd, rc;

	if (unix_address(path, &addr, err))
		return -1;
	if (remove_stale(&addr, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return tsb_fail(err, TSB_E_INIT, "socket: %s", strerror(errno));
	/* The mask, not a later chmod: there is no moment with wider rights. */
	mask = umask(0777 & ~(mode_t)mode);
	rc = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (rc || listen(fd, SOMAXCONN) || stat(path, &st)) {
		tsb_fail(err, TSB_E_INIT, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	*out = (struct web_listener){.fd = fd,
	    .path = tsb_strdup(path),
	    .dev = st.st_dev,
	    .ino = st.st_ino};
	return 0;
}

/* "host:port", "[::1]:port", ":port" (all addresses) into its halves. */
static bool
split_host(const char *where, char host[256], const char **port)
{
	const char *colon = strrchr(where, ':');
	size_t n = colon != NULL ? (size_t)(colon - where) : 0;

	if (colon == NULL || !colon[1] || n >= 256)
		return false;
	if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	memcpy(host, where, n);
	host[n] = '\0';
	*port = colon + 1;
	return true;
}

static int
listen_address(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
	int one = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, SOMAXCONN)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int
tcp_addresses(const char *where, struct addrinfo **all, struct tsb_err *err)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	char host[256];
	const char *port;
	int rc;

	if (!split_host(where, host, &port))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "listen = %s is neither unix:/path nor host:port", where);
	rc = getaddrinfo(host[0] ? host : NULL, port, &hints, all);
	return rc != 0 ? tsb_fail(err, TSB_E_INIT, "%s: %s", where, gai_strerror(rc)) : 0;
}

static int
listen_tcp(const char *where, struct web_listener *out, struct tsb_err *err)
{
	struct addrinfo *all;
	int fd = -1;

	if (tcp_addresses(where, &all, err))
		return -1;
	for (struct addrinfo *ai = all; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = listen_address(ai);
	freeaddrinfo(all);
	if (fd < 0)
		return tsb_fail(err, TSB_E_INIT, "%s: %s", where, strerror(errno));
	*out = (struct web_listener){.fd = fd};
	return 0;
}

int
web_listen(const char *where, long mode, struct web_listener *out, struct tsb_err *err)
{
	struct web_listener made = {.fd = inherited_socket()};

	if (made.fd < 0) {
		if (where == NULL)
			return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT, "listen is not set");
		if (!strncmp(where, "unix:", 5) ? listen_unix(where + 5, mode, &made, err)
						: listen_tcp(where, &made, err))
			return -1;
	}
	/*
	 * At times several workers wake up for one connection: those that miss it must not block.
	 */
	if (fcntl(made.fd, F_SETFL, fcntl(made.fd, F_GETFL) | O_NONBLOCK)) {
		web_listener_close(&made);
		return tsb_fail(err, TSB_E_INIT, "listening socket: %s", strerror(errno));
	}
	*out = made;
	return 0;
}

/* A socket that is there may be of the program that runs now: only what is none is refused. */
static int
check_unix(const char *path, bool made_elsewhere, struct tsb_err *err)
{
	struct sockaddr_un addr;
	const char *name;
	struct stat st;
	tsb_fd_auto folder = -1;

	if (unix_address(path, &addr, err))
		return -1;
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return tsb_fail(err, TSB_E_INIT, "%s exists and is no socket", path);
	if (made_elsewhere)
		return 0;
	if ((folder = tsb_file_folder(path, &name, err)) < 0)
		return -1;
	if (faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return tsb_fail(err, TSB_E_INIT, "the folder of %s: %s", path, strerror(errno));
	return 0;
}

int
web_listen_check(const char *where, const char *dflt, struct tsb_err *err)
{
	struct addrinfo *all;

	if (where == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT, "listen is not set");
	if (strncmp(where, "unix:", 5) == 0)
		return check_unix(where + 5, tsb_streq(where, dflt), err);
	if (tcp_addresses(where, &all, err))
		return -1;
	freeaddrinfo(all);
	return 0;
}

void
web_listener_close(struct web_listener *l)
{
	struct stat st;

	if (l->fd >= 0)
		close(l->fd);
	/* Another instance may have put its own socket there meanwhile. */
	if (l->path != NULL && !lstat(l->path, &st) && st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->path);
	free(l->path);
	*l = (struct web_listener){.fd = -1};
}
