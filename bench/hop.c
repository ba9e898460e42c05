/* What is between tsb-fcgi and tsb-hsm, bare: a call over FastCGI on a new connection. */
#include "lib/first.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/hop.h"
#include "lib/base/err.h"

static unsigned char *
put_record(unsigned char *out, int type, const void *content, size_t n)
{
	const unsigned char head[8] = {1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8),
	    (unsigned char)n};

	memcpy(out, head, sizeof(head));
	if (n > 0)
		memcpy(out + sizeof(head), content, n);
	return out + sizeof(head) + n;
}

static size_t
put_param(char *out, const char *name, const char *value)
{
	size_t n = strlen(name), m = strlen(value);

	out[0] = (char)n;
	out[1] = (char)m;
	memcpy(out + 2, name, n);
	memcpy(out + 2 + n, value, m);
	return 2 + n + m;
}

/* A call as FastCGI has it: BEGIN_REQUEST, PARAMS, STDIN, the last two ended by empty records. */
static size_t
hop_write(unsigned char *out, const char *payload)
{
	static const unsigned char responder[8] = {0, 1};
	char params[256], json[4096], length[16];
	size_t n = (size_t)snprintf(json, sizeof(json),
	    "{\"signRequest\":{\"payload\":\"%.3000s\",\"signKeyName\":\"k\","
	    "\"signatureAlgorithm\":\"SHA256_WITH_ECDSA\"}}",
	    payload);
	size_t m = put_param(params, "REQUEST_METHOD", "POST");
	unsigned char *end = put_record(out, 1, responder, sizeof(responder));

	snprintf(length, sizeof(length), "%zu", n);
	m += put_param(params + m, "REQUEST_URI", "/floor/v1/synchronousSign");
	m += put_param(params + m, "CONTENT_LENGTH", length);
	end = put_record(end, 4, params, m);
	end = put_record(end, 4, NULL, 0);
	end = put_record(end, 5, json, n);
	end = put_record(end, 5, NULL, 0);
	return (size_t)(end - out);
}

static int
hop_connect(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		fatal("floor: the signers do not answer");
	return fd;
}

const char *
hop_sign(const char *path, const char *payload, struct arena *a)
{
	static const char before[] = "{\"signature\":\"";
	unsigned char out[8192];
	char in[4096];
	const char *found, *end = NULL;
	size_t n = hop_write(out, payload), have = 0;
	int fd = hop_connect(path);
	ssize_t got;

	if (write(fd, out, n) != (ssize_t)n)
		fatal("floor: the signers do not read");
	while ((got = read(fd, in + have, sizeof(in) - have)) > 0)
		have += (size_t)got;
	close(fd);
	found = memmem(in, have, before, strlen(before));
	if (found != NULL) {
		found += strlen(before);
		end = memchr(found, '"', have - (size_t)(found - in));
	}
	if (end == NULL)
		fatal("floor: the signers give no signature");
	return arena_strn(a, found, (size_t)(end - found));
}
