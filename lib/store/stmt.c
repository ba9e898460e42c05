#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hook.h"
#include "lib/store/internal.h"

#define API        LOGIN_API
#define DISPATCHER LOGIN_DISPATCHER
#define ADMIN      LOGIN_ADMIN

const struct stmt_row stmt_rows[STMT__MAX] = {
#define STMT(name, programs, effect, text)                                                         \
	[STMT_##name] = {#name, "store." #name, programs, EFFECT_##effect, text},
#include "lib/store/stmt.h"
#undef STMT
};

/* More than any statement has: a page of requests of some states has the longest list. */
#define ARGS_MAX 48

/* ---- arguments ---- */

struct stmt_arg
stmt_null(void)
{
	return (struct stmt_arg){.type = MYSQL_TYPE_NULL};
}

struct stmt_arg
stmt_i64(int64_t v)
{
	return (struct stmt_arg){.type = MYSQL_TYPE_LONGLONG, .number = v};
}

/* Versions and fences stay far below 2^63. */
struct stmt_arg
stmt_u64(uint64_t v)
{
	return stmt_i64((int64_t)v);
}

struct stmt_arg
stmt_bytes(const void *p, size_t n)
{
	return (struct stmt_arg){.type = MYSQL_TYPE_BLOB, .bytes = tsb_view_of(p, n)};
}

struct stmt_arg
stmt_id(const struct tsb_uuid *id)
{
	return id == NULL ? stmt_null() : stmt_bytes(id->b, sizeof(id->b));
}

struct stmt_arg
stmt_view(struct tsb_view v)
{
	return stmt_bytes(v.p, v.n);
}

struct stmt_arg
stmt_text(const char *s)
{
	if (s == NULL)
		return stmt_null();
	return (struct stmt_arg){.type = MYSQL_TYPE_STRING, .bytes = tsb_view_str(s)};
}

/* ---- preparing ---- */

void
stmt_forget(struct stmt *st)
{
	if (st->handle != NULL)
		mysql_stmt_close(st->handle);
	free(st->out);
	free(st->cells);
	*st = (struct stmt){0};
}

static int
stmt_fail(struct store_tx *tx, enum stmt_id id, struct tsb_err *err)
{
	struct stmt *st = &tx->store->stmts[id];
	MYSQL *conn = tx->store->conn;
	unsigned number = st->handle == NULL ? 0 : mysql_stmt_errno(st->handle);
	char text[256];

	/* Errors while rows arrive are known to the connection only. */
	snprintf(text, sizeof(text), "%s",
	    number != 0 ? mysql_stmt_error(st->handle) : mysql_error(conn));
	if (number == 0)
		number = mysql_errno(conn);
	if (number == 0)
		number = CR_SERVER_LOST;
	if (tx->allow != 0 && number == tx->allow) {
		mysql_stmt_free_result(st->handle);
		return 1;
	}
	stmt_forget(st);
	return tx_fail(tx, stmt_rows[id].name, number, text, err);
}

/* Numbers arrive as 64 bits, everything else by its length first. */
static void
columns_bind(struct stmt *st, MYSQL_RES *meta)
{
	static char nothing[1];

	st->columns = mysql_num_fields(meta);
	st->out = calloc(st->columns, sizeof(*st->out));
	st->cells = calloc(st->columns, sizeof(*st->cells));
	if (st->out == NULL || st->cells == NULL)
		fatal("out of memory");
	for (unsigned i = 0; i < st->columns; i++) {
		MYSQL_BIND *b = &st->out[i];
		bool number = IS_NUM(mysql_fetch_field_direct(meta, i)->type);

		b->buffer_type = number ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_BLOB;
		b->buffer = number ? (void *)&st->cells[i].number : (void *)nothing;
		b->buffer_length = number ? sizeof(st->cells[i].number) : 0;
		b->length = &st->cells[i].length;
		b->is_null = &st->cells[i].null;
	}
}

static int
stmt_prepare(struct store_tx *tx, enum stmt_id id, struct tsb_err *err)
{
	struct stmt *st = &tx->store->stmts[id];
	const char *text = stmt_rows[id].text;
	MYSQL_RES *meta;

	if (st->handle != NULL)
		return 0;
	st->handle = mysql_stmt_init(tx->store->conn);
	if (st->handle == NULL)
		fatal("out of memory");
	if (mysql_stmt_prepare(st->handle, text, strlen(text)) != 0) {
		int r = stmt_fail(tx, id, err);

		stmt_forget(st);
		return r;
	}
	meta = mysql_stmt_result_metadata(st->handle);
	if (meta != NULL) {
		columns_bind(st, meta);
		mysql_free_result(meta);
	}
	return 0;
}

/* Simulates what the server or the network may answer; the connection really breaks. */
static int
stmt_fault(struct store_tx *tx, enum stmt_id id, struct tsb_err *err)
{
	unsigned number = (unsigned)hook_fault(stmt_rows[id].point);

	if (number == 0)
		return 0;
	if (conn_class(number) == DB_LOST) {
		conn_break(tx->store);
		return 0;
	}
	if (number == ER_LOCK_DEADLOCK)
		mysql_rollback(tx->store->conn);
	return tx_fail(tx, stmt_rows[id].name, number, "injected", err);
}

/* The first error decides: after it nothing of this transaction reaches the server. */
static int
stmt_begin(struct store_tx *tx, enum stmt_id id, struct tsb_err *err)
{
	const struct stmt_row *row = &stmt_rows[id];

	if ((row->programs & tx->store->login) == 0)
		fatal("statement %s does not belong to this program", row->name);
	if (tx->reading && row->effect != EFFECT_READ)
		fatal("statement %s in %s, which only reads", row->name, tx->name);
	if (tx->number != 0)
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the transaction has failed before (database error %u)", tx->number);
	if (stmt_fault(tx, id, err))
		return -1;
	return stmt_prepare(tx, id, err);
}

static void
stmt_ran(struct store_tx *tx, enum stmt_id id)
{
	if (stmt_rows[id].effect == EFFECT_ONCE)
		tx->once = true;
}

/* ---- running ---- */

static void
arg_bind(MYSQL_BIND *b, const struct stmt_arg *a, unsigned long *length)
{
	static char nothing[1];

	*b = (MYSQL_BIND){.buffer_type = a->type};
	if (a->type == MYSQL_TYPE_NULL)
		return;
	if (a->type == MYSQL_TYPE_LONGLONG) {
		b->buffer = (void *)(uintptr_t)&a->number;
		return;
	}
	*length = a->bytes.n;
	b->length = length;
	b->buffer = a->bytes.n == 0 ? (void *)nothing : (void *)(uintptr_t)a->bytes.p;
	b->buffer_length = a->bytes.n;
}

static int
stmt_execute(struct store_tx *tx, enum stmt_id id, const struct stmt_arg *args, size_t n,
    struct tsb_err *err)
{
	struct stmt *st = &tx->store->stmts[id];
	MYSQL_BIND in[ARGS_MAX];
	unsigned long lengths[ARGS_MAX];
	int r = stmt_begin(tx, id, err);

	if (r != 0)
		return r;
	if (n > ARGS_MAX || n != mysql_stmt_param_count(st->handle))
		fatal("statement %s takes %lu arguments, not %zu", stmt_rows[id].name,
		    mysql_stmt_param_count(st->handle), n);
	for (size_t i = 0; i < n; i++)
		arg_bind(&in[i], &args[i], &lengths[i]);
	if ((n != 0 && mysql_stmt_bind_param(st->handle, in)) || mysql_stmt_execute(st->handle))
		return stmt_fail(tx, id, err);
	stmt_ran(tx, id);
	return 0;
}

int
stmt_run(struct store_tx *tx, enum stmt_id id, const struct stmt_arg *args, size_t n,
    uint64_t *affected, struct tsb_err *err)
{
	int r = stmt_execute(tx, id, args, n, err);

	if (r == 0 && affected != NULL)
		*affected = mysql_stmt_affected_rows(tx->store->stmts[id].handle);
	return r;
}

/* One column of a bulk statement: the connector wants an array per column. */
static void
column_bind(MYSQL_BIND *b, const struct stmt_arg *cells, size_t rows, size_t columns,
    struct arena *a)
{
	char *indicators = arena_array(a, rows, sizeof(*indicators));
	unsigned long *lengths = arena_array(a, rows, sizeof(*lengths));
	long long *numbers = arena_array(a, rows, sizeof(*numbers));
	const void **pointers = arena_array(a, rows, sizeof(*pointers));

	*b = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_BLOB, .length = lengths};
	b->u.indicator = indicators;
	for (size_t i = 0; i < rows; i++) {
		const struct stmt_arg *cell = &cells[i * columns];

		indicators[i] =
		    cell->type == MYSQL_TYPE_NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
		if (cell->type != MYSQL_TYPE_NULL)
			b->buffer_type = cell->type;
		lengths[i] = cell->bytes.n;
		numbers[i] = cell->number;
		pointers[i] = cell->bytes.n == 0 ? "" : (const void *)cell->bytes.p;
	}
	b->buffer = b->buffer_type == MYSQL_TYPE_LONGLONG ? (void *)numbers : (void *)pointers;
}

int
stmt_bulk(struct store_tx *tx, enum stmt_id id, const struct stmt_arg *cells, size_t rows,
    size_t columns, uint64_t *affected, struct tsb_err *err)
{
	struct stmt *st = &tx->store->stmts[id];
	arena_auto a = {0};
	MYSQL_BIND in[ARGS_MAX];
	unsigned count = (unsigned)rows;
	int r;

	if (rows == 0) {
		if (affected != NULL)
			*affected = 0;
		return 0;
	}
	r = stmt_begin(tx, id, err);
	if (r != 0)
		return r;
	if (columns > ARGS_MAX || columns != mysql_stmt_param_count(st->handle))
		fatal("statement %s takes %lu arguments, not %zu", stmt_rows[id].name,
		    mysql_stmt_param_count(st->handle), columns);
	for (size_t i = 0; i < columns; i++)
		column_bind(&in[i], &cells[i], rows, columns, &a);
	if (mysql_stmt_attr_set(st->handle, STMT_ATTR_ARRAY_SIZE, &count) ||
	    mysql_stmt_bind_param(st->handle, in) || mysql_stmt_execute(st->handle))
		return stmt_fail(tx, id, err);
	stmt_ran(tx, id);
	if (affected != NULL)
		*affected = mysql_stmt_affected_rows(st->handle);
	/* the statement may run for one row next */
	mysql_stmt_attr_set(st->handle, STMT_ATTR_ARRAY_SIZE, &(unsigned){0});
	return 0;
}

/* Far below the smallest max_allowed_packet that a site may have. */
#define BULK_BYTES (1024 * 1024)

int
stmt_each(struct store_tx *tx, enum stmt_id id, const struct stmt_arg *cells, size_t rows,
    size_t columns, uint64_t *affected, struct tsb_err *err)
{
	size_t bytes = 0;
	uint64_t one, all = 0;

	for (size_t i = 0; i < rows * columns; i++)
		bytes += cells[i].bytes.n;
	if (rows != 1 && bytes <= BULK_BYTES)
		return stmt_bulk(tx, id, cells, rows, columns, affected, err);
	for (size_t i = 0; i < rows; i++, all += one) {
		int r = stmt_run(tx, id, cells + i * columns, columns, &one, err);

		if (r != 0)
			return r;
	}
	if (affected != NULL)
		*affected = all;
	return 0;
}

/* ---- rows ---- */

int
stmt_query(struct store_tx *tx, enum stmt_id id, const struct stmt_arg *args, size_t n,
    struct stmt_cursor *c, struct tsb_err *err)
{
	struct stmt *st = &tx->store->stmts[id];
	int r = stmt_execute(tx, id, args, n, err);

	if (r != 0)
		return r;
	if (mysql_stmt_bind_result(st->handle, st->out) || mysql_stmt_store_result(st->handle))
		return stmt_fail(tx, id, err);
	*c = (struct stmt_cursor){.tx = tx, .id = id, .stmt = st};
	return 0;
}

void
stmt_close(struct stmt_cursor *c)
{
	if (c->stmt != NULL && c->stmt->handle != NULL)
		mysql_stmt_free_result(c->stmt->handle);
	c->stmt = NULL;
}

size_t
stmt_count(const struct stmt_cursor *c)
{
	return (size_t)mysql_stmt_num_rows(c->stmt->handle);
}

/* Truncation is expected: the bytes are taken by their length afterwards. */
int
stmt_next(struct stmt_cursor *c, bool *row, struct tsb_err *err)
{
	int r = mysql_stmt_fetch(c->stmt->handle);

	if (r == 1)
		return stmt_fail(c->tx, c->id, err);
	*row = r != MYSQL_NO_DATA;
	c->column = 0;
	return 0;
}

static unsigned
take(struct stmt_cursor *c)
{
	if (c->column >= c->stmt->columns)
		fatal("statement %s has %u columns only", stmt_rows[c->id].name, c->stmt->columns);
	return c->column++;
}

int64_t
stmt_take_i64(struct stmt_cursor *c)
{
	unsigned i = take(c);

	if (c->stmt->out[i].buffer_type != MYSQL_TYPE_LONGLONG)
		fatal("column %u of statement %s is no number", i, stmt_rows[c->id].name);
	return c->stmt->cells[i].null ? 0 : c->stmt->cells[i].number;
}

uint64_t
stmt_take_u64(struct stmt_cursor *c)
{
	return (uint64_t)stmt_take_i64(c);
}

static void
column_copy(struct stmt_cursor *c, unsigned i, void *p, size_t n)
{
	unsigned long length;
	my_bool null;
	MYSQL_BIND b = {.buffer_type = MYSQL_TYPE_BLOB,
	    .buffer = p,
	    .buffer_length = n,
	    .length = &length,
	    .is_null = &null};

	if (mysql_stmt_fetch_column(c->stmt->handle, &b, i, 0) != 0 || length != n)
		fatal("column %u of statement %s cannot be read", i, stmt_rows[c->id].name);
}

struct tsb_view
stmt_take_view(struct stmt_cursor *c, struct arena *a)
{
	unsigned i = take(c);
	size_t n = c->stmt->cells[i].null ? 0 : c->stmt->cells[i].length;
	unsigned char *p;

	if (n == 0)
		return (struct tsb_view){0};
	p = arena_alloc(a, n);
	column_copy(c, i, p, n);
	return tsb_view_of(p, n);
}

char *
stmt_take_text(struct stmt_cursor *c, struct arena *a)
{
	unsigned i = take(c);
	char *p;

	if (c->stmt->cells[i].null)
		return NULL;
	p = arena_array(a, c->stmt->cells[i].length + 1, 1);
	if (c->stmt->cells[i].length != 0)
		column_copy(c, i, p, c->stmt->cells[i].length);
	return p;
}

bool
stmt_take_bytes(struct stmt_cursor *c, void *p, size_t n)
{
	unsigned i = take(c);

	if (c->stmt->cells[i].null || c->stmt->cells[i].length != n)
		return false;
	column_copy(c, i, p, n);
	return true;
}

void
stmt_skip_to(struct stmt_cursor *c, unsigned column)
{
	c->column = column;
}

int
stmt_take_ids(struct stmt_cursor *c, struct arena *a, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *err)
{
	size_t count = stmt_count(c), i = 0;
	struct tsb_uuid *list = arena_array(a, count + 1, sizeof(*list));
	bool row;

	while (i < count) {
		if (stmt_next(c, &row, err))
			return -1;
		if (!row)
			break;
		if (!stmt_take_bytes(c, list[i].b, sizeof(list[i].b)))
			return tsb_fail(err, TSB_E_SUBSYSTEM,
			    "an id of the database has no 16 bytes");
		i++;
	}
	*ids = list;
	*n = i;
	return 0;
}
