#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/web/multipart.h"

#define TYPE     "multipart/form-data"
#define HEAD_MAX 4096 /* of one part */

static int
malformed(const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_INPUT, "the multipart body %s", why);
}

/* ---- parameters of a header field (RFC 2045, 5.1) ---- */

static bool
is_token(unsigned char c)
{
	return c > 0x20 && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* A value in quotes or without them. False when there is none, or none that fits. */
static bool
take_value(const char **p, char *out, size_t max)
{
	bool quoted = **p == '"';
	size_t n = 0;

	*p += quoted;
	for (; quoted ? **p != '"' : is_token((unsigned char)**p); (*p)++) {
		if (quoted && **p == '\\')
			(*p)++;
		if ((unsigned char)**p < 0x20 || **p == 0x7f)
			return false;
		if (n < max)
			out[n] = **p;
		n++;
	}
	*p += quoted;
	out[n < max ? n : max] = '\0';
	return n > 0 && n <= max;
}

/* The one parameter of this name; what stands inside the values of others does not count. */
static bool
parameter(const char *text, const char *name, char *out, size_t max)
{
	char skipped[1024];
	bool found = false;

	for (const char *p = strchr(text, ';'); p != NULL && *p == ';';) {
		bool wanted;
		size_t n;

		p += strspn(p, "; \t");
		if (*p == '\0')
			break;
		n = strcspn(p, "=;");
		if (p[n] != '=')
			return false;
		wanted = n == strlen(name) && strncasecmp(p, name, n) == 0;
		p += n + 1;
		if (wanted && found)
			return false;
		if (!take_value(&p, wanted ? out : skipped, wanted ? max : sizeof(skipped) - 1) &&
		    wanted)
			return false;
		found |= wanted;
		p += strspn(p, " \t");
		if (*p != ';' && *p != '\0')
			return false;
	}
	return found;
}

int
multipart_open(struct multipart *m, const char *content_type, multipart_source *source, void *ctx,
    struct tsb_err *err)
{
	const size_t n = sizeof(TYPE) - 1;
	char boundary[MULTIPART_BOUNDARY_MAX + 1];

	*m = (struct multipart){.source = source, .ctx = ctx};
	if (strncasecmp(content_type, TYPE, n) != 0 || strchr("; \t", content_type[n]) == NULL ||
	    !parameter(content_type, "boundary", boundary, MULTIPART_BOUNDARY_MAX))
		return tsb_fail(err, TSB_E_INPUT,
		    "Content-Type must be multipart/form-data with a boundary of at most %d "
		    "characters",
		    MULTIPART_BOUNDARY_MAX);
	m->delimiter_n = (size_t)snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
	m->buffer = malloc(MULTIPART_BUFFER);
	if (m->buffer == NULL)
		fatal("out of memory");
	/* the first delimiter may stand at the start of the body, without a line before it */
	memcpy(m->buffer, "\r\n", 2);
	m->n = 2;
	return 0;
}

static ssize_t
from_body(void *ctx, void *p, size_t n, struct tsb_err *err)
{
	return web_body_read(ctx, p, n, err);
}

int
multipart_open_body(struct multipart *m, struct web_request *rq, struct tsb_err *err)
{
	return multipart_open(m, rq->content_type, from_body, rq, err);
}

void
multipart_close(struct multipart *m)
{
	if (m->buffer != NULL)
		tsb_wipe(m->buffer, MULTIPART_BUFFER);
	free(m->buffer);
	m->buffer = NULL;
}

/* ---- the buffer ---- */

static size_t
unread(const struct multipart *m)
{
	return m->n - m->at;
}

/* More bytes; a body that ends before its last delimiter was cut. */
static int
fill(struct multipart *m, struct tsb_err *err)
{
	ssize_t got;

	memmove(m->buffer, m->buffer + m->at, unread(m));
	m->n -= m->at;
	m->at = 0;
	got = m->source(m->ctx, m->buffer + m->n, MULTIPART_BUFFER - m->n, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return malformed("ends before its last delimiter", err);
	m->n += (size_t)got;
	return 0;
}

/* How much of the buffer is content, as far as can be told. */
static void
look(struct multipart *m)
{
	const unsigned char *found = unread(m) > 0
	    ? memmem(m->buffer + m->at, unread(m), m->delimiter, m->delimiter_n)
	    : NULL;

	m->at_delimiter = found != NULL;
	if (found != NULL)
		m->clear = (size_t)(found - (m->buffer + m->at));
	else
		m->clear = unread(m) < m->delimiter_n ? 0 : unread(m) - (m->delimiter_n - 1);
}

ssize_t
multipart_read(struct multipart *m, void *p, size_t n, struct tsb_err *err)
{
	while (!m->part_ended && m->clear == 0) {
		if (m->at_delimiter) {
			m->at += m->delimiter_n;
			m->at_delimiter = false;
			m->part_ended = true;
			break;
		}
		look(m);
		if (m->clear == 0 && !m->at_delimiter) {
			if (fill(m, err))
				return -1;
			look(m);
		}
	}
	if (m->part_ended)
		return 0;
	if (n > m->clear)
		n = m->clear;
	memcpy(p, m->buffer + m->at, n);
	m->at += n;
	m->clear -= n;
	return (ssize_t)n;
}

int
multipart_read_all(struct multipart *m, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char piece[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = multipart_read(m, piece, sizeof(piece), err)) > 0) {
		total += (size_t)n;
		if (total > max)
			return tsb_fail(err, TSB_E_INPUT, "the part %s is larger than %zu bytes",
			    m->name, max);
		tsb_bytes_add(out, piece, (size_t)n);
	}
	tsb_wipe(piece, sizeof(piece));
	return n < 0 ? -1 : 0;
}

/* ---- heads of parts ---- */

/* *n: bytes from at up to the end of what, which must stand in the next most bytes. */
static int
need(struct multipart *m, const char *what, size_t most, size_t *n, struct tsb_err *err)
{
	const size_t what_n = strlen(what);

	for (;;) {
		size_t have = unread(m) < most ? unread(m) : most;
		const unsigned char *found =
		    have > 0 ? memmem(m->buffer + m->at, have, what, what_n) : NULL;

		if (found != NULL) {
			*n = (size_t)(found - (m->buffer + m->at)) + what_n;
			return 0;
		}
		if (have == most)
			return malformed("has a part whose head does not end", err);
		if (fill(m, err))
			return -1;
	}
}

/* One line without its end. Fields have any order, and others do not matter. */
static int
read_field(struct multipart *m, const unsigned char *line, size_t n, bool *named,
    struct tsb_err *err)
{
	static const char field[] = "Content-Disposition:";
	char text[HEAD_MAX + 1];

	if (n >= sizeof(text) || memchr(line, '\0', n) != NULL)
		return malformed("has a part whose head is no text", err);
	memcpy(text, line, n);
	text[n] = '\0';
	if (strncasecmp(text, field, sizeof(field) - 1) != 0)
		return 0;
	if (*named || !parameter(text, "name", m->name, MULTIPART_NAME_MAX))
		return malformed("has a part without a name, or with several", err);
	*named = true;
	return 0;
}

static int
read_head(struct multipart *m, struct tsb_err *err)
{
	size_t left = HEAD_MAX, n;
	bool named = false;

	do {
		if (need(m, "\r\n", left, &n, err) ||
		    read_field(m, m->buffer + m->at, n - 2, &named, err))
			return -1;
		m->at += n;
		left -= n;
	} while (n > 2);
	return named ? 0 : malformed("has a part without a name", err);
}

static bool
is_blank(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t')
			return false;
	return true;
}

int
multipart_next(struct multipart *m, struct tsb_err *err)
{
	unsigned char waste[4096];
	ssize_t got;
	size_t n;

	do
		got = multipart_read(m, waste, sizeof(waste), err);
	while (got > 0);
	tsb_wipe(waste, sizeof(waste));
	if (got < 0)
		return -1;
	while (unread(m) < 2)
		if (fill(m, err))
			return -1;
	if (memcmp(m->buffer + m->at, "--", 2) == 0)
		return 0;
	/* blanks may stand behind a delimiter */
	if (need(m, "\r\n", MULTIPART_BOUNDARY_MAX, &n, err))
		return -1;
	if (!is_blank(m->buffer + m->at, n - 2))
		return malformed("has something behind a delimiter", err);
	m->at += n;
	m->clear = 0;
	m->part_ended = false;
	return read_head(m, err) ? -1 : 1;
}

int
multipart_expect(struct multipart *m, const char *name, struct tsb_err *err)
{
	int rc = multipart_next(m, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return tsb_fail(err, TSB_E_INPUT, "the body lacks the part %s", name);
	if (strcmp(m->name, name) != 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "the body has the part %s where the part %s belongs: the parts have an order",
		    m->name, name);
	return 0;
}

int
multipart_end(struct multipart *m, struct tsb_err *err)
{
	int rc = multipart_next(m, err);

	return rc > 0 ? tsb_fail(err, TSB_E_INPUT,
			    "the body has a part %s that does not belong there", m->name)
		      : rc;
}
