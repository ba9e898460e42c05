/* Replies: CGI head and body (RFC 3875 6), error bodies (api-notes.md 3). */
#include "lib/first.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/web/internal.h"

/* Of an outage (RFC 9110 10.2.3): about as long as workers rest an endpoint that has failed. */
#define RETRY_AFTER_SECONDS 5

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

static const char *
phrase_of(int status)
{
	for (size_t i = 0; i < TSB_COUNT(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Status";
}

/* RFC 8259 7. A sentence cut in the middle of a character loses its non-ASCII bytes. */
static void
add_json_string(struct tsb_bytes *out, const char *text)
{
	bool utf8 = tsb_utf8_valid(tsb_view_str(text));

	tsb_bytes_add_str(out, "\"");
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p == '"' || *p == '\\')
			tsb_bytes_addf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			tsb_bytes_addf(out, "\\u%04x", *p);
		else if (*p >= 0x80 && !utf8)
			tsb_bytes_add_str(out, "?");
		else
			tsb_bytes_add(out, p, 1);
	tsb_bytes_add_str(out, "\"");
}

/* Bytes of the file name that starts at p, of a sentence that starts at text; 0 = none does. */
static size_t
path_length(const char *text, const char *p)
{
	size_t n;

	if (*p != '/' || (p > text && strchr(" \"'(:=,", p[-1]) == NULL) ||
	    strncmp(p, "/v1/", 4) == 0)
		return 0;
	n = strcspn(p, " \"',;()");
	while (n > 0 && strchr(":.", p[n - 1]) != NULL) /* the sentence goes on or ends */
		n--;
	return n > 1 && p[1] != '/' ? n : 0;
}

/* Where this host has its files is for its log, not for who calls. */
static const char *
without_paths(const char *text, struct tsb_bytes *out)
{
	while (*text != '\0') {
		const char *start = text;
		size_t n;

		for (n = 0; *text != '\0' && (n = path_length(start, text)) == 0;)
			text++;
		tsb_bytes_add(out, start, (size_t)(text - start));
		if (n > 0)
			tsb_bytes_add_str(out, "(file)");
		text += n;
	}
	return tsb_bytes_cstr(out);
}

/* A handler that fails without a reason is a fault of ours, and never a success. */
static enum tsb_code
code_of(const struct tsb_err *err)
{
	return err->code == TSB_OK ? TSB_E_IMPL : err->code;
}

void
web_error_format(const struct tsb_err *err, struct tsb_bytes *out)
{
	enum tsb_code code = code_of(err);
	const char *message = err->msg[0] ? err->msg : "the request failed";
	tsb_bytes_auto bare = {0};

	/* of other failures the caller has the names already */
	if (tsb_err_http(code) == 500 || tsb_err_http(code) == 503)
		message = without_paths(message, &bare);
	tsb_bytes_addf(out, "{\"errorCode\":%d,\"reason\":", tsb_err_number(code));
	add_json_string(out, tsb_err_reason(code));
	tsb_bytes_add_str(out, ",\"message\":");
	add_json_string(out, message);
	tsb_bytes_add_str(out, "}");
}

void
web_reply_error(struct web_reply *reply, const struct tsb_err *err)
{
	if (reply->status < 400)
		reply->status =
		    err->code == TSB_OK ? tsb_err_http(code_of(err)) : tsb_err_status(err);
	reply->content_type = NULL;
	reply->disposition = reply->security_policy = reply->warning = NULL;
	tsb_bytes_reset(&reply->body);
	web_error_format(err, &reply->body);
}

/* Names inside a header may come from callers: a line break there would start another header. */
static bool
header_safe(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return false;
	return true;
}

static void
add_allow(struct tsb_bytes *head, unsigned verbs)
{
	const char *comma = "";

	tsb_bytes_add_str(head, "Allow: ");
	for (int v = 0; v < VERB__MAX; v++)
		if (verbs & 1U << v) {
			tsb_bytes_addf(head, "%s%s%s", comma, web_verb_name((enum web_verb)v),
			    v == VERB_GET ? ", HEAD" : "");
			comma = ", ";
		}
	tsb_bytes_add_str(head, "\r\n");
}

int
web_reply_head(struct web_io *io, const struct web_call *call, const struct web_reply *reply,
    int64_t size)
{
	tsb_bytes_auto head = {0};
	int status = reply->status ? reply->status : 200;

	tsb_bytes_addf(&head, "Status: %d %s\r\n", status, phrase_of(status));
	if (size != 0 || reply->content_type != NULL)
		tsb_bytes_addf(&head, "Content-Type: %s\r\n",
		    reply->content_type != NULL ? reply->content_type : "application/json");
	if (reply->disposition != NULL && header_safe(reply->disposition))
		tsb_bytes_addf(&head, "Content-Disposition: %s\r\n", reply->disposition);
	if (reply->security_policy != NULL)
		tsb_bytes_addf(&head, "Content-Security-Policy: %s\r\n", reply->security_policy);
	if (reply->warning != NULL && header_safe(reply->warning))
		tsb_bytes_addf(&head, "X-TSB-Warning: %s\r\n", reply->warning);
	if (status == 405)
		add_allow(&head, call->allow);
	if (status == 503)
		tsb_bytes_addf(&head, "Retry-After: %d\r\n", RETRY_AFTER_SECONDS);
	if (size >= 0)
		tsb_bytes_addf(&head, "Content-Length: %" PRId64 "\r\n", size);
	tsb_bytes_addf(&head,
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "X-Request-Id: %s\r\n\r\n",
	    call->rq.id);
	return io->write(io, head.p, head.n);
}

int
web_reply_write(struct web_io *io, const struct web_call *call, const struct web_reply *reply)
{
	if (web_reply_head(io, call, reply, (int64_t)reply->body.n))
		return -1;
	return reply->body.n && !call->head ? io->write(io, reply->body.p, reply->body.n) : 0;
}
