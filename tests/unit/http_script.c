#include "lib/first.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "tests/unit/http_script.h"

static struct server servers[4];
static size_t n_servers;
static char dir[] = "/tmp/tsb-endpoint.XXXXXX";

static const char *fixed_reply;
static bool speaks_fcgi; /* this process */

static void
put(int fd, const char *text, size_t n)
{
	if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(0);
}

/* FastCGI: one record, whose content may be empty. */
static void
put_record(int fd, int type, const char *p, size_t n)
{
	const char head[8] = {1, (char)type, 0, 1, (char)(n >> 8), (char)n};

	put(fd, head, sizeof(head));
	if (n > 0)
		put(fd, p, n);
}

static void
put_fcgi_answer(int fd, int status, const char *headers, const char *body)
{
	struct tsb_bytes out = {0};
	size_t at = 10;

	tsb_bytes_addf(&out, "Status: %d X\r\n%s\r\n%s", status, headers, body);
	/* in parts, with something to the error log in between */
	put_record(fd, 6, (char *)out.p, at);
	put_record(fd, 7, "a warning", 9);
	for (size_t n; at < out.n; at += n) {
		n = out.n - at < 65535 ? out.n - at : 65535;
		put_record(fd, 6, (char *)out.p + at, n);
	}
	put_record(fd, 6, NULL, 0);
	put_record(fd, 3, "\0\0\0\0\0\0\0", 8);
	_exit(0);
}

static void
put_answer(int fd, int status, const char *headers, const char *body)
{
	struct tsb_bytes out = {0};

	if (speaks_fcgi)
		put_fcgi_answer(fd, status, headers, body);
	tsb_bytes_addf(&out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status,
	    strlen(body), headers, body);
	put(fd, (char *)out.p, out.n);
	tsb_bytes_clear(&out);
}

static void
put_long(int fd)
{
	static char block[32768];

	if (speaks_fcgi)
		put_record(fd, 6, "Status: 200 OK\n\n", 16);
	else
		put(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
	for (int i = 0; i < 9 * 32; i++)
		if (speaks_fcgi)
			put_record(fd, 6, block, sizeof(block));
		else
			put(fd, block, sizeof(block));
	_exit(0);
}

static void
play(int fd, char what, const char *request)
{
	switch (what) {
	case 'a':
		put_answer(fd, 200, "Content-Type: text/plain; charset=x\r\n", request);
		break;
	case 'd':
		_exit(0);
	case 'h':
		pause();
		break;
	case 't':
		if (speaks_fcgi)
			put_record(fd, 6, "Status: 200 OK\n\nhalf", 20);
		else
			put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 43);
		_exit(0);
	case 'l':
		put_long(fd);
		break;
	case 'r':
		put_answer(fd, 302, "Location: http://127.0.0.1:1/\r\n", "");
		break;
	case 'o':
		put_answer(fd, 503, "Content-Type: application/json\r\nRetry-After: 5\r\n",
		    "{\"errorCode\":2}");
		break;
	case 's':
		usleep(200000);
		put_answer(fd, 200, "", request);
		break;
	case '=':
		put_answer(fd, atoi(fixed_reply), "", fixed_reply + 4);
		break;
	default:
		put_answer(fd, 500 + (what == '5' ? 0 : what - '0'), "", "{\"errorCode\":701}");
	}
}

static bool
read_all(int fd, unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* Parameters as lines NAME=value; every length below 16384. */
static void
show_params(const struct tsb_bytes *params, struct tsb_bytes *out)
{
	const unsigned char *p = params->p, *end = p + params->n;
	size_t n[2];

	while (p < end) {
		for (int i = 0; i < 2; i++) {
			n[i] = *p < 128 ? *p : (size_t)p[2] << 8 | p[3];
			p += *p < 128 ? 1 : 4;
		}
		tsb_bytes_addf(out, "%.*s=%.*s\n", (int)n[0], (const char *)p, (int)n[1],
		    (const char *)p + n[0]);
		p += n[0] + n[1];
	}
}

/* Parameters and body of a FastCGI request. */
static bool
take_records(int fd, struct tsb_bytes *rq)
{
	struct tsb_bytes params = {0}, body = {0};
	unsigned char head[8];
	size_t n;

	tsb_bytes_reset(rq);
	do {
		struct tsb_bytes ignored = {0}, *to;

		if (!read_all(fd, head, sizeof(head)))
			return false;
		n = (size_t)head[4] << 8 | head[5];
		to = head[1] == 4 ? &params : head[1] == 5 ? &body : &ignored;
		if (!read_all(fd, tsb_bytes_grow(to, n + head[6]), n + head[6]))
			return false;
		to->n -= head[6];
		tsb_bytes_clear(&ignored);
	} while (head[1] != 5 || n > 0);
	show_params(&params, rq);
	tsb_bytes_add_view(rq, tsb_view_bytes(&body));
	tsb_bytes_clear(&params);
	tsb_bytes_clear(&body);
	return true;
}

/* One request with its body; false at the end of the connection. */
static bool
take(int fd, struct tsb_bytes *rq)
{
	const char *head, *length;
	size_t need = 0;
	ssize_t n;

	if (speaks_fcgi)
		return take_records(fd, rq);
	tsb_bytes_reset(rq);
	for (;;) {
		head = strstr(tsb_bytes_cstr(rq), "\r\n\r\n");
		length = strstr(tsb_bytes_cstr(rq), "Content-Length: ");
		if (head && length)
			need = (size_t)atol(length + 16);
		if (head && rq->n >= (size_t)(head + 4 - (const char *)rq->p) + need)
			return true;
		n = read(fd, tsb_bytes_grow(rq, 4096), 4096);
		rq->n -= 4096 - (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			return false;
	}
}

static void
serve(int listener, const char *script, volatile int *requests)
{
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct tsb_bytes rq = {0};

		if (fd < 0)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (take(fd, &rq)) {
				size_t i = (size_t)__atomic_fetch_add(requests, 1,
					   __ATOMIC_SEQ_CST),
				       end = strlen(script) - 1;

				play(fd, script[i < end ? i : end], tsb_bytes_cstr(&rq));
			}
			_exit(0);
		}
		close(fd);
	}
}

static int
bound_socket(struct server *s, bool is_unix)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/%zu", dir, n_servers);
	if (is_unix) {
		snprintf(s->url, sizeof(s->url), "unix:%s", un.sun_path);
		assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
		return fd;
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(in.sin_port));
	return fd;
}

struct server *
server_start(const char *script, bool is_unix)
{
	struct server *s = &servers[n_servers];
	int fd = bound_socket(s, is_unix);

	n_servers++;
	s->requests =
	    mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s->pid = 0;
	if (script) {
		assert_int_equal(listen(fd, 100), 0);
		s->pid = fork();
		if (s->pid == 0)
			serve(fd, script, s->requests);
	}
	close(fd);
	return s;
}

struct server *
server_start_fcgi(const char *script)
{
	struct server *s;

	speaks_fcgi = true;
	s = server_start(script, true);
	speaks_fcgi = false;
	memcpy(s->url, "fcgi", 4);
	return s;
}

struct server *
server_answering(const char *reply)
{
	fixed_reply = reply;
	return server_start("=", true);
}

void
servers_stop(void)
{
	while (n_servers) {
		struct server *s = &servers[--n_servers];
		char path[64];

		if (s->pid) {
			kill(s->pid, SIGKILL);
			waitpid(s->pid, NULL, 0);
		}
		munmap((void *)(uintptr_t)s->requests, sizeof(int));
		snprintf(path, sizeof(path), "%s/%zu", dir, n_servers);
		(void)unlink(path);
	}
}

int
servers_setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

int
servers_teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}
