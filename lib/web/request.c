/*
 * FastCGI and CGI parameters into struct web_call, each with a limit.
 *
 * The path comes from REQUEST_URI, which web servers pass on as sent: only there does an encoded
 * slash inside {keyName} survive. Identity comes from variables that the web server sets, never
 * from HTTP_* ones, which any client can set; HTTP_X_API_KEY and HTTP_AUTHORIZATION are
 * secrets, not claims.
 */
#include "lib/first.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/web/internal.h"

static const struct {
	const char *method;
	enum web_verb verb;
} verbs[] = {
    {"GET", VERB_GET},
    {"HEAD", VERB_GET},
    {"POST", VERB_POST},
    {"PUT", VERB_PUT},
    {"PATCH", VERB_PATCH},
    {"DELETE", VERB_DELETE},
};

const char *
web_env(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env != NULL && *env != NULL; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return (*env)[n + 1] ? *env + n + 1 : NULL;
	return NULL;
}

static const char *
env_or_empty(char *const *env, const char *name)
{
	const char *value = web_env(env, name);

	return value != NULL ? value : "";
}

static int
env_bounded(char *const *env, const char *name, size_t max, const char **out, struct tsb_err *err)
{
	const char *value = web_env(env, name);

	if (value != NULL && strlen(value) > max)
		return tsb_fail(err, TSB_E_INPUT, "%s is longer than %zu bytes.", name, max);
	*out = value;
	return 0;
}

static void
parse_method(struct web_call *call, char *const *env)
{
	call->method = env_or_empty(env, "REQUEST_METHOD");
	call->head = tsb_streq(call->method, "HEAD");
	call->rq.verb = VERB__MAX;
	for (size_t i = 0; i < TSB_COUNT(verbs); i++)
		if (tsb_streq(call->method, verbs[i].method))
			call->rq.verb = verbs[i].verb;
}

/* Path and query of an absolute-form target (RFC 9112 3.2.2). */
static const char *
skip_authority(const char *uri)
{
	const char *p = NULL;

	if (!strncasecmp(uri, "http://", 7))
		p = uri + 7;
	else if (!strncasecmp(uri, "https://", 8))
		p = uri + 8;
	if (p == NULL)
		return uri;
	p += strcspn(p, "/?");
	return *p ? p : "/";
}

/*
 * Where the program is mounted below a prefix (ScriptAlias, fastcgi_split_path_info), SCRIPT_NAME
 * is that prefix and PATH_INFO the rest. Without PATH_INFO web servers put the whole path into
 * SCRIPT_NAME, so that there is nothing to take off.
 */
static const char *
skip_script(const char *uri, char *const *env)
{
	const char *script = web_env(env, "SCRIPT_NAME");
	size_t n;

	if (script == NULL || web_env(env, "PATH_INFO") == NULL)
		return uri;
	n = strlen(script);
	while (n && script[n - 1] == '/')
		n--;
	return !strncmp(uri, script, n) && uri[n] == '/' ? uri + n : uri;
}

/* The target as sent; without REQUEST_URI the decoded path, encoded again. */
static const char *
find_target(struct arena *a, char *const *env)
{
	const char *uri = web_env(env, "REQUEST_URI");
	tsb_bytes_auto text = {0};
	const char *p;

	if (uri != NULL)
		return skip_script(skip_authority(uri), env);
	p = web_env(env, "PATH_INFO");
	if (p == NULL)
		p = env_or_empty(env, "SCRIPT_NAME");
	if (strlen(p) > WEB_PATH_MAX)
		return p;
	for (; *p; p++)
		if (*p == '%' || *p == '?')
			tsb_bytes_addf(&text, "%%%02X", (unsigned char)*p);
		else
			tsb_bytes_add(&text, p, 1);
	return arena_printf(a, "%s?%s", tsb_bytes_cstr(&text), env_or_empty(env, "QUERY_STRING"));
}

static int
parse_segment(struct web_call *call, struct tsb_view raw, struct tsb_err *err)
{
	struct tsb_view text;

	if (!enc_percent_decode(raw, call->rq.arena, &text) || !tsb_utf8_valid(text) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return tsb_fail(err, TSB_E_INPUT,
		    "the path is not percent-encoded UTF-8 without zero bytes");
	if (call->segments < WEB_SEGMENT_MAX) {
		text.p = (const unsigned char *)arena_strn(call->rq.arena, text.p, text.n);
		call->segment[call->segments] = text;
	}
	call->segments++;
	return 0;
}

/* Extra slashes count for nothing, "." and ".." are plain names (api-notes.md 1.1). */
static int
parse_path(struct web_call *call, struct tsb_view path, struct tsb_err *err)
{
	const char *p = (const char *)path.p, *end = p + path.n;
	tsb_bytes_auto shown = {0};

	if (path.n == 0 || *p != '/')
		return tsb_fail(err, TSB_E_INPUT, "the path does not start with a slash");
	while (p < end) {
		size_t n = 0;

		while (p + n < end && p[n] != '/')
			n++;
		if (n && parse_segment(call, tsb_view_of(p, n), err))
			return -1;
		p += n < (size_t)(end - p) ? n + 1 : n;
	}
	for (size_t i = 0; i < call->segments && i < WEB_SEGMENT_MAX; i++) {
		tsb_bytes_add_str(&shown, "/");
		tsb_bytes_add_view(&shown, call->segment[i]);
	}
	call->rq.path = arena_str(call->rq.arena, tsb_bytes_cstr(&shown));
	return 0;
}

static int
parse_target(struct web_call *call, char *const *env, struct tsb_err *err)
{
	const char *target = find_target(call->rq.arena, env);
	size_t n = strcspn(target, "?");
	const char *query = target[n] ? target + n + 1 : "";
	struct tsb_view decoded;

	call->target = arena_strn(call->rq.arena, target, n < 256 ? n : 256);
	if (n > WEB_PATH_MAX || strlen(query) > WEB_QUERY_MAX) {
		call->status = 414;
		return tsb_fail(err, TSB_E_INPUT, "path and query may have %d bytes each",
		    WEB_PATH_MAX);
	}
	if (!enc_percent_decode(tsb_view_str(query), call->rq.arena, &decoded) ||
	    !tsb_utf8_valid(decoded))
		return tsb_fail(err, TSB_E_INPUT, "the query is not percent-encoded UTF-8");
	call->rq.query = arena_str(call->rq.arena, query);
	return parse_path(call, tsb_view_of(target, n), err);
}

/* nginx escapes the certificate ($ssl_client_escaped_cert), Apache passes it as it is. */
static int
parse_cert(struct web_call *call, char *const *env, struct tsb_err *err)
{
	const char *verdict = web_env(env, "TSB_CLIENT_VERIFY");
	const char *cert;
	struct tsb_view pem;

	if (!tsb_streq(verdict, "SUCCESS"))
		return 0;
	if (env_bounded(env, "TSB_CLIENT_CERT", WEB_CERT_MAX, &cert, err))
		return -1;
	if (cert != NULL && strchr(cert, '%') != NULL) {
		if (!enc_percent_decode(tsb_view_str(cert), call->rq.arena, &pem))
			return tsb_fail(err, TSB_E_INPUT, "TSB_CLIENT_CERT is not percent-encoded");
		cert = arena_strn(call->rq.arena, pem.p, pem.n);
	}
	call->caller.cert = cert;
	return 0;
}

/*
 * Of two headers nobody says which one counts. Some web servers join them to one that is wrong;
 * where both arrive they are wrong, too. NULL for none, and for several.
 */
static const char *
only_one(char *const *env, const char *name, bool *given)
{
	const size_t n = strlen(name);
	const char *found = NULL;

	*given = false;
	for (; env != NULL && *env != NULL; env++) {
		if (strncmp(*env, name, n) != 0 || (*env)[n] != '=')
			continue;
		if (*given)
			return NULL;
		*given = true;
		found = *env + n + 1;
	}
	return found;
}

/* Hosted services hand out bearer tokens (RFC 6750, 2.1): API keys under another name. */
static const char *
bearer_token(char *const *env)
{
	static const char scheme[] = "Bearer ";
	bool given;
	const char *text = only_one(env, "HTTP_AUTHORIZATION", &given);

	if (text == NULL || strncasecmp(text, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	return text + sizeof(scheme) - 1;
}

static const char *
only_apikey(char *const *env)
{
	bool given;
	const char *key = only_one(env, "HTTP_X_API_KEY", &given);

	if (!given)
		key = bearer_token(env);
	/* no key is that long: a wrong one, which is always 401 and 631 (api-notes.md 2.2) */
	return key != NULL && *key != '\0' && strlen(key) <= WEB_APIKEY_MAX ? key : NULL;
}

static int
parse_caller(struct web_call *call, char *const *env, struct tsb_err *err)
{
	const char *user;

	call->caller.apikey = only_apikey(env);
	if (env_bounded(env, "REMOTE_USER", WEB_USER_MAX, &user, err))
		return -1;
	if (web_env(env, "AUTH_TYPE") != NULL)
		call->caller.user = user;
	return parse_cert(call, env, err);
}

/* An address, or what a web server has in its place, if a line of the log can show it. */
static const char *
parse_address(char *const *env)
{
	const char *text = web_env(env, "REMOTE_ADDR");

	if (text == NULL || strlen(text) > WEB_ADDRESS_MAX)
		return "";
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '"')
			return "";
	return text;
}

/* "https://host:port" as the caller wrote it; nothing is decided by it. */
static const char *
parse_base(struct web_call *call, char *const *env)
{
	static const char in_host[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789.-:[]";
	const char *host = web_env(env, "HTTP_HOST"), *https = web_env(env, "HTTPS");

	if (host == NULL || strlen(host) > WEB_HOST_MAX || host[strspn(host, in_host)] != '\0')
		return "";
	return arena_printf(call->rq.arena, "%s://%s",
	    https != NULL && !tsb_streq(https, "off") ? "https" : "http", host);
}

int
web_call_parse(struct web_call *call, char *const *env, struct tsb_err *err)
{
	const char *type;

	call->target = "";
	call->rq.path = call->rq.query = call->rq.content_type = call->rq.caller = "";
	call->rq.accept = web_env(env, "HTTP_ACCEPT");
	if (call->rq.accept == NULL || strlen(call->rq.accept) > WEB_ACCEPT_MAX)
		call->rq.accept = "";
	call->rq.role = "-";
	call->rq.address = parse_address(env);
	call->rq.base_url = parse_base(call, env);
	parse_method(call, env);
	call->length = web_env(env, "CONTENT_LENGTH");
	if (parse_target(call, env, err) ||
	    env_bounded(env, "CONTENT_TYPE", WEB_TYPE_MAX, &type, err) ||
	    parse_caller(call, env, err))
		return -1;
	if (type != NULL)
		call->rq.content_type = type;
	return 0;
}

int
web_too_large(struct web_call *call, size_t max, struct tsb_err *err)
{
	call->status = 413;
	return tsb_fail(err, TSB_E_INPUT, "the request body is larger than %zu bytes", max);
}

int
web_call_read(struct web_call *call, struct web_io *io, size_t max, struct tsb_bytes *body,
    struct tsb_err *err)
{
	long length = -1;
	ssize_t n;

	if (call->length != NULL && !tsb_str_to_long(call->length, 0, LONG_MAX, &length))
		return tsb_fail(err, TSB_E_INPUT, "Content-Length is not a number");
	if (length >= 0 && (size_t)length > max)
		return web_too_large(call, max, err);
	do {
		/* one more than is announced, which must be the end */
		size_t left = length < 0 ? 8192 : (size_t)length - body->n + 1;
		size_t want = left < 8192 ? left : 8192;

		n = io->read(io, tsb_bytes_grow(body, want), want);
		body->n -= want - (n > 0 ? (size_t)n : 0);
		if (body->n > max)
			return web_too_large(call, max, err);
	} while (n > 0 && (length < 0 || body->n <= (size_t)length));
	/* Less is a client that went away in the middle: never half a body to a handler. */
	if (n < 0 || (length >= 0 && body->n != (size_t)length))
		return tsb_fail(err, TSB_E_INPUT,
		    "the request body does not have the announced length");
	return 0;
}

const char *
web_query(const struct web_request *rq, const char *name)
{
	const char *p = rq->query;
	struct tsb_view key, value;

	while (*p) {
		size_t n = strcspn(p, "&"), k = strcspn(p, "=&");

		if (enc_percent_decode(tsb_view_of(p, k), rq->arena, &key) &&
		    tsb_view_eq(key, tsb_view_str(name))) {
			if (k < n &&
			    enc_percent_decode(tsb_view_of(p + k + 1, n - k - 1), rq->arena,
				&value))
				return arena_strn(rq->arena, value.p, value.n);
			return "";
		}
		p += n + (p[n] != '\0');
	}
	return NULL;
}

bool
web_wants(const struct web_request *rq, const char *format, const char *type)
{
	return tsb_streq(web_query(rq, "format"), format) || strstr(rq->accept, type) != NULL;
}

const char *
web_file_name(struct arena *a, const char *label)
{
	char *name = arena_str(a, label);

	for (char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && (*c != '.' || c == name))
			*c = '_';
	return name;
}
