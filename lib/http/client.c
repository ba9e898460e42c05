#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/http/internal.h"

static int
conf_check(const struct http_client_conf *conf, struct tsb_err *err)
{
	if (conf->url == NULL || *conf->url == '\0')
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT, "the address of the %s is not set",
		    conf->name);
	if (conf->options.timeout_ms <= 0 || conf->options.connect_timeout_ms <= 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "timeouts of the %s are at least one second", conf->name);
	if ((conf->options.cert_file == NULL) != (conf->options.key_file == NULL))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "a client certificate for the %s needs its key, and the key its certificate",
		    conf->name);
	return 0;
}

struct http_client *
http_client_new(const struct http_client_conf *conf, struct tsb_err *err)
{
	struct endpoint_list list;
	struct http_client *c;

	if (conf_check(conf, err) || endpoint_list_init(&list, conf->url, err))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		fatal("out of memory");
	c->name = conf->name;
	c->endpoints = list;
	c->ca_file = tsb_strdup(conf->options.ca_file);
	c->cert_file = tsb_strdup(conf->options.cert_file);
	c->key_file = tsb_strdup(conf->options.key_file);
	c->options = conf->options;
	c->options.ca_file = c->ca_file;
	c->options.cert_file = c->cert_file;
	c->options.key_file = c->key_file;
	c->rest = rest_new(&c->options);
	for (size_t i = 0; i < list.n; i++)
		if (list.v[i].plain)
			log_warn("%s %s: keys and payloads travel unencrypted", c->name,
			    endpoint_name(&list.v[i]));
	return c;
}

void
http_client_free(struct http_client **client)
{
	struct http_client *c = *client;

	if (c == NULL)
		return;
	flights_free(&c->flights);
	rest_free(&c->rest);
	endpoint_list_clear(&c->endpoints);
	free(c->ca_file);
	free(c->cert_file);
	free(c->key_file);
	free(c);
	*client = NULL;
}

void
http_try_start(struct http_client *c, const struct rest_call *call, struct http_try *t)
{
	*t = (struct http_try){.repeatable = call->repeatable};
	endpoint_list_order(&c->endpoints, clock_monotonic_ms(), t->order);
}

void
http_try_clear(struct http_try *t)
{
	tsb_bytes_clear(&t->said);
}

struct rest_call
http_try_call(struct http_client *c, const struct http_try *t, const struct rest_call *call)
{
	struct rest_call to_one = *call;

	to_one.to = &c->endpoints.v[t->order[t->at]];
	return to_one;
}

/* A program that has an outage says why in JSON, and when to try again: nothing took place. */
static bool
is_outage(const struct rest_reply *r)
{
	return r->status == 503 && r->retry &&
	    strncmp(r->content_type, "application/json", 16) == 0;
}

/* A front server that speaks for a server it does not reach, or stopped waiting for. */
static bool
is_front_error(int status)
{
	return status == 502 || status == 503 || status == 504;
}

enum http_verdict
http_try_judge(struct http_client *c, struct http_try *t, enum rest_outcome outcome,
    struct rest_reply *reply, const char *why, struct tsb_err *err)
{
	struct endpoint *e = &c->endpoints.v[t->order[t->at]];
	bool last = t->at + 1 == c->endpoints.n;
	char text[REST_WHY_SIZE];

	if (outcome == REST_ANSWERED &&
	    (!is_front_error(reply->status) || (is_outage(reply) && last))) {
		e->down_until = 0;
		return HTTP_TRY_DONE;
	}
	if (outcome == REST_ANSWERED) {
		snprintf(text, sizeof(text), "status %d", reply->status);
		why = text;
		/* a 502 or 504 may follow execution, and a bare 503 is no proof */
		outcome = is_outage(reply) ? REST_NOT_SENT : REST_UNKNOWN;
		rest_reply_clear(reply);
	}
	if (outcome == REST_GIVEN_UP) {
		tsb_fail(err, TSB_E_IO, "%s: %s", endpoint_public_name(e), why);
		return HTTP_TRY_FAILED;
	}
	if (e->down_until == 0)
		log_warn("%s %s does not answer: %s", c->name, endpoint_name(e), why);
	e->down_until = clock_monotonic_ms() + ENDPOINT_REST_MS;
	tsb_bytes_addf(&t->said, "%s%s: %s", t->said.n > 0 ? "; " : "", endpoint_public_name(e),
	    why);
	if (outcome == REST_UNKNOWN && !t->repeatable) {
		tsb_fail(err, TSB_E_IO, "the %s may or may not have executed this: %s", c->name,
		    tsb_bytes_cstr(&t->said));
		return HTTP_TRY_FAILED;
	}
	if (++t->at < c->endpoints.n)
		return HTTP_TRY_NEXT;
	tsb_fail(err, TSB_E_CONNECTIVITY, "no %s answers: %s", c->name, tsb_bytes_cstr(&t->said));
	return HTTP_TRY_FAILED;
}

int
http_client_call(struct http_client *c, const struct rest_call *call, struct rest_reply *reply,
    struct tsb_err *err)
{
	struct rest_reply got = {0};
	enum http_verdict verdict;
	struct http_try try;

	http_try_start(c, call, &try);
	do {
		struct rest_call to_one = http_try_call(c, &try, call);
		char why[REST_WHY_SIZE] = "";
		enum rest_outcome outcome = rest_call(c->rest, &to_one, &got, why);

		verdict = http_try_judge(c, &try, outcome, &got, why, err);
	} while (verdict == HTTP_TRY_NEXT);
	http_try_clear(&try);
	if (verdict == HTTP_TRY_FAILED)
		return -1;
	*reply = got;
	return 0;
}
