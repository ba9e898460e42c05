/* Approvers whose keys the broker made. */
#include "lib/first.h"

#include <pthread.h>
#include <string.h>

#include "tests/fault/store_changes.h"
#include "tests/fault/store_tests.h"

static unsigned made;

static struct tsb_approver
approver(const char *name)
{
	struct tsb_approver row = {
	    .name = name,
	    .version = 1,
	    .certificate = tsb_view_str("certificate"),
	    .container = tsb_view_str("container"),
	    .backup = tsb_view_str("backup"),
	    .wrapped_key = tsb_view_str("wrapped"),
	    .code_salt = tsb_view_str("salt"),
	    .code_hash = tsb_view_str("hash"),
	    .code_expires_ms = 10,
	    .code_tries = 1,
	    .wrong_tries = 2,
	    .wrong_since_ms = 3,
	    .created_ms = 4,
	    .changed_ms = 5,
	    .restored_ms = 6,
	};

	memset(row.backup_key, 0x6b, sizeof(row.backup_key));
	return row;
}

static int
audit(struct store_tx *tx, struct tsb_err *err)
{
	return change_audit(tx, NULL, "approver", err);
}

/* ---- as the faults meet them ---- */

void
change_approver_setup(struct world *w)
{
	w->approver = approver(arena_printf(&fx_arena, "faults-%u", ++made));
}

static int
insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return store_approver_insert(tx, ctx, err) || audit(tx, err) ? -1 : 0;
}

void
change_approver_stored_setup(struct world *w)
{
	change_approver_setup(w);
	fx_ok(store_transact(fx_api, "setup", insert_body, &w->approver, &err));
}

int
change_approver_insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	w->runs++;
	return insert_body(tx, &w->approver, err);
}

static long
count(const struct world *w, const char *condition)
{
	return fx_number("SELECT COUNT(*) FROM approver WHERE name = '%s' AND %s", w->approver.name,
	    condition);
}

void
change_approver_insert_check(struct world *w)
{
	assert_int_equal(count(w, "version = 1 AND state = 'PENDING'"), 1);
}

int
change_approver_change_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_approver row;

	w->runs++;
	if (store_approver_load(tx, w->approver.name, true, &fx_arena, &row, err))
		return -1;
	row.onboarded = true;
	row.code_tries++;
	return store_approver_change(tx, &row, err) || audit(tx, err) ? -1 : 0;
}

void
change_approver_change_check(struct world *w)
{
	assert_int_equal(count(w, "version = 2 AND state = 'ONBOARDED' AND code_tries = 2"), 1);
}

int
change_approver_delete_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	w->runs++;
	return store_approver_delete(tx, &w->approver, err) || audit(tx, err) ? -1 : 0;
}

void
change_approver_delete_check(struct world *w)
{
	assert_int_equal(count(w, "1"), 0);
}

int
change_approver_read_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_approver *rows, row;

	w->flag = false;
	if (store_approvers_list(tx, &fx_arena, &rows, &w->n, err) ||
	    store_approver_load(tx, w->approver.name, false, &fx_arena, &row, err))
		return -1;
	for (size_t i = 0; i < w->n; i++)
		w->flag = w->flag || strcmp(rows[i].name, row.name) == 0;
	return 0;
}

void
change_approver_read_check(struct world *w)
{
	assert_true(w->flag);
}

/* ---- the backup key ---- */

static void
backup_digest(unsigned char digest[TSB_SHA256])
{
	memset(digest, 0x6b, TSB_SHA256);
}

void
change_backup_key_setup(struct world *w)
{
	w->approver.name = arena_printf(&fx_arena, "backup-%u", ++made);
}

static int
intend_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return store_backup_key_intend(tx, ((struct world *)ctx)->approver.name, 7, err);
}

void
change_backup_key_intended_setup(struct world *w)
{
	change_backup_key_setup(w);
	fx_ok(store_transact(fx_api, "setup", intend_body, w, &err));
}

int
change_backup_key_intend_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	((struct world *)ctx)->runs++;
	return intend_body(tx, ctx, err) || audit(tx, err) ? -1 : 0;
}

static long
backup_keys(const struct world *w, const char *condition)
{
	return fx_number("SELECT COUNT(*) FROM backup_key WHERE label = '%s' AND %s",
	    w->approver.name, condition);
}

void
change_backup_key_intend_check(struct world *w)
{
	assert_int_equal(backup_keys(w, "spki_sha256 = REPEAT(CHAR(0), 32) AND made_ms = 7"), 1);
}

int
change_backup_key_made_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	unsigned char digest[TSB_SHA256];

	w->runs++;
	backup_digest(digest);
	return store_backup_key_made(tx, w->approver.name, digest, 8, err) || audit(tx, err) ? -1
											     : 0;
}

void
change_backup_key_made_check(struct world *w)
{
	assert_int_equal(backup_keys(w, "1"), 1);
	assert_int_equal(backup_keys(w, "spki_sha256 = REPEAT('k', 32) AND made_ms = 8"), 1);
}

int
change_backup_key_read_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	unsigned char digest[TSB_SHA256];
	bool made_too;

	backup_digest(digest);
	if (store_backup_key_find(tx, w->approver.name, NULL, &w->flag, err) ||
	    store_backup_key_find(tx, w->approver.name, digest, &made_too, err))
		return -1;
	w->flag = w->flag && !made_too;
	return 0;
}

/* ---- what is stored, and what refused ---- */

struct one {
	const char *name;
	struct tsb_approver row;
	struct tsb_approver *rows;
	size_t n;
	bool found;
};

static int
find_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_approver_find(tx, o->name, false, &fx_arena, &o->row, &o->found, err);
}

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_approver_load(tx, o->name, true, &fx_arena, &o->row, err);
}

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_approvers_list(tx, &fx_arena, &o->rows, &o->n, err);
}

static int
change_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_approver_change(tx, &o->row, err) || audit(tx, err) ? -1 : 0;
}

static int
delete_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_approver_delete(tx, &o->row, err) || audit(tx, err) ? -1 : 0;
}

static void
assert_same(const struct tsb_approver *a, const struct tsb_approver *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->onboarded, b->onboarded);
	assert_true(tsb_view_eq(a->certificate, b->certificate));
	assert_true(tsb_view_eq(a->container, b->container));
	assert_true(tsb_view_eq(a->backup, b->backup));
	assert_true(tsb_view_eq(a->wrapped_key, b->wrapped_key));
	assert_memory_equal(a->backup_key, b->backup_key, sizeof(a->backup_key));
	assert_true(tsb_view_eq(a->code_salt, b->code_salt));
	assert_true(tsb_view_eq(a->code_hash, b->code_hash));
	assert_int_equal(a->code_expires_ms, b->code_expires_ms);
	assert_int_equal(a->code_tries, b->code_tries);
	assert_int_equal(a->wrong_tries, b->wrong_tries);
	assert_int_equal(a->wrong_since_ms, b->wrong_since_ms);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->changed_ms, b->changed_ms);
	assert_int_equal(a->restored_ms, b->restored_ms);
}

static void
test_approver_comes_back_as_it_was(void **state)
{
	/* names are bytes: case and accents tell them apart */
	struct tsb_approver a = approver("J\xc3\xb6rg@example.com"),
			    b = approver("j\xc3\xb6rg@example.com");
	struct one o = {.name = a.name};

	fx_ok(store_read(fx_api, "find", find_body, &o, &err));
	assert_false(o.found);
	fx_ok(store_transact(fx_api, "insert", insert_body, &a, &err));
	fx_ok(store_transact(fx_api, "insert", insert_body, &b, &err));
	fx_refused(store_transact(fx_api, "insert", insert_body, &a, &err), 632);
	fx_ok(store_read(fx_dispatcher, "find", find_body, &o, &err));
	assert_true(o.found);
	assert_same(&o.row, &a);
	assert_int_equal(o.row.version, 1);
	o.name = "nobody";
	fx_refused(store_read(fx_api, "load", load_body, &o, &err), 654);
	assert_non_null(strstr(fx_message, "nobody"));
}

static void
test_approver_changes_once_a_version(void **state)
{
	struct tsb_approver a = approver("versions");
	struct one first = {.row = a}, second = {.row = a}, now = {.name = "versions"};

	fx_ok(store_transact(fx_api, "insert", insert_body, &a, &err));
	first.row.onboarded = true;
	first.row.container = tsb_view_str("other");
	first.row.code_salt = first.row.code_hash = tsb_view_of(NULL, 0);
	memset(first.row.backup_key, 1, TSB_SHA256);
	first.row.code_expires_ms = 100;
	first.row.code_tries = 101;
	first.row.wrong_tries = 102;
	first.row.wrong_since_ms = 103;
	first.row.changed_ms = 104;
	first.row.restored_ms = 105;
	fx_ok(store_transact(fx_api, "change", change_body, &first, &err));
	assert_int_equal(first.row.version, 2);
	second.row.code_tries = 7;
	fx_refused(store_transact(fx_dispatcher, "change", change_body, &second, &err), 700);
	fx_refused(store_transact(fx_api, "delete", delete_body, &second, &err), 700);
	fx_ok(store_read(fx_api, "load", find_body, &now, &err));
	assert_same(&now.row, &first.row);
	fx_ok(store_transact(fx_api, "delete", delete_body, &now, &err));
	fx_ok(store_read(fx_api, "load", find_body, &now, &err));
	assert_false(now.found);
}

static void
test_approvers_are_listed_by_name(void **state)
{
	struct tsb_approver b = approver("list-b"), a = approver("list-a");
	struct one o = {0};
	size_t at;

	b.onboarded = true;
	fx_ok(store_transact(fx_api, "insert", insert_body, &b, &err));
	fx_ok(store_transact(fx_api, "insert", insert_body, &a, &err));
	fx_ok(store_read(fx_api, "list", list_body, &o, &err));
	for (at = 0; at < o.n && strcmp(o.rows[at].name, "list-a") != 0; at++)
		;
	assert_true(at + 1 < o.n);
	assert_false(o.rows[at].onboarded);
	assert_true(tsb_view_eq(o.rows[at].certificate, a.certificate));
	assert_string_equal(o.rows[at + 1].name, "list-b");
	assert_true(o.rows[at + 1].onboarded);
}

struct key_question {
	const char *label;
	unsigned char digest[TSB_SHA256];
	bool intended, made;
};

static int
key_question_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct key_question *q = ctx;

	return store_backup_key_find(tx, q->label, NULL, &q->intended, err) ||
		store_backup_key_find(tx, q->label, q->digest, &q->made, err)
	    ? -1
	    : 0;
}

static void
assert_backup_key(const char *label, bool intended, bool made_here)
{
	struct key_question q = {.label = label};

	backup_digest(q.digest);
	fx_ok(store_read(fx_api, "question", key_question_body, &q, &err));
	assert_int_equal(q.intended, intended);
	assert_int_equal(q.made, made_here);
}

/* Of another label, and of another digest, nothing is remembered. */
static void
test_backup_key_is_remembered_with_its_label(void **state)
{
	struct world w = {0};

	change_backup_key_setup(&w);
	assert_backup_key(w.approver.name, false, false);
	fx_ok(store_transact(fx_api, "intend", intend_body, &w, &err));
	fx_ok(store_transact(fx_api, "intend", intend_body, &w, &err));
	assert_backup_key(w.approver.name, true, false);
	fx_ok(store_transact(fx_api, "made", change_backup_key_made_body, &w, &err));
	fx_ok(store_transact(fx_api, "made", change_backup_key_made_body, &w, &err));
	assert_backup_key(w.approver.name, false, true);
	assert_backup_key("another label", false, false);
	/* those of sites from before were remembered without one */
	fx_do("UPDATE backup_key SET label = '' WHERE label = '%s'", w.approver.name);
	assert_backup_key("another label", false, true);
	fx_do("DELETE FROM backup_key WHERE label = ''");
}

/* ---- many at once ---- */

#define CROWD 8

struct guesser {
	pthread_t thread;
	int done;
};

/* Counts a try while fewer than five were counted, as onboarding does. */
static int
try_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	arena_auto a = {0};
	struct tsb_approver row;

	if (store_approver_load(tx, "crowd", true, &a, &row, err))
		return -1;
	if (row.code_tries >= 5)
		return tsb_fail(err, TSB_E_INVALID_ONE_TIME_CODE, "no try is left");
	row.code_tries++;
	return store_approver_change(tx, &row, err) || audit(tx, err) ? -1 : 0;
}

static void *
guesser_main(void *ctx)
{
	struct guesser *g = ctx;
	struct store *s = fx_store(LOGIN_API, 10);
	struct tsb_err err;

	for (int i = 0; i < 5; i++)
		g->done += store_transact(s, "crowd", try_body, NULL, &err) == 0;
	store_free(&s);
	return NULL;
}

static void
test_no_crowd_has_more_tries_than_one(void **state)
{
	struct tsb_approver a = approver("crowd");
	struct guesser crowd[CROWD] = {0};
	int done = 0;

	a.code_tries = 0;
	fx_ok(store_transact(fx_api, "insert", insert_body, &a, &err));
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&crowd[i].thread, NULL, guesser_main, &crowd[i]),
		    0);
	for (int i = 0; i < CROWD; i++) {
		pthread_join(crowd[i].thread, NULL);
		done += crowd[i].done;
	}
	assert_int_equal(done, 5);
	assert_int_equal(fx_number(
			     "SELECT code_tries + version FROM approver WHERE name = 'crowd'"),
	    5 + 6);
}

int
store_approver_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_approver_comes_back_as_it_was),
	    cmocka_unit_test(test_approver_changes_once_a_version),
	    cmocka_unit_test(test_approvers_are_listed_by_name),
	    cmocka_unit_test(test_backup_key_is_remembered_with_its_label),
	    cmocka_unit_test(test_no_crowd_has_more_tries_than_one),
	};

	return cmocka_run_group_tests_name("store approvers", tests, fx_setup, fx_teardown);
}
