/*
 * Calls in flight on one curl multi handle. At most FLIGHT_MAX are on the wire, others wait here:
 * inside libcurl their time limit would run while nobody works on them.
 */
#include "lib/first.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/http/internal.h"
#include "lib/http/transfer.h"

#define FLIGHT_MAX 64

struct flight {
	struct flight *next;
	struct transfer transfer;
	struct http_try try;
	struct rest_call call; /* its texts are the owned ones below */
	struct rest_call to_one;
	char *path;
	struct tsb_bytes body;
	http_done *done;
	void *ctx;
};

struct flights {
	CURLM *multi;
	struct flight *active, *idle; /* idle ones keep their handle for the next call */
	struct flight *first, **last; /* waiting, in order */
	size_t n_active, n_waiting;
};

static void
multi_ok(CURLMcode rc, const char *what)
{
	if (rc)
		fatal("libcurl: %s: %s", what, curl_multi_strerror(rc));
}

static struct flights *
flights_of(struct http_client *c)
{
	struct flights *fl = c->flights;

	if (fl)
		return fl;
	fl = c->flights = calloc(1, sizeof(*fl));
	if (!fl)
		fatal("out of memory");
	fl->multi = curl_multi_init();
	if (!fl->multi)
		fatal("libcurl: no multi handle");
	multi_ok(curl_multi_setopt(fl->multi, CURLMOPT_MAXCONNECTS, (long)FLIGHT_MAX),
	    "MAXCONNECTS");
	fl->last = &fl->first;
	return fl;
}

static struct flight *
flight_new(struct http_client *c, struct flights *fl)
{
	struct flight *f = fl->idle;

	if (f) {
		fl->idle = f->next;
		f->next = NULL;
		return f;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		fatal("out of memory");
	transfer_init(&f->transfer, &c->options);
	if (curl_easy_setopt(f->transfer.easy, CURLOPT_PRIVATE, f))
		fatal("libcurl: CURLOPT_PRIVATE");
	return f;
}

/* Lets go of one call, keeps the handle. */
static void
flight_reset(struct flight *f)
{
	http_try_clear(&f->try);
	tsb_bytes_clear(&f->body);
	free(f->path);
	f->path = NULL;
}

static void
flight_free(struct flight *f)
{
	flight_reset(f);
	transfer_clear(&f->transfer);
	free(f);
}

static void
list_free(struct flight *f)
{
	while (f) {
		struct flight *next = f->next;

		flight_free(f);
		f = next;
	}
}

void
flights_free(struct flights **flights)
{
	struct flights *fl = *flights;

	if (!fl)
		return;
	for (struct flight *f = fl->active; f; f = f->next)
		(void)curl_multi_remove_handle(fl->multi, f->transfer.easy);
	list_free(fl->active);
	list_free(fl->first);
	list_free(fl->idle);
	(void)curl_multi_cleanup(fl->multi);
	free(fl);
	*flights = NULL;
}

static void
flight_send(struct http_client *c, struct flight *f)
{
	f->to_one = http_try_call(c, &f->try, &f->call);
	transfer_start(&f->transfer, &f->to_one);
	multi_ok(curl_multi_add_handle(c->flights->multi, f->transfer.easy), "add");
}

static void
launch_waiting(struct http_client *c)
{
	struct flights *fl = c->flights;

	while (fl->first && fl->n_active < FLIGHT_MAX) {
		struct flight *f = fl->first;

		fl->first = f->next;
		if (!fl->first)
			fl->last = &fl->first;
		fl->n_waiting--;
		f->next = fl->active;
		fl->active = f;
		fl->n_active++;
		flight_send(c, f);
	}
}

void
http_client_submit(struct http_client *c, const struct rest_call *call, http_done *done, void *ctx)
{
	struct flights *fl = flights_of(c);
	struct flight *f = flight_new(c, fl);

	f->path = tsb_strdup(call->path);
	tsb_bytes_add_view(&f->body, call->body);
	f->call = *call;
	f->call.path = f->path;
	f->call.body = tsb_view_bytes(&f->body);
	f->done = done;
	f->ctx = ctx;
	http_try_start(c, call, &f->try);
	*fl->last = f;
	fl->last = &f->next;
	fl->n_waiting++;
}

size_t
http_client_in_flight(const struct http_client *c)
{
	return c->flights ? c->flights->n_active + c->flights->n_waiting : 0;
}

static void
land(struct flights *fl, struct flight *f)
{
	struct flight **p = &fl->active;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	fl->n_active--;
	flight_reset(f);
	f->next = fl->idle;
	fl->idle = f;
}

/* An attempt has ended: the next endpoint, or the end of the call. */
static void
flight_ended(struct http_client *c, struct flight *f, CURLcode rc)
{
	char why[REST_WHY_SIZE] = "";
	struct rest_reply got = {0};
	struct tsb_err err = {0};
	enum rest_outcome outcome = transfer_end(&f->transfer, rc, &got, why);
	enum http_verdict verdict = http_try_judge(c, &f->try, outcome, &got, why, &err);
	http_done *done = f->done;
	void *ctx = f->ctx;

	if (verdict == HTTP_TRY_NEXT) {
		flight_send(c, f);
		return;
	}
	/* done() may submit the next call, so this one is gone before. */
	land(c->flights, f);
	if (verdict == HTTP_TRY_DONE)
		done(ctx, 0, &got, NULL);
	else
		done(ctx, -1, NULL, &err);
	rest_reply_clear(&got);
}

/* Moves everything on as far as it goes now; returns how many attempts ended. */
static size_t
advance(struct http_client *c)
{
	struct flights *fl = c->flights;
	int running, left;
	size_t ended = 0;
	CURLMsg *m;

	launch_waiting(c);
	multi_ok(curl_multi_perform(fl->multi, &running), "perform");
	while ((m = curl_multi_info_read(fl->multi, &left))) {
		CURLcode rc = m->data.result;
		CURL *easy = m->easy_handle;
		struct flight *f = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &f);
		multi_ok(curl_multi_remove_handle(fl->multi, easy), "remove");
		flight_ended(c, f, rc);
		ended++;
	}
	launch_waiting(c);
	return ended;
}

bool
http_client_wait(struct http_client *c, int fd, int timeout_ms)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
	struct pollfd also = {.fd = fd, .events = POLLIN};
	struct flights *fl = flights_of(c);

	if (advance(c))
		timeout_ms = 0;
	(void)curl_multi_poll(fl->multi, &extra, fd >= 0 ? 1 : 0, timeout_ms, NULL);
	(void)advance(c);
	return fd >= 0 && poll(&also, 1, 0) > 0;
}
