/* lib/store against a real server: rows, guards, order. The other groups are in store_*.c. */
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
	struct store_change to;

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
	fx_ok(store_transact(fx_api, "insert", insert_body, &rq, &err));
	got = fx_load(&rq.id);
	same_request(&rq, &got);
	to = fx_change(&rq, STATE_FAILED);
	to.reason = "broken \xff character";
	assert_true(fx_move(fx_api, &rq, &to));
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
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s",
			     fx_id(&rq.id)),
	    2);
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
		assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s",
				     fx_id(&rq.id)),
		    0);
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
	    ? -1
	    : 0;
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
	v.row.service = tsb_view_str("notifier");
	v.row.reason = "wrong \xc3\xbc\xf0\x9f\x98\x80 'amount'";
	fx_ok(store_transact(fx_api, "votes", votes_body, &v, &err));
	assert_true(v.fresh);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.rows[0].approver_id[31], 3); /* in order of arrival */
	assert_false(v.rows[0].approves);
	assert_int_equal(v.rows[0].signed_approval.n, 0);
	same_bytes(v.rows[0].service, tsb_view_str("notifier"));
	assert_int_equal(v.rows[1].service.n, 0);
	assert_string_equal(v.rows[0].reason, v.row.reason);
	assert_null(v.rows[1].reason);
	assert_int_equal(v.rows[1].at_ms, 200);
	same_bytes(v.rows[1].signed_approval, tsb_view_str("signed"));
}

struct seen {
	const struct tsb_uuid *id;
	struct tsb_request apart, together;
	struct tsb_approval *votes, *rows;
	size_t nvotes, n;
};

static int
seen_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct seen *s = ctx;

	return store_request_load(tx, s->id, false, &fx_arena, &s->apart, err) ||
		store_votes_load(tx, s->id, &fx_arena, &s->votes, &s->nvotes, err) ||
		store_request_view(tx, s->id, &fx_arena, &s->together, &s->rows, &s->n, err)
	    ? -1
	    : 0;
}

/* The same as one by one, with none and several votes, of a short request and of a long one. */
static void
assert_seen_together(const struct tsb_uuid *id, size_t n)
{
	struct seen s = {.id = id};

	fx_ok(store_read(fx_api, "seen", seen_body, &s, &err));
	assert_int_equal(s.n, n);
	assert_int_equal(s.nvotes, n);
	assert_memory_equal(s.together.id.b, s.apart.id.b, sizeof(id->b));
	assert_int_equal(s.together.version, s.apart.version);
	same_bytes(s.together.token, s.apart.token);
	same_bytes(s.together.envelope, s.apart.envelope);
	assert_memory_equal(s.together.plan_digest, s.apart.plan_digest, TSB_SHA256);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(s.rows[i].approver_id, s.votes[i].approver_id, TSB_SHA256);
		assert_int_equal(s.rows[i].approves, s.votes[i].approves);
		assert_int_equal(s.rows[i].at_ms, s.votes[i].at_ms);
		same_bytes(s.rows[i].spki, s.votes[i].spki);
		same_bytes(s.rows[i].service, s.votes[i].service);
		assert_int_equal(s.rows[i].signed_approval.n, 0);
	}
}

static void
test_request_is_seen_with_its_votes(void **state)
{
	struct tsb_request rq = fx_stored("seen", 0);
	struct votes v = {.request_id = rq.id};
	struct tsb_uuid unknown = uuid_new();
	struct seen s = {.id = &unknown};

	assert_seen_together(&rq.id, 0);
	for (unsigned char who = 1; who <= 3; who++) {
		v.row = fx_approval(&rq.id, who);
		v.row.at_ms = who == 2 ? 100 : 200;
		v.row.approves = who != 3;
		fx_ok(store_transact(fx_api, "votes", votes_body, &v, &err));
	}
	assert_seen_together(&rq.id, 3);
	fx_do("UPDATE request SET token = REPEAT('t', 20000) WHERE id = %s", fx_id(&rq.id));
	assert_seen_together(&rq.id, 3);
	fx_refused(store_read(fx_api, "seen", seen_body, &s, &err), 651);
}

/* ---- key attributes ---- */

struct keys {
	struct tsb_key_attributes row, out;
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

	return store_key_attributes_load(tx, k->row.digest, &fx_arena, &k->out, &k->found, err);
}

static void
test_key_attributes(void **state)
{
	struct keys k = {.row = {.key_name = "attr",
			     .xml = tsb_view_str("<x/>"),
			     .xml_signature = tsb_view_of("\0s", 2),
			     .fetched_ms = 500}};

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
	fx_ok(store_read(fx_api, "get", key_get_body, &k, &err));
	assert_true(k.found);
	assert_int_equal(k.out.fetched_ms, 700);
	assert_string_equal(k.out.attestation_key_name, "attestation-key");
}

/* ---- audit ---- */

static int
audit_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	static char text[4000];
	struct store_audit row = {.request_id = ctx,
	    .action = "test",
	    .actor = text,
	    .from = "PENDING",
	    .to = "APPROVED",
	    .detail = text};

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
			     fx_id(&id)),
	    2000);
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
	struct store *away = store_new(&conf, LOGIN_API), *account = fx_account(LOGIN_API);

	fx_ok(store_ping(fx_api, &err));
	fx_ok(store_ping(account, &err)); /* logs in by the name of its account */
	tsb_bytes_reset(&nobody->password);
	fx_refused(store_ping(nobody, &err), 700); /* access denied is not "unreachable" */
	fx_refused(store_ping(away, &err), 2);
	store_free(&nobody);
	store_free(&away);
	store_free(&account);
}

/* A server without TLS, or with a certificate of another CA, is never talked to in the clear. */
static void
test_tls_is_demanded(void **state)
{
	static const char *const cas[] = {"/nonexistent/ca.pem",
	    "/etc/ssl/certs/ca-certificates.crt"};

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
	    cmocka_unit_test(test_approval_counts_once),
	    cmocka_unit_test(test_request_is_seen_with_its_votes),
	    cmocka_unit_test(test_key_attributes),
	    cmocka_unit_test(test_audit_rows_are_cut_not_refused),
	    cmocka_unit_test(test_failing_body_leaves_nothing),
	    cmocka_unit_test(test_swallowed_error_is_not_committed),
	    cmocka_unit_test(test_ping),
	    cmocka_unit_test(test_tls_is_demanded),
	};
	int failed = cmocka_run_group_tests_name("store", tests, fx_setup, fx_teardown);

	return failed + store_find_tests() + store_approver_tests() + store_imported_tests() +
	    store_owned_tests() + store_batch_tests() + store_growth_tests() + store_task_tests() +
	    store_schema_tests() + store_fault_tests() + store_server_tests() + store_hosts_tests();
}
