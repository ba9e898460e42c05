/* What the files of lib/store share; nobody else includes it. */
#ifndef TSB_STORE_INTERNAL_H
#define TSB_STORE_INTERNAL_H

#include <stdint.h>
#include <stdio.h>

#include <mysql.h>
#include <mysqld_error.h>
#include <errmsg.h>

#include "lib/store/store.h"

/* The highest file of schema/ this build knows. */
#define STORE_SCHEMA_VERSION 8

/* ---- statements (stmt.c) ---- */

enum stmt_id {
#define STMT(name, programs, effect, text) STMT_##name,
#include "lib/store/stmt.h"
#undef STMT
	STMT__MAX
};

enum stmt_effect { EFFECT_READ, EFFECT_AGAIN, EFFECT_ONCE };

struct stmt_row {
	const char *name;
	const char *point; /* of fault injection */
	unsigned programs; /* LOGIN_* */
	enum stmt_effect effect;
	const char *text;
};
extern const struct stmt_row stmt_rows[STMT__MAX];

struct stmt_cell {
	unsigned long length;
	my_bool null;
	long long number;
};

/* A statement the present connection has prepared. */
struct stmt {
	MYSQL_STMT *handle; /* NULL = not yet */
	unsigned columns;
	MYSQL_BIND *out;
	struct stmt_cell *cells;
};

struct stmt_arg {
	enum enum_field_types type; /* MYSQL_TYPE_NULL, _LONGLONG, _STRING or _BLOB */
	long long number;
	struct tsb_view bytes;
};

/* NULL and the text NULL are different things only for text; bytes are never NULL here. */
struct stmt_arg stmt_null(void);
struct stmt_arg stmt_i64(int64_t v);
struct stmt_arg stmt_u64(uint64_t v);
struct stmt_arg stmt_id(const struct tsb_uuid *id); /* NULL gives NULL */
struct stmt_arg stmt_bytes(const void *p, size_t n);
struct stmt_arg stmt_view(struct tsb_view v);
struct stmt_arg stmt_text(const char *s); /* NULL gives NULL */

/*
 * Runs a statement without rows. affected may be NULL. 1: refused with tx->allow, nothing changed.
 */
int stmt_run(struct store_tx *, enum stmt_id, const struct stmt_arg *args, size_t n,
    uint64_t *affected, struct tsb_err *) TSB_MUSTCHECK;
/* The same once for each of rows x columns cells, in one round trip. */
int stmt_bulk(struct store_tx *, enum stmt_id, const struct stmt_arg *cells, size_t rows,
    size_t columns, uint64_t *affected, struct tsb_err *) TSB_MUSTCHECK;

/* The same as stmt_bulk(), in several round trips where one would be too long. */
int stmt_each(struct store_tx *, enum stmt_id, const struct stmt_arg *cells, size_t rows,
    size_t columns, uint64_t *affected, struct tsb_err *) TSB_MUSTCHECK;

/* The rows of a query, buffered; fields are taken in the order of the statement's text. */
struct stmt_cursor {
	struct store_tx *tx;
	enum stmt_id id;
	struct stmt *stmt; /* NULL = nothing to close */
	unsigned column;
};
#define stmt_cursor_auto struct stmt_cursor __attribute__((cleanup(stmt_close)))

int stmt_query(struct store_tx *, enum stmt_id, const struct stmt_arg *args, size_t n,
    struct stmt_cursor *, struct tsb_err *) TSB_MUSTCHECK;
int stmt_next(struct stmt_cursor *, bool *row, struct tsb_err *) TSB_MUSTCHECK;
void stmt_close(struct stmt_cursor *);
size_t stmt_count(const struct stmt_cursor *); /* rows of the result */
int64_t stmt_take_i64(struct stmt_cursor *); /* NULL is 0 */
uint64_t stmt_take_u64(struct stmt_cursor *);
struct tsb_view stmt_take_view(struct stmt_cursor *, struct arena *); /* NULL is empty */
char *stmt_take_text(struct stmt_cursor *, struct arena *); /* NULL is NULL */
/* Exactly n bytes; false (nothing written) when NULL or of another length. */
bool stmt_take_bytes(struct stmt_cursor *, void *p, size_t n);
/* Passes over the columns before this one. */
void stmt_skip_to(struct stmt_cursor *, unsigned column);
/* All remaining rows of a query for one id column. */
int stmt_take_ids(struct stmt_cursor *, struct arena *, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;

/* TSB_E_TASK_NOT_EXISTENT (task.c). */
int store_task_none(const struct tsb_uuid *id, struct tsb_err *);

/* When tasks were fetched, to be written when there is time for it (task.c). */
bool store_has_touches(const struct store *);
void store_touches_write(struct store *);

/* Forgets what the connection had prepared. */
void stmt_forget(struct stmt *);

/* ---- connection (conn.c) ---- */

struct db_host {
	char *name; /* NULL = socket */
	unsigned port;
	char *socket; /* NULL = the connector's own */
};
struct db_hosts {
	struct db_host v[STORE_HOSTS];
	size_t n, at; /* at: of the connection, or the next to try; 0 is home */
	int64_t home_at; /* monotonic ms: home is tried again then */
	int64_t home_pause;
};

/* host.c. The settings were checked. */
void hosts_init(struct db_hosts *, const struct store_conf *);
void hosts_clear(struct db_hosts *);
void hosts_next(struct db_hosts *);
void hosts_connected(struct db_hosts *); /* to the one at at */
bool hosts_home_due(const struct db_hosts *);
const char *host_name(const struct db_host *); /* for the log */

struct store {
	struct db_hosts hosts;
	char *name, *user, *tls_ca;
	struct tsb_bytes password;
	unsigned timeout; /* seconds */
	enum store_login login;
	bool disabled;
	MYSQL *conn; /* NULL = not connected */
	uint64_t connections; /* so far */
	bool busy; /* a transaction is open */
	bool clustered; /* the server is a node of a Galera cluster */
	bool lingers; /* see store_linger() */
	int64_t
	    reading_since; /* monotonic ms: reads have left the connection in a transaction; 0 = not */
	struct tsb_uuid *touches; /* tasks that were fetched at touched_ms; not written yet */
	size_t ntouches;
	int64_t touched_ms;
	char *caller, *address; /* who calls, for the audit; NULL = this program acts */
	struct stmt stmts[STMT__MAX];
};

/* What a number of the server or of the connector means for the transaction. */
enum db_class {
	DB_REFUSED, /* final */
	DB_UNSURE, /* final; at COMMIT it may have taken place all the same */
	DB_CONFLICT, /* 1020, 1205, 1213 and statements to be prepared again: run it again */
	DB_READ_ONLY, /* this server takes no changes any more: the next connection may find one */
	DB_LOST /* connection or server gone */
};
enum db_class conn_class(unsigned number);

/* Connects and checks the schema if not connected; keeps trying until until_ms (monotonic). */
int conn_ready(struct store *, int64_t until_ms, struct tsb_err *) TSB_MUSTCHECK;
void conn_close(struct store *);
/* The same behind an error: the next connection is to another host, if there is one. */
void conn_leave(struct store *, unsigned number);
/* Goes to the first host if that is well again, and stays where it is if not. */
void conn_go_home(struct store *);
/* The version of the schema, 0 when there is none or none this login may read (schema.c). */
int schema_read(struct store_tx *, long *have, struct tsb_err *) TSB_MUSTCHECK;
/* Breaks the socket as a failing network would (fault injection). */
void conn_break(struct store *);
/* Sleeps a random while, the longer the more often it was called before. */
void conn_pause(unsigned tries);

/* ---- transactions (store.c) ---- */

struct store_tx {
	struct store *store;
	const char *name;
	bool reading; /* of store_read */
	unsigned allow; /* error number the caller of the next statement handles itself */
	unsigned number; /* first error of this run: nothing may be committed any more */
	bool once; /* a statement with EFFECT_ONCE ran */
	/* of the whole store_transact */
	struct tsb_uuid mark; /* id of the first audit row */
	unsigned run; /* how often the body was called */
	bool marked; /* the mark was written in this run */
	bool doubt; /* an earlier run may have been committed */
	unsigned read_only; /* runs that met a server which takes no changes */
};

/* Every error of the database passes here: notes its number, logs and raises it. */
int tx_fail(struct store_tx *, const char *what, unsigned number, const char *text,
    struct tsb_err *);

#endif
