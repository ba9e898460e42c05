/* Lists of addresses: parse, and order for one call. */
#include "lib/first.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/un.h>

#include <curl/curl.h>

#include "lib/base/str.h"
#include "lib/http/endpoint.h"

/* Base addresses come with and without a trailing slash or /v1 (api-notes.md 1.1). */
static size_t
base_length(const char *url)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	if (n > 3 && strncmp(url + n - 3, "/v1", 3) == 0)
		n -= 3;
	while (n > 0 && url[n - 1] == '/')
		n--;
	return n;
}

/* Exactly: "localhost.evil" and "127.evil" are names like any other. */
static bool
is_loopback(const char *host)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

static int
malformed(const char *text, const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
	    "\"%.200s\" is no https://host, http://host, unix:/path or fcgi:/path: %s", text, why);
}

static int
socket_init(struct endpoint *e, const char *text, struct tsb_err *err)
{
	const char *path = strchr(text, ':') + 1;

	if (*path != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return malformed(text, "the path is not absolute, or too long for a socket", err);
	*e = (struct endpoint){
	    .base = tsb_strdup("http://localhost"),
	    .unix_path = tsb_strdup(path),
	    .fastcgi = strncmp(text, "fcgi:", 5) == 0,
	};
	return 0;
}

/* For curl_free(); NULL when the URL has no such part. */
static char *
part_of(CURLU *url, CURLUPart part)
{
	char *text = NULL;

	return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

static bool
has_part(CURLU *url, CURLUPart part)
{
	char *text = part_of(url, part);

	curl_free(text);
	return text != NULL;
}

/* Read by the parser that will connect: two could disagree about the host. */
static int
url_init(struct endpoint *e, const char *text, CURLU *url, struct tsb_err *err)
{
	CURLUcode rc = curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS);
	char *host, *whole;

	if (text[strcspn(text, ":") + 3] == '/')
		return malformed(text, "it has no host", err);
	if (rc != CURLUE_OK)
		return malformed(text, curl_url_strerror(rc), err);
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
	    strpbrk(text, "?#") != NULL)
		return malformed(text, "it has a user, a query or a fragment", err);
	host = part_of(url, CURLUPART_HOST);
	whole = part_of(url, CURLUPART_URL);
	if (host == NULL || whole == NULL)
		fatal("libcurl: a URL without a host");
	*e = (struct endpoint){
	    .base = tsb_strndup(whole, base_length(whole)),
	    .plain = strncmp(text, "http:", 5) == 0 && !is_loopback(host),
	};
	curl_free(host);
	curl_free(whole);
	return 0;
}

int
endpoint_init(struct endpoint *e, const char *text, struct tsb_err *err)
{
	CURLU *url;
	int rc;

	if (strncmp(text, "unix:", 5) == 0 || strncmp(text, "fcgi:", 5) == 0)
		return socket_init(e, text, err);
	/* libcurl guesses what is not there, and knows more schemes */
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return malformed(text, "it begins with none of them", err);
	url = curl_url();
	if (url == NULL)
		fatal("out of memory");
	rc = url_init(e, text, url, err);
	curl_url_cleanup(url);
	return rc;
}

void
endpoint_clear(struct endpoint *e)
{
	free(e->base);
	free(e->unix_path);
	*e = (struct endpoint){0};
}

const char *
endpoint_name(const struct endpoint *e)
{
	return e->unix_path != NULL ? e->unix_path : e->base;
}

const char *
endpoint_public_name(const struct endpoint *e)
{
	return e->unix_path != NULL ? "its socket" : e->base;
}

static int
add_text(struct endpoint_list *l, const char *p, size_t n, unsigned group, struct tsb_err *err)
{
	char *text;
	int rc;

	while (n > 0 && strchr(" \t", *p) != NULL) {
		p++;
		n--;
	}
	while (n > 0 && strchr(" \t", p[n - 1]) != NULL)
		n--;
	if (l->n == ENDPOINT_MAX)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "more than %d addresses",
		    ENDPOINT_MAX);
	text = tsb_strndup(p, n);
	rc = endpoint_init(&l->v[l->n], text, err);
	free(text);
	if (rc == 0)
		l->v[l->n++].group = group;
	return rc;
}

int
endpoint_list_init(struct endpoint_list *l, const char *text, struct tsb_err *err)
{
	struct endpoint_list made = {0};
	unsigned group = 0;

	for (;;) {
		size_t n = strcspn(text, ",;");

		if (add_text(&made, text, n, group, err)) {
			endpoint_list_clear(&made);
			return -1;
		}
		group += text[n] == ';';
		if (text[n] == '\0')
			break;
		text += n + 1;
	}
	*l = made;
	return 0;
}

void
endpoint_list_clear(struct endpoint_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		endpoint_clear(&l->v[i]);
	l->n = 0;
}

/* Sorts by (failed lately, group, random). */
void
endpoint_list_order(const struct endpoint_list *l, int64_t now_ms,
    unsigned char order[ENDPOINT_MAX])
{
	uint16_t random[ENDPOINT_MAX] = {0};
	uint64_t rank[ENDPOINT_MAX];

	/* Spreads load, guards nothing: without entropy the order is the written one. */
	if (l->n > 1 && getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < l->n; i++) {
		size_t k = i;

		rank[i] = (uint64_t)(l->v[i].down_until > now_ms) << 48 |
		    (uint64_t)l->v[i].group << 16 | random[i];
		for (; k > 0 && rank[order[k - 1]] > rank[i]; k--)
			order[k] = order[k - 1];
		order[k] = (unsigned char)i;
	}
}
