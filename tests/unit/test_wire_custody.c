/* Bodies of approver management, and policies that are written anew for the HSM. */
#include "lib/first.h"

#include <stdio.h>

#include "tests/unit/wire_help.h"

#include "lib/wire/custody.h"

static void
test_create(void **state)
{
	struct wire_approver_create in;
	struct tsb_err err;

	assert_int_equal(wire_approver_create_parse(
			     text(
				 "{\"approverName\":\"a@b\",\"algorithm\":\"RSA\",\"keySize\":4096,"
				 "\"backupPassword\":[\"p\",\"\xc3\xa4\"],\"validity\":7}"),
			     &arena, &in, &err),
	    0);
	assert_string_equal(in.name, "a@b");
	assert_int_equal(in.key_size, 4096);
	assert_int_equal(in.validity, 7);
	assert_view(in.backup_password, "p\xc3\xa4");
	assert_int_equal(wire_approver_create_parse(
			     text("{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"keySize\":null,"
				  "\"backupPassword\":\"p\",\"validity\":null}"),
			     &arena, &in, &err),
	    0);
	assert_int_equal(in.key_size, 3072);
	assert_int_equal(in.validity, 3650);
	assert_false(in.qr_code);
}

static void
test_invitation(void **state)
{
	tsb_bytes_auto out = {0};

	wire_approver_invitation_format("a \"b\"", "000123", "https://b.example", &out);
	assert_string_equal(tsb_bytes_cstr(&out),
	    "{\"approverName\":\"a \\\"b\\\"\",\"oneTimeCode\":\"000123\","
	    "\"url\":\"https://b.example\"}");
	tsb_bytes_reset(&out);
	wire_approver_invitation_format("\xc3\xa4\xf0\x9f\x94\x91", "1", "", &out);
	assert_string_equal(tsb_bytes_cstr(&out),
	    "{\"approverName\":\"\\u00e4\\ud83d\\udd11\",\"oneTimeCode\":\"1\"}");
	tsb_bytes_reset(&out);
	wire_approver_invitation_format("a", "1", "", &out);
	assert_string_equal(tsb_bytes_cstr(&out), "{\"approverName\":\"a\",\"oneTimeCode\":\"1\"}");
}

static void
test_create_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *says;
	} rows[] = {
	    {"{}", TSB_E_INPUT, "missing"},
	    {"{\"approverName\":\"\",\"algorithm\":\"RSA\",\"backupPassword\":\"p\"}", TSB_E_INPUT,
		"approverName"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"EC\",\"backupPassword\":\"p\"}", TSB_E_INPUT,
		"algorithm"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"backupPassword\":\"\"}", TSB_E_INPUT,
		"backupPassword"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"backupPassword\":[]}", TSB_E_INPUT,
		"backupPassword"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"backupPassword\":\"p\",\"keySize\":1024}",
		TSB_E_KEY_SIZE, "keySize"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"backupPassword\":\"p\",\"keySize\":-1}",
		TSB_E_KEY_SIZE, "keySize"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"backupPassword\":\"p\",\"validity\":0}",
		TSB_E_INPUT, "validity"},
	    {"{\"approverName\":\"a\",\"algorithm\":\"RSA\",\"backupPassword\":\"p\",\"x\":0}",
		TSB_E_INPUT, "x"},
	};
	struct wire_approver_create in;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_approver_create_parse(text(rows[i].body), &arena, &in, &err), &err,
		    rows[i].code, rows[i].says);
	}
}

static void
test_onboard(void **state)
{
	struct wire_approver_onboard in;
	struct tsb_err err;
	char body[256];

	for (size_t n = 0; n < 40; n++) {
		int rc;

		snprintf(body, sizeof(body),
		    "{\"approverName\":\"a\",\"oneTimeCode\":\"000001\","
		    "\"transportPassword\":\"%.*s\"}",
		    (int)n, "0123456789012345678901234567890123456789");
		rc = wire_approver_onboard_parse(text(body), &arena, &in, &err);
		assert_int_equal(rc, n == 16 || n == 32 ? 0 : -1);
		if (rc == 0)
			assert_view(in.code, "000001");
		else
			assert_refused(body, rc, &err, TSB_E_INPUT, "transportPassword");
	}
}

static void
test_passwords(void **state)
{
	struct wire_approver_password in;
	struct tsb_err err = {0};
	const char *name;

	assert_int_equal(
	    wire_approver_change_parse(
		text(
		    "{\"approverName\":\"a\",\"backupPassword\":\"o\",\"newBackupPassword\":\"n\"}"),
		&arena, &in, &err),
	    0);
	assert_view(in.old_password, "o");
	assert_view(in.new_password, "n");
	assert_int_equal(
	    wire_approver_forgot_parse(text("{\"approverName\":\"a\",\"newBackupPassword\":\"n\"}"),
		&arena, &in, &err),
	    0);
	assert_int_equal(in.old_password.n, 0);
	assert_refused("old where it is not asked",
	    wire_approver_forgot_parse(
		text(
		    "{\"approverName\":\"a\",\"backupPassword\":\"o\",\"newBackupPassword\":\"n\"}"),
		&arena, &in, &err),
	    &err, TSB_E_INPUT, "backupPassword");
	assert_int_equal(wire_approver_name_parse(text("{\"approverName\":\"a\"}"), &arena, &name,
			     &err),
	    0);
	assert_string_equal(name, "a");
}

/* What we write is what our own reader takes. */
static void
test_answers(void **state)
{
	unsigned char der[100] = {0};
	struct tsb_approver rows[] =
	    {
		{.name = "on\"e", .onboarded = true, .certificate = tsb_view_of(der, sizeof(der))},
		{.name = "two", .certificate = tsb_view_of(der, 48)},
	    },
			    *back;
	tsb_bytes_auto out = {0};
	struct tsb_view encrypted, iv;
	struct tsb_err err;
	size_t n;

	for (size_t i = 0; i < sizeof(der); i++)
		der[i] = (unsigned char)i;
	wire_approvers_format(rows, 2, &out);
	assert_compact(&out);
	assert_int_equal(wire_approvers_read(tsb_view_bytes(&out), &arena, &back, &n, &err), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(back[i].name, rows[i].name);
		assert_int_equal(back[i].onboarded, rows[i].onboarded);
		assert_true(tsb_view_eq(back[i].certificate, rows[i].certificate));
	}
	tsb_bytes_reset(&out);
	wire_approver_onboard_format(text("sealed"), text("iv"), &out);
	assert_compact(&out);
	assert_int_equal(wire_approver_onboard_read(tsb_view_bytes(&out), &arena, &encrypted, &iv,
			     &err),
	    0);
	assert_view(encrypted, "sealed");
	assert_view(iv, "iv");
	tsb_bytes_reset(&out);
	wire_approver_code_format("000001", &out);
	assert_view(tsb_view_bytes(&out), "{\"oneTimeCode\":\"000001\"}");
	tsb_bytes_reset(&out);
	wire_approvers_format(NULL, 0, &out);
	assert_view(tsb_view_bytes(&out), "{\"onboarded\":[],\"pending\":[]}");
}

/* The bodies for the HSM are bodies that the API's own readers take. */
static void
test_bodies_for_the_hsm(void **state)
{
	tsb_bytes_auto out = {0};
	struct wire_key_create key;
	struct tsb_request_in in;
	struct tsb_err err;

	wire_backup_key_format("backup \"key\"", &out);
	assert_int_equal(wire_key_create_parse(tsb_view_bytes(&out), &arena, &key, &err), 0);
	assert_string_equal(key.label, "backup \"key\"");
	assert_true(key.flag[ATTR_DECRYPT] && key.flag[ATTR_UNWRAP]);
	assert_false(
	    key.flag[ATTR_SIGN] || key.flag[ATTR_EXTRACTABLE] || key.flag[ATTR_DESTROYABLE]);
	assert_true(key.has_policy && ska_rule_is_absent_form(&key.policy.rule[RULE_USE]));
	tsb_bytes_reset(&out);
	wire_restore_format(KIND_RESTORE_APPROVER, "k", text("wrapped"), "for \"a\"", &out);
	assert_int_equal(wire_request_parse(KIND_RESTORE_APPROVER, tsb_view_bytes(&out), &arena,
			     &in, &err),
	    0);
	assert_string_equal(in.key_name, "k");
	assert_view(in.payload, "wrapped");
	assert_view(decoded(in.meta_data), "for \"a\"");
}

/* ---- policies written anew ---- */

static void
test_policy_replaced(void **state)
{
	struct ska_approver approver = {.type = APPROVER_CERTIFICATE, .value = text("cert")};
	struct ska_group group = {.quorum = 1, .napprovers = 1, .approvers = &approver};
	struct ska_token token = {.ngroups = 1, .groups = &group};
	struct ska_policy p = {0};
	tsb_bytes_auto out = {0};
	struct wire_key_create key;
	struct tsb_request_in in;
	struct tsb_err err;

	for (int kind = 0; kind < RULE__MAX; kind++)
		ska_rule_set_always(&p.rule[kind], &arena);
	p.rule[RULE_USE] = (struct ska_rule){1, &token};
	wire_policy_replace(
	    text("{\"label\":\"k\",\"algorithm\":\"EC\",\"attributes\":{\"decrypt\":false,"
		 "\"sign\":true,\"unwrap\":false},\"policy\":{\"old\":[1,{}]},"
		 "\"password\":\"policy\"}"),
	    &p, true, &out);
	assert_compact(&out);
	assert_int_equal(wire_key_create_parse(tsb_view_bytes(&out), &arena, &key, &err), 0);
	assert_view(key.password, "policy");
	assert_int_equal(key.policy.rule[RULE_USE].tokens[0].groups[0].approvers[0].type,
	    APPROVER_CERTIFICATE);
	assert_view(key.policy.rule[RULE_USE].tokens[0].groups[0].approvers[0].value, "cert");
	tsb_bytes_reset(&out);
	wire_policy_replace_in(text("{\"modifyRequest\":{\"policy\":{},\"modifyKeyName\":\"k\"},"
				    "\"requestSignature\":null}"),
	    "modifyRequest", &p, false, &out);
	assert_compact(&out);
	assert_int_equal(wire_request_parse(KIND_MODIFY, tsb_view_bytes(&out), &arena, &in, &err),
	    0);
	assert_string_equal(in.key_name, "k");
	assert_int_equal(in.policy->rule[RULE_USE].tokens[0].groups[0].quorum, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_create),
	    cmocka_unit_test(test_invitation),
	    WIRE_TEST(test_create_refusals),
	    WIRE_TEST(test_onboard),
	    WIRE_TEST(test_passwords),
	    WIRE_TEST(test_answers),
	    WIRE_TEST(test_bodies_for_the_hsm),
	    WIRE_TEST(test_policy_replaced),
	};

	return cmocka_run_group_tests_name("wire_custody", tests, NULL, group_teardown);
}
