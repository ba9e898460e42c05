/* lib/store against a real server: rows, guards, order. Faults are in store_faults.c. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

/* ---- requests ---- */

static void
same_bytes(struct tsb_view a, struct tsb_view b)
{
	assert_int_equal(a.n, b.n);
	assert_true(tsb_view_eq(a, b));
}

static void
same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_string_equal(a, b);
}

static void
same_request(const struct tsb_request *a, const struct tsb_request *b)
{
	assert_memory_equal(a->id.b, b->id.b, 16);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->version, b->version);
	same_text(a->key_name, b->key_name);
	assert_memory_equal(a->attributes_digest, b->attributes_digest, TSB_SHA256);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->hsm_seconds, b->hsm_seconds);
	assert_int_equal(a->due_ms, b->due_ms);
	assert_int_equal(a->expires_ms, b->expires_ms);
	same_bytes(a->token, b->token);
	same_text(a->payload_type, b->payload_type);
	same_text(a->meta_data, b->meta_data);
	same_text(a->meta_data_signature, b->meta_data_signature);
	same_bytes(a->envelope, b->envelope);
	same_bytes(a->inner_clean, b->inner_clean);
	same_bytes(a->password_box, b->password_box);
	same_bytes(a->result, b->result);
	same_text(a->reason, b->reason);
	assert_int_equal(a->execution_ms, b->execution_ms);
	same_text(a->owner, b->owner);
	assert_int_equal(a->lease_ms, b->lease_ms);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->fence, b->fence);
}

static int
insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return store_request_insert(tx, ctx, err);
}

static void
test_request_comes_back_as_it_went(void **state)
{
	static unsigned char large[3 * 1024 * 1024];
	struct tsb_request rq = fx_request("key ' \" % _ \xc3\xa4"), got;

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (unsigned char)(i * 31 + i / 257);
	rq.kind = KIND_SELF_SIGN_CERTIFICATE;
	rq.envelope = tsb_view_of(large, sizeof(large));
	rq.meta_data = "";
	rq.meta_data_signature = "sig";
	rq.due_ms = INT64_MAX / 2;
	rq.expires_ms = 123;
	rq.owner = "host:1";
	rq.lease_ms = 77;
	rq.attempt = UINT32_MAX;
	rq.fence = 1ull << 62;
	rq.reason = "broken \xff character";
	fx_ok(store_transact(fx_api, "insert", insert_body, &rq, &err));
	got = fx_load(&rq.id);
	same_request(&rq, &got);
}

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct tsb_request rq;

	return store_request_load(tx, ctx, true, &fx_arena, &rq, err);
}

static void
test_request_unknown(void **state)
{
	struct tsb_uuid id = uuid_new();

	fx_refused(store_transact(fx_api, "load", load_body, &id, &err), 651);
}

static void
test_move_shows_the_new_row(void **state)
{
	struct tsb_request rq = fx_stored("move", 0), got;
	struct store_change to = fx_change(&rq, STATE_APPROVED);

	to.due_ms = 5000;
	to.owner = "worker";
	to.lease_ms = 9000;
	to.count_attempt = to.new_fence = true;
	assert_true(fx_move(fx_dispatcher, &rq, &to));
	assert_int_equal(rq.version, 2);
	assert_int_equal(rq.fence, 1);
	assert_int_equal(rq.attempt, 1);
	got = fx_load(&rq.id);
	same_request(&rq, &got);
}

static void
test_move_stale_changes_nothing(void **state)
{
	struct tsb_request rq = fx_stored("stale", 2), old = rq, got, wrong;
	struct store_change to = fx_change(&rq, STATE_APPROVED);
	struct store_change cancel = fx_change(&rq, STATE_CANCELLED);

	assert_true(fx_move(fx_api, &rq, &to));
	assert_false(fx_move(fx_api, &old, &cancel));
	assert_int_equal(old.version, 1);
	assert_int_equal(old.state, STATE_PENDING);
	wrong = rq;
	wrong.fence++;
	assert_false(fx_move(fx_api, &wrong, &cancel));
	wrong = rq;
	wrong.state = STATE_PENDING;
	assert_false(fx_move(fx_api, &wrong, &cancel));
	wrong = rq;
	wrong.id = uuid_new();
	assert_false(fx_move(fx_api, &wrong, &cancel));
	got = fx_load(&rq.id);
	same_request(&rq, &got);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s", fx_id(&rq.id)), 2);
}

struct forbidden {
	struct tsb_request *rq;
	struct store_change to;
};

static int
forbidden_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct forbidden *f = ctx;
	bool moved;

	return store_request_move(tx, f->rq, &f->to, &moved, err);
}

static void
test_move_terminal_erases_and_stays(void **state)
{
	static const enum tsb_state terminal[] = {STATE_EXECUTED, STATE_FAILED, STATE_EXPIRED,
	    STATE_REJECTED, STATE_CANCELLED};

	for (size_t i = 0; i < TSB_COUNT(terminal); i++) {
		struct tsb_request rq = fx_stored("terminal", 3), got;
		struct store_change to = fx_change(&rq, terminal[i]);
		struct forbidden back = {&rq, fx_change(&rq, STATE_PENDING)};

		to.result = tsb_view_str(terminal[i] == STATE_EXECUTED ? "result" : "");
		to.reason = terminal[i] == STATE_FAILED ? "reason" : NULL;
		to.execution_ms = 42;
		assert_true(fx_move(fx_api, &rq, &to));
		assert_int_equal(rq.password_box.n, 0);
		got = fx_load(&rq.id);
		same_request(&rq, &got);
		assert_int_equal(
		    fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s", fx_id(&rq.id)), 0);
		fx_refused(store_transact(fx_api, "back", forbidden_body, &back, &err), 500);
	}
}

struct erase {
	struct tsb_request rq;
	bool erased;
};

static int
erase_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct erase *e = ctx;

	return store_request_erase_result(tx, &e->rq, &e->erased, err);
}

static void
test_result_is_erased_once(void **state)
{
	struct tsb_request rq = fx_stored("once", 0);
	struct store_change to = fx_change(&rq, STATE_EXECUTED);
	struct erase first, second;

	to.result = tsb_view_str("secret");
	assert_true(fx_move(fx_api, &rq, &to));
	first = second = (struct erase){.rq = rq};
	fx_ok(store_transact(fx_api, "erase", erase_body, &first, &err));
	assert_true(first.erased);
	assert_int_equal(first.rq.result.n, 0);
	fx_ok(store_transact(fx_api, "erase", erase_body, &second, &err));
	assert_false(second.erased);
	rq = fx_load(&rq.id);
	assert_int_equal(rq.result.n, 0);
	assert_int_equal(rq.version, 3);
	assert_int_equal(rq.state, STATE_EXECUTED);
}

/* ---- finding ---- */

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

	return store_requests_of_key(tx, f->key, &fx_arena, &f->ids, &f->n, err);
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
	static const char *const names[] = {"K_1", "K_1/44'/0'", "K_1/", "K_10", "KX1", "k_1", "K_1.a",
	    "K%", "K_1 "};
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
	assert_int_equal(listed(&(struct list){.key = "LIST A"}), 0);
	assert_int_equal(listed(&(struct list){.offset = 7, .limit = 3}), 0);
	assert_int_equal(listed(&(struct list){.limit = 0}), 7);
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

	return store_approval_insert(tx, &row, &fresh, err) || store_audit_insert(tx, &audit, err) ? -1
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
	fx_refused(store_transact(fx_api, "load", load_body, &old.id, &err), 651);
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s", fx_id(&old.id)), 0);
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s", fx_id(&open.id)), 1);
	assert_int_equal(fx_audits(&old.id), 1);
	fx_load(&open.id);
	fx_load(&recent.id);
}

/* ---- approvals ---- */

struct votes {
	struct tsb_uuid request_id;
	struct tsb_approval row, *rows;
	size_t n;
	bool fresh;
};

static int
votes_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct votes *v = ctx;

	return store_approval_insert(tx, &v->row, &v->fresh, err) ||
	    store_approvals_load(tx, &v->request_id, &fx_arena, &v->rows, &v->n, err)
	    ? -1 : 0;
}

static void
test_approval_counts_once(void **state)
{
	struct tsb_request rq = fx_stored("votes", 0);
	struct votes v = {.request_id = rq.id, .row = fx_approval(&rq.id, 9)};

	v.row.at_ms = 200;
	fx_ok(store_transact(fx_api, "votes", votes_body, &v, &err));
	assert_true(v.fresh);
	v.row.approves = false; /* a second answer does not replace the first */
	fx_ok(store_transact(fx_api, "votes", votes_body, &v, &err));
	assert_false(v.fresh);
	assert_int_equal(v.n, 1);
	assert_true(v.rows[0].approves);
	v.row = fx_approval(&rq.id, 3);
	v.row.at_ms = 100;
	v.row.approves = false;
	v.row.signed_approval = (struct tsb_view){0};
	fx_ok(store_transact(fx_api, "votes", votes_body, &v, &err));
	assert_true(v.fresh);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.rows[0].approver_id[31], 3); /* in order of arrival */
	assert_false(v.rows[0].approves);
	assert_int_equal(v.rows[0].signed_approval.n, 0);
	assert_int_equal(v.rows[1].at_ms, 200);
	same_bytes(v.rows[1].signed_approval, tsb_view_str("signed"));
}

/* ---- key attributes ---- */

struct keys {
	struct tsb_key_attributes row, out;
	int64_t since;
	const char *name;
	bool found;
};

static int
key_put_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct keys *k = ctx;

	return store_key_attributes_insert(tx, &k->row, err);
}

static int
key_get_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct keys *k = ctx;

	return k->name != NULL
	    ? store_key_attributes_latest(tx, k->name, k->since, &fx_arena, &k->out, &k->found, err)
	    : store_key_attributes_load(tx, k->row.digest, &fx_arena, &k->out, &k->found, err);
}

static void
test_key_attributes(void **state)
{
	struct keys k = {.row = {.key_name = "attr", .xml = tsb_view_str("<x/>"),
	    .xml_signature = tsb_view_of("\0s", 2), .fetched_ms = 500}};

	memset(k.row.digest, 0x51, TSB_SHA256);
	fx_ok(store_read(fx_dispatcher, "get", key_get_body, &k, &err));
	assert_false(k.found);
	fx_ok(store_transact(fx_api, "put", key_put_body, &k, &err));
	fx_ok(store_read(fx_dispatcher, "get", key_get_body, &k, &err));
	assert_true(k.found);
	assert_null(k.out.attestation_key_name);
	same_bytes(k.out.xml_signature, k.row.xml_signature);
	k.row.fetched_ms = 400; /* a late writer does not turn the clock back */
	fx_ok(store_transact(fx_dispatcher, "put", key_put_body, &k, &err));
	fx_ok(store_read(fx_api, "get", key_get_body, &k, &err));
	assert_int_equal(k.out.fetched_ms, 500);
	k.row.fetched_ms = 600;
	fx_ok(store_transact(fx_dispatcher, "put", key_put_body, &k, &err));
	k.row.digest[0] = 0x52;
	k.row.fetched_ms = 700;
	k.row.attestation_key_name = "attestation-key";
	fx_ok(store_transact(fx_api, "put", key_put_body, &k, &err));
	k.name = "attr";
	k.since = 700;
	fx_ok(store_read(fx_api, "get", key_get_body, &k, &err));
	assert_true(k.found);
	assert_int_equal(k.out.digest[0], 0x52);
	assert_string_equal(k.out.attestation_key_name, "attestation-key");
	k.since = 701;
	fx_ok(store_read(fx_api, "get", key_get_body, &k, &err));
	assert_false(k.found);
	k.name = "ATTR";
	k.since = 0;
	fx_ok(store_read(fx_api, "get", key_get_body, &k, &err));
	assert_false(k.found);
}

/* ---- audit ---- */

static int
audit_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	static char text[4000];
	struct store_audit row = {.request_id = ctx, .action = "test", .actor = text, .from = "PENDING",
	    .to = "APPROVED", .detail = text};

	memset(text, 'd', sizeof(text) - 1);
	return store_audit_insert(tx, &row, err) || store_audit_insert(tx, &row, err) ? -1 : 0;
}

static void
test_audit_rows_are_cut_not_refused(void **state)
{
	struct tsb_uuid id = uuid_new();

	fx_ok(store_transact(fx_dispatcher, "audit", audit_body, &id, &err));
	assert_int_equal(fx_audits(&id), 2);
	assert_int_equal(fx_number("SELECT MIN(LENGTH(detail)) FROM audit WHERE request_id = %s",
			     fx_id(&id)), 2000);
}

/* ---- transactions ---- */

static int
half_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	if (insert_body(tx, ctx, err))
		return -1;
	return tsb_fail(err, TSB_E_NOT_ALLOWED, "no");
}

static void
test_failing_body_leaves_nothing(void **state)
{
	struct tsb_request rq = fx_request("half");

	fx_refused(store_transact(fx_api, "half", half_body, &rq, &err), 400);
	fx_refused(store_transact(fx_api, "load", load_body, &rq.id, &err), 651);
}

static int
swallow_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	(void)!insert_body(tx, ctx, err);
	(void)!insert_body(tx, ctx, err); /* duplicate key */
	return 0;
}

static void
test_swallowed_error_is_not_committed(void **state)
{
	struct tsb_request rq = fx_request("swallow");

	fx_refused(store_transact(fx_api, "swallow", swallow_body, &rq, &err), 700);
	fx_refused(store_transact(fx_api, "load", load_body, &rq.id, &err), 651);
}

static void
test_ping(void **state)
{
	struct store *nobody = fx_store(LOGIN_API, 2);
	struct store_conf conf = {.socket = "/nonexistent/db.sock", .name = "x", .user = "x"};
	struct store *away = store_new(&conf, LOGIN_API);

	fx_ok(store_ping(fx_api, &err));
	tsb_bytes_reset(&nobody->password);
	fx_refused(store_ping(nobody, &err), 700); /* access denied is not "unreachable" */
	fx_refused(store_ping(away, &err), 2);
	store_free(&nobody);
	store_free(&away);
}

/* A server without TLS, or with a certificate of another CA, is never talked to in the clear. */
static void
test_tls_is_demanded(void **state)
{
	static const char *const cas[] = {"/nonexistent/ca.pem", "/etc/ssl/certs/ca-certificates.crt"};

	for (size_t i = 0; i < TSB_COUNT(cas); i++) {
		struct store *s = fx_store(LOGIN_API, 5);

		s->tls_ca = strdup(cas[i]);
		fx_refused(store_ping(s, &err), 2);
		store_free(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_comes_back_as_it_went),
		cmocka_unit_test(test_request_unknown),
		cmocka_unit_test(test_move_shows_the_new_row),
		cmocka_unit_test(test_move_stale_changes_nothing),
		cmocka_unit_test(test_move_terminal_erases_and_stays),
		cmocka_unit_test(test_result_is_erased_once),
		cmocka_unit_test(test_due_oldest_first_with_lapsed_leases),
		cmocka_unit_test(test_two_claimants_see_different_rows),
		cmocka_unit_test(test_late_only_open_and_free),
		cmocka_unit_test(test_requests_of_key_and_what_is_derived),
		cmocka_unit_test(test_list_newest_first_by_state_and_key),
		cmocka_unit_test(test_purge_takes_old_terminal_requests_only),
		cmocka_unit_test(test_approval_counts_once),
		cmocka_unit_test(test_key_attributes),
		cmocka_unit_test(test_audit_rows_are_cut_not_refused),
		cmocka_unit_test(test_failing_body_leaves_nothing),
		cmocka_unit_test(test_swallowed_error_is_not_committed),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_tls_is_demanded),
	};
	int failed = cmocka_run_group_tests_name("store", tests, fx_setup, fx_teardown);

	return failed + store_task_tests() + store_schema_tests() + store_fault_tests();
}
