/* The route matcher: literal segments win over {}, whatever the order of the rows. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/web/internal.h"

static const char *const verb_names[VERB__MAX] = {
    [VERB_GET] = "GET",
    [VERB_POST] = "POST",
    [VERB_PUT] = "PUT",
    [VERB_PATCH] = "PATCH",
    [VERB_DELETE] = "DELETE",
};

const char *
web_verb_name(enum web_verb verb)
{
	return verb < VERB__MAX ? verb_names[verb] : "?";
}

/* Behind the segment that p begins with, if it is this one; else NULL. Most differ at once. */
static const char *
literal_end(const char *p, struct tsb_view segment)
{
	size_t i = 0;

	while (i < segment.n && p[i] != '/' && p[i] == (char)segment.p[i])
		i++;
	return i == segment.n && (p[i] == '/' || p[i] == '\0') ? p + i : NULL;
}

/* Whether the path fits the pattern; param of WEB_PARAM_MAX, as web_routes_check() promises. */
static bool
route_fits(const struct web_route *route, const struct web_call *call, struct tsb_view *param)
{
	const char *p = route->pattern;
	size_t params = 0;

	memset(param, 0, WEB_PARAM_MAX * sizeof(*param));
	if (call->segments == 0 || call->segments > WEB_SEGMENT_MAX)
		return false;
	for (size_t i = 0; i < call->segments; i++) {
		struct tsb_view segment = call->segment[i];

		if (*p++ != '/')
			return false;
		if (*p == '{') {
			param[params++] = segment;
			p += strcspn(p, "/");
			continue;
		}
		if ((p = literal_end(p, segment)) == NULL)
			return false;
	}
	return *p == '\0';
}

/* Of two patterns that fit one path, whether a is literal where b first has a {}. */
static bool
pattern_beats(const char *a, const char *b)
{
	while (*a && *b) {
		if ((*a == '{') != (*b == '{'))
			return *b == '{';
		if (*a == '{') {
			a += strcspn(a, "}");
			b += strcspn(b, "}");
		}
		a++;
		b++;
	}
	return false;
}

/* Patterns whose last segments are siblings: what differs is one name. */
static bool
same_folder(const char *a, const char *b)
{
	size_t n = (size_t)(strrchr(a, '/') - a) + 1;

	return strncmp(a, b, n) == 0 && strchr(b + n, '/') == NULL;
}

/*
 * A {} beside literal names fits whatever nobody knows: it tells nothing about other verbs, and
 * POST /v1/key/nonsense is no path of the API.
 */
static bool
fits_anything(const struct web_route *routes, const struct web_route *r)
{
	const char *last = strrchr(r->pattern, '/') + 1;

	if (*last != '{')
		return false;
	for (const struct web_route *s = routes; s->pattern != NULL; s++)
		if (same_folder(r->pattern, s->pattern) && *(strrchr(s->pattern, '/') + 1) != '{')
			return true;
	return false;
}

int
web_call_route(struct web_call *call, const struct web_route *routes, struct tsb_err *err)
{
	const struct web_route *best = NULL;
	struct tsb_view param[WEB_PARAM_MAX];

	for (const struct web_route *r = routes; r->pattern != NULL; r++) {
		if (!route_fits(r, call, param))
			continue;
		if (r->verb == call->rq.verb || !fits_anything(routes, r))
			call->allow |= 1U << r->verb;
		if (r->verb != call->rq.verb ||
		    (best != NULL && !pattern_beats(r->pattern, best->pattern)))
			continue;
		best = r;
		memcpy(call->rq.param, param, sizeof(param));
	}
	if (best != NULL) {
		call->rq.route = best;
		return 0;
	}
	call->status = call->allow ? 405 : 404;
	return call->allow ? tsb_fail(err, TSB_E_OPERATION_UNREACHABLE,
				 "this path does not take the method %.16s", call->method)
			   : tsb_fail(err, TSB_E_OPERATION_UNREACHABLE, "there is no such path");
}

int
web_route_arg(const struct web_request *rq)
{
	return rq->route->arg;
}

/* "/v1/key/{keyName}": non-empty segments, {} around a whole one, as many as a request carries. */
static bool
pattern_valid(const char *p)
{
	size_t params = 0, segments = 0;

	for (; *p == '/'; segments++) {
		size_t n = strcspn(++p, "/");
		bool is_param = n && *p == '{';

		if (n == 0 || (is_param && (n < 3 || p[n - 1] != '}')))
			return false;
		params += is_param;
		p += n;
	}
	return *p == '\0' && segments > 0 && segments <= WEB_SEGMENT_MAX && params <= WEB_PARAM_MAX;
}

const char *
web_routes_check(const struct web_route *routes)
{
	for (const struct web_route *r = routes; r->pattern != NULL; r++) {
		if (!pattern_valid(r->pattern))
			return "a pattern is not well formed";
		if (r->verb >= VERB__MAX || r->roles == 0 || r->serve == NULL)
			return "a row lacks verb, role or handler";
		for (const struct web_route *s = routes; s < r; s++)
			if (s->verb == r->verb && tsb_streq(s->pattern, r->pattern))
				return "two rows have the same verb and pattern";
	}
	return NULL;
}
