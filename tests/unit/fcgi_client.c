#include "lib/first.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/fcgi_client.h"

void
pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

int
client_connect(const char *socket_path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, socket_path);
	for (int i = 0; i < 6000; i++) { /* a minute: valgrind on a busy machine */
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return fd;
		pause_ms(10);
	}
	fail_msg("connect: %s", strerror(errno));
	return -1;
}

static void
add_record(struct tsb_bytes *out, int type, const void *p, size_t n)
{
	unsigned char head[8] = {1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8),
	    (unsigned char)n};

	tsb_bytes_add(out, head, sizeof(head));
	tsb_bytes_add(out, p, n);
}

static void
add_param(struct tsb_bytes *out, const char *name, const char *value)
{
	unsigned char lengths[2] = {(unsigned char)strlen(name), (unsigned char)strlen(value)};

	tsb_bytes_add(out, lengths, 2);
	tsb_bytes_add_str(out, name);
	tsb_bytes_add_str(out, value);
}

void
add_request(struct tsb_bytes *out, const char *method, const char *uri, size_t body, int flags)
{
	unsigned char begin[8] = {0, 1, (unsigned char)flags};
	struct tsb_bytes params = {0};
	static const unsigned char zeros[32768];
	char length[32];

	snprintf(length, sizeof(length), "%zu", body);
	add_param(&params, "REQUEST_METHOD", method);
	add_param(&params, "REQUEST_URI", uri);
	if (body)
		add_param(&params, "CONTENT_LENGTH", length);
	add_record(out, 1, begin, sizeof(begin));
	add_record(out, 4, params.p, params.n);
	add_record(out, 4, NULL, 0);
	for (size_t n; body; body -= n) {
		n = body < sizeof(zeros) ? body : sizeof(zeros);
		add_record(out, 5, zeros, n);
	}
	add_record(out, 5, NULL, 0);
	tsb_bytes_clear(&params);
}

bool
send_bytes(int fd, const struct tsb_bytes *b)
{
	size_t at = 0;

	while (at < b->n) {
		ssize_t n = send(fd, b->p + at, b->n - at, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

bool
receive(int fd, struct tsb_bytes *out)
{
	struct tsb_bytes raw = {0};
	size_t at = 0;
	bool ended = false;
	ssize_t n;

	do {
		n = read(fd, tsb_bytes_grow(&raw, 65536), 65536);
		raw.n -= 65536 - (n > 0 ? (size_t)n : 0);
	} while (n > 0);
	while (raw.n - at >= 8) {
		size_t size = (size_t)raw.p[at + 4] << 8 | raw.p[at + 5];

		if (raw.p[at + 1] == 6)
			tsb_bytes_add(out, raw.p + at + 8, size);
		ended = ended || raw.p[at + 1] == 3;
		at += 8 + size + raw.p[at + 6];
	}
	tsb_bytes_clear(&raw);
	return ended;
}
