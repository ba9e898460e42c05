#include "lib/first.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/aside.h"
#include "dispatcher/dispatcher.h"
#include "lib/base/clock.h"
#include "lib/flow/ending.h"
#include "lib/flow/execute.h"

#define CLEANUP_BATCH 100
#define DRAIN_MS      (30 * 1000)

struct flight;

struct runner {
	struct flow *flow;
	const struct broker_conf *conf;
	int wake_fd;
	int64_t look_at; /* monotonic ms: next look for due requests */
	int64_t cleanup_at; /* monotonic ms */
	int64_t hold_until; /* monotonic ms: HSM or database away */
	int64_t pause; /* ms: grows while they stay away */
	int64_t answered_at; /* monotonic ms: when the HSM answered last */
	struct flight *flights;
	struct aside aside; /* requests that failed, left alone for a while */
	struct children *automated;
};

/* One call in flight. */
struct flight {
	struct flight *next;
	struct runner *runner;
	struct flow_execution *x;
};

static void submit(struct runner *r, struct flow_execution *x);

static void
hold(struct runner *r, const char *what)
{
	int64_t most = r->conf->pause_max * 1000;

	/* calls that break at the same time are one outage, not several */
	if (clock_monotonic_ms() < r->hold_until)
		return;
	r->pause = r->pause == 0 ? 250 : r->pause * 2;
	if (r->pause > most)
		r->pause = most;
	r->hold_until = clock_monotonic_ms() + r->pause;
	r->look_at = r->hold_until;
	log_warn("%s: waiting %lld ms", what, (long long)r->pause);
}

static void
log_as(const struct flow_execution *x)
{
	char id[UUID_TEXT];

	log_request(x == NULL ? NULL : uuid_format(&x->request.id, id));
}

/* An unanswered call holds all work, unless others were answered since it failed before. */
static void
hsm_away(struct runner *r, const struct tsb_uuid *id)
{
	int64_t now = clock_monotonic_ms(), failed_at = aside_since(&r->aside, id);

	if (failed_at == 0 || failed_at >= r->answered_at)
		hold(r, "HSM away");
	aside_put(&r->aside, id, now, r->conf->pause_max * 1000);
}

static void
flight_end(struct flight *flight)
{
	struct flight **p = &flight->runner->flights;

	while (*p != flight)
		p = &(*p)->next;
	*p = flight->next;
	free(flight);
}

static bool
in_flight(const struct runner *r, const struct tsb_uuid *id)
{
	for (const struct flight *f = r->flights; f != NULL; f = f->next)
		if (memcmp(&f->x->request.id, id, sizeof(*id)) == 0)
			return true;
	return false;
}

static void
finished(void *ctx, const struct hsm_answer *answer)
{
	struct flight *flight = ctx;
	struct runner *r = flight->runner;
	struct flow_execution *x = flight->x;
	enum flow_outcome outcome;
	struct tsb_err err;

	flight_end(flight);
	if (answer->outcome != HSM_AWAY && answer->outcome != HSM_LOST)
		r->answered_at = clock_monotonic_ms();
	log_as(x);
	if (flow_execution_finish(r->flow, x, answer, &outcome, &err)) {
		/* not recorded: the lease lapses and the request is looked at again */
		log_failure(LOG_ERROR, "outcome", &err);
		hold(r, "outcome not recorded");
	} else if (outcome == OUTCOME_CALL_AGAIN) {
		submit(r, x);
		log_as(NULL);
		return;
	} else if (outcome == OUTCOME_HSM_AWAY) {
		hsm_away(r, &x->request.id);
	} else {
		aside_drop(&r->aside, &x->request.id);
		r->pause = 0;
		if (outcome == OUTCOME_DONE)
			log_info("%s of key %s ended", tsb_kinds[x->request.kind].name,
			    x->request.key_name);
	}
	log_as(NULL);
	flow_execution_free(&x);
}

static void
submit(struct runner *r, struct flow_execution *x)
{
	struct flight *flight = malloc(sizeof(*flight));
	struct hsm_answer answer = {.outcome = HSM_TROUBLE};

	if (flight == NULL)
		fatal("out of memory: a call");
	*flight = (struct flight){r->flights, r, x};
	r->flights = flight;
	if (hsm_submit(flow_hsm(r->flow), &x->order, finished, flight, &answer.why))
		finished(flight, &answer); /* which leads to no other order */
}

static bool
has_room(const struct runner *r)
{
	return hsm_in_flight(flow_hsm(r->flow)) < (size_t)r->conf->in_flight;
}

static bool
may_take(const struct runner *r)
{
	return has_room(r) && clock_monotonic_ms() >= r->hold_until;
}

enum taken { TAKEN, NOT_TAKEN, DATABASE_AWAY };

/* A lease that lapses while our own call is in flight is no reason to take over. */
static enum taken
take(struct runner *r, const struct tsb_uuid *id)
{
	int64_t now = clock_monotonic_ms();
	struct flow_execution *x;
	struct tsb_err err;

	if (in_flight(r, id) || now < aside_until(&r->aside, id))
		return NOT_TAKEN;
	if (flow_execution_claim(r->flow, id, &x, &err) == 0) {
		if (x != NULL)
			submit(r, x);
		return TAKEN;
	}
	if (err.code == TSB_E_REQUEST_NOT_EXISTENT)
		return NOT_TAKEN;
	log_failure(LOG_ERROR, "claim", &err);
	if (err.code == TSB_E_CONNECTIVITY) {
		hold(r, "database away");
		return DATABASE_AWAY;
	}
	aside_put(&r->aside, id, now, r->conf->pause_max * 1000);
	return NOT_TAKEN;
}

/* Due requests that nobody woke us for: timelocks, lapsed leases, what waited for a free slot. */
static void
look(struct runner *r)
{
	arena_auto a = {0};
	struct tsb_uuid *ids;
	struct tsb_err err;
	int64_t now_ms = clock_now_ms(), next_ms, again_at;
	size_t n, most, passed_over;
	bool any = false;

	if (!may_take(r))
		return;
	/* as many as fit, behind those that are passed over */
	passed_over = r->aside.n + hsm_in_flight(flow_hsm(r->flow));
	most = passed_over + (size_t)r->conf->in_flight;
	if (flow_requests_due(r->flow, now_ms, most, &a, &ids, &n, &err) ||
	    flow_next_time(r->flow, &next_ms, &err)) {
		log_failure(LOG_ERROR, "search", &err);
		hold(r, "database away");
		return;
	}
	r->look_at = clock_monotonic_ms() + r->conf->poll_interval;
	if (next_ms > now_ms && clock_monotonic_ms() + next_ms - now_ms < r->look_at)
		r->look_at = clock_monotonic_ms() + next_ms - now_ms;
	for (size_t i = 0; i < n && may_take(r); i++) {
		enum taken taken = take(r, &ids[i]);

		if (taken == DATABASE_AWAY)
			return;
		any |= taken == TAKEN;
		again_at = aside_until(&r->aside, &ids[i]);
		if (taken == NOT_TAKEN && again_at > clock_monotonic_ms() && again_at < r->look_at)
			r->look_at = again_at;
	}
	/* work was found and may not have been all: look again when there is room */
	if (any && (n == most || !may_take(r)))
		r->look_at = clock_monotonic_ms();
}

static void
clean_up(struct runner *r)
{
	struct tsb_err err;
	int64_t now_ms = clock_now_ms();
	size_t late, old;

	r->cleanup_at = clock_monotonic_ms() + r->conf->cleanup_interval;
	if (flow_requests_expire(r->flow, now_ms, CLEANUP_BATCH, &late, &err) ||
	    flow_requests_purge(r->flow, now_ms, CLEANUP_BATCH, &old, &err)) {
		log_failure(LOG_ERROR, "clean-up", &err);
		return;
	}
	if (late + old > 0)
		log_info("%zu requests expired, %zu old ones deleted", late, old);
	if (late == CLEANUP_BATCH || old == CLEANUP_BATCH)
		r->cleanup_at = clock_monotonic_ms();
}

/* Signals are seen within a second. */
static int
ms_until(int64_t at)
{
	int64_t now = clock_monotonic_ms();

	if (at <= now)
		return 0;
	return at - now > 1000 ? 1000 : (int)(at - now);
}

static int
wait_ms(const struct runner *r)
{
	int64_t look_at = r->look_at > r->hold_until ? r->look_at : r->hold_until;
	int64_t until = r->cleanup_at;

	/* without room only an answer changes anything */
	if (has_room(r) && look_at < until)
		until = look_at;
	return ms_until(until);
}

/* Finishes what is in flight; what remains is taken over when its lease lapses. */
static void
drain(struct runner *r)
{
	int64_t until = clock_monotonic_ms() + DRAIN_MS;

	while (hsm_in_flight(flow_hsm(r->flow)) > 0 && clock_monotonic_ms() < until)
		hsm_wait(flow_hsm(r->flow), -1, 100);
}

static void
reopen_if_told(struct runner *r)
{
	if (!dispatcher_hangup)
		return;
	dispatcher_hangup = 0;
	log_reopen();
	children_signal(r->automated, SIGHUP);
}

/* Profile air-gapped: nothing is executed from here, but requests end, and old ones go. */
static void
tidy_run(struct runner *r)
{
	while (!dispatcher_stop) {
		reopen_if_told(r);
		if (clock_monotonic_ms() >= r->cleanup_at)
			clean_up(r);
		poll(NULL, 0, ms_until(r->cleanup_at));
	}
}

void
dispatcher_run(struct flow *f, const struct broker_conf *conf, int wake_fd,
    struct children *automated)
{
	struct runner r = {.flow = f, .conf = conf, .wake_fd = wake_fd, .automated = automated};
	struct tsb_uuid id;

	if (flow_hsm(f) == NULL) {
		tidy_run(&r);
		return;
	}
	while (!dispatcher_stop) {
		reopen_if_told(&r);
		children_tend(automated);
		while (may_take(&r) && wake_take(wake_fd, &id))
			if (take(&r, &id) == DATABASE_AWAY)
				break;
		if (clock_monotonic_ms() >= r.look_at && may_take(&r))
			look(&r);
		if (clock_monotonic_ms() >= r.cleanup_at)
			clean_up(&r);
		/* a full house must not spin on a socket that stays readable */
		hsm_wait(flow_hsm(f), may_take(&r) ? wake_fd : -1, wait_ms(&r));
	}
	drain(&r);
}
