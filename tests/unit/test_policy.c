#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/ska/policy.h"
#include "lib/ska/tlv.h"
#include "tests/unit/vectors.h"

static struct tsb_view
text(const char *s)
{
	return tsb_view_str(s);
}

static void
assert_says(const struct tsb_err *err, enum tsb_code code, const char *message)
{
	assert_int_equal(err->code, code);
	if (strstr(err->msg, message) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err->msg, message);
}

/* ---- binary form ---- */

/* A policy whose rules are the given bodies; NULL: one token, no name, no times, no groups. */
static void
make_policy(const struct tsb_bytes *use, struct tsb_bytes *out)
{
	tsb_bytes_auto always = {0};
	tsb_bytes_auto body = {0};

	tlv_put_u32(&always, TLV_TOKEN_COUNT, 1);
	tlv_put_u32(&always, TLV_MINUTES, 0);
	tlv_put_u32(&always, TLV_MINUTES, 0);
	tlv_put_u32(&always, TLV_GROUP_COUNT, 0);
	for (unsigned tag = TLV_RULE_USE; tag <= TLV_RULE_MODIFY; tag++) {
		tsb_bytes_auto rule = {0};

		tlv_put_container(&rule,
		    tsb_view_bytes(tag == TLV_RULE_USE && use != NULL ? use : &always));
		tlv_put(&body, tag, tsb_view_bytes(&rule));
	}
	tsb_bytes_reset(out);
	tlv_put_container(out, tsb_view_bytes(&body));
}

static void
assert_policy(const struct tsb_bytes *use, const char *message)
{
	arena_auto a = {0};
	tsb_bytes_auto whole = {0};
	tsb_bytes_auto again = {0};
	struct ska_policy p;
	struct tsb_err err;

	make_policy(use, &whole);
	if (message != NULL) {
		assert_int_equal(ska_policy_parse(tsb_view_bytes(&whole), &a, &p, &err), -1);
		assert_says(&err, TSB_E_PAYLOAD, message);
		return;
	}
	if (ska_policy_parse(tsb_view_bytes(&whole), &a, &p, &err) != 0)
		fail_msg("refused: %s", err.msg);
	ska_policy_format(&p, &again);
	assert_view_equal(tsb_view_bytes(&whole), tsb_view_bytes(&again));
}

/* One rule in words: "n" name, "m" "s" a time, "T" "G" "A" counts, "Q" quorum, "k" "c" a key. */
static void
put_rule(struct tsb_bytes *out, const char *words)
{
	static const struct {
		char word;
		unsigned tag;
	} numbers[] = {{'m', TLV_MINUTES}, {'s', TLV_SECONDS}, {'T', TLV_TOKEN_COUNT},
	    {'G', TLV_GROUP_COUNT}, {'A', TLV_KEY_COUNT}, {'Q', TLV_QUORUM}};

	tsb_bytes_reset(out);
	while (*words != '\0') {
		char word = *words++, *end;

		if (word == 'n')
			tlv_put(out, TLV_LABEL, text("name"));
		if (word == 'e')
			tlv_put(out, TLV_LABEL, text(""));
		if (word == 'k')
			tlv_put(out, TLV_PUBLIC_KEY, text("key"));
		if (word == 'c')
			tlv_put(out, TLV_CERTIFICATE, text("certificate"));
		if (word == '-')
			tlv_put(out, TLV_PUBLIC_KEY, text(""));
		for (size_t i = 0; i < TSB_COUNT(numbers); i++)
			if (word == numbers[i].word) {
				tlv_put_u32(out, numbers[i].tag,
				    (uint32_t)strtoul(words, &end, 10));
				words = end;
			}
	}
}

static void
test_binary_rules(void **state)
{
	static const struct {
		const char *words, *message; /* NULL = good */
	} rows[] = {
	    {"T0", NULL},
	    {"T1 m0 m0 G0", NULL},
	    {"T1 n m0 m10 G0", NULL},
	    {"T1 m0 m10 G1 Q1 A1 k", NULL},
	    {"T1 m0 m10 G1 n Q1 A1 n k", NULL},
	    {"T1 m0 m10 G1 n Q1 A2 n c c", NULL}, /* certificates with and without name */
	    {"T1 m0 m10 G1 Q0 A0", NULL},
	    {"T1 m0 m10 G1 Q4294967295 A0", NULL},
	    {"T1 m4294967295 m4294967295 G0", NULL},
	    {"T2 m0 m10 G0 n m1 m0 G2 Q1 A0 n Q2 A1 k", NULL},
	    {"", "0x0059 is missing"},
	    {"T0 m0", "nothing more belongs"},
	    {"T1 m0 m0 G0 m0", "nothing more belongs"},
	    {"T1 m0 m0 G0 T1 m0 m0 G0", "nothing more belongs"},
	    {"m0 m0 G0", "0x0055 where 0x0059 belongs"},
	    {"T2 m0 m0 G0", "count 0x0059 of 2"}, /* one token's bytes for two */
	    {"T1 m0 G0 Q1", "0x005a where 0x0055 belongs"},
	    {"T1 m0 m0 m0 G0", "0x0055 where 0x005a belongs"},
	    {"T1 n n m0 m0 G0", "0x1002 where 0x0055 belongs"},
	    {"T1 m0 n m0 G0", "0x1002 where 0x0055 belongs"},
	    {"T1 e m0 m0 G0", "name is not 1 to 255"},
	    {"T1 m0 m0 G1 A0 Q1", "0x0003 where 0x005b belongs"},
	    {"T1 m0 m0 G1 Q1 Q1 A0", "0x005b where 0x0003 belongs"},
	    {"T1 m0 m0 G1 Q1 A1 n", "0x1052 is missing"},
	    {"T1 m0 m0 G1 Q1 A1 k k", "nothing more belongs"},
	    {"T1 m0 m0 G1 Q1 A2 k n", "0x1052 is missing"},
	    {"T1 m0 m0 G1 Q1 A1 - m0", "not 1 to 16384"},
	    {"T1 m0 m0 G2 Q1 A0", "count 0x005a of 2"},
	    /* minutes or seconds, never a mixture, seconds only where minutes cannot be */
	    {"T1 s30 s600 G0", NULL},
	    {"T1 s60 s90 G0", NULL},
	    {"T1 s0 s1 G0", NULL},
	    {"T1 s4294967295 s0 G0", NULL},
	    {"T1 s60 s600 G0", "whole minutes"},
	    {"T1 s0 s0 G0", "whole minutes"},
	    {"T1 s30 m10 G0", "0x0055 where 0x0056 belongs"},
	    {"T1 m1 s30 G0", "0x0056 where 0x0055 belongs"},
	};
	tsb_bytes_auto use = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		put_rule(&use, rows[i].words);
		assert_policy(&use, rows[i].message);
	}
}

/*
 * Counts are compared with the limit and with the bytes that remain before anything is allocated.
 */
static void
test_rule_9_counts(void **state)
{
	static const struct {
		const char *words, *message;
	} rows[] = {
	    {"T65 m0 m0 G0", "above 64"},
	    {"T4294967295 m0 m0 G0", "above 64"},
	    {"T64 m0 m0 G0", "where 24 bytes remain"},
	    {"T1 m0 m0 G65 Q1 A0", "above 64"},
	    {"T1 m0 m0 G64 Q1 A0", "where 16 bytes remain"},
	    {"T1 m0 m0 G1 Q1 A257 k", "above 256"},
	    {"T1 m0 m0 G1 Q1 A4294967295 k", "above 256"},
	    {"T1 m0 m0 G1 Q1 A256 k", "where 8 bytes remain"},
	    {"T1 m0 m0 G1 Q1 A1", "where 0 bytes remain"},
	};
	tsb_bytes_auto use = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		put_rule(&use, rows[i].words);
		assert_policy(&use, rows[i].message);
	}
}

static void
test_largest_counts_are_read(void **state)
{
	tsb_bytes_auto use = {0};

	tlv_put_u32(&use, TLV_TOKEN_COUNT, POLICY_TOKENS_MAX);
	for (int t = 0; t < POLICY_TOKENS_MAX; t++) {
		tlv_put_u32(&use, TLV_MINUTES, 0);
		tlv_put_u32(&use, TLV_MINUTES, 0);
		tlv_put_u32(&use, TLV_GROUP_COUNT, t == 0 ? POLICY_GROUPS_MAX : 0);
		for (int g = 0; t == 0 && g < POLICY_GROUPS_MAX; g++) {
			tlv_put_u32(&use, TLV_QUORUM, 1);
			tlv_put_u32(&use, TLV_KEY_COUNT, POLICY_APPROVERS_MAX);
			for (int k = 0; k < POLICY_APPROVERS_MAX; k++)
				tlv_put(&use, TLV_PUBLIC_KEY, text("key"));
		}
	}
	assert_policy(&use, NULL);
}

static void
test_values_have_a_limit(void **state)
{
	tsb_bytes_auto use = {0};
	tsb_bytes_auto value = {0};

	memset(tsb_bytes_grow(&value, POLICY_VALUE_MAX), 'x', POLICY_VALUE_MAX);
	for (int more = 0; more <= 1; more++) {
		put_rule(&use, "T1 m0 m0 G1 Q1 A1");
		tlv_put(&use, TLV_CERTIFICATE, tsb_view_bytes(&value));
		assert_policy(&use, more ? "not 1 to 16384" : NULL);
		tsb_bytes_add(&value, "x", 1);
	}
}

static void
test_names_are_labels(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {{"Token1", true}, {"B\xc3\xbcro", true}, {"a\nb", false}, {"\xff", false},
	    {"\x7f", false}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		for (int where = 0; where < 3; where++) {
			tsb_bytes_auto use = {0};

			put_rule(&use, "T1");
			if (where == 0)
				tlv_put(&use, TLV_LABEL, text(rows[i].name));
			tlv_put_u32(&use, TLV_MINUTES, 0);
			tlv_put_u32(&use, TLV_MINUTES, 0);
			tlv_put_u32(&use, TLV_GROUP_COUNT, 1);
			if (where == 1)
				tlv_put(&use, TLV_LABEL, text(rows[i].name));
			tlv_put_u32(&use, TLV_QUORUM, 1);
			tlv_put_u32(&use, TLV_KEY_COUNT, 1);
			if (where == 2)
				tlv_put(&use, TLV_LABEL, text(rows[i].name));
			tlv_put(&use, TLV_PUBLIC_KEY, text("key"));
			assert_policy(&use, rows[i].good ? NULL : "name is not");
		}
}

static void
test_rules_of_a_policy_are_four_in_order(void **state)
{
	static const unsigned orders[][5] = {
	    {TLV_RULE_USE, TLV_RULE_BLOCK, TLV_RULE_UNBLOCK, TLV_RULE_MODIFY},
	    {TLV_RULE_USE, TLV_RULE_BLOCK, TLV_RULE_UNBLOCK},
	    {TLV_RULE_BLOCK, TLV_RULE_USE, TLV_RULE_UNBLOCK, TLV_RULE_MODIFY},
	    {TLV_RULE_USE, TLV_RULE_USE, TLV_RULE_BLOCK, TLV_RULE_UNBLOCK, TLV_RULE_MODIFY},
	    {TLV_RULE_USE, TLV_RULE_BLOCK, TLV_RULE_UNBLOCK, TLV_RULE_MODIFY, TLV_RULE_MODIFY},
	    {0},
	};

	for (size_t i = 0; i < TSB_COUNT(orders); i++) {
		arena_auto a = {0};
		tsb_bytes_auto rule = {0};
		tsb_bytes_auto body = {0};
		tsb_bytes_auto whole = {0};
		struct ska_policy p;
		struct tsb_err err;

		tlv_put_u32(&body, TLV_TOKEN_COUNT, 0);
		tlv_put_container(&rule, tsb_view_bytes(&body));
		tsb_bytes_reset(&body);
		for (size_t k = 0; k < 5 && orders[i][k] != 0; k++)
			tlv_put(&body, orders[i][k], tsb_view_bytes(&rule));
		tlv_put_container(&whole, tsb_view_bytes(&body));
		assert_int_equal(ska_policy_parse(tsb_view_bytes(&whole), &a, &p, &err),
		    i == 0 ? 0 : -1);
	}
}

/* Seen once as part of an access definition: without the outer length it is no payload. */
static void
test_policy_without_length_is_refused(void **state)
{
	const struct vector *v = vector_by_name("policy-four-rules");
	arena_auto a = {0};
	struct ska_policy p;
	struct tsb_err err;

	assert_int_equal(ska_policy_parse(v->bytes, &a, &p, &err), 0);
	assert_int_equal(ska_policy_parse((struct tsb_view){v->bytes.p + 4, v->bytes.n - 4}, &a, &p,
			     &err),
	    -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
}

static void
test_times_have_one_form(void **state)
{
	assert_true(ska_times_fit(0, 0));
	assert_true(ska_times_fit(60, (uint64_t)UINT32_MAX * 60));
	assert_false(ska_times_fit(60, ((uint64_t)UINT32_MAX + 1) * 60));
	assert_true(ska_times_fit(1, UINT32_MAX));
	assert_false(ska_times_fit(1, (uint64_t)UINT32_MAX + 1));
	assert_false(ska_times_fit(UINT64_MAX, 0));
}

/* ---- forms of a rule ---- */

static void
test_absent_rule(void **state)
{
	arena_auto a = {0};
	struct ska_group group = {.quorum = 1};
	struct ska_rule rule = {0};

	assert_false(ska_rule_is_absent_form(&rule));
	assert_false(ska_rule_is_free(&rule));
	assert_false(ska_rule_works_without_timestamp(&rule));
	ska_rule_set_always(&rule, &a);
	assert_true(ska_rule_is_absent_form(&rule));
	assert_true(ska_rule_is_free(&rule));
	assert_true(ska_rule_works_without_timestamp(&rule));
	rule.tokens[0].name = "named";
	assert_false(ska_rule_is_absent_form(&rule));
	assert_true(ska_rule_is_free(&rule));
	rule.tokens[0] = (struct ska_token){.timeout = 60};
	assert_false(ska_rule_is_absent_form(&rule));
	assert_true(ska_rule_is_free(&rule));
	assert_false(ska_rule_works_without_timestamp(&rule));
	rule.tokens[0] = (struct ska_token){.timelock = 60};
	assert_false(ska_rule_is_absent_form(&rule));
	assert_false(ska_rule_is_free(&rule));
	assert_false(ska_rule_works_without_timestamp(&rule));
	rule.tokens[0] = (struct ska_token){.ngroups = 1, .groups = &group};
	assert_false(ska_rule_is_absent_form(&rule));
	assert_false(ska_rule_is_free(&rule));
	assert_true(ska_rule_works_without_timestamp(&rule));
	group.quorum = 0;
	assert_true(ska_rule_is_free(&rule));
}

/* ---- fit to be created ---- */

static struct ska_approver
approver(const char *key)
{
	return (struct ska_approver){.value = text(key), .spki = text(key)};
}

/* ruleUse: one token, one group, two approvers, quorum 1; the other rules always. */
struct sample {
	struct arena a;
	struct ska_policy p;
	struct ska_token *token;
	struct ska_group *group;
	struct ska_approver *approvers;
};

static void
sample_init(struct sample *s)
{
	*s = (struct sample){0};
	for (int k = 0; k < RULE__MAX; k++)
		ska_rule_set_always(&s->p.rule[k], &s->a);
	s->token = s->p.rule[RULE_USE].tokens;
	s->token->ngroups = 1;
	s->token->groups = s->group = arena_array(&s->a, 1, sizeof(*s->group));
	s->group->quorum = 1;
	s->group->napprovers = 2;
	s->group->approvers = s->approvers = arena_array(&s->a, 2, sizeof(*s->approvers));
	s->approvers[0] = approver("alice");
	s->approvers[1] = approver("bob");
}

static void
assert_check(struct sample *s, const char *message)
{
	struct tsb_err err;
	int rc = ska_policy_check(&s->p, &err);

	if (message == NULL) {
		if (rc != 0)
			fail_msg("refused: %s", err.msg);
	} else {
		assert_int_equal(rc, -1);
		assert_says(&err, TSB_E_INPUT, message);
	}
	arena_clear(&s->a);
	sample_init(s);
}

static void
test_check_quorum(void **state)
{
	struct sample s;

	sample_init(&s);
	assert_check(&s, NULL);
	s.group->quorum = 2;
	assert_check(&s, NULL);
	s.group->quorum = 3;
	assert_check(&s, "policy.ruleUse.tokens[0].groups[0].quorum: 3 is above");
	s.group->quorum = 0;
	assert_check(&s, "policy.ruleUse.tokens[0].groups[0].quorum: must be at least 1");
	s.group->quorum = 2;
	s.approvers[1] = approver("alice"); /* the same one twice is one approver */
	assert_check(&s, "different approvers, 1");
	s.group->quorum = 1;
	s.approvers[1] = approver("alice");
	assert_check(&s, NULL);
	s.group->napprovers = 0;
	assert_check(&s, "different approvers, 0");
	s.token->ngroups = 0;
	assert_check(&s, NULL);
	s.token->ngroups = 0;
	s.token->timeout = 600;
	assert_check(&s, NULL);
	s.token->ngroups = 0;
	s.token->timelock = 60;
	assert_check(&s, "policy.ruleUse.tokens[0].timelock: must be 0 without groups");
	arena_clear(&s.a);
}

static void
test_check_times(void **state)
{
	struct sample s;

	sample_init(&s);
	s.token->timelock = 61;
	assert_check(&s, "policy.ruleUse.tokens[0].timelock: must be a multiple of 60");
	s.token->timeout = 59;
	assert_check(&s, "policy.ruleUse.tokens[0].timeout: must be a multiple of 60");
	s.token->timelock = 120;
	s.token->timeout = 120;
	assert_check(&s, "policy.ruleUse.tokens[0].timeout: must be above the timelock");
	s.token->timelock = 120;
	s.token->timeout = 180;
	assert_check(&s, NULL);
	s.token->timelock = 120;
	assert_check(&s, NULL);
	s.token->timeout = (uint64_t)UINT32_MAX * 60;
	assert_check(&s, NULL);
	s.token->timeout = ((uint64_t)UINT32_MAX + 1) * 60;
	assert_check(&s, "timeout: must be at most 4294967295 minutes");
	s.p.rule[RULE_BLOCK].tokens->timelock = 30;
	assert_check(&s, "policy.ruleBlock.tokens[0].timelock: must be a multiple of 60");
	arena_clear(&s.a);
}

static void
test_check_names_and_values(void **state)
{
	static char big[POLICY_NAME_MAX + 2], value[POLICY_VALUE_MAX + 1];
	struct sample s;

	memset(big, 'x', POLICY_NAME_MAX + 1);
	sample_init(&s);
	s.token->name = "";
	assert_check(&s, "policy.ruleUse.tokens[0].name: must have 1 to 255");
	s.token->name = big;
	assert_check(&s, "policy.ruleUse.tokens[0].name: must have 1 to 255");
	s.token->name = big + 1;
	assert_check(&s, NULL);
	s.group->name = "a\tb";
	assert_check(&s, "policy.ruleUse.tokens[0].groups[0].name: must be UTF-8");
	s.approvers[1].name = "\xff";
	assert_check(&s, "policy.ruleUse.tokens[0].groups[0].approvals[1].name: must be UTF-8");
	s.approvers[1].spki = text("");
	assert_check(&s, "approvals[1].value: the key or certificate is missing");
	s.approvers[0].value = tsb_view_of(value, sizeof(value));
	assert_check(&s, "approvals[0].value: must have at most 16384");
	arena_clear(&s.a);
}

static void
test_check_limits(void **state)
{
	struct sample s;

	sample_init(&s);
	s.p.rule[RULE_MODIFY].ntokens = POLICY_TOKENS_MAX + 1;
	assert_check(&s, "policy.ruleModify.tokens: at most 64");
	s.token->ngroups = POLICY_GROUPS_MAX + 1;
	assert_check(&s, "policy.ruleUse.tokens[0].groups: at most 64");
	s.group->napprovers = POLICY_APPROVERS_MAX + 1;
	assert_check(&s, "policy.ruleUse.tokens[0].groups[0].approvals: at most 256");
	arena_clear(&s.a);
}

static void
test_check_only_rule_use_must_be_possible(void **state)
{
	struct sample s;

	sample_init(&s);
	s.p.rule[RULE_USE].ntokens = 0;
	assert_check(&s, "policy.ruleUse.tokens: a rule without tokens");
	s.p.rule[RULE_BLOCK].ntokens = 0;
	s.p.rule[RULE_UNBLOCK].tokens->timelock = 180;
	s.p.rule[RULE_UNBLOCK].tokens->timeout = 180;
	s.p.rule[RULE_MODIFY] = s.p.rule[RULE_USE];
	s.p.rule[RULE_USE].tokens = arena_array(&s.a, 1, sizeof(struct ska_token));
	s.group->quorum = 9;
	assert_check(&s, NULL);
	/* of several tokens one that can be met is enough, and the first one's reason is told */
	s.p.rule[RULE_USE].ntokens = 2;
	s.p.rule[RULE_USE].tokens = arena_array(&s.a, 2, sizeof(struct ska_token));
	s.p.rule[RULE_USE].tokens[0] = *s.token;
	s.group->quorum = 9;
	assert_check(&s, NULL);
	s.p.rule[RULE_USE].ntokens = 2;
	s.p.rule[RULE_USE].tokens = arena_array(&s.a, 2, sizeof(struct ska_token));
	s.p.rule[RULE_USE].tokens[0] = *s.token;
	s.p.rule[RULE_USE].tokens[1].timelock = s.p.rule[RULE_USE].tokens[1].timeout = 60;
	s.group->quorum = 9;
	assert_check(&s, "policy.ruleUse.tokens[0].groups[0].quorum: 9");
	arena_clear(&s.a);
}

/* ---- resolving ---- */

static int
fake_of_cert(struct tsb_view cert, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
{
	if (tsb_view_eq(cert, text("bad")))
		return tsb_fail(err, TSB_E_PARSING_CERTIFICATE, "no certificate");
	*spki = arena_view(a, text("key inside"));
	return 0;
}

static int
fake_check(struct tsb_view spki, struct tsb_err *err)
{
	if (tsb_view_eq(spki, text("dilithium")))
		return tsb_fail(err, TSB_E_APPROVER_KEY_TYPE, "unknown kind");
	return 0;
}

static void
test_resolve(void **state)
{
	struct sample s;
	struct tsb_err err;

	sample_init(&s);
	s.approvers[0].spki = s.approvers[1].spki = text("");
	s.approvers[1].type = APPROVER_CERTIFICATE;
	assert_int_equal(ska_policy_resolve(&s.p, &s.a, fake_of_cert, fake_check, &err), 0);
	assert_view_text(s.approvers[0].spki, "alice");
	assert_view_text(s.approvers[1].spki, "key inside");

	s.approvers[1].value = text("bad");
	assert_int_equal(ska_policy_resolve(&s.p, &s.a, fake_of_cert, fake_check, &err), -1);
	assert_says(&err, TSB_E_PARSING_CERTIFICATE,
	    "policy.ruleUse.tokens[0].groups[0].approvals[1].value: no certificate");

	s.approvers[1] = approver("dilithium");
	assert_int_equal(ska_policy_resolve(&s.p, &s.a, fake_of_cert, fake_check, &err), -1);
	assert_says(&err, TSB_E_APPROVER_KEY_TYPE, "approvals[1].value: unknown kind");

	s.approvers[1] = (struct ska_approver){.type = APPROVER_ONBOARDED, .name = "officer"};
	assert_int_equal(ska_policy_resolve(&s.p, &s.a, fake_of_cert, fake_check, &err), -1);
	assert_says(&err, TSB_E_APPROVER_VALUE, "approvals[1].value");
	arena_clear(&s.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_binary_rules),
	    cmocka_unit_test(test_rule_9_counts),
	    cmocka_unit_test(test_largest_counts_are_read),
	    cmocka_unit_test(test_values_have_a_limit),
	    cmocka_unit_test(test_names_are_labels),
	    cmocka_unit_test(test_rules_of_a_policy_are_four_in_order),
	    cmocka_unit_test(test_policy_without_length_is_refused),
	    cmocka_unit_test(test_times_have_one_form),
	    cmocka_unit_test(test_absent_rule),
	    cmocka_unit_test(test_check_quorum),
	    cmocka_unit_test(test_check_times),
	    cmocka_unit_test(test_check_names_and_values),
	    cmocka_unit_test(test_check_limits),
	    cmocka_unit_test(test_check_only_rule_use_must_be_possible),
	    cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, vectors_load, vectors_unload);
}
