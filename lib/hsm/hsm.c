/*
 * Calls that find an endpoint: the next one is asked when this one surely did nothing, or when
 * asking twice does no harm. All else ends as "outcome unknown" and is the caller's to find out.
 */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/hsm/client.h"

static int
conf_check(const struct hsm_conf *conf, struct tsb_err *err)
{
	if (!conf->url || !*conf->url)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "The address of the HSM is not set.");
	if (conf->timeout <= 0 || conf->connect_timeout <= 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "Timeouts of the HSM are at least one second.");
	if (!conf->cert_file != !conf->key_file)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "A client certificate for the HSM needs its key, and the key its certificate.");
	for (int i = 0; i < HSM_ROLE__MAX; i++)
		if (conf->api_key[i] && strpbrk(conf->api_key[i], "\r\n"))
			return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
			    "An API key of the HSM has a line break inside.");
	return 0;
}

struct hsm *
hsm_new(const struct hsm_conf *conf, struct tsb_err *err)
{
	struct endpoint_list list;
	struct hsm *h;

	if (conf_check(conf, err) || endpoint_list_init(&list, conf->url, err))
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		fatal("out of memory");
	h->endpoints = list;
	h->ca_file = tsb_strdup(conf->ca_file);
	h->cert_file = tsb_strdup(conf->cert_file);
	h->key_file = tsb_strdup(conf->key_file);
	for (int i = 0; i < HSM_ROLE__MAX; i++)
		h->api_key[i] = tsb_strdup(conf->api_key[i]);
	h->options = (struct rest_options){.ca_file = h->ca_file,
	    .cert_file = h->cert_file,
	    .key_file = h->key_file,
	    .timeout_ms = conf->timeout * 1000,
	    .connect_timeout_ms = conf->connect_timeout * 1000,
	    .reply_max = HSM_REPLY_MAX};
	h->rest = rest_new(&h->options);
	return h;
}

void
hsm_free(struct hsm **hsm)
{
	struct hsm *h = *hsm;

	if (!h)
		return;
	flights_free(&h->flights);
	rest_free(&h->rest);
	endpoint_list_clear(&h->endpoints);
	for (int i = 0; i < HSM_ROLE__MAX; i++) {
		if (h->api_key[i])
			tsb_wipe(h->api_key[i], strlen(h->api_key[i]));
		free(h->api_key[i]);
	}
	free(h->ca_file);
	free(h->cert_file);
	free(h->key_file);
	free(h);
	*hsm = NULL;
}

void
hsm_reply_clear(struct hsm_reply *reply)
{
	tsb_bytes_clear(&reply->body);
	reply->status = 0;
}

void
hsm_try_start(struct hsm *h, const struct hsm_call *call, struct hsm_try *t)
{
	*t = (struct hsm_try){.repeatable = call->repeatable};
	endpoint_list_order(&h->endpoints, clock_monotonic_ms(), t->order);
}

void
hsm_try_clear(struct hsm_try *t)
{
	tsb_bytes_clear(&t->said);
}

struct rest_call
hsm_try_call(struct hsm *h, const struct hsm_try *t, const struct hsm_call *call)
{
	return (struct rest_call){.to = &h->endpoints.v[t->order[t->at]],
	    .method = call->method,
	    .path = call->path,
	    .apikey = h->api_key[call->role],
	    .body = call->body,
	    .not_after_ms = call->not_after_ms,
	    .repeatable = call->repeatable};
}

/* A front server that speaks for an HSM it does not reach, or stopped waiting for. */
static bool
is_front_error(int status)
{
	return status == 502 || status == 503 || status == 504;
}

enum hsm_verdict
hsm_try_judge(struct hsm *h, struct hsm_try *t, enum rest_outcome outcome, struct rest_reply *reply,
    const char *why, struct tsb_err *err)
{
	struct endpoint *e = &h->endpoints.v[t->order[t->at]];
	char text[REST_WHY_SIZE];

	if (outcome == REST_ANSWERED && !is_front_error(reply->status)) {
		e->down_until = 0;
		return HSM_TRY_DONE;
	}
	if (outcome == REST_ANSWERED) {
		snprintf(text, sizeof(text), "status %d", reply->status);
		rest_reply_clear(reply);
		why = text;
		outcome = REST_UNKNOWN; /* a 502 or 504 may follow execution, and 503 is no proof */
	}
	if (outcome == REST_TOO_LONG) {
		tsb_fail(err, TSB_E_IO, "%s: %s.", endpoint_name(e), why);
		return HSM_TRY_FAILED;
	}
	if (e->down_until == 0)
		log_warn("HSM %s does not answer: %s", endpoint_name(e), why);
	e->down_until = clock_monotonic_ms() + ENDPOINT_REST_MS;
	tsb_bytes_addf(&t->said, "%s%s: %s", t->said.n ? "; " : "", endpoint_name(e), why);
	if (outcome == REST_UNKNOWN && !t->repeatable) {
		tsb_fail(err, TSB_E_IO, "The HSM may or may not have executed this: %s.",
		    tsb_bytes_cstr(&t->said));
		return HSM_TRY_FAILED;
	}
	if (++t->at < h->endpoints.n)
		return HSM_TRY_NEXT;
	tsb_fail(err, TSB_E_CONNECTIVITY, "No HSM answers: %s.", tsb_bytes_cstr(&t->said));
	return HSM_TRY_FAILED;
}

int
hsm_call(struct hsm *h, const struct hsm_call *call, struct hsm_reply *reply, struct tsb_err *err)
{
	struct rest_reply got = {0};
	enum hsm_verdict verdict;
	struct hsm_try try;

	hsm_try_start(h, call, &try);
	do {
		struct rest_call rest = hsm_try_call(h, &try, call);
		char why[REST_WHY_SIZE] = "";
		enum rest_outcome outcome = rest_call(h->rest, &rest, &got, why);

		verdict = hsm_try_judge(h, &try, outcome, &got, why, err);
	} while (verdict == HSM_TRY_NEXT);
	hsm_try_clear(&try);
	if (verdict == HSM_TRY_FAILED)
		return -1;
	*reply = (struct hsm_reply){.status = got.status, .body = got.body};
	return 0;
}
