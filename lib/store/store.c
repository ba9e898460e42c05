#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/hook.h"
#include "lib/base/log.h"
#include "lib/store/internal.h"

/*
 * Runs of one transaction. A run ends in one of these ways; only the last needs thought:
 *
 * The answer to COMMIT was lost. The transaction may have been committed, may have been rolled
 * back, or may still be on its way in a server that has not noticed yet. All runs of one
 * store_transact use the same id for their first audit row (the mark), and the next run begins by
 * looking for it with a locking read. Found: the lost COMMIT was carried out. Not found: on one
 * server the locking read has waited for whoever held the row, so that the lost run is gone for
 * good; on a cluster of several writers a late arrival and the new run insert the same primary
 * key, so that only one can be committed, and the mark is looked for again when the new run comes
 * to nothing. The row also has the number of the run, as only the last run's results are still at
 * hand.
 *
 * A transaction that wrote no audit row runs again when all its statements are guarded (stmt.h),
 * and fails as "outcome not known" otherwise.
 */
enum run {
	RUN_DONE,
	RUN_FAILED, /* err tells */
	RUN_CONFLICT, /* rolled back, may run again */
	RUN_LOST, /* connection gone before COMMIT was sent: the server rolls back */
	RUN_DOUBT /* connection gone at COMMIT */
};

#define CONFLICTS_MAX 10
#define READ_ONLY_MAX 2
#define LINGER_MS     100

static const struct {
	unsigned number;
	const char *text;
} hints[] = {
    {1021, "the disk is full"},
    {1114, "the table is full"},
    {1044, "the login lacks a right: run tsb-admin schema upgrade"},
    {1142, "the login lacks a right: run tsb-admin schema upgrade"},
    {1143, "the login lacks a right: run tsb-admin schema upgrade"},
    {1146, "a table is missing: run tsb-admin schema upgrade"},
    {1227,
	"the admin login lacks a right: the triggers of guards.sql need TRIGGER, and SUPER with "
	"a binary log unless log_bin_trust_function_creators is set"},
    {1419,
	"with a binary log the admin login needs SUPER, or the server "
	"log_bin_trust_function_creators"},
    {1449, "the login that ran the last tsb-admin schema upgrade is gone: run it again"},
    {1644, "a guard of the schema forbids it"},
    {1153, "the statement is larger than max_allowed_packet"},
    {1969, "it took too long: ask for less at a time"},
    {1290, "the server is read-only"},
    {1792, "the server is read-only"},
    {1836, "the server is read-only"},
    {1406, "a value is longer than its column"},
};

int
tx_fail(struct store_tx *tx, const char *what, unsigned number, const char *text,
    struct tsb_err *err)
{
	const char *hint = NULL;

	if (tx->number == 0)
		tx->number = number;
	log_warn("database transaction=%s statement=%s number=%u text=\"%s\"", tx->name, what,
	    number, text);
	if (conn_class(number) == DB_LOST)
		return tsb_fail(err, TSB_E_CONNECTIVITY,
		    "the connection to the database was lost (error %u)", number);
	for (size_t i = 0; i < TSB_COUNT(hints); i++)
		if (hints[i].number == number)
			hint = hints[i].text;
	return tsb_fail(err, TSB_E_SUBSYSTEM, "the database refused %s of %s (error %u%s%s)", what,
	    tx->name, number, hint == NULL ? "" : ": ", hint == NULL ? "" : hint);
}

/* A node that is outside the quorum says so as well; another one may have the row, or serve us. */
static bool
is_left_alone(const struct store_tx *tx)
{
	return tx->number == ER_LOCK_WAIT_TIMEOUT && tx->store->clustered;
}

/*
 * A connection that cannot roll back is of no use any more; closing it rolls back. Nor is one to a
 * server that has become read-only: behind a proxy or a moving address the next one goes to
 * another.
 */
static void
tx_rollback(struct store_tx *tx)
{
	enum db_class class = conn_class(tx->number);

	tx->store->reading_since = 0;
	if (tx->store->conn != NULL &&
	    (class == DB_LOST || class == DB_READ_ONLY || is_left_alone(tx) ||
		mysql_rollback(tx->store->conn) != 0))
		conn_leave(tx->store, tx->number);
}

/* ---- reads that follow each other ---- */

void
store_linger(struct store *s)
{
	s->lingers = true;
}

bool
store_lingers(const struct store *s)
{
	return s->reading_since != 0 || store_has_touches(s) || hosts_home_due(&s->hosts);
}

void
store_idle(struct store *s)
{
	struct store_tx tx = {.store = s};

	if (s->reading_since != 0)
		tx_rollback(&tx);
	store_touches_write(s);
	if (hosts_home_due(&s->hosts))
		conn_go_home(s);
}

static void
tx_end_read(struct store_tx *tx)
{
	struct store *s = tx->store;
	int64_t now = clock_monotonic_ms();

	bool lingers = s->lingers && !s->clustered;

	if (lingers && s->reading_since == 0)
		s->reading_since = now;
	if (!lingers || now - s->reading_since >= LINGER_MS)
		tx_rollback(tx);
}

#ifdef TSB_TEST_HOOKS
static unsigned
commit_fault(const struct store_tx *tx, const char *when)
{
	char point[128];

	snprintf(point, sizeof(point), "store.%s.COMMIT.%s", tx->name, when);
	return (unsigned)hook_fault(point);
}
#else
#define commit_fault(tx, when) 0u
#endif

/* 0, or the number of the error. */
static unsigned
tx_commit_now(struct store_tx *tx)
{
	MYSQL *conn = tx->store->conn;
	unsigned fault = commit_fault(tx, "before");

	if (fault != 0 && conn_class(fault) != DB_LOST) {
		mysql_rollback(conn);
		return fault;
	}
	if (fault != 0)
		conn_break(tx->store);
	if (mysql_commit(conn) != 0)
		return mysql_errno(conn) != 0 ? mysql_errno(conn) : CR_SERVER_LOST;
	if (commit_fault(tx, "after") != 0) {
		conn_break(tx->store);
		return CR_SERVER_LOST;
	}
	return 0;
}

static enum run
tx_commit(struct store_tx *tx, struct tsb_err *err)
{
	unsigned number = tx_commit_now(tx);

	if (number == 0) {
		tx->store->reading_since = 0;
		return RUN_DONE;
	}
	(void)!tx_fail(tx, "COMMIT", number, "", err);
	tx_rollback(tx);
	switch (conn_class(number)) {
	case DB_REFUSED:
		return RUN_FAILED;
	case DB_CONFLICT:
		return RUN_CONFLICT;
	case DB_UNSURE:
	case DB_READ_ONLY:
	case DB_LOST:
		break;
	}
	if (!tx->marked && !tx->once)
		return RUN_LOST;
	if (tx->marked)
		return RUN_DOUBT;
	(void)!tsb_fail(err, TSB_E_CONNECTIVITY,
	    "the database was lost at the end of %s, whether it took place is not known: read again",
	    tx->name);
	err->unsure = true;
	return RUN_FAILED;
}

static int
tx_give_up(struct store_tx *tx, unsigned conflicts, struct tsb_err *err)
{
	if (tx->doubt) {
		(void)!tsb_fail(err, TSB_E_CONNECTIVITY,
		    "the database was lost at the end of %s and does not come back, whether it took "
		    "place is not known: read again",
		    tx->name);
		err->unsure = true;
		return -1;
	}
	if (conflicts != 0)
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "%s was in conflict with others %u times (database error %u)", tx->name,
		    conflicts, tx->number);
	return tsb_fail(err, TSB_E_CONNECTIVITY,
	    "the database is unreachable, %s did not take place", tx->name);
}

/* How a run ends whose statements failed. */
static enum run
tx_broken(struct store_tx *tx)
{
	enum db_class class = is_left_alone(tx) ? DB_LOST : conn_class(tx->number);

	tx_rollback(tx);
	if (class == DB_READ_ONLY && tx->read_only++ < READ_ONLY_MAX)
		return RUN_LOST;
	return class == DB_LOST ? RUN_LOST : class == DB_CONFLICT ? RUN_CONFLICT : RUN_FAILED;
}

/*
 * Looks for the mark in a transaction of its own: the number of the run that was committed, or 0.
 */
static enum run
tx_landed(struct store_tx *tx, int64_t *run, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(&tx->mark);
	struct stmt_cursor c = {0};
	bool found = false;

	tx->number = 0;
	if (stmt_query(tx, STMT_AUDIT_FIND, &arg, 1, &c, err) || stmt_next(&c, &found, err)) {
		stmt_close(&c);
		return tx_broken(tx);
	}
	*run = found ? stmt_take_i64(&c) : 0;
	stmt_close(&c);
	tx_rollback(tx);
	return RUN_DONE;
}

/*
 * After a COMMIT without answer: RUN_CONFLICT = it was not carried out, the body may run again.
 * What the body filled belongs to its last run; if an earlier one was committed, nobody can tell
 * what that one filled.
 */
static enum run
tx_settle(struct store_tx *tx, struct tsb_err *err)
{
	int64_t run = 0;
	enum run r = tx_landed(tx, &run, err);

	if (r == RUN_FAILED)
		(void)!tx_give_up(tx, 0, err);
	if (r != RUN_DONE)
		return r == RUN_CONFLICT ? RUN_LOST : r;
	if (run == 0)
		return RUN_CONFLICT;
	log_info("database transaction=%s had been committed", tx->name);
	if (run == tx->run)
		return RUN_DONE;
	(void)!tsb_fail(err, TSB_E_CONNECTIVITY,
	    "%s took place, but its outcome was lost with the database: read again", tx->name);
	err->unsure = true;
	return RUN_FAILED;
}

/* The body once, from its first statement to COMMIT or ROLLBACK. */
static enum run
tx_run(struct store_tx *tx, store_body *body, void *ctx, struct tsb_err *err)
{
	int r;

	tx->number = 0;
	tx->once = tx->marked = false;
	tx->run++;
	r = body(tx, ctx, err);
	if (tx->number != 0)
		return tx_broken(tx);
	if (r != 0) {
		tx_rollback(tx);
		return RUN_FAILED;
	}
	if (!tx->reading)
		return tx_commit(tx, err);
	tx_end_read(tx);
	return RUN_DONE;
}

/*
 * One round: settle what an earlier one left open, run, and look again when that came to nothing.
 */
static enum run
tx_round(struct store_tx *tx, store_body *body, void *ctx, struct tsb_err *err)
{
	struct tsb_err later = {0};
	enum run r;

	if (!tx->doubt)
		return tx_run(tx, body, ctx, err);
	r = tx_settle(tx, err);
	if (r != RUN_CONFLICT)
		return r;
	r = tx_run(tx, body, ctx, err);
	if ((r != RUN_DONE && r != RUN_FAILED) || tx->marked || tx->store->conn == NULL)
		return r;
	switch (tx_settle(tx, &later)) {
	case RUN_CONFLICT:
		return r;
	case RUN_FAILED:
		*err = later;
		return RUN_FAILED;
	case RUN_DONE:
	case RUN_LOST:
	case RUN_DOUBT:
		break;
	}
	return RUN_LOST;
}

/*
 * A server that took all the time there is for a read would take it again; another one may not.
 * What may have been written is looked for at least twice.
 */
static bool
is_enough(const struct store_tx *tx, unsigned losses, int64_t until)
{
	bool elsewhere = losses == 0 && tx->store->hosts.n > 1;

	return ((tx->reading && !elsewhere) || losses > 1) && clock_monotonic_ms() >= until;
}

/*
 * A server that is away is waited for only when it was lost in the middle: whoever comes first to a
 * dead server learns it at once.
 */
static int
tx_rounds(struct store_tx *tx, store_body *body, void *ctx, struct tsb_err *err)
{
	int64_t start = clock_monotonic_ms(), until = start + (int64_t)tx->store->timeout * 1000;
	unsigned conflicts = 0, losses = 0;

	for (;;) {
		enum run r;

		*err = (struct tsb_err){0};
		if (conn_ready(tx->store, losses == 0 ? start + 100 : until, err)) {
			if (tx->doubt)
				return tx_give_up(tx, 0, err);
			return -1;
		}
		r = tx_round(tx, body, ctx, err);
		if (r == RUN_DONE || r == RUN_FAILED)
			return r == RUN_DONE ? 0 : -1;
		if (r == RUN_DOUBT)
			tx->doubt = true;
		if (r == RUN_CONFLICT && ++conflicts >= CONFLICTS_MAX)
			return tx_give_up(tx, conflicts, err);
		if (r != RUN_CONFLICT && is_enough(tx, losses++, until))
			return tx_give_up(tx, 0, err);
		conn_pause(r == RUN_CONFLICT ? conflicts : losses);
	}
}

static int
tx_outermost(struct store_tx *tx, store_body *body, void *ctx, struct tsb_err *err)
{
	struct store *s = tx->store;
	int r;

	if (s->busy)
		fatal("transaction %s inside another one", tx->name);
	s->busy = true;
	r = tx_rounds(tx, body, ctx, err);
	s->busy = false;
	return r;
}

int
store_run_again(struct store_tx *tx, struct tsb_err *err)
{
	return tx_fail(tx, "a guard", ER_CHECKREAD, "the row has changed since it was read", err);
}

bool
store_has_failed(const struct store_tx *tx)
{
	return tx->number != 0;
}

int
store_transact(struct store *s, const char *name, store_body *body, void *ctx, struct tsb_err *err)
{
	struct store_tx tx = {.store = s, .name = name, .mark = uuid_new()};

	return tx_outermost(&tx, body, ctx, err);
}

int
store_read(struct store *s, const char *name, store_body *body, void *ctx, struct tsb_err *err)
{
	struct store_tx tx = {.store = s, .name = name, .reading = true};

	return tx_outermost(&tx, body, ctx, err);
}
