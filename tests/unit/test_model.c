#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/model/content.h"

/* ---- kinds ---- */

static bool
is_path(const char *path)
{
	return path != NULL && strncmp(path, "/v1/", 4) == 0;
}

static void
test_every_kind_has_a_complete_row(void **state)
{
	for (int i = 0; i < KIND__MAX; i++) {
		const struct tsb_kind_row *k = &tsb_kinds[i];
		enum tsb_kind found = KIND__MAX;

		assert_true(k->name != NULL && k->title != NULL && k->envelope != NULL &&
		    k->key_member != NULL && k->password_member != NULL && k->id_member != NULL &&
		    k->task_member != NULL);
		assert_true(k->askers != 0 && is_path(k->path) && is_path(k->task_path));
		assert_int_equal(k->bytes_member != NULL, k->content == CONTENT_BYTES);
		assert_true(tsb_kind_by_name(k->name, &found));
		assert_int_equal(found, i);
	}
}

/* An HSM, and whoever carries a request to one, meets the kinds that are executed as themselves. */
static void
test_every_kind_is_executed(void **state)
{
	for (int i = 0; i < KIND__MAX; i++) {
		const struct tsb_kind_row *k = tsb_kind_executed((enum tsb_kind)i);

		assert_ptr_equal(k, tsb_kind_executed(k->executed));
		assert_true(is_path(k->at_once_path) && k->failure != NULL);
		assert_true(k->role != TSB_ROLE_NONE && k->role < TSB_ROLE__MAX);
		assert_int_equal(k->operation, tsb_kinds[i].operation);
		assert_int_equal(k->needs, tsb_kinds[i].needs);
		assert_int_equal(tsb_kind_repeatable(k->executed),
		    tsb_kind_repeatable((enum tsb_kind)i));
		/* an object changed is the whole answer */
		assert_int_equal(k->answer_member != NULL, tsb_kind_repeatable(k->executed));
	}
}

/*
 * One path, one envelope and one task member each: none may hide another. But approvers see the
 * restoring of a backup as the decryption that it is.
 */
static void
test_kinds_are_told_apart(void **state)
{
	for (int i = 0; i < KIND__MAX; i++)
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(tsb_kinds[i].path, tsb_kinds[j].path);
			if (tsb_kinds[i].internal)
				continue;
			assert_string_not_equal(tsb_kinds[i].envelope, tsb_kinds[j].envelope);
			assert_string_not_equal(tsb_kinds[i].task_member, tsb_kinds[j].task_member);
			assert_string_not_equal(tsb_kinds[i].at_once_path,
			    tsb_kinds[j].at_once_path);
		}
}

static void
test_tasks_of_restoring_are_listed_with_those_of_unwrapping(void **state)
{
	for (int k = 0; k < KIND__MAX; k++)
		assert_int_equal(tsb_kind_listed_as((enum tsb_kind)k),
		    k == KIND_RESTORE_APPROVER ? KIND_UNWRAP : k);
}

static void
test_unknown_kind(void **state)
{
	enum tsb_kind k = KIND_SIGN;

	assert_false(tsb_kind_by_name("Sign", &k));
	assert_false(tsb_kind_by_name("", &k));
	assert_false(tsb_kind_by_name(NULL, &k));
	assert_int_equal(k, KIND_SIGN);
}

static void
test_rules_guard_kinds(void **state)
{
	assert_int_equal(tsb_kind_rule(KIND_SELF_SIGN_CERTIFICATE), RULE_USE);
	assert_int_equal(tsb_kind_rule(KIND_UNWRAP), RULE_USE);
	assert_int_equal(tsb_kind_rule(KIND_BLOCK), RULE_BLOCK);
	assert_int_equal(tsb_kind_rule(KIND_UNBLOCK), RULE_UNBLOCK);
	assert_int_equal(tsb_kind_rule(KIND_MODIFY), RULE_MODIFY);
}

static void
test_what_changes_objects_is_not_repeated(void **state)
{
	static const enum tsb_kind once[] = {KIND_UNWRAP, KIND_BLOCK, KIND_UNBLOCK, KIND_MODIFY};

	for (size_t i = 0; i < TSB_COUNT(once); i++)
		assert_false(tsb_kind_repeatable(once[i]));
	assert_true(tsb_kind_repeatable(KIND_SIGN));
	assert_true(tsb_kind_repeatable(KIND_DECRYPT));
	assert_true(tsb_kind_repeatable(KIND_SELF_SIGN_CERTIFICATE));
	assert_true(tsb_kind_repeatable(KIND_RESTORE_APPROVER));
}

/* ---- contents and effects ---- */

static void
test_content_is_what_the_request_says(void **state)
{
	static unsigned char message[] = "message";
	struct tsb_request_in in = {.kind = KIND_SIGN,
	    .payload = {message, 7},
	    .unwrap = {.wrapped_key = {message, 7}, .label = "new"}};
	struct ska_policy policy = {0};
	struct ska_unwrap_payload made;
	struct ska_policy read;
	struct tsb_err err = {0};
	arena_auto a = {0};

	assert_true(tsb_view_eq(tsb_content_bytes(&in, &a), in.payload));
	in.kind = KIND_RESTORE_APPROVER;
	assert_true(tsb_view_eq(tsb_content_bytes(&in, &a), in.payload));
	in.kind = KIND_BLOCK;
	assert_int_equal(tsb_content_bytes(&in, &a).n, 0);
	in.kind = KIND_SIGN_CERTIFICATE;
	assert_int_equal(tsb_content_bytes(&in, &a).n, 0);
	in.kind = KIND_UNWRAP;
	assert_int_equal(ska_unwrap_payload_parse(tsb_content_bytes(&in, &a), &made, &err), 0);
	assert_true(tsb_view_eq(made.wrapped_key, in.payload));
	in.kind = KIND_MODIFY;
	in.policy = &policy;
	assert_int_equal(ska_policy_parse(tsb_content_bytes(&in, &a), &a, &read, &err), 0);
}

static bool
shows(enum tsb_kind kind, const struct keyattr *key, struct tsb_view content, int64_t asked)
{
	struct tsb_err err = {0};
	bool shown;

	assert_int_equal(tsb_effect_shows(kind, key, content, asked, &shown, &err), 0);
	return shown;
}

static void
test_effects_show_in_attributes(void **state)
{
	const struct tsb_view none = {NULL, 0};
	struct keyattr ordinary = {0}, key = {.has_policy = true};
	tsb_bytes_auto policy = {0};

	assert_false(shows(KIND_BLOCK, &key, none, 0));
	assert_true(shows(KIND_UNBLOCK, &key, none, 0));
	key.policy.blocked = true;
	assert_true(shows(KIND_BLOCK, &key, none, 0));
	assert_false(shows(KIND_UNBLOCK, &key, none, 0));
	ska_policy_format(&key.policy, &policy);
	assert_true(shows(KIND_MODIFY, &key, tsb_view_bytes(&policy), 0));
	assert_false(shows(KIND_MODIFY, &key, none, 0));
	/* a key without policy shows nothing of the kind */
	assert_false(shows(KIND_BLOCK, &ordinary, none, 0));
	assert_false(shows(KIND_UNBLOCK, &ordinary, none, 0));
	assert_false(shows(KIND_MODIFY, &ordinary, none, 0));
	assert_false(shows(KIND_SIGN, &key, none, 0));
}

static void
test_new_keys_show_by_time_and_flags(void **state)
{
	const struct ska_unwrap asked = {.wrapped_key = {(const unsigned char *)"key", 3},
	    .label = "new",
	    .flag = {[ATTR_SIGN] = true}};
	struct keyattr key = {.create_time = 100,
	    .creation = "imported",
	    .flag = {[ATTR_SIGN] = true}};
	tsb_bytes_auto content = {0};
	struct tsb_err err = {0};
	bool shown;

	ska_unwrap_format(&asked, &content);
	assert_true(shows(KIND_UNWRAP, &key, tsb_view_bytes(&content), 100));
	assert_false(shows(KIND_UNWRAP, &key, tsb_view_bytes(&content), 101));
	key.creation = "generated";
	assert_false(shows(KIND_UNWRAP, &key, tsb_view_bytes(&content), 100));
	key.creation = "imported";
	key.flag[ATTR_DECRYPT] = true;
	assert_false(shows(KIND_UNWRAP, &key, tsb_view_bytes(&content), 100));
	assert_int_equal(tsb_effect_shows(KIND_UNWRAP, &key, tsb_view_str("x"), 0, &shown, &err),
	    -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
}

/* ---- states ---- */

static void
test_state_names(void **state)
{
	enum tsb_state s;

	for (int i = 0; i < STATE__MAX; i++) {
		assert_true(tsb_state_by_name(tsb_state_names[i], &s));
		assert_int_equal(s, i);
	}
	assert_false(tsb_state_by_name("pending", &s));
	assert_false(tsb_state_by_name(NULL, &s));
}

static void
test_terminal_states_are_left_by_nobody(void **state)
{
	for (int from = 0; from < STATE__MAX; from++) {
		bool open = from == STATE_PENDING || from == STATE_APPROVED;

		assert_int_equal(tsb_state_terminal((enum tsb_state)from), !open);
		for (int to = 0; to < STATE__MAX; to++)
			if (!open)
				assert_false(
				    tsb_state_may_move((enum tsb_state)from, (enum tsb_state)to));
	}
}

static void
test_moves_of_open_states(void **state)
{
	for (int to = 0; to < STATE__MAX; to++) {
		assert_true(tsb_state_may_move(STATE_PENDING, (enum tsb_state)to));
		assert_int_equal(tsb_state_may_move(STATE_APPROVED, (enum tsb_state)to),
		    to != STATE_REJECTED);
	}
	assert_false(tsb_state_may_move(STATE__MAX, STATE_PENDING));
	assert_false(tsb_state_may_move(STATE_PENDING, STATE__MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_kind_has_a_complete_row),
	    cmocka_unit_test(test_every_kind_is_executed),
	    cmocka_unit_test(test_kinds_are_told_apart),
	    cmocka_unit_test(test_tasks_of_restoring_are_listed_with_those_of_unwrapping),
	    cmocka_unit_test(test_unknown_kind),
	    cmocka_unit_test(test_rules_guard_kinds),
	    cmocka_unit_test(test_what_changes_objects_is_not_repeated),
	    cmocka_unit_test(test_content_is_what_the_request_says),
	    cmocka_unit_test(test_effects_show_in_attributes),
	    cmocka_unit_test(test_new_keys_show_by_time_and_flags),
	    cmocka_unit_test(test_state_names),
	    cmocka_unit_test(test_terminal_states_are_left_by_nobody),
	    cmocka_unit_test(test_moves_of_open_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
