/*
 * Calls in flight, on one curl multi handle or on FastCGI connections. At most FLIGHT_MAX are on
 * the wire, others wait here: on the wire their time limit would run while nobody works on them.
 */
#include "lib/first.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/http/fastcgi.h"
#include "lib/http/internal.h"
#include "lib/http/transfer.h"

#define FLIGHT_MAX 64

struct flight {
	struct flight *next;
	struct transfer transfer; /* made when first needed, then kept */
	struct fastcgi fastcgi;
	bool ready; /* the FastCGI connection has something for us */
	struct http_try try;
	struct rest_call call; /* its path and body are the owned ones below */
	struct rest_call to_one;
	char *path;
	struct tsb_bytes body;
	http_done *done;
	void *ctx;
};

struct flights {
	CURLM *multi; /* NULL until the first call by libcurl */
	struct flight *active, *idle; /* idle ones keep their handle for the next call */
	struct flight *first, **last; /* waiting, in order */
	size_t n_active, n_waiting;
};

static void
multi_ok(CURLMcode rc, const char *what)
{
	if (rc != CURLM_OK)
		fatal("libcurl: %s: %s", what, curl_multi_strerror(rc));
}

static struct flights *
flights_of(struct http_client *c)
{
	struct flights *fl = c->flights;

	if (fl != NULL)
		return fl;
	fl = c->flights = calloc(1, sizeof(*fl));
	if (fl == NULL)
		fatal("out of memory");
	fl->last = &fl->first;
	return fl;
}

static struct flight *
flight_new(struct http_client *c, struct flights *fl)
{
	struct flight *f = fl->idle;

	if (f != NULL) {
		fl->idle = f->next;
		f->next = NULL;
		return f;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		fatal("out of memory");
	fastcgi_init(&f->fastcgi, &c->options);
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
	fastcgi_clear(&f->fastcgi);
	free(f);
}

static void
list_free(struct flight *f)
{
	while (f != NULL) {
		struct flight *next = f->next;

		flight_free(f);
		f = next;
	}
}

void
flights_free(struct flights **flights)
{
	struct flights *fl = *flights;

	if (fl == NULL)
		return;
	for (struct flight *f = fl->active; f != NULL; f = f->next)
		if (!f->to_one.to->fastcgi)
			(void)curl_multi_remove_handle(fl->multi, f->transfer.easy);
	list_free(fl->active);
	list_free(fl->first);
	list_free(fl->idle);
	if (fl->multi != NULL)
		(void)curl_multi_cleanup(fl->multi);
	free(fl);
	*flights = NULL;
}

/* ---- on the wire ---- */

static void
transfer_send(struct http_client *c, struct flight *f)
{
	struct flights *fl = c->flights;

	if (f->transfer.easy == NULL) {
		transfer_init(&f->transfer, &c->options);
		if (curl_easy_setopt(f->transfer.easy, CURLOPT_PRIVATE, f) != CURLE_OK)
			fatal("libcurl: CURLOPT_PRIVATE");
	}
	if (fl->multi == NULL) {
		fl->multi = curl_multi_init();
		if (fl->multi == NULL)
			fatal("libcurl: no multi handle");
		multi_ok(curl_multi_setopt(fl->multi, CURLMOPT_MAXCONNECTS, (long)FLIGHT_MAX),
		    "MAXCONNECTS");
	}
	transfer_start(&f->transfer, &f->to_one);
	multi_ok(curl_multi_add_handle(fl->multi, f->transfer.easy), "add");
}

static void
flight_send(struct http_client *c, struct flight *f)
{
	f->to_one = http_try_call(c, &f->try, &f->call);
	if (!f->to_one.to->fastcgi) {
		transfer_send(c, f);
		return;
	}
	fastcgi_start(&f->fastcgi, &f->to_one);
	f->ready = f->fastcgi.ended;
}

static void
launch_waiting(struct http_client *c)
{
	struct flights *fl = c->flights;

	while (fl->first != NULL && fl->n_active < FLIGHT_MAX) {
		struct flight *f = fl->first;

		fl->first = f->next;
		if (fl->first == NULL)
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
	return c->flights != NULL ? c->flights->n_active + c->flights->n_waiting : 0;
}

/* ---- landing ---- */

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

/* An attempt has ended: the next endpoint, or the end of the call. got is taken over. */
static void
flight_ended(struct http_client *c, struct flight *f, enum rest_outcome outcome,
    struct rest_reply *got, const char *why)
{
	struct tsb_err err = {0};
	enum http_verdict verdict = http_try_judge(c, &f->try, outcome, got, why, &err);
	http_done *done = f->done;
	void *ctx = f->ctx;

	if (verdict == HTTP_TRY_NEXT) {
		flight_send(c, f);
		return;
	}
	/* done() may submit the next call, so this one is gone before. */
	land(c->flights, f);
	if (verdict == HTTP_TRY_DONE)
		done(ctx, 0, got, NULL);
	else
		done(ctx, -1, NULL, &err);
	rest_reply_clear(got);
}

static size_t
advance_transfers(struct http_client *c)
{
	struct flights *fl = c->flights;
	int running, left;
	size_t ended = 0;
	CURLMsg *m;

	if (fl->multi == NULL)
		return 0;
	multi_ok(curl_multi_perform(fl->multi, &running), "perform");
	while ((m = curl_multi_info_read(fl->multi, &left)) != NULL) {
		char why[REST_WHY_SIZE] = "";
		struct rest_reply got = {0};
		CURLcode rc = m->data.result;
		CURL *easy = m->easy_handle;
		struct flight *f = NULL;
		enum rest_outcome outcome;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &f);
		multi_ok(curl_multi_remove_handle(fl->multi, easy), "remove");
		outcome = transfer_end(&f->transfer, rc, &got, why);
		flight_ended(c, f, outcome, &got, why);
		ended++;
	}
	return ended;
}

/* One whose FastCGI exchange has ended; NULL when none has. */
static struct flight *
ended_exchange(struct flights *fl)
{
	for (struct flight *f = fl->active; f != NULL; f = f->next) {
		if (!f->to_one.to->fastcgi ||
		    (!f->ready && fastcgi_wait_ms(&f->fastcgi) > 0 && f->fastcgi.connected))
			continue;
		f->ready = false;
		if (fastcgi_advance(&f->fastcgi))
			return f;
	}
	return NULL;
}

static size_t
advance_exchanges(struct http_client *c)
{
	struct flight *f;
	size_t ended = 0;

	/* flights come and go in done(), so that each search begins anew */
	while ((f = ended_exchange(c->flights)) != NULL) {
		char why[REST_WHY_SIZE] = "";
		struct rest_reply got = {0};
		enum rest_outcome outcome = fastcgi_end(&f->fastcgi, &got, why);

		flight_ended(c, f, outcome, &got, why);
		ended++;
	}
	return ended;
}

/* Moves everything on as far as it goes now; returns how many attempts ended. */
static size_t
advance(struct http_client *c)
{
	size_t ended;

	launch_waiting(c);
	ended = advance_transfers(c);
	ended += advance_exchanges(c);
	launch_waiting(c);
	return ended;
}

/* ---- waiting ---- */

/* What to wait for besides libcurl's own descriptors: fd first, then FastCGI connections. */
struct waiting {
	struct pollfd fds[1 + FLIGHT_MAX];
	struct flight *of[1 + FLIGHT_MAX];
	nfds_t n;
	int timeout_ms;
};

static void
waiting_gather(const struct flights *fl, int fd, int timeout_ms, struct waiting *w)
{
	*w = (struct waiting){.n = 1, .timeout_ms = timeout_ms};
	w->fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	for (struct flight *f = fl->active; f != NULL; f = f->next) {
		int left;

		if (!f->to_one.to->fastcgi)
			continue;
		left = f->ready ? 0 : fastcgi_wait_ms(&f->fastcgi);
		if (left < w->timeout_ms)
			w->timeout_ms = left;
		w->of[w->n] = f;
		w->fds[w->n++] = (struct pollfd){
		    .fd = f->fastcgi.connected ? f->fastcgi.fd : -1,
		    .events = fastcgi_events(&f->fastcgi),
		};
	}
}

/* libcurl polls its own descriptors and ours; without one of its calls there is only ours. */
static void
waiting_poll(const struct flights *fl, struct waiting *w)
{
	struct curl_waitfd extra[TSB_COUNT(w->fds)];
	unsigned n = 0;

	if (fl->multi == NULL) {
		(void)poll(w->fds, w->n, w->timeout_ms);
		return;
	}
	for (nfds_t i = 0; i < w->n; i++)
		if (w->fds[i].fd >= 0)
			extra[n++] = (struct curl_waitfd){
			    .fd = w->fds[i].fd,
			    .events = (short)((w->fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
				(w->fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
			};
	(void)curl_multi_poll(fl->multi, extra, n, w->timeout_ms, NULL);
	/* libcurl tells neither hang-ups nor errors */
	(void)poll(w->fds, w->n, 0);
}

bool
http_client_wait(struct http_client *c, int fd, int timeout_ms)
{
	struct flights *fl = flights_of(c);
	struct waiting w;

	if (advance(c) > 0)
		timeout_ms = 0;
	waiting_gather(fl, fd, timeout_ms, &w);
	waiting_poll(fl, &w);
	for (nfds_t i = 1; i < w.n; i++)
		w.of[i]->ready = w.fds[i].revents != 0;
	(void)advance(c);
	return w.fds[0].revents != 0;
}
