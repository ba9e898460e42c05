/* Lists of addresses: parse, and order for one call. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/http/endpoint.h"

/* Printable, and without what would let two parsers disagree about the host: user part, query. */
static bool
chars_valid(const char *url)
{
	for (; *url; url++)
		if (*url <= 0x20 || *url >= 0x7f || strchr("@?#\\\"<>^`{|}", *url))
			return false;
	return true;
}

static bool
is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strncmp(host, "localhost", 9) ||
	    !strncmp(host, "[::1]", 5);
}

/* Base addresses come with and without a trailing slash or /v1 (api-notes.md 1.1). */
static size_t
base_length(const char *url)
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	if (n > 3 && !strncmp(url + n - 3, "/v1", 3))
		n -= 3;
	while (n && url[n - 1] == '/')
		n--;
	return n;
}

int
endpoint_init(struct endpoint *e, const char *text, struct tsb_err *err)
{
	const char *host;

	if (!strncmp(text, "unix:", 5)) {
		if (text[5] != '/' ||
		    strlen(text + 5) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
			    "%s: unix: takes an absolute path that fits a socket address.", text);
		*e = (struct endpoint){.base = tsb_strndup("http://localhost", 16),
		    .unix_path = tsb_strndup(text + 5, strlen(text + 5))};
		return 0;
	}
	host = !strncmp(text, "https://", 8) ? text + 8
	    : !strncmp(text, "http://", 7)   ? text + 7
					     : NULL;
	if (!host || !*host || strchr("/:", *host) || !chars_valid(text))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "\"%.200s\" is no https://host, http://host or unix:/path.", text);
	if (host == text + 7 && !is_loopback(host))
		log_warn("%s: keys and payloads travel unencrypted", text);
	*e = (struct endpoint){.base = tsb_strndup(text, base_length(text))};
	return 0;
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
	return e->unix_path ? e->unix_path : e->base;
}

static int
add_text(struct endpoint_list *l, const char *p, size_t n, unsigned group, struct tsb_err *err)
{
	char *text;
	int rc;

	while (n && strchr(" \t", *p)) {
		p++;
		n--;
	}
	while (n && strchr(" \t", p[n - 1]))
		n--;
	if (l->n == ENDPOINT_MAX)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "More than %d addresses.",
		    ENDPOINT_MAX);
	text = tsb_strndup(p, n);
	rc = endpoint_init(&l->v[l->n], text, err);
	free(text);
	if (!rc)
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
		if (!text[n])
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
		for (; k && rank[order[k - 1]] > rank[i]; k--)
			order[k] = order[k - 1];
		order[k] = (unsigned char)i;
	}
}
