#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "dispatcher/aside.h"
#include "dispatcher/automated.h"
#include "dispatcher/dispatcher.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/flow/deed.h"
#include "lib/flow/task.h"
#include "lib/http/client.h"
#include "lib/wire/automated.h"
#include "lib/wire/wire.h"

#define EXECUTE_PATH "/api/v1/execute"
#define REPLY_MAX    (16UL * 1024 * 1024)
#define GRACE_MS     5000 /* a service that needs all of its time has to answer, too */
#define CONNECT_MS   3000

struct asked;

struct service {
	struct flow *flow;
	const struct broker_conf *conf;
	const struct broker_service *it;
	struct http_client *http;
	struct asked *asked;
	size_t in_flight;
	struct aside aside; /* tasks that it did not approve, or did not answer */
	int64_t look_at; /* monotonic ms: next search for tasks */
	int64_t hold_until; /* monotonic ms: service or database away */
	int64_t pause; /* ms: grows while they stay away */
	int64_t answered_at; /* monotonic ms: when the service answered last */
	bool more; /* the last search found more than could be asked */
};

/* One call in flight. */
struct asked {
	struct asked *next;
	struct service *service;
	struct tsb_uuid task, request;
	struct tsb_bytes token; /* approvalToBeSigned, decoded */
};

/* ---- pauses ---- */

static void
hold(struct service *s, const char *what)
{
	int64_t most = s->conf->pause_max * 1000, now = clock_monotonic_ms();

	/* calls that break at the same time are one outage, not several */
	if (now < s->hold_until)
		return;
	s->pause = s->pause == 0 ? 250 : s->pause * 2;
	if (s->pause > most)
		s->pause = most;
	s->hold_until = now + s->pause;
	log_warn("%s: waiting %lld ms", what, (long long)s->pause);
}

/* A task that is not answered holds all, unless others were answered since it failed before. */
static void
away(struct service *s, const struct tsb_uuid *task)
{
	int64_t failed_at = aside_since(&s->aside, task);

	if (failed_at == 0 || failed_at >= s->answered_at)
		hold(s, "service away");
	aside_put(&s->aside, task, clock_monotonic_ms(), s->conf->pause_max * 1000);
}

/* Not a rejection: other approvers decide, and the service may come to another opinion. */
static void
not_approved(struct service *s, const struct tsb_uuid *task)
{
	aside_put(&s->aside, task, clock_monotonic_ms(), s->conf->automated_retry_max * 1000);
}

/* ---- calls in flight ---- */

static bool
is_asked(const struct service *s, const struct tsb_uuid *task)
{
	for (const struct asked *a = s->asked; a != NULL; a = a->next)
		if (memcmp(&a->task, task, sizeof(*task)) == 0)
			return true;
	return false;
}

static void
asked_free(struct asked *a)
{
	struct asked **p = &a->service->asked;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	a->service->in_flight--;
	tsb_bytes_clear(&a->token);
	free(a);
}

static struct asked *
asked_new(struct service *s, const struct tsb_task_view *task)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (a == NULL)
		fatal("out of memory: a call");
	a->next = s->asked;
	a->service = s;
	a->task = task->task.id;
	a->request = task->request.id;
	tsb_bytes_add_view(&a->token, task->request.token);
	s->asked = a;
	s->in_flight++;
	return a;
}

/* ---- answers ---- */

/* The text of the token, byte for byte: what the program approves is this and nothing else. */
static bool
is_approval(const struct asked *a, struct tsb_view output)
{
	tsb_bytes_auto text = {0};

	enc_base64(tsb_view_bytes(&a->token), &text);
	return tsb_view_eq(output, tsb_view_bytes(&text));
}

/* Services do not name the digest that they sign with: it is the one that verifies. */
static int
digest_find(const struct service *s, const struct asked *a, struct tsb_view signature,
    enum ska_digest *digest, struct tsb_err *err)
{
	static const enum ska_digest candidates[] = {DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};

	for (size_t i = 0; i < TSB_COUNT(candidates); i++) {
		*digest = candidates[i];
		if (crypto_verify(s->it->spki, *digest, tsb_view_bytes(&a->token), signature,
			err) == 0)
			return 0;
	}
	return -1;
}

/* The use case of POST /v1/approval, with all its checks. */
static int
approve(struct service *s, const struct asked *a, struct tsb_view signature, struct tsb_err *err)
{
	struct tsb_approval_in in = {
	    .task_id = a->task,
	    .proof = {.spki = s->it->spki, .certificate = s->it->certificate},
	    .token = tsb_view_bytes(&a->token),
	    .signature = signature,
	};
	arena_auto arena = {0};

	return digest_find(s, a, signature, &in.digest, err)
	    ? -1
	    : flow_task_approve(s->flow, &in, &arena, clock_now_ms(), err);
}

static void
approval_take(struct service *s, const struct asked *a, struct tsb_view signature)
{
	struct tsb_err err = {0};

	if (approve(s, a, signature, &err) == 0) {
		log_info("approved by %s", s->it->url);
		aside_drop(&s->aside, &a->task);
		if (s->more)
			s->look_at = 0;
		return;
	}
	/* another dispatcher was faster, or the request is over */
	if (err.code == TSB_E_TASK_NOT_EXISTENT) {
		aside_drop(&s->aside, &a->task);
		return;
	}
	log_failure(LOG_WARN, "automated approval", &err);
	if (err.code == TSB_E_CONNECTIVITY)
		hold(s, "database away");
	not_approved(s, &a->task);
}

static int
reply_read(const struct rest_reply *reply, struct arena *arena, struct wire_executed *executed,
    struct tsb_err *err)
{
	if (reply->status != 200 && reply->status != 201)
		return tsb_fail(err, TSB_E_IO, "HTTP status %d", reply->status);
	return wire_executed_parse(tsb_view_bytes(&reply->body), arena, executed, err);
}

static void
answered(struct service *s, const struct asked *a, const struct rest_reply *reply)
{
	struct wire_executed executed;
	struct tsb_err err = {0};
	arena_auto arena = {0};

	if (reply_read(reply, &arena, &executed, &err)) {
		log_failure(LOG_WARN, s->it->url, &err);
		away(s, &a->task);
		return;
	}
	s->answered_at = clock_monotonic_ms();
	s->pause = 0;
	if (is_approval(a, executed.output)) {
		approval_take(s, a, executed.signature);
		return;
	}
	log_info("not approved by %s", s->it->url);
	not_approved(s, &a->task);
}

static void
finished(void *ctx, int rc, const struct rest_reply *reply, const struct tsb_err *err)
{
	struct asked *a = ctx;
	struct service *s = a->service;
	char id[UUID_TEXT];

	log_request(uuid_format(&a->request, id));
	if (rc == 0) {
		answered(s, a, reply);
	} else {
		log_failure(LOG_WARN, "automated approval", err);
		away(s, &a->task);
	}
	log_request(NULL);
	asked_free(a);
}

/* ---- questions ---- */

static int
ask(struct service *s, const struct tsb_uuid *id, struct tsb_err *err)
{
	struct rest_call call = {
	    .method = "POST",
	    .path = EXECUTE_PATH,
	    .repeatable = true, /* an approval counts once, however often it is given */
	};
	struct tsb_request_view status;
	struct tsb_task_view task;
	arena_auto arena = {0};
	tsb_bytes_auto json = {0};
	tsb_bytes_auto body = {0};

	if (flow_task_show(s->flow, s->it->spki, id, &arena, clock_now_ms(), &task, &status, err))
		return -1;
	wire_task_format(&task, 6, &status, &json);
	wire_execute_format(tsb_view_bytes(&json), s->conf->automated_timeout, &body);
	call.body = tsb_view_bytes(&body);
	http_client_submit(s->http, &call, finished, asked_new(s, &task));
	return 0;
}

static bool
has_room(const struct service *s)
{
	return s->in_flight < (size_t)s->conf->automated_in_flight;
}

static void
look(struct service *s)
{
	size_t most = s->aside.n + (size_t)s->conf->automated_in_flight, n;
	int64_t now = clock_monotonic_ms();
	struct tsb_err err = {0};
	arena_auto a = {0};
	struct tsb_uuid *ids;

	s->look_at = now + s->conf->automated_poll_interval;
	/* as many as fit, behind those that are passed over */
	if (flow_tasks_waiting(s->flow, s->it->spki, most, &a, clock_now_ms(), &ids, &n, &err)) {
		log_failure(LOG_ERROR, "search", &err);
		hold(s, "database away");
		return;
	}
	s->more = n == most;
	for (size_t i = 0; i < n && has_room(s); i++) {
		if (is_asked(s, &ids[i]) || now < aside_until(&s->aside, &ids[i]))
			continue;
		if (ask(s, &ids[i], &err) == 0 || err.code == TSB_E_TASK_NOT_EXISTENT)
			continue;
		log_failure(LOG_ERROR, "task", &err);
		if (err.code == TSB_E_CONNECTIVITY) {
			hold(s, "database away");
			return;
		}
		not_approved(s, &ids[i]);
	}
}

/* ---- life ---- */

static int
wait_ms(const struct service *s)
{
	int64_t until = s->look_at > s->hold_until ? s->look_at : s->hold_until;
	int64_t left = until - clock_monotonic_ms();

	/* without room only an answer changes anything; signals are seen within a second */
	if (!has_room(s) || left > 1000)
		return 1000;
	return left > 0 ? (int)left : 0;
}

static void
work(struct service *s)
{
	while (!dispatcher_stop) {
		int64_t now = clock_monotonic_ms();

		if (dispatcher_hangup) {
			dispatcher_hangup = 0;
			log_reopen();
		}
		if (has_room(s) && now >= s->look_at && now >= s->hold_until)
			look(s);
		(void)http_client_wait(s->http, -1, wait_ms(s));
	}
	/* a call that is given up here is made again by the next process */
	while (s->asked != NULL)
		asked_free(s->asked);
}

static struct http_client *
client_new(const struct broker_conf *conf, const struct broker_service *it, struct tsb_err *err)
{
	const struct http_client_conf http = {
	    .name = "execution service",
	    .url = it->url,
	    .options =
		{
		    .ca_file = conf->automated_ca,
		    .cert_file = conf->automated_cert,
		    .key_file = conf->automated_key,
		    .timeout_ms = conf->automated_timeout * 1000 + GRACE_MS,
		    .connect_timeout_ms = CONNECT_MS,
		    .reply_max = REPLY_MAX,
		},
	};

	return http_client_new(&http, err);
}

int
automated_run(const struct broker_conf *conf, size_t i)
{
	struct service s = {.conf = conf};
	struct tsb_err err = {0};
	arena_auto a = {0};

	s.flow = dispatcher_flow(conf, &err);
	if (s.flow != NULL) {
		s.it = &s.flow->files.services[i];
		s.http = client_new(conf, s.it, &err);
	}
	if (s.http == NULL) {
		log_failure(LOG_ERROR, "automated approver", &err);
		flow_free(&s.flow);
		return 1;
	}
	flow_caller(s.flow, arena_printf(&a, "automatedApproval %s", s.it->url), NULL);
	log_info("automated approver at %s", s.it->url);
	work(&s);
	http_client_free(&s.http);
	flow_free(&s.flow);
	return 0;
}
