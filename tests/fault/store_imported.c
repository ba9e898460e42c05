/* Keys that are known by imported attributes. */
#include "lib/first.h"

#include <pthread.h>
#include <string.h>

#include "tests/fault/store_changes.h"
#include "tests/fault/store_tests.h"

static unsigned made;

static struct tsb_imported_key
imported(const char *name, unsigned char digest, int64_t attest_time)
{
	struct tsb_imported_key row = {
	    .key_name = name,
	    .attest_time = attest_time,
	    .imported_ms = attest_time * 1000 + 7,
	    .certificate = tsb_view_str("certificate"),
	};

	memset(row.attributes_digest, digest, TSB_SHA256);
	return row;
}

static int
audit(struct store_tx *tx, struct tsb_err *err)
{
	return change_audit(tx, NULL, "imported", err);
}

/* ---- one step, in a transaction of its own ---- */

struct step {
	struct tsb_imported_key row, out;
	unsigned char before[TSB_SHA256];
	struct tsb_view certificate;
	const char **names;
	size_t n;
	bool done;
};

static int
find_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_imported_find(tx, s->row.key_name, false, &fx_arena, &s->out, &s->done, err);
}

static int
insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_imported_insert(tx, &s->row, &s->done, err) || audit(tx, err) ? -1 : 0;
}

static int
renew_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_imported_renew(tx, &s->row, s->before, &s->done, err) || audit(tx, err) ? -1
											     : 0;
}

static int
certify_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_imported_certify(tx, &s->row, s->certificate, &s->done, err) || audit(tx, err)
	    ? -1
	    : 0;
}

static int
forget_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_imported_forget(tx, &s->row, &s->done, err) || audit(tx, err) ? -1 : 0;
}

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_imported_list(tx, &fx_arena, &s->names, &s->n, err);
}

static bool
inserted(struct tsb_imported_key row)
{
	struct step s = {.row = row};

	fx_ok(store_transact(fx_api, "insert", insert_body, &s, &err));
	return s.done;
}

static bool
renewed(struct tsb_imported_key row, unsigned char before)
{
	struct step s = {.row = row};

	memset(s.before, before, TSB_SHA256);
	fx_ok(store_transact(fx_api, "renew", renew_body, &s, &err));
	return s.done;
}

static bool
certified(struct tsb_imported_key row, const char *certificate)
{
	struct step s = {.row = row, .certificate = tsb_view_str(certificate)};

	fx_ok(store_transact(fx_api, "certify", certify_body, &s, &err));
	return s.done;
}

static bool
forgotten(struct tsb_imported_key row)
{
	struct step s = {.row = row};

	fx_ok(store_transact(fx_api, "forget", forget_body, &s, &err));
	return s.done;
}

static bool
listed(const char *name)
{
	struct step s = {0};

	fx_ok(store_read(fx_api, "list", list_body, &s, &err));
	for (size_t i = 0; i < s.n; i++)
		if (strcmp(s.names[i], name) == 0)
			return true;
	return false;
}

static void
is_now(struct tsb_imported_key row)
{
	struct step s = {.row = row};

	fx_ok(store_read(fx_api, "find", find_body, &s, &err));
	assert_true(s.done);
	assert_string_equal(s.out.key_name, row.key_name);
	assert_memory_equal(s.out.attributes_digest, row.attributes_digest, TSB_SHA256);
	assert_int_equal(s.out.attest_time, row.attest_time);
	assert_int_equal(s.out.imported_ms, row.imported_ms);
	assert_true(tsb_view_eq(s.out.certificate, row.certificate));
}

/* ---- as the faults meet them ---- */

void
change_imported_setup(struct world *w)
{
	w->imported = imported(arena_printf(&fx_arena, "faults-%u", ++made), 1, 100);
}

void
change_imported_stored_setup(struct world *w)
{
	change_imported_setup(w);
	assert_true(inserted(w->imported));
}

int
change_imported_insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_imported_key have;
	bool found, fresh;

	w->runs++;
	if (store_imported_find(tx, w->imported.key_name, true, &fx_arena, &have, &found, err) ||
	    store_imported_insert(tx, &w->imported, &fresh, err))
		return -1;
	assert_true(!found && fresh);
	return audit(tx, err);
}

void
change_imported_insert_check(struct world *w)
{
	is_now(w->imported);
}

int
change_imported_renew_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_imported_key row = imported(w->imported.key_name, 2, 200);
	bool done, certificate;

	w->runs++;
	if (store_imported_renew(tx, &row, w->imported.attributes_digest, &done, err) ||
	    store_imported_certify(tx, &row, tsb_view_str("new"), &certificate, err))
		return -1;
	assert_true(done && certificate);
	return audit(tx, err);
}

void
change_imported_renew_check(struct world *w)
{
	struct tsb_imported_key row = imported(w->imported.key_name, 2, 200);

	row.certificate = tsb_view_str("new");
	is_now(row);
}

int
change_imported_forget_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	bool changed;

	w->runs++;
	if (store_imported_forget(tx, &w->imported, &changed, err))
		return -1;
	assert_true(changed);
	return audit(tx, err);
}

void
change_imported_forget_check(struct world *w)
{
	struct tsb_imported_key row = w->imported;

	memset(row.attributes_digest, 0, TSB_SHA256);
	row.certificate = tsb_view_of(NULL, 0);
	is_now(row);
}

int
change_imported_read_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct step s = {.row = w->imported};

	w->flag = false;
	if (find_body(tx, &s, err) || list_body(tx, &s, err))
		return -1;
	for (size_t i = 0; i < s.n; i++)
		w->flag = w->flag || strcmp(s.names[i], s.out.key_name) == 0;
	return 0;
}

void
change_imported_read_check(struct world *w)
{
	assert_true(w->flag);
}

/* ---- what is stored, and what refused ---- */

static void
test_imported_key_comes_back_as_it_was(void **state)
{
	/* names are bytes: case and accents tell them apart */
	struct tsb_imported_key a = imported("Schl\xc3\xbcssel", 1, 5),
				b = imported("schl\xc3\xbcssel", 2, 6);
	struct step none = {.row = imported("no such key", 0, 0)}, list = {0};

	b.certificate = tsb_view_of(NULL, 0);
	assert_true(inserted(a));
	assert_true(inserted(b));
	assert_false(inserted(imported(a.key_name, 9, 9)));
	is_now(a);
	is_now(b);
	fx_ok(store_read(fx_api, "find", find_body, &none, &err));
	assert_false(none.done);
	fx_ok(store_read(fx_api, "list", list_body, &list, &err));
	for (size_t i = 1; i < list.n; i++)
		assert_true(strcmp(list.names[i - 1], list.names[i]) < 0);
	assert_true(list.n >= 2);
}

static void
test_imported_key_never_goes_back_in_time(void **state)
{
	struct tsb_imported_key row = imported("time", 1, 100), newer = imported("time", 2, 101);

	assert_true(inserted(row));
	assert_false(renewed(imported("time", 2, 100), 1));
	assert_false(renewed(imported("time", 2, 99), 1));
	assert_false(renewed(newer, 3)); /* somebody else's digest is in force */
	assert_false(renewed(imported("other", 2, 200), 1));
	is_now(row);
	newer.certificate = tsb_view_of(NULL, 0);
	assert_true(renewed(newer, 1));
	is_now(newer);
	assert_false(renewed(imported("time", 3, 200), 1));
	is_now(newer);
}

static void
test_certificate_belongs_to_the_attributes_it_was_checked_with(void **state)
{
	struct tsb_imported_key row = imported("certified", 1, 100), other = row;

	assert_true(inserted(row));
	other.attributes_digest[0] = 0;
	assert_false(certified(other, "new"));
	other = row;
	other.certificate = tsb_view_str("not this one");
	assert_false(certified(other, "new"));
	is_now(row);
	assert_true(certified(row, "new"));
	row.certificate = tsb_view_str("new");
	is_now(row);
	assert_true(certified(row, ""));
	row.certificate = tsb_view_of(NULL, 0);
	is_now(row);
}

static void
test_forgotten_key_remembers_its_time(void **state)
{
	struct tsb_imported_key row = imported("forgotten", 1, 100), other = row;
	struct tsb_imported_key gone = imported("forgotten", 0, 100),
				newer = imported("forgotten", 2, 101);

	gone.imported_ms = row.imported_ms;
	gone.certificate = tsb_view_of(NULL, 0);
	assert_true(inserted(row));
	other.attributes_digest[0] = 9;
	assert_false(forgotten(other));
	assert_true(listed("forgotten"));
	assert_true(forgotten(row));
	is_now(gone);
	assert_false(listed("forgotten"));
	assert_false(inserted(row));
	assert_false(renewed(row, 0)); /* not newer */
	assert_true(renewed(newer, 0));
	is_now(newer);
	assert_true(listed("forgotten"));
}

/* ---- many at once ---- */

#define THREADS 8

struct racer {
	pthread_t thread;
	struct store *store;
	unsigned char n;
	bool won;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct step s = {.row = imported("race", (unsigned char)(r->n + 2), 101)};
	struct tsb_err err = {0};

	memset(s.before, 1, TSB_SHA256);
	r->won = store_transact(r->store, "race", renew_body, &s, &err) == 0 && s.done;
	return NULL;
}

static void
test_of_many_that_replace_the_same_one_wins(void **state)
{
	struct racer racers[THREADS];
	unsigned won = 0;

	assert_true(inserted(imported("race", 1, 100)));
	for (unsigned char i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){.n = i, .store = fx_store(LOGIN_API, 10)};
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		won += racers[i].won;
		store_free(&racers[i].store);
	}
	assert_int_equal(won, 1);
}

int
store_imported_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_imported_key_comes_back_as_it_was),
	    cmocka_unit_test(test_imported_key_never_goes_back_in_time),
	    cmocka_unit_test(test_certificate_belongs_to_the_attributes_it_was_checked_with),
	    cmocka_unit_test(test_forgotten_key_remembers_its_time),
	    cmocka_unit_test(test_of_many_that_replace_the_same_one_wins),
	};

	return cmocka_run_group_tests_name("imported keys", tests, fx_setup, fx_teardown);
}
