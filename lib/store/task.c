#include "lib/first.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/store/internal.h"
#include "lib/store/rows.h"

#define TASK_CELLS 8

static void
task_cells(const struct tsb_task *t, const char *listed_as, struct stmt_arg cells[TASK_CELLS])
{
	*cells++ = stmt_id(&t->id);
	*cells++ = stmt_id(&t->request_id);
	*cells++ = stmt_bytes(t->approver_id, sizeof(t->approver_id));
	*cells++ = stmt_view(t->spki);
	*cells++ = stmt_i64(t->created_ms);
	*cells++ = stmt_i64(t->fetched_ms);
	*cells++ = stmt_i64(t->expires_ms);
	*cells = stmt_text(listed_as);
}

/* Few rows are quicker in one long statement than in the protocol for many. */
#define FEW 8

static int
insert_few(struct store_tx *tx, const struct stmt_arg *cells, size_t n, struct tsb_err *err)
{
	while (n > 0) {
		size_t rows = n >= 4 ? 4 : n >= 2 ? 2 : 1;
		enum stmt_id id = rows == 4 ? STMT_TASK_INSERT_4
		    : rows == 2             ? STMT_TASK_INSERT_2
					    : STMT_TASK_INSERT;

		if (stmt_run(tx, id, cells, rows * TASK_CELLS, NULL, err))
			return -1;
		cells += rows * TASK_CELLS;
		n -= rows;
	}
	return 0;
}

int
store_tasks_insert(struct store_tx *tx, enum tsb_kind kind, const struct tsb_task *tasks, size_t n,
    struct tsb_err *err)
{
	arena_auto a = {0};
	const char *listed_as = tsb_kinds[tsb_kind_listed_as(kind)].name;
	struct stmt_arg *cells = arena_array(&a, n * TASK_CELLS + 1, sizeof(*cells));

	for (size_t i = 0; i < n; i++)
		task_cells(&tasks[i], listed_as, cells + i * TASK_CELLS);
	if (n <= FEW)
		return insert_few(tx, cells, n, err);
	return stmt_bulk(tx, STMT_TASK_INSERT, cells, n, TASK_CELLS, NULL, err) ? -1 : 0;
}

int
row_take_task(struct stmt_cursor *c, struct arena *a, struct tsb_task *t, struct tsb_err *err)
{
	if (!stmt_take_bytes(c, t->id.b, sizeof(t->id.b)) ||
	    !stmt_take_bytes(c, t->request_id.b, sizeof(t->request_id.b)) ||
	    !stmt_take_bytes(c, t->approver_id, sizeof(t->approver_id)))
		return tsb_fail(err, TSB_E_SUBSYSTEM, "the database has a task with a broken id");
	t->spki = stmt_take_view(c, a);
	t->created_ms = stmt_take_i64(c);
	t->fetched_ms = stmt_take_i64(c);
	t->expires_ms = stmt_take_i64(c);
	return 0;
}

int
store_task_none(const struct tsb_uuid *id, struct tsb_err *err)
{
	char text[UUID_TEXT];

	return tsb_fail(err, TSB_E_TASK_NOT_EXISTENT, "there is no task %s", uuid_format(id, text));
}

int
store_tasks_load(struct store_tx *tx, const struct tsb_uuid *request_id, struct arena *a,
    struct tsb_task **tasks, size_t *n, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(request_id);
	stmt_cursor_auto c = {0};
	struct tsb_task *list;
	size_t count;
	bool row = true;

	if (stmt_query(tx, STMT_TASK_LOAD_OF_REQUEST, &arg, 1, &c, err))
		return -1;
	count = stmt_count(&c);
	list = arena_array(a, count, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		if (stmt_next(&c, &row, err) || row_take_task(&c, a, &list[i], err))
			return -1;
	*tasks = list;
	*n = count;
	return 0;
}

int
store_task_delete(struct store_tx *tx, const struct tsb_uuid *id, bool *gone, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(id);
	uint64_t affected = 0;

	if (stmt_run(tx, STMT_TASK_DELETE, &arg, 1, &affected, err))
		return -1;
	*gone = affected == 1;
	return 0;
}

/* ---- lists ---- */

enum selection { OF_REQUEST, MINE, MINE_OF_KIND, ALL, ALL_OF_KIND, ONE };

/* Versions of clang-format disagree about it. */
/* clang-format off */
#define SORTED(name)                                                                               \
	{                                                                                          \
		[SORT_CREATED_ASC] = STMT_##name##_CREATED_ASC,                                    \
		[SORT_CREATED_DESC] = STMT_##name##_CREATED_DESC,                                  \
		[SORT_FETCHED_ASC] = STMT_##name##_FETCHED_ASC,                                    \
		[SORT_FETCHED_DESC] = STMT_##name##_FETCHED_DESC,                                  \
	}
/* clang-format on */
static const enum stmt_id lists[][4] = {
    [OF_REQUEST] = SORTED(TASK_LIST_OF_REQUEST),
    [MINE] = SORTED(TASK_LIST_MINE),
    [MINE_OF_KIND] = SORTED(TASK_LIST_MINE_OF_KIND),
    [ALL] = SORTED(TASK_LIST_ALL),
    [ALL_OF_KIND] = SORTED(TASK_LIST_ALL_OF_KIND),
};

static enum selection
selection_of(const struct tsb_task_filter *f, bool mine)
{
	if (f->has_id)
		return ONE;
	if (f->has_request_id)
		return OF_REQUEST;
	if (mine)
		return f->one_kind ? MINE_OF_KIND : MINE;
	return f->one_kind ? ALL_OF_KIND : ALL;
}

/* The first kind that is listed under the same path stands for all of them. */
static struct stmt_arg
listed_as(const struct tsb_task_filter *f)
{
	return f->one_kind ? stmt_text(tsb_kinds[tsb_kind_listed_as(f->kind)].name) : stmt_null();
}

/* Which tasks, as the statement of the selection asks for it. */
static size_t
which_args(struct stmt_arg *args, enum selection selection, const unsigned char *approver_id,
    const struct tsb_task_filter *f)
{
	const struct stmt_arg who =
	    approver_id == NULL ? stmt_null() : stmt_bytes(approver_id, TSB_SHA256);
	const struct stmt_arg kind = listed_as(f);
	size_t n = 0;

	switch (selection) {
	case ONE:
	case OF_REQUEST:
		args[n++] = stmt_id(selection == ONE ? &f->id : &f->request_id);
		args[n++] = who;
		args[n++] = who;
		args[n++] = kind;
		args[n++] = kind;
		break;
	case MINE_OF_KIND:
		args[n++] = who;
		args[n++] = kind;
		break;
	case MINE:
		args[n++] = who;
		break;
	case ALL_OF_KIND:
		args[n++] = kind;
		break;
	case ALL:
		break;
	}
	return n;
}

static size_t
list_args(struct stmt_arg *args, enum selection selection, const unsigned char *approver_id,
    const struct tsb_task_filter *f, int64_t now_ms)
{
	long size = f->paged && f->page_size > 0 ? f->page_size : STORE_TASKS_MAX;
	long skip = !f->paged || f->page <= 0 ? 0
	    : f->page > LONG_MAX / size - 1   ? LONG_MAX - STORE_TASKS_MAX
					      : f->page * size;
	size_t n = 0;

	for (int i = 0; i < 5; i++) /* four columns and the attributes */
		args[n++] = stmt_i64(f->level);
	n += which_args(args + n, selection, approver_id, f);
	args[n++] = stmt_i64(now_ms);
	args[n++] = stmt_i64(now_ms);
	args[n++] = stmt_i64(f->part > 0 ? f->part : size);
	args[n++] = stmt_i64(skip + f->skip);
	return n;
}

static int
view_take(struct stmt_cursor *c, struct arena *a, struct tsb_task_view *v, struct tsb_err *err)
{
	if (row_take_task(c, a, &v->task, err) || row_take_request(c, a, &v->request, err))
		return -1;
	if (!row_take_key(c, a, &v->attributes))
		v->attributes = (struct tsb_key_attributes){0};
	return 0;
}

int
store_tasks_list(struct store_tx *tx, const unsigned char *approver_id,
    const struct tsb_task_filter *f, int64_t now_ms, struct arena *a, struct tsb_task_view **tasks,
    size_t *n, struct tsb_err *err)
{
	enum selection selection = selection_of(f, approver_id != NULL);
	enum stmt_id id = selection == ONE
	    ? STMT_TASK_LIST_ONE
	    : lists[selection][f->paged ? f->sort : SORT_CREATED_ASC];
	struct stmt_arg args[16];
	size_t count, nargs = list_args(args, selection, approver_id, f, now_ms);
	struct tsb_task_view *list;
	stmt_cursor_auto c = {0};
	bool row = true;

	if (stmt_query(tx, id, args, nargs, &c, err))
		return -1;
	count = stmt_count(&c);
	list = arena_array(a, count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		if (stmt_next(&c, &row, err) || view_take(&c, a, &list[i], err))
			return -1;
	*tasks = list;
	*n = count;
	return 0;
}

int
store_tasks_waiting(struct store_tx *tx, const unsigned char approver_id[TSB_SHA256],
    int64_t now_ms, size_t limit, struct arena *a, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_bytes(approver_id, TSB_SHA256), stmt_i64(now_ms),
	    stmt_i64(now_ms), stmt_i64((int64_t)limit)};
	stmt_cursor_auto c = {0};
	bool row = true;

	if (stmt_query(tx, STMT_TASK_WAITING, args, TSB_COUNT(args), &c, err))
		return -1;
	*n = stmt_count(&c);
	*ids = arena_array(a, *n, sizeof(**ids));
	for (size_t i = 0; i < *n; i++) {
		if (stmt_next(&c, &row, err))
			return -1;
		if (!stmt_take_bytes(&c, (*ids)[i].b, sizeof((*ids)[i].b)))
			return tsb_fail(err, TSB_E_SUBSYSTEM,
			    "the database has a task with a broken id");
	}
	return 0;
}

/* ---- last fetched ---- */

#define TOUCHED    24 /* ids of one statement */
#define TOUCHED_MS 1000 /* who asks again so soon does not make a task any more fetched */

struct touch {
	int64_t now_ms;
	const struct tsb_uuid *ids;
	size_t n;
};

static int
touch_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	const struct touch *t = ctx;
	struct stmt_arg args[1 + TOUCHED] = {stmt_i64(t->now_ms)};

	for (size_t i = 0; i < t->n; i += TOUCHED) {
		for (size_t k = 0; k < TOUCHED; k++)
			args[1 + k] = stmt_id(&t->ids[i + k < t->n ? i + k : t->n - 1]);
		if (stmt_run(tx, STMT_TASK_TOUCH, args, TSB_COUNT(args), NULL, err))
			return -1;
	}
	return 0;
}

static int
by_id(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct tsb_uuid));
}

static bool
is_touched(const struct tsb_task *t, int64_t now_ms)
{
	return t->fetched_ms > t->created_ms && t->fetched_ms <= now_ms &&
	    now_ms - t->fetched_ms < TOUCHED_MS;
}

bool
store_has_touches(const struct store *s)
{
	return s->ntouches > 0;
}

void
store_touches_write(struct store *s)
{
	struct touch t = {.now_ms = s->touched_ms, .ids = s->touches, .n = s->ntouches};
	struct tsb_err err;

	s->ntouches = 0;
	if (t.n > 0 && store_transact(s, "tasks_touch", touch_body, &t, &err))
		log_failure(LOG_WARN, "last-fetched dates", &err);
	free(s->touches);
	s->touches = NULL;
}

/* On a cluster nothing is changed as often by all nodes, and a conflict takes its time. */
static bool
touch_later(struct store *s, const struct touch *t)
{
	if (!s->clustered || !s->lingers)
		return false;
	store_touches_write(s);
	s->touches = calloc(t->n, sizeof(*s->touches));
	if (s->touches == NULL)
		fatal("out of memory");
	memcpy(s->touches, t->ids, t->n * sizeof(*s->touches));
	s->ntouches = t->n;
	s->touched_ms = t->now_ms;
	return true;
}

/*
 * In the order of ids, so that two lists of the same tasks wait for each other instead of failing.
 */
int
store_tasks_touch(struct store *s, const struct tsb_task_view *tasks, size_t n, int64_t now_ms,
    struct tsb_err *err)
{
	arena_auto a = {0};
	struct tsb_uuid *ids = arena_array(&a, n + 1, sizeof(*ids));
	struct touch t = {.now_ms = now_ms, .ids = ids};

	for (size_t i = 0; i < n; i++)
		if (!is_touched(&tasks[i].task, now_ms))
			ids[t.n++] = tasks[i].task.id;
	if (t.n == 0)
		return 0;
	qsort(ids, t.n, sizeof(*ids), by_id);
	if (touch_later(s, &t))
		return 0;
	return store_transact(s, "tasks_touch", touch_body, &t, err);
}
