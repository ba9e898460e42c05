/* What a list costs depends on what it shows, not on what there is. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/crypto/crypto.h"
#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

#define MANY 2000 /* requests, each with a task of ME */
#define PAGE 10
/* Rows that a page may read: its own from each table and index, and some to find the place. */
#define READ_MAX 100
#define ME       0x33

/* As many as that, in one statement: the first was created longest ago and fetched last. */
static int
many(void **state)
{
	struct tsb_request rq = fx_stored("growth", 0);
	struct tsb_task t = fx_task(&rq.id, ME);

	fx_do("DELETE FROM task");
	fx_do("CREATE TEMPORARY TABLE more AS SELECT r.*, s.seq FROM request r, seq_1_to_%d s "
	      "WHERE r.id = %s",
	    MANY, fx_id(&rq.id));
	fx_do("UPDATE more SET id = UNHEX(LPAD(HEX(seq), 32, '0')), created_ms = seq, "
	      "token_sha256 = UNHEX(SHA2(seq, 256))");
	fx_do("ALTER TABLE more DROP COLUMN seq");
	fx_do("DELETE FROM request");
	fx_do("INSERT INTO request SELECT * FROM more");
	fx_do("DROP TEMPORARY TABLE more");
	fx_do(
	    "INSERT INTO task (id, request_id, approver_id, spki, created_ms, fetched_ms, "
	    "expires_ms, listed_as) SELECT id, id, %s, 'x', created_ms, %d - created_ms, 0, 'sign' "
	    "FROM request",
	    fx_hex(t.approver_id, TSB_SHA256), MANY + 1);
	(void)fx_number("ANALYZE TABLE request, task");
	return 0;
}

/* Rows that the server has read so far. The question itself is the same each time. */
static long
rows_read(void)
{
	return fx_number("SELECT CAST(SUM(VARIABLE_VALUE) AS INT) FROM "
			 "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN "
			 "('HANDLER_READ_FIRST', 'HANDLER_READ_LAST', 'HANDLER_READ_KEY', "
			 "'HANDLER_READ_NEXT', 'HANDLER_READ_PREV', 'HANDLER_READ_RND')");
}

struct look {
	struct tsb_task_filter tasks;
	struct tsb_request_filter requests;
	const unsigned char *approver_id;
	unsigned states;
	unsigned char sha256[TSB_SHA256];
	size_t n;
	store_body *body;
};

static int
tasks_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct look *l = ctx;
	struct tsb_task_view *views;

	return store_tasks_list(tx, l->approver_id, &l->tasks, clock_now_ms(), &fx_arena, &views,
	    &l->n, err);
}

static int
requests_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct look *l = ctx;
	struct tsb_request_row *rows;

	return store_requests_list(tx, l->states, NULL, 0, PAGE, &fx_arena, &rows, &l->n, err);
}

static int
page_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct look *l = ctx;
	struct tsb_request *rows;
	struct store_place place;

	store_place_first(&place);
	return store_requests_page(tx, &l->requests, &place, PAGE, &fx_arena, &rows, &l->n, err);
}

static int
token_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct look *l = ctx;
	struct tsb_request_row *rows;

	return store_requests_by_token(tx, l->sha256, PAGE, &fx_arena, &rows, &l->n, err);
}

static void
reads_little(struct look *l, size_t shows, const char *what)
{
	long before, own;

	fx_ok(store_read(fx_api, "look", l->body, l, &err)); /* prepared from now on */
	before = rows_read();
	own = rows_read() - before;
	before = rows_read();
	fx_ok(store_read(fx_api, "look", l->body, l, &err));
	before = rows_read() - before - own;
	if (l->n != shows)
		fail_msg("%s shows %zu, not %zu", what, l->n, shows);
	if (before > READ_MAX)
		fail_msg("%s shows %zu and reads %ld rows", what, l->n, before);
}

static void
test_lists_of_tasks_read_what_they_show(void **state)
{
	static const char *const sorts[] = {"created", "created, newest first", "fetched",
	    "fetched, last first"};
	unsigned char me[TSB_SHA256];

	memset(me, ME, sizeof(me));
	for (int sort = SORT_CREATED_ASC; sort <= SORT_FETCHED_DESC; sort++)
		for (int all = 0; all < 2; all++)
			for (int kind = -1; kind < 2; kind++) {
				struct look l = {.body = tasks_body,
				    .approver_id = all ? NULL : me,
				    .tasks = {.level = 6,
					.paged = true,
					.page_size = PAGE,
					.sort = (enum tsb_sort)sort,
					.one_kind = kind >= 0,
					.kind = kind > 0 ? KIND_BLOCK : KIND_SIGN}};

				reads_little(&l, kind > 0 ? 0 : PAGE, sorts[sort]);
			}
}

static void
test_one_task_is_found_among_many(void **state)
{
	struct look l = {.body = tasks_body, .tasks = {.level = 1, .has_id = true}};

	l.tasks.id.b[15] = 7;
	reads_little(&l, 1, "one task");
	l.tasks = (struct tsb_task_filter){.level = 1, .has_request_id = true};
	l.tasks.request_id.b[15] = 7;
	reads_little(&l, 1, "tasks of one request");
}

static void
test_lists_of_requests_read_what_they_show(void **state)
{
	struct look l = {.body = requests_body};

	reads_little(&l, PAGE, "all requests");
	l.states = 1U << STATE_FAILED | 1U << STATE_EXPIRED;
	reads_little(&l, 0, "failed requests");
	l.states |= 1U << STATE_PENDING;
	reads_little(&l, PAGE, "failed and pending requests");
	l.body = page_body;
	reads_little(&l, PAGE, "details");
	l.requests.states = l.states;
	reads_little(&l, PAGE, "details of some states");
	l.requests.states = 1U << STATE_FAILED;
	reads_little(&l, 0, "details of failed requests");
	l.requests = (struct tsb_request_filter){.has_id = true};
	l.requests.id.b[15] = 7;
	reads_little(&l, 1, "details of one request");
	crypto_sha256(tsb_view_str("7"), l.sha256);
	l.body = token_body;
	reads_little(&l, 1, "requests of a token");
}

int
store_growth_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_lists_of_tasks_read_what_they_show, many),
	    cmocka_unit_test(test_one_task_is_found_among_many),
	    cmocka_unit_test(test_lists_of_requests_read_what_they_show),
	};

	return cmocka_run_group_tests_name("store growth", tests, fx_setup, fx_teardown);
}
