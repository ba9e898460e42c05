/*
 * The database: MariaDB 10.6 or later through Connector/C, whose only home this is. Every statement
 * is a row of stmt.h (name, programs that run it, text), prepared once per connection at first use.
 */
#ifndef TSB_STORE_STORE_H
#define TSB_STORE_STORE_H

#include "lib/base/arena.h"
#include "lib/base/conf.h"
#include "lib/base/err.h"
#include "lib/model/model.h"

enum store_login { LOGIN_API = 1, LOGIN_DISPATCHER = 2, LOGIN_ADMIN = 4 };

struct store_conf {
	bool disabled; /* no database: every call fails with TSB_E_CONNECTIVITY */
	struct conf_list hosts; /* in this order, as store_hosts_check() has them; none = socket */
	const char *socket;
	long port; /* of hosts that name none */
	const char *name; /* of the database */
	const char *user, *password;
	const char *tls_ca; /* NULL = no TLS demanded */
	long timeout; /* seconds: connect, read, write */
};

#define STORE_HOSTS 8
/* At most STORE_HOSTS of "name[:port]", "[address][:port]", "/socket". TSB_E_CONFIG_NOT_VALID. */
int store_hosts_check(const struct conf_list *hosts, struct tsb_err *) TSB_MUSTCHECK;

struct store; /* one connection, reconnected when lost */
struct store_tx; /* an open transaction */

/*
 * Connects at first use: to the first host, to the next one when that cannot be reached, and to a
 * read-only one if there is no other. Checks once per connection that the schema has the version
 * that this build knows (TSB_E_DATA_CONSTELLATION says what to do). On a node of a Galera cluster
 * every transaction waits until the node has what others had committed (wsrep_sync_wait). Running
 * out of memory is fatal; never returns NULL.
 */
struct store *store_new(const struct store_conf *conf, enum store_login login);
void store_free(struct store **s);
/*
 * The number of the connection, from 1: what one server had another may lack, after a fail-over or
 * when it comes back from a backup.
 */
uint64_t store_connection(const struct store *);
/*
 * From now on a read does not end its transaction on the server, which would be one round trip of
 * three: the next transaction goes on with it, and sees what is committed then (READ COMMITTED).
 * The caller promises store_idle() before it waits for work; until then a tenth of a second is the
 * most, because a table that somebody reads cannot be changed. Not on a cluster, where the
 * beginning of a transaction is what waits for the others.
 *
 * store_idle() does what can wait, too: it goes back to the first host, if that was lost and is
 * well again, and on a cluster it writes when tasks were fetched.
 */
void store_linger(struct store *);
void store_idle(struct store *);
bool store_lingers(const struct store *); /* store_idle() has something to do */
/* Connects now if it is not; for start-up and health checks. */
int store_ping(struct store *s, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- transactions ---- */

/*
 * Runs body in one transaction and commits. Repeats it as a whole on 1020, 1205, 1213 (bounded,
 * with jitter), when the connection is lost before COMMIT was sent, and twice on a new connection
 * when the server has become read-only. If the connection is lost during COMMIT, or COMMIT ends
 * with 1180 or 1969, the audit row tells whether the transaction was committed. body returns 0 to
 * commit, -1 to roll back and fail with err; it may be called again and must then reset what it
 * filled. name is for the log and the fault points. Errors of the database are TSB_E_SUBSYSTEM; a
 * database that cannot be reached is TSB_E_CONNECTIVITY.
 */
typedef int store_body(struct store_tx *tx, void *ctx, struct tsb_err *err);
int store_transact(struct store *s, const char *name, store_body *body, void *ctx,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * For a body whose guarded UPDATE found the row changed since it was read: returns -1, and the body
 * runs again, as for a conflict that the database itself has noticed.
 */
int store_run_again(struct store_tx *, struct tsb_err *);
/* Whether the database refused a statement: whatever body returns, nothing is committed. */
bool store_has_failed(const struct store_tx *);
/* The same for reading only: no audit row is needed, lost connections are always retried. */
int store_read(struct store *s, const char *name, store_body *body, void *ctx, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- audit (audit.c) ---- */

struct store_audit {
	const struct tsb_uuid *request_id; /* NULL = none */
	const char *action; /* "create", "approve", "execute" ... */
	const char *actor; /* role, approver id in hex, dispatcher name */
	const char *from, *to; /* states, NULL = none */
	const char *detail; /* digests and numbers, never contents; of a rejection its reason */
	const char *key_name; /* what the row is about, when no request tells it; NULL = none */
};
/*
 * Who calls, for all audit rows from now on: what it proved, and its address (copied; NULL = the
 * program itself acts). When, and under which login, the database says itself.
 */
void store_caller(struct store *, const char *caller, const char *address);
/* The first call in a transaction writes the row by which a lost COMMIT is recognised. */
int store_audit_insert(struct store_tx *, const struct store_audit *, struct tsb_err *)
    TSB_MUSTCHECK;
int store_audits_insert(struct store_tx *, const struct store_audit *rows, size_t n,
    struct tsb_err *) TSB_MUSTCHECK;

/* ---- requests (request.c) ---- */

int store_request_insert(struct store_tx *, const struct tsb_request *, struct tsb_err *)
    TSB_MUSTCHECK;
/* TSB_E_REQUEST_NOT_EXISTENT. for_update locks the row (one node; correctness comes from move). */
int store_request_load(struct store_tx *, const struct tsb_uuid *id, bool for_update,
    struct arena *, struct tsb_request *out, struct tsb_err *) TSB_MUSTCHECK;

/* The most requests of one store_requests_claim_load(). */
#define STORE_BATCH 32
struct store_claim {
	const struct tsb_uuid *id;
	struct arena *arena; /* what is loaded goes here */
	struct tsb_request *rq;
	bool found;
	struct tsb_approval *approvals; /* in order of arrival */
	size_t napprovals;
};
/* n requests, locked, and their approvals, in two round trips. found false: there is none. */
int store_requests_claim_load(struct store_tx *, struct store_claim *rows, size_t n,
    struct tsb_err *) TSB_MUSTCHECK;

/* The request of a task, locked. TSB_E_TASK_NOT_EXISTENT. */
int store_request_lock_of_task(struct store_tx *, const struct tsb_uuid *task_id, struct arena *,
    struct tsb_request *out, struct tsb_err *) TSB_MUSTCHECK;

/* What a move sets besides the state. */
struct store_change {
	enum tsb_state to;
	int64_t due_ms;
	int64_t expires_ms;
	struct tsb_view result; /* EXECUTED */
	const char *reason; /* FAILED */
	int64_t execution_ms;
	const char *owner; /* the claim after the move; NULL = free */
	int64_t lease_ms;
	bool count_attempt; /* attempt + 1 */
	bool uncount_attempt; /* attempt - 1: the failure says nothing about the request */
	bool new_fence; /* fence + 1 */
	const unsigned char *planned; /* plan_digest; NULL: it stays, planned_ms too */
	int64_t planned_ms;
	struct tsb_view
	    outcome; /* SHA-256 of the result that was carried back; terminal states only */
};
/*
 * The only way a request changes its state or its claim: an UPDATE guarded by id, state, version
 * and fence of *rq that must affect one row and adds one to version. A terminal state erases
 * password_box and deletes the tasks. On 0 *rq shows the new row. *moved false: somebody else was
 * faster, nothing changed.
 */
int store_request_move(struct store_tx *, struct tsb_request *rq, const struct store_change *,
    bool *moved, struct tsb_err *) TSB_MUSTCHECK;
struct store_move {
	struct tsb_request *rq;
	struct store_change to;
};
/*
 * The same of several requests, in as many round trips as one takes. *moved false: of at least one
 * somebody else was faster, and which is not known: the caller rolls back.
 */
int store_requests_move(struct store_tx *, struct store_move *moves, size_t n, bool *moved,
    struct tsb_err *) TSB_MUSTCHECK;
/* fetchOnce: erases the result, guarded like a move. */
int store_request_erase_result(struct store_tx *, struct tsb_request *rq, bool *erased,
    struct tsb_err *) TSB_MUSTCHECK;

/* Ids of APPROVED requests due at now_ms that are free or whose lease is over, oldest first; locked
 * with SKIP LOCKED when for_update. */
int store_requests_due(struct store_tx *, int64_t now_ms, size_t limit, bool for_update,
    struct arena *, struct tsb_uuid **ids, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/* Ids of APPROVED requests that this owner has claimed, oldest first. */
int store_requests_owned(struct store_tx *, const char *owner, size_t limit, struct arena *,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/* Ids of open, free requests with expires_ms <= now_ms. */
int store_requests_late(struct store_tx *, int64_t now_ms, size_t limit, struct arena *,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/* Ids of at most limit open requests on a key or its derived keys (name/...), oldest first. */
int store_requests_of_key(struct store_tx *, const char *key_name, size_t limit, struct arena *,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Ids and states of at most limit requests whose approval token has this SHA-256: those that are
 * PENDING first, then those whose outcome was carried back, newest first.
 */
int store_requests_by_token(struct store_tx *, const unsigned char sha256[TSB_SHA256], size_t limit,
    struct arena *, struct tsb_request_row **rows, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/*
 * The newest other request on the same key with the same approval token; *found false: none. Knows
 * requests that were inserted with by_token, as store_requests_by_token() does.
 */
int store_request_twin(struct store_tx *, const struct tsb_request *, struct tsb_uuid *id,
    bool *found, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Ids and states by state (bit mask, 0 = all), newest first (docs/openapi.yaml RequestFilter): at
 * most limit of them, behind the first offset ones.
 */
int store_requests_list(struct store_tx *, unsigned states, const char *key_name /* NULL = all */,
    long offset, long limit, struct arena *, struct tsb_request_row **rows, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;
/* A place in the list of all requests, newest first. */
struct store_place {
	int64_t created_ms;
	struct tsb_uuid id;
};
/* The place in front of all. */
void store_place_first(struct store_place *);
/* The place of this request. TSB_E_REQUEST_NOT_EXISTENT. */
int store_place_of(struct store_tx *, const struct tsb_uuid *id, struct store_place *out,
    struct tsb_err *) TSB_MUSTCHECK;
/*
 * At most limit requests that fit the filter (of which after and limit are for the caller), from
 * *place on, which moves behind the last one. Contents, results and secrets are left out.
 */
int store_requests_page(struct store_tx *, const struct tsb_request_filter *,
    struct store_place *place, size_t limit, struct arena *, struct tsb_request **rows, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;
/* When the next APPROVED request becomes due or an open one expires; 0 = none. */
int store_requests_next_time(struct store_tx *, int64_t *at_ms, struct tsb_err *) TSB_MUSTCHECK;
/* Deletes terminal requests last changed before before_ms with all that belongs to them. */
int store_requests_purge(struct store_tx *, int64_t before_ms, size_t limit, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;

/* ---- tasks (task.c) ---- */

/* Tasks of one request, which is of this kind. */
int store_tasks_insert(struct store_tx *, enum tsb_kind, const struct tsb_task *tasks, size_t n,
    struct tsb_err *) TSB_MUSTCHECK;
/*
 * The task and, as store_votes_load() has them, the answers to its request, with room for one more.
 * TSB_E_TASK_NOT_EXISTENT.
 */
int store_task_votes(struct store_tx *, const struct tsb_uuid *id, struct arena *,
    struct tsb_task *out, struct tsb_approval **rows, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/* Of one request, in no order. */
int store_tasks_load(struct store_tx *, const struct tsb_uuid *request_id, struct arena *,
    struct tsb_task **tasks, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/* *gone false: it was no longer there. */
int store_task_delete(struct store_tx *, const struct tsb_uuid *id, bool *gone, struct tsb_err *)
    TSB_MUSTCHECK;
/*
 * Tasks in one answer that asks for no pages: the oldest; the next ones follow when these are done.
 */
#define STORE_TASKS_MAX 10000
/*
 * Open tasks (request PENDING or APPROVED, unclaimed, not overdue at now_ms) of one approver, or of
 * all when approver_id is NULL, by the filter's kind, ids, paging and order (ties by id); joined
 * with their requests; with key attributes when level >= 5.
 */
int store_tasks_list(struct store_tx *, const unsigned char *approver_id,
    const struct tsb_task_filter *, int64_t now_ms, struct arena *, struct tsb_task_view **tasks,
    size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Ids of at most limit tasks of one approver as store_tasks_list() has them, those first that were
 * fetched longest ago.
 */
int store_tasks_waiting(struct store_tx *, const unsigned char approver_id[TSB_SHA256],
    int64_t now_ms, size_t limit, struct arena *, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;
/*
 * Sets the last-fetched time, unless it is of this second; its own short transaction, which on a
 * cluster waits for store_idle().
 */
int store_tasks_touch(struct store *, const struct tsb_task_view *tasks, size_t n, int64_t now_ms,
    struct tsb_err *) TSB_MUSTCHECK;

/* ---- approvals (approval.c) ---- */

/* *fresh false: this approver has answered this request before, nothing changed. */
int store_approval_insert(struct store_tx *, const struct tsb_approval *, bool *fresh,
    struct tsb_err *) TSB_MUSTCHECK;
/* In order of arrival. */
int store_approvals_load(struct store_tx *, const struct tsb_uuid *request_id, struct arena *,
    struct tsb_approval **rows, size_t *n, struct tsb_err *) TSB_MUSTCHECK;
/* The same with signed_approval empty: for who only wants to know who answered. */
int store_votes_load(struct store_tx *, const struct tsb_uuid *request_id, struct arena *,
    struct tsb_approval **rows, size_t *n, struct tsb_err *) TSB_MUSTCHECK;

/* A request and its votes as these two load them, if it is not long with one statement. */
int store_request_view(struct store_tx *, const struct tsb_uuid *id, struct arena *,
    struct tsb_request *out, struct tsb_approval **rows, size_t *n, struct tsb_err *) TSB_MUSTCHECK;

/* Ids of open requests that this approver has approved, in the order in which it did. */
int store_requests_approved_by(struct store_tx *, const unsigned char approver_id[TSB_SHA256],
    long offset, long limit, struct arena *, struct tsb_uuid **ids, size_t *n, struct tsb_err *)
    TSB_MUSTCHECK;

/* ---- key attributes (key.c) ---- */

int store_key_attributes_insert(struct store_tx *, const struct tsb_key_attributes *,
    struct tsb_err *) TSB_MUSTCHECK; /* the same digest again only renews fetched_ms */
/* *found false when unknown. */
int store_key_attributes_load(struct store_tx *, const unsigned char digest[TSB_SHA256],
    struct arena *, struct tsb_key_attributes *out, bool *found, struct tsb_err *) TSB_MUSTCHECK;

/* ---- keys known by imported attributes (imported.c) ---- */

/*
 * *found false when never imported. for_update locks the row (correctness comes from the guards).
 */
int store_imported_find(struct store_tx *, const char *key_name, bool for_update, struct arena *,
    struct tsb_imported_key *out, bool *found, struct tsb_err *) TSB_MUSTCHECK;
/* *fresh false: the key is there already, nothing changed. */
int store_imported_insert(struct store_tx *, const struct tsb_imported_key *, bool *fresh,
    struct tsb_err *) TSB_MUSTCHECK;
/* Replaces the row whose digest is before, if row is newer. *renewed false: it was not. */
int store_imported_renew(struct store_tx *, const struct tsb_imported_key *row,
    const unsigned char before[TSB_SHA256], bool *renewed, struct tsb_err *) TSB_MUSTCHECK;
/* Sets the certificate (empty: none) if attributes and certificate are still those of row. */
int store_imported_certify(struct store_tx *, const struct tsb_imported_key *row,
    struct tsb_view certificate, bool *changed, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Erases attributes and certificate if the attributes are still those of row. Keeps their time:
 * attributes that are imported later must be newer.
 */
int store_imported_forget(struct store_tx *, const struct tsb_imported_key *row, bool *changed,
    struct tsb_err *) TSB_MUSTCHECK;
/* Names in order, without those that are forgotten. */
int store_imported_list(struct store_tx *, struct arena *, const char ***names, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;

/* ---- approvers (approver.c) ---- */

/* TSB_E_APPROVER_EXISTS. */
int store_approver_insert(struct store_tx *, const struct tsb_approver *, struct tsb_err *)
    TSB_MUSTCHECK;
/* *found false when unknown. for_update locks the row (correctness comes from the version). */
int store_approver_find(struct store_tx *, const char *name, bool for_update, struct arena *,
    struct tsb_approver *out, bool *found, struct tsb_err *) TSB_MUSTCHECK;
/* TSB_E_APPROVER_UNKNOWN. */
int store_approver_load(struct store_tx *, const char *name, bool for_update, struct arena *,
    struct tsb_approver *out, struct tsb_err *) TSB_MUSTCHECK;
/* Names, states and certificates, by name. */
int store_approvers_list(struct store_tx *, struct arena *, struct tsb_approver **rows, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;
/*
 * Writes *row if the version is still row->version, and adds one to it.
 * TSB_E_SUBSYSTEM when somebody else was faster: nothing changed.
 */
int store_approver_change(struct store_tx *, struct tsb_approver *row, struct tsb_err *)
    TSB_MUSTCHECK;
/* The same guard. */
int store_approver_delete(struct store_tx *, const struct tsb_approver *row, struct tsb_err *)
    TSB_MUSTCHECK;

/* ---- backup keys of approvers (backupkey.c) ---- */

/* *made: this broker made the key. NULL instead of the digest: it was about to make it. */
int store_backup_key_find(struct store_tx *, const char *label,
    const unsigned char spki_sha256[TSB_SHA256], bool *made, struct tsb_err *) TSB_MUSTCHECK;
/* Before the HSM is asked for the key; again is no error. */
int store_backup_key_intend(struct store_tx *, const char *label, int64_t now_ms, struct tsb_err *)
    TSB_MUSTCHECK;
/* It was made: takes the place of the intent; again is no error. */
int store_backup_key_made(struct store_tx *, const char *label,
    const unsigned char spki_sha256[TSB_SHA256], int64_t now_ms, struct tsb_err *) TSB_MUSTCHECK;

/* ---- schema (schema.c), login ADMIN ---- */

int store_schema_version(struct store *, long *have, long *want, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Applies the files NNN_*.sql of dir above the present version, each with a line on stdout, then
 * guards.sql and grants_*.sql with @API_USER@ and @DISPATCHER_USER@ replaced. Users are "name" (at
 * any host) or "name@host" and must exist; NULL or empty leaves that file out.
 */
int store_schema_upgrade(struct store *, const char *dir, const char *api_user,
    const char *dispatcher_user, struct tsb_err *) TSB_MUSTCHECK;

#endif
