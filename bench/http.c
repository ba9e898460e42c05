#include "lib/first.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "lib/base/err.h"

struct http *
http_new(const char *url)
{
	struct http *h = calloc(1, sizeof(*h));
	const char *host = url + strlen("http://"), *colon;

	if (h == NULL || strncmp(url, "http://", strlen("http://")) != 0 ||
	    (colon = strchr(host, ':')) == NULL)
		fatal("the address must be http://host:port");
	h->host = strndup(host, (size_t)(colon - host));
	h->port = atoi(colon + 1);
	h->fd = -1;
	return h;
}

void
http_free(struct http *h)
{
	if (h->fd >= 0)
		close(h->fd);
	tsb_bytes_clear(&h->in);
	free(h->host);
	free(h);
}

static int
http_connect(struct http *h)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	char port[16];
	int one = 1;

	snprintf(port, sizeof(port), "%d", h->port);
	if (getaddrinfo(h->host, port, &hints, &list) != 0)
		return -1;
	h->fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->fd >= 0 && connect(h->fd, list->ai_addr, list->ai_addrlen) != 0) {
		close(h->fd);
		h->fd = -1;
	}
	freeaddrinfo(list);
	if (h->fd >= 0)
		setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return h->fd < 0 ? -1 : 0;
}

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int
read_more(struct http *h)
{
	unsigned char part[16384];
	ssize_t n = recv(h->fd, part, sizeof(part), 0);

	if (n <= 0)
		return -1;
	tsb_bytes_add(&h->in, part, (size_t)n);
	return 0;
}

/* Value of a header, or NULL. The head ends with an empty line. */
static const char *
header(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = head; (line = strstr(line, "\r\n")) != NULL;) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " ");
	}
	return NULL;
}

/* Joins the chunks in place behind the head. */
static int
read_chunks(struct http *h)
{
	size_t at = h->body, out = h->body;

	for (;;) {
		char *text = tsb_bytes_cstr(&h->in), *end;
		size_t size;

		if ((end = strstr(text + at, "\r\n")) == NULL) {
			if (read_more(h))
				return -1;
			continue;
		}
		size = strtoul(text + at, NULL, 16);
		at = (size_t)(end + 2 - text);
		while (h->in.n < at + size + 2)
			if (read_more(h))
				return -1;
		memmove(h->in.p + out, h->in.p + at, size);
		out += size;
		at += size + 2;
		if (size == 0) {
			h->length = out - h->body;
			return 0;
		}
	}
}

static int
read_answer(struct http *h, bool *closing)
{
	const char *head, *value;
	char *end;

	tsb_bytes_reset(&h->in);
	while ((end = strstr(tsb_bytes_cstr(&h->in), "\r\n\r\n")) == NULL)
		if (read_more(h))
			return -1;
	head = tsb_bytes_cstr(&h->in);
	if (strncmp(head, "HTTP/1.", 7) != 0)
		return -1;
	h->status = atoi(head + 9);
	h->body = (size_t)(end + 4 - head);
	end[2] = '\0';
	value = header(head, "Connection");
	*closing = value != NULL && strncasecmp(value, "close", 5) == 0;
	value = header(head, "Transfer-Encoding");
	if (value != NULL && strncasecmp(value, "chunked", 7) == 0)
		return read_chunks(h);
	value = header(head, "Content-Length");
	h->length = value == NULL ? 0 : strtoul(value, NULL, 10);
	while (h->in.n < h->body + h->length)
		if (read_more(h))
			return -1;
	return 0;
}

int
http_send(struct http *h, const char *request, size_t n)
{
	bool closing = false;

	if (h->fd < 0 && http_connect(h))
		return -1;
	if (write_all(h->fd, request, n) || read_answer(h, &closing)) {
		close(h->fd);
		h->fd = -1;
		return -1;
	}
	if (closing) {
		close(h->fd);
		h->fd = -1;
	}
	return h->status;
}

const char *
http_body(struct http *h)
{
	h->in.n = h->body + h->length;
	return tsb_bytes_cstr(&h->in) + h->body;
}

char *
http_request(struct arena *a, const char *method, const char *path, const char *api_key,
    const char *body)
{
	return arena_printf(a,
	    "%s %s HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    method, path, api_key, body == NULL ? (size_t)0 : strlen(body),
	    body == NULL ? "" : body);
}
