#include "lib/first.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/aside.h"
#include "dispatcher/dispatcher.h"
#include "lib/base/clock.h"
#include "lib/flow/claim.h"
#include "lib/flow/ending.h"
#include "lib/flow/execute.h"

#define EXPIRE_BATCH 100 /* each in a transaction of its own */
#define PURGE_BATCH  20 /* in one, which keeps their rows locked for some milliseconds */
/* Requests of one transaction: enough that its COMMIT is a small part, few enough to be quick. */
#define BATCH    STORE_BATCH
#define DRAIN_MS (30 * 1000)
/* The kernel keeps ten datagrams for us (net.unix.max_dgram_qlen) and refuses the next ones. */
#define WAKES_FEW 8

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
	struct flow_execution *judged[BATCH]; /* to be recorded before anything else is taken */
	size_t njudged;
	bool takes_back; /* claims of an earlier process of this name */
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

/* Not recorded: the lease lapses and the request is looked at again. */
static void
unrecorded(struct runner *r, struct flow_execution *x, const struct tsb_err *err)
{
	log_as(x);
	log_failure(LOG_ERROR, "outcome", err);
	log_as(NULL);
	hold(r, "outcome not recorded");
	flow_execution_free(&x);
}

static void
ended(struct runner *r, struct flow_execution *x, enum flow_outcome outcome)
{
	log_as(x);
	if (outcome == OUTCOME_HSM_AWAY) {
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

/* In one transaction; if that is refused, each in its own, so that none harms another. */
static void
record(struct runner *r)
{
	enum flow_outcome outcomes[BATCH];
	struct tsb_err err;
	size_t n = r->njudged;
	bool together = flow_executions_record(r->flow, r->judged, n, outcomes, &err) == 0;
	bool apart = !together && n > 1 && err.code != TSB_E_CONNECTIVITY;

	r->njudged = 0;
	for (size_t i = 0; i < n; i++) {
		struct flow_execution *x = r->judged[i];

		if (together ||
		    (apart && !flow_executions_record(r->flow, &x, 1, &outcomes[i], &err)))
			ended(r, x, outcomes[i]);
		else
			unrecorded(r, x, &err);
	}
}

static void
finished(void *ctx, const struct hsm_answer *answer)
{
	struct flight *flight = ctx;
	struct runner *r = flight->runner;
	struct flow_execution *x = flight->x;
	enum flow_outcome outcome;
	struct tsb_err err;
	int rc;

	flight_end(flight);
	if (answer->outcome != HSM_AWAY && answer->outcome != HSM_LOST)
		r->answered_at = clock_monotonic_ms();
	log_as(x);
	rc = flow_execution_judge(r->flow, x, answer, &outcome, &err);
	log_as(NULL);
	if (rc != 0)
		unrecorded(r, x, &err);
	else if (outcome == OUTCOME_CALL_AGAIN)
		submit(r, x);
	else if (outcome != OUTCOME_TO_RECORD)
		ended(r, x, outcome);
	else {
		r->judged[r->njudged++] = x;
		if (r->njudged == BATCH)
			record(r);
	}
}

/* Waits for answers, and records them all at once. */
static void
wait_for_answers(struct runner *r, int fd, int ms)
{
	if (r->njudged == 0) /* an order that could not be sent needs no answer */
		(void)hsm_wait(flow_hsm(r->flow), fd, ms);
	if (r->njudged > 0)
		record(r);
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

/* A claim that failed says nothing about others. */
static void
not_claimed(struct runner *r, const struct tsb_uuid *id, const struct tsb_err *err)
{
	if (err->code == TSB_E_REQUEST_NOT_EXISTENT)
		return;
	log_failure(LOG_ERROR, "claim", err);
	aside_put(&r->aside, id, clock_monotonic_ms(), r->conf->pause_max * 1000);
}

static enum taken
claim(struct runner *r, const struct tsb_uuid *ids, size_t n, struct tsb_err *err)
{
	struct flow_claimed claimed[BATCH];
	enum taken taken = NOT_TAKEN;

	if (flow_executions_claim(r->flow, ids, n, r->takes_back, claimed, err)) {
		if (err->code != TSB_E_CONNECTIVITY)
			return NOT_TAKEN;
		log_failure(LOG_ERROR, "claim", err);
		hold(r, "database away");
		return DATABASE_AWAY;
	}
	for (size_t i = 0; i < n; i++) {
		if (claimed[i].x != NULL)
			submit(r, claimed[i].x);
		if (claimed[i].err.code == TSB_OK)
			taken = TAKEN;
		else
			not_claimed(r, &claimed[i].id, &claimed[i].err);
	}
	/* sends the orders: the HSM works on them while the database works for us */
	(void)hsm_wait(flow_hsm(r->flow), -1, 0);
	return taken;
}

/* At most BATCH, in one transaction; if that is refused, each in its own. */
static enum taken
take(struct runner *r, const struct tsb_uuid *ids, size_t n)
{
	enum taken taken = NOT_TAKEN, one;
	struct tsb_err err = {0};

	if (n == 0)
		return NOT_TAKEN;
	one = claim(r, ids, n, &err);
	if (one != NOT_TAKEN || err.code == TSB_OK)
		return one;
	for (size_t i = 0; i < n; i++) {
		err = (struct tsb_err){0};
		one = claim(r, &ids[i], 1, &err);
		if (one == DATABASE_AWAY)
			return one;
		if (one == TAKEN)
			taken = TAKEN;
		else if (err.code != TSB_OK)
			not_claimed(r, &ids[i], &err);
	}
	return taken;
}

/* A lease that lapses while our own call is in flight is no reason to take over. */
static bool
is_takeable(const struct runner *r, const struct tsb_uuid *id)
{
	return !in_flight(r, id) && clock_monotonic_ms() >= aside_until(&r->aside, id);
}

/* At most half of what may be in flight: so HSM and database have something to do at once. */
static size_t
batch_room(const struct runner *r)
{
	size_t in_flight = (size_t)r->conf->in_flight, most = (in_flight + 1) / 2;
	size_t room = in_flight - hsm_in_flight(flow_hsm(r->flow));

	if (most > BATCH)
		most = BATCH;
	return room < most ? room : most;
}

/* Those that somebody woke us for. Behind a full queue, or a full house, there may be others. */
static void
take_woken(struct runner *r)
{
	struct tsb_uuid ids[BATCH];
	enum taken taken = NOT_TAKEN;
	size_t woken = 0;

	while (taken != DATABASE_AWAY && may_take(r)) {
		size_t most = batch_room(r), n = 0;
		bool any = false;

		while (n < most && wake_take(r->wake_fd, &ids[n])) {
			any = true;
			woken++;
			n += is_takeable(r, &ids[n]);
		}
		if (!any)
			break;
		taken = take(r, ids, n);
	}
	if ((woken >= WAKES_FEW || !has_room(r)) && taken != DATABASE_AWAY)
		r->look_at = clock_monotonic_ms();
}

/* One that is left alone for a while. */
static void
look_again_for(struct runner *r, const struct tsb_uuid *id)
{
	int64_t again_at = aside_until(&r->aside, id);

	if (again_at > clock_monotonic_ms() && again_at < r->look_at)
		r->look_at = again_at;
}

/* Due requests that nobody woke us for: timelocks, lapsed leases, what waited for a free slot. */
static void
look(struct runner *r)
{
	arena_auto a = {0};
	struct tsb_uuid *ids;
	struct tsb_err err;
	int64_t now_ms = clock_now_ms(), next_ms;
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
	for (size_t i = 0; i < n && may_take(r);) {
		size_t first = i, room = batch_room(r), got = 0;
		struct tsb_uuid batch[BATCH];
		enum taken taken;

		for (; i < n && got < room; i++) {
			batch[got] = ids[i];
			got += is_takeable(r, &ids[i]);
		}
		taken = take(r, batch, got);
		if (taken == DATABASE_AWAY)
			return;
		any |= taken == TAKEN;
		for (; first < i; first++)
			look_again_for(r, &ids[first]);
	}
	/* work was found and may not have been all: look again when there is room */
	if (any && (n == most || !may_take(r)))
		r->look_at = clock_monotonic_ms();
}

/*
 * A process that was killed had claimed them, and nobody else may until their lease is over. As
 * many as it could have in flight.
 */
static void
take_back(struct runner *r)
{
	arena_auto a = {0};
	struct tsb_uuid *ids;
	struct tsb_err err;
	size_t n, room;

	if (flow_requests_owned(r->flow, (size_t)r->conf->in_flight, &a, &ids, &n, &err)) {
		log_failure(LOG_ERROR, "search", &err);
		return;
	}
	r->takes_back = true;
	for (size_t i = 0; i < n && may_take(r); i += room) {
		room = batch_room(r);
		if (room > n - i)
			room = n - i;
		if (take(r, ids + i, room) == DATABASE_AWAY)
			break;
	}
	r->takes_back = false;
}

static void
clean_up(struct runner *r)
{
	struct tsb_err err;
	int64_t now_ms = clock_now_ms();
	size_t late, old;

	r->cleanup_at = clock_monotonic_ms() + r->conf->cleanup_interval;
	if (flow_requests_expire(r->flow, now_ms, EXPIRE_BATCH, &late, &err) ||
	    flow_requests_purge(r->flow, now_ms, PURGE_BATCH, &old, &err)) {
		log_failure(LOG_ERROR, "clean-up", &err);
		return;
	}
	if (late + old > 0)
		log_info("%zu requests expired, %zu old ones deleted", late, old);
	if (late == EXPIRE_BATCH || old == PURGE_BATCH)
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

	while ((hsm_in_flight(flow_hsm(r->flow)) > 0 || r->njudged > 0) &&
	    clock_monotonic_ms() < until)
		wait_for_answers(r, -1, 100);
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
		flow_idle(r->flow);
		poll(NULL, 0, ms_until(r->cleanup_at));
	}
}

void
dispatcher_run(struct flow *f, const struct broker_conf *conf, int wake_fd,
    struct children *automated)
{
	struct runner r = {.flow = f, .conf = conf, .wake_fd = wake_fd, .automated = automated};

	if (flow_hsm(f) == NULL) {
		tidy_run(&r);
		return;
	}
	take_back(&r);
	while (!dispatcher_stop) {
		reopen_if_told(&r);
		children_tend(automated);
		take_woken(&r);
		if (clock_monotonic_ms() >= r.look_at && may_take(&r))
			look(&r);
		if (clock_monotonic_ms() >= r.cleanup_at)
			clean_up(&r);
		if (hsm_in_flight(flow_hsm(f)) == 0)
			flow_idle(f);
		/* a full house must not spin on a socket that stays readable */
		wait_for_answers(&r, may_take(&r) ? wake_fd : -1, wait_ms(&r));
	}
	drain(&r);
}
