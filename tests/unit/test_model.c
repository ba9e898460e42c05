#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/model/model.h"

/* ---- kinds ---- */

static void
test_every_kind_has_a_complete_row(void **state)
{
	for (int i = 0; i < KIND__MAX; i++) {
		const struct tsb_kind_row *k = &tsb_kinds[i];
		enum tsb_kind found = KIND__MAX;

		assert_true(k->name != NULL && k->envelope != NULL && k->key_member != NULL &&
		    k->password_member != NULL && k->id_member != NULL && k->task_member != NULL &&
		    k->synchronous_path != NULL);
		assert_true(strncmp(k->synchronous_path, "/v1/", 4) == 0);
		assert_true(tsb_kind_by_name(k->name, &found));
		assert_int_equal(found, i);
		/* one envelope and one task member each: none may hide another; but approvers see
		 * the restoring of a backup as the decryption that it is */
		for (int j = 0; j < i && i != KIND_RESTORE_APPROVER; j++) {
			assert_string_not_equal(k->envelope, tsb_kinds[j].envelope);
			assert_string_not_equal(k->task_member, tsb_kinds[j].task_member);
			/* for the HSM a certificate is one more signature */
			if (i < KIND_CERTIFICATE_REQUEST)
				assert_string_not_equal(k->synchronous_path,
				    tsb_kinds[j].synchronous_path);
			else
				assert_string_equal(k->synchronous_path,
				    tsb_kinds[KIND_SIGN].synchronous_path);
		}
	}
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

/* The rule that guards a kind and the operation in its token must name the same thing. */
static void
test_rule_and_operation_agree(void **state)
{
	static const enum ska_operation operation_of[RULE__MAX] = {[RULE_USE] = OP_USE,
	    [RULE_BLOCK] = OP_BLOCK,
	    [RULE_UNBLOCK] = OP_UNBLOCK,
	    [RULE_MODIFY] = OP_MODIFY};

	for (int i = 0; i < KIND__MAX; i++)
		assert_int_equal(tsb_kinds[i].operation, operation_of[tsb_kinds[i].rule]);
}

static void
test_what_changes_objects_is_not_repeated(void **state)
{
	static const enum tsb_kind once[] = {KIND_UNWRAP, KIND_BLOCK, KIND_UNBLOCK, KIND_MODIFY};

	for (size_t i = 0; i < TSB_COUNT(once); i++)
		assert_false(tsb_kinds[once[i]].repeatable);
	assert_true(tsb_kinds[KIND_SIGN].repeatable);
	assert_true(tsb_kinds[KIND_DECRYPT].repeatable);
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
	    cmocka_unit_test(test_unknown_kind),
	    cmocka_unit_test(test_rule_and_operation_agree),
	    cmocka_unit_test(test_what_changes_objects_is_not_repeated),
	    cmocka_unit_test(test_state_names),
	    cmocka_unit_test(test_terminal_states_are_left_by_nobody),
	    cmocka_unit_test(test_moves_of_open_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
