#include "lib/first.h"

#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/http/fastcgi_answer.h"

#define VERSION          1 /* FCGI_VERSION_1 */
#define REQUEST_COMPLETE 0 /* protocolStatus: FCGI_REQUEST_COMPLETE */
#define HEAD_MAX         16384

void
fastcgi_answer_init(struct fastcgi_answer *a, size_t max)
{
	fastcgi_answer_clear(a);
	*a = (struct fastcgi_answer){.max = max};
}

void
fastcgi_answer_clear(struct fastcgi_answer *a)
{
	tsb_bytes_clear(&a->out);
}

/* ---- records ---- */

static enum fastcgi_state
broken(struct fastcgi_answer *a, const char *fault)
{
	a->fault = fault;
	return a->state = FASTCGI_BROKEN;
}

/* Types that an application sends of its own accord; the others answer what we never ask. */
static enum fastcgi_state
header_check(struct fastcgi_answer *a)
{
	const unsigned char *h = a->header;

	a->content = (size_t)h[4] << 8 | h[5];
	a->padding = h[6];
	if (h[0] != VERSION)
		return broken(a, "this is not FastCGI 1");
	if (((unsigned)h[2] << 8 | h[3]) != FASTCGI_REQUEST_ID)
		return broken(a, "a FastCGI record of another request");
	switch (h[1]) {
	case FASTCGI_END_REQUEST:
		if (a->content != sizeof(a->end))
			return broken(a, "a FastCGI end of another length");
		return a->state;
	case FASTCGI_STDOUT:
		if (a->out_ended && a->content > 0)
			return broken(a, "FastCGI output behind its end");
		a->out_ended = a->content == 0;
		return a->state;
	case FASTCGI_STDERR:
		return a->state;
	}
	return broken(a, "a FastCGI record of another type");
}

static enum fastcgi_state
content_take(struct fastcgi_answer *a, struct tsb_view part)
{
	size_t *have = a->header[1] == FASTCGI_STDERR ? &a->errors : &a->out.n;

	a->content -= part.n;
	if (a->header[1] == FASTCGI_END_REQUEST) {
		memcpy(a->end + a->end_n, part.p, part.n);
		a->end_n += part.n;
		return a->state;
	}
	if (part.n > a->max - *have)
		return a->state = FASTCGI_TOO_LONG;
	if (a->header[1] == FASTCGI_STDERR)
		a->errors += part.n;
	else
		tsb_bytes_add_view(&a->out, part);
	return a->state;
}

/* protocolStatus tells whether the request was served; appStatus is an exit status of CGI. */
static enum fastcgi_state
end_check(struct fastcgi_answer *a)
{
	if (a->end[4] != REQUEST_COMPLETE)
		return broken(a, "the FastCGI application did not take the request");
	return a->state = FASTCGI_WHOLE;
}

static struct tsb_view
take(struct tsb_view *bytes, size_t most)
{
	struct tsb_view part = {bytes->p, bytes->n < most ? bytes->n : most};

	bytes->p += part.n;
	bytes->n -= part.n;
	return part;
}

enum fastcgi_state
fastcgi_answer_add(struct fastcgi_answer *a, struct tsb_view bytes)
{
	while (a->state == FASTCGI_MORE && bytes.n > 0) {
		if (a->header_n < FASTCGI_HEADER) {
			struct tsb_view part = take(&bytes, FASTCGI_HEADER - a->header_n);

			memcpy(a->header + a->header_n, part.p, part.n);
			a->header_n += part.n;
			if (a->header_n < FASTCGI_HEADER || header_check(a) != FASTCGI_MORE)
				continue;
		} else if (a->content > 0) {
			if (content_take(a, take(&bytes, a->content)) != FASTCGI_MORE)
				continue;
		} else {
			a->padding -= take(&bytes, a->padding).n;
		}
		if (a->content > 0)
			continue;
		if (a->end_n == sizeof(a->end))
			return end_check(a);
		if (a->padding == 0)
			a->header_n = 0;
	}
	return a->state;
}

/* ---- head of a CGI answer (RFC 3875, 6.2 and 6.3) ---- */

/* A line without its end, which is LF or CRLF; false when there is none. */
static bool
next_line(struct tsb_view *text, struct tsb_view *line)
{
	const unsigned char *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;

	if (end == NULL)
		return false;
	*line = take(text, (size_t)(end - text->p) + 1);
	line->n--;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static bool
is_printable(struct tsb_view line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
	return true;
}

/* The value of the field, without blanks around it, when line is that field. */
static bool
is_field(struct tsb_view line, const char *name, struct tsb_view *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp((const char *)line.p, name, n) != 0)
		return false;
	*value = tsb_view_of(line.p + n + 1, line.n - n - 1);
	while (value->n > 0 && (*value->p == ' ' || *value->p == '\t'))
		take(value, 1);
	while (value->n > 0 && strchr(" \t", value->p[value->n - 1]) != NULL)
		value->n--;
	return true;
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* "200 OK": final statuses of HTTP. */
static bool
read_status(struct tsb_view value, int *status)
{
	if (value.n < 3 || (value.n > 3 && value.p[3] != ' ') || value.p[0] < '2' ||
	    value.p[0] > '5' || !is_digit(value.p[1]) || !is_digit(value.p[2]))
		return false;
	*status = (value.p[0] - '0') * 100 + (value.p[1] - '0') * 10 + (value.p[2] - '0');
	return true;
}

struct head {
	int status; /* 0 = not given */
	struct tsb_view content_type, warning;
	bool has_length, retry;
	size_t length;
};

static bool
read_length(struct tsb_view value, struct head *h)
{
	h->length = 0;
	h->has_length = true;
	for (size_t i = 0; i < value.n; i++) {
		if (!is_digit(value.p[i]) || i >= 10)
			return false;
		h->length = h->length * 10 + (size_t)(value.p[i] - '0');
	}
	return value.n > 0;
}

/* NULL, or what is wrong with the line. */
static const char *
head_line(struct tsb_view line, struct head *h)
{
	struct tsb_view value;

	if (!is_printable(line) || line.n == 0 || line.p[0] == ':' ||
	    memchr(line.p, ':', line.n) == NULL)
		return "the head of the CGI answer has a line that is no field";
	if (is_field(line, "Status", &value) && (h->status != 0 || !read_status(value, &h->status)))
		return "the status of the CGI answer is none";
	if (is_field(line, "Content-Length", &value) && (h->has_length || !read_length(value, h)))
		return "the length of the CGI answer is none";
	if (is_field(line, "Content-Type", &value))
		h->content_type = value;
	if (is_field(line, "X-TSB-Warning", &value))
		h->warning = value;
	h->retry |= is_field(line, "Retry-After", &value);
	return NULL;
}

/* What is left of *text is the body. */
static const char *
head_read(struct tsb_view *text, struct head *h)
{
	struct tsb_view head = {text->p, text->n < HEAD_MAX ? text->n : HEAD_MAX}, line;

	while (next_line(&head, &line)) {
		const char *fault;

		if (line.n == 0) {
			take(text, (size_t)(head.p - text->p));
			return NULL;
		}
		fault = head_line(line, h);
		if (fault != NULL)
			return fault;
	}
	return "the head of the CGI answer has no end";
}

bool
fastcgi_answer_begins(struct fastcgi_answer *a, int64_t *size)
{
	struct tsb_view text = tsb_view_bytes(&a->out);
	struct head h = {0};

	if (head_read(&text, &h) != NULL || (h.status != 0 && h.status != 200))
		return false;
	*size = h.has_length ? (int64_t)h.length : -1;
	memmove(a->out.p, text.p, text.n);
	a->out.n = text.n;
	return true;
}

int
fastcgi_answer_read(struct fastcgi_answer *a, struct rest_reply *reply)
{
	struct tsb_view text = tsb_view_bytes(&a->out);
	struct head h = {0};

	a->fault = head_read(&text, &h);
	if (a->fault == NULL && h.has_length && h.length != text.n)
		a->fault = "the CGI answer has another length than it says";
	if (a->fault != NULL)
		return -1;
	*reply = (struct rest_reply){.status = h.status != 0 ? h.status : 200, .retry = h.retry};
	if (h.content_type.n > 0 && h.content_type.n < sizeof(reply->content_type))
		memcpy(reply->content_type, h.content_type.p, h.content_type.n);
	if (h.warning.n > 0 && h.warning.n < sizeof(reply->warning))
		memcpy(reply->warning, h.warning.p, h.warning.n);
	tsb_bytes_add_view(&reply->body, text);
	return 0;
}
