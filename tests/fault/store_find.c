/* Which requests: due, late, of a key, by state; and the end of old ones. */
#include "lib/first.h"

#include <string.h>

#include "lib/crypto/crypto.h"
#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

struct find {
	int64_t ms;
	size_t limit;
	bool lock;
	const char *key;
	struct tsb_uuid *ids;
	size_t n;
};

static int
due_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct find *f = ctx;

	return store_requests_due(tx, f->ms, f->limit, f->lock, &fx_arena, &f->ids, &f->n, err);
}

static int
late_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct find *f = ctx;

	return store_requests_late(tx, f->ms, f->limit, &fx_arena, &f->ids, &f->n, err);
}

static int
key_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct find *f = ctx;

	return store_requests_of_key(tx, f->key, SIZE_MAX, &fx_arena, &f->ids, &f->n, err);
}

static int
time_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct find *f = ctx;

	return store_requests_next_time(tx, &f->ms, err);
}

static int64_t
next_time(void)
{
	struct find f = {0};

	fx_ok(store_read(fx_dispatcher, "time", time_body, &f, &err));
	return f.ms;
}

static struct tsb_request
approved(const char *key, int64_t due_ms, const char *owner, int64_t lease_ms)
{
	struct tsb_request rq = fx_stored(key, 0);
	struct store_change to = fx_change(&rq, STATE_APPROVED);

	to.due_ms = due_ms;
	to.owner = owner;
	to.lease_ms = lease_ms;
	assert_true(fx_move(fx_api, &rq, &to));
	return rq;
}

static void
test_due_oldest_first_with_lapsed_leases(void **state)
{
	struct tsb_request free_2, lapsed_1, free_0;
	struct find f = {.ms = 1000, .limit = 10};

	fx_do("DELETE FROM request");
	assert_int_equal(next_time(), 0);
	approved("due", 1001, NULL, 0);
	approved("due", 10, "other", 1001);
	free_2 = approved("due", 1000, NULL, 0);
	lapsed_1 = approved("due", 10, "other", 999);
	free_0 = approved("due", 20, NULL, 0);
	fx_stored("due", 0); /* PENDING */
	fx_ok(store_read(fx_dispatcher, "due", due_body, &f, &err));
	assert_int_equal(f.n, 3);
	assert_memory_equal(f.ids[0].b, free_0.id.b, 16);
	assert_memory_equal(f.ids[1].b, lapsed_1.id.b, 16);
	assert_memory_equal(f.ids[2].b, free_2.id.b, 16);
	f.limit = 1;
	fx_ok(store_read(fx_dispatcher, "due", due_body, &f, &err));
	assert_int_equal(f.n, 1);
	assert_int_equal(next_time(), 20);
}

static void
due_of(struct store *s, struct find *f)
{
	fx_ok(store_transact(s, "due", due_body, f, &err));
}

static int
due_beside_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct find *f = ctx, other = {.ms = f->ms, .limit = 10, .lock = true};
	struct store *second = fx_store(LOGIN_DISPATCHER, 5);

	if (due_body(tx, f, err))
		return -1;
	due_of(second, &other);
	store_free(&second);
	assert_int_equal(f->n, 2);
	assert_int_equal(other.n, 1);
	for (size_t i = 0; i < 2; i++)
		assert_memory_not_equal(f->ids[i].b, other.ids[0].b, 16);
	return 0;
}

static void
test_two_claimants_see_different_rows(void **state)
{
	struct find f = {.ms = 1000, .limit = 2, .lock = true};

	fx_do("DELETE FROM request");
	for (int i = 0; i < 3; i++)
		approved("skip", 10 + i, NULL, 0);
	fx_ok(store_transact(fx_dispatcher, "claim", due_beside_body, &f, &err));
}

static void
test_late_only_open_and_free(void **state)
{
	struct tsb_request rq, late;
	struct store_change to;
	struct find f = {.ms = 500, .limit = 10};

	fx_do("DELETE FROM request");
	fx_stored("late", 0); /* never expires */
	rq = fx_stored("late", 0);
	to = fx_change(&rq, STATE_PENDING);
	to.expires_ms = 501;
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(next_time(), 501);
	rq = fx_stored("late", 0);
	to = fx_change(&rq, STATE_APPROVED);
	to.expires_ms = 400;
	to.due_ms = to.lease_ms = 9999;
	to.owner = "busy";
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(next_time(), 501);
	rq = fx_stored("late", 0);
	to = fx_change(&rq, STATE_EXPIRED);
	to.expires_ms = 300;
	assert_true(fx_move(fx_api, &rq, &to));
	late = fx_stored("late", 0);
	to = fx_change(&late, STATE_PENDING);
	to.expires_ms = 500;
	assert_true(fx_move(fx_api, &late, &to));
	fx_ok(store_read(fx_dispatcher, "late", late_body, &f, &err));
	assert_int_equal(f.n, 1);
	assert_memory_equal(f.ids[0].b, late.id.b, 16);
	assert_int_equal(next_time(), 500);
}

static void
test_requests_of_key_and_what_is_derived(void **state)
{
	static const char *const names[] = {"K_1", "K_1/44'/0'", "K_1/", "K_10", "KX1", "k_1",
	    "K_1.a", "K%", "K_1 "};
	struct tsb_request closed;
	struct store_change to;
	struct find f = {.key = "K_1"};

	fx_do("DELETE FROM request");
	for (size_t i = 0; i < TSB_COUNT(names); i++)
		fx_stored(names[i], 0);
	closed = fx_stored("K_1", 0);
	to = fx_change(&closed, STATE_CANCELLED);
	assert_true(fx_move(fx_api, &closed, &to));
	fx_ok(store_read(fx_api, "key", key_body, &f, &err));
	assert_int_equal(f.n, 3);
	for (size_t i = 0; i < f.n; i++)
		assert_string_equal(fx_load(&f.ids[i]).key_name, names[i]);
	f.key = "K%";
	fx_ok(store_read(fx_api, "key", key_body, &f, &err));
	assert_int_equal(f.n, 1);
}

struct list {
	unsigned states;
	const char *key;
	long offset, limit;
	struct tsb_request_row *rows;
	size_t n;
};

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct list *l = ctx;

	return store_requests_list(tx, l->states, l->key, l->offset, l->limit, &fx_arena, &l->rows,
	    &l->n, err);
}

static size_t
listed(struct list *l)
{
	fx_ok(store_read(fx_api, "list", list_body, l, &err));
	return l->n;
}

static void
test_list_newest_first_by_state_and_key(void **state)
{
	struct tsb_request rq[7];

	fx_do("DELETE FROM request");
	for (int i = 0; i < 7; i++) {
		struct store_change to;

		rq[i] = fx_stored(i < 3 ? "list a" : "list b", 0);
		to = fx_change(&rq[i], (enum tsb_state)i);
		assert_true(fx_move(fx_api, &rq[i], &to));
	}
	assert_int_equal(listed(&(struct list){.limit = 100}), 7);
	for (int i = 0; i < 7; i++) {
		struct list one = {.states = 1u << i, .limit = 100};

		assert_int_equal(listed(&one), 1);
		assert_memory_equal(one.rows[0].id.b, rq[i].id.b, 16);
		assert_int_equal(one.rows[0].state, i);
	}
	struct list page = {.states = 0x7f, .offset = 2, .limit = 3};
	assert_int_equal(listed(&page), 3);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(page.rows[i].id.b, rq[4 - i].id.b, 16);
	struct list key = {.key = "list a", .limit = 2};
	assert_int_equal(listed(&key), 2);
	assert_memory_equal(key.rows[0].id.b, rq[2].id.b, 16);
	assert_int_equal(listed(&(struct list){.key = "LIST A", .limit = 1}), 0);
	assert_int_equal(listed(&(struct list){.offset = 7, .limit = 3}), 0);
}

/* ---- pages ---- */

struct pages {
	struct tsb_request_filter filter;
	struct store_place place;
	bool behind; /* the place is that of filter.after */
	size_t limit, n;
	struct tsb_request *rows;
};

static int
pages_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct pages *p = ctx;

	if (p->behind && store_place_of(tx, &p->filter.after, &p->place, err))
		return -1;
	return store_requests_page(tx, &p->filter, &p->place, p->limit, &fx_arena, &p->rows, &p->n,
	    err);
}

static void
paged(struct pages *p, size_t n, const struct tsb_request *first)
{
	fx_ok(store_read(fx_api, "page", pages_body, p, &err));
	assert_int_equal(p->n, n);
	if (n > 0)
		assert_memory_equal(p->rows[0].id.b, first->id.b, 16);
}

/* Ties of the time are ordered by id: every request is on one page, and on one only. */
static void
test_pages_begin_behind_the_last_request(void **state)
{
	struct tsb_request rq[7];
	struct pages p = {.limit = 2};

	fx_do("DELETE FROM request");
	for (int i = 0; i < 7; i++) {
		rq[i] = fx_stored(i < 3 ? "page a" : "page b", 0);
		fx_do("UPDATE request SET created_ms = %d WHERE id = %s", i < 2 ? 1000 : 2000,
		    fx_id(&rq[i].id));
	}
	store_place_first(&p.place);
	for (int i = 6; i >= 0; i -= 2)
		paged(&p, i > 0 ? 2 : 1, &rq[i]);
	paged(&p, 0, NULL);
	p = (struct pages){.behind = true, .limit = 9, .filter.after = rq[4].id};
	paged(&p, 4, &rq[3]);
	p = (struct pages){.behind = true, .limit = 9, .filter.after = rq[2].id};
	paged(&p, 2, &rq[1]);
	p.filter.since_ms = 2000;
	paged(&p, 0, NULL);
	p = (struct pages){.limit = 9, .filter = {.since_ms = 2000, .key_name = "page a"}};
	store_place_first(&p.place);
	paged(&p, 1, &rq[2]);
	p = (struct pages){.limit = 9, .filter = {.has_id = true, .id = rq[5].id}};
	store_place_first(&p.place);
	paged(&p, 1, &rq[5]);
	p.filter.states = 1u << STATE_FAILED;
	store_place_first(&p.place);
	paged(&p, 0, NULL);
}

static void
test_pages_leave_contents_and_secrets_behind(void **state)
{
	struct tsb_request rq = fx_stored("page c", 0);
	struct pages p = {.limit = 9, .filter = {.has_id = true, .id = rq.id}};
	struct tsb_err gone = {0};

	fx_do("UPDATE request SET result = 'r', password_box = 'p', meta_data = 'm' WHERE id = %s",
	    fx_id(&rq.id));
	store_place_first(&p.place);
	paged(&p, 1, &rq);
	assert_string_equal(p.rows[0].key_name, "page c");
	assert_string_equal(p.rows[0].meta_data, "m");
	assert_int_equal(p.rows[0].result.n, 0);
	assert_int_equal(p.rows[0].password_box.n, 0);
	assert_int_equal(p.rows[0].envelope.n, 0);
	assert_int_equal(p.rows[0].token.n, 0);
	p.filter.after = uuid_new();
	p.behind = true;
	assert_int_equal(store_read(fx_api, "page", pages_body, &p, &gone), -1);
	assert_int_equal(gone.code, TSB_E_REQUEST_NOT_EXISTENT);
}

/* ---- by token ---- */

struct by_token {
	unsigned char sha256[TSB_SHA256];
	size_t limit, n;
	struct tsb_request_row *rows;
};

static int
by_token_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct by_token *t = ctx;

	return store_requests_by_token(tx, t->sha256, t->limit, &fx_arena, &t->rows, &t->n, err);
}

static struct tsb_request
finished(const char *key, struct tsb_view outcome)
{
	struct tsb_request rq = fx_stored(key, 0);
	struct store_change to = fx_change(&rq, STATE_EXECUTED);

	to.outcome = outcome;
	assert_true(fx_move(fx_api, &rq, &to));
	return rq;
}

static void
test_by_token_waiting_first_then_those_with_an_outcome(void **state)
{
	unsigned char digest[TSB_SHA256] = {0xfe, 0x00, 0x80};
	struct tsb_view outcome = tsb_view_of(digest, sizeof(digest));
	struct by_token t = {.limit = 10};
	struct tsb_request carried, waits;

	fx_do("DELETE FROM request");
	waits = fx_stored("token", 0);
	carried = finished("token", outcome);
	finished("token", tsb_view_of(NULL, 0));
	crypto_sha256(waits.token, t.sha256);
	fx_ok(store_read(fx_api, "by_token", by_token_body, &t, &err));
	assert_int_equal(t.n, 2);
	assert_memory_equal(t.rows[0].id.b, waits.id.b, 16);
	assert_int_equal(t.rows[0].state, STATE_PENDING);
	assert_memory_equal(t.rows[1].id.b, carried.id.b, 16);
	assert_true(tsb_view_eq(fx_load(&carried.id).outcome, outcome));
	assert_int_equal(fx_load(&waits.id).outcome.n, 0);
	t.limit = 1;
	fx_ok(store_read(fx_api, "by_token", by_token_body, &t, &err));
	assert_int_equal(t.n, 1);
	t.sha256[0] ^= 1;
	fx_ok(store_read(fx_api, "by_token", by_token_body, &t, &err));
	assert_int_equal(t.n, 0);
	/* no approval was asked: nothing that could tell such requests apart */
	waits = fx_request("token");
	waits.token = tsb_view_of(NULL, 0);
	fx_insert(&waits, 0);
	crypto_sha256(tsb_view_of(NULL, 0), t.sha256);
	fx_ok(store_read(fx_api, "by_token", by_token_body, &t, &err));
	assert_int_equal(t.n, 0);
}

/* ---- purge ---- */

static int
purge_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct find *f = ctx;

	return store_requests_purge(tx, f->ms, f->limit, &f->n, err);
}

static int
vote_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct tsb_approval row = fx_approval(ctx, 1);
	struct store_audit audit = {.request_id = ctx, .action = "approve", .actor = "1"};
	bool fresh;

	return store_approval_insert(tx, &row, &fresh, err) || store_audit_insert(tx, &audit, err)
	    ? -1
	    : 0;
}

static void
test_purge_takes_old_terminal_requests_only(void **state)
{
	struct tsb_request old = fx_stored("purge", 1), open = fx_stored("purge", 1);
	struct tsb_request recent;
	struct store_change to = fx_change(&old, STATE_CANCELLED);
	struct find f = {.limit = 100};

	fx_do("DELETE FROM request WHERE key_name <> 'purge'");
	fx_ok(store_transact(fx_api, "vote", vote_body, &old.id, &err));
	fx_ok(store_transact(fx_api, "vote", vote_body, &open.id, &err));
	assert_true(fx_move(fx_api, &old, &to));
	fx_do("UPDATE request SET ended_ms = 1000 WHERE ended_ms IS NOT NULL");
	recent = fx_stored("purge", 0);
	assert_true(fx_move(fx_api, &recent, &to));
	f.ms = 1000;
	fx_ok(store_transact(fx_dispatcher, "purge", purge_body, &f, &err));
	assert_int_equal(f.n, 0);
	f.ms = 1001;
	fx_ok(store_transact(fx_dispatcher, "purge", purge_body, &f, &err));
	assert_int_equal(f.n, 1);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM request WHERE id = %s", fx_id(&old.id)),
	    0);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s",
			     fx_id(&old.id)),
	    0);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s",
			     fx_id(&open.id)),
	    1);
	assert_int_equal(fx_audits(&old.id), 1);
	fx_load(&open.id);
	fx_load(&recent.id);
}

int
store_find_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_due_oldest_first_with_lapsed_leases),
	    cmocka_unit_test(test_two_claimants_see_different_rows),
	    cmocka_unit_test(test_late_only_open_and_free),
	    cmocka_unit_test(test_requests_of_key_and_what_is_derived),
	    cmocka_unit_test(test_list_newest_first_by_state_and_key),
	    cmocka_unit_test(test_pages_begin_behind_the_last_request),
	    cmocka_unit_test(test_pages_leave_contents_and_secrets_behind),
	    cmocka_unit_test(test_by_token_waiting_first_then_those_with_an_outcome),
	    cmocka_unit_test(test_purge_takes_old_terminal_requests_only),
	};

	return cmocka_run_group_tests_name("store find", tests, fx_setup, fx_teardown);
}
