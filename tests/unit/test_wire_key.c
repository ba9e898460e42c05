/* Keys, policies, the timestamp extension and the answers of other servers. */
#include "lib/first.h"

#include "tests/unit/wire_help.h"

/* ---- keys ---- */

static void
test_key_create_published(void **state)
{
	struct wire_key_create k;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_key_create_parse(
		text("{ \"label\": \"Broker-Transaction-Key-01\", \"algorithm\": \"EC\", "
		     "\"curveOid\": \"1.3.132.0.10\", \"attributes\": { \"decrypt\": true, "
		     "\"sign\": true, \"unwrap\": true, \"destroyable\": true, \"modifiable\": "
		     "true, "
		     "\"extractable\": false }, \"policy\": { \"ruleUse\": null, \"ruleBlock\": "
		     "null, "
		     "\"ruleUnblock\": null, \"ruleModify\": null, \"keyStatus\": { \"blocked\": "
		     "false } } }"),
		&arena, &k, &err),
	    0);
	assert_string_equal(k.label, "Broker-Transaction-Key-01");
	assert_string_equal(k.algorithm, "EC");
	assert_null(k.algorithm_oid);
	assert_string_equal(k.curve_oid, "1.3.132.0.10");
	assert_int_equal(k.key_size, 0);
	assert_null(k.id);
	assert_null(k.address_format);
	assert_true(k.flag[ATTR_DECRYPT] && k.flag[ATTR_SIGN] && k.flag[ATTR_UNWRAP]);
	assert_true(k.flag[ATTR_DESTROYABLE] && k.flag[ATTR_MODIFIABLE] && k.flag[ATTR_SENSITIVE]);
	assert_false(k.flag[ATTR_EXTRACTABLE] || k.flag[ATTR_DERIVE] || k.flag[ATTR_COPYABLE]);
	assert_true(k.has_policy);
	assert_false(k.policy.blocked);
	for (int rule = 0; rule < RULE__MAX; rule++)
		assert_true(ska_rule_is_absent_form(&k.policy.rule[rule]));
}

static void
test_key_create_members(void **state)
{
	struct wire_key_create k;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_key_create_parse(
		text(
		    "{\"label\":\"k\",\"password\":[\"R\",\"E\",\"P\"],\"id\":\"07\","
		    "\"algorithmOid\":\"1.2.840.113549.1.1.1\",\"keySize\":2048,"
		    "\"addressFormat\":{\"format\":\"BTC\"},\"attributes\":{\"decrypt\":false,"
		    "\"sign\":true,\"unwrap\":false,\"encrypt\":true,\"verify\":null,\"wrap\":true,"
		    "\"extractable\":true,\"modifiable\":false,\"copyable\":true,\"rollover\":true,"
		    "\"bip32\":true,\"slip10\":true,\"derive\":true,\"neverExtractable\":true,"
		    "\"alwaysSensitive\":true},\"policy\":null}"),
		&arena, &k, &err),
	    0);
	assert_view(k.password, "REP");
	assert_string_equal(k.id, "07");
	assert_string_equal(k.algorithm, "RSA");
	assert_int_equal(k.key_size, 2048);
	assert_string_equal(k.address_format, "BTC");
	assert_false(k.flag[ATTR_DECRYPT] || k.flag[ATTR_MODIFIABLE] || k.flag[ATTR_DESTROYABLE]);
	assert_true(k.flag[ATTR_EXTRACTABLE] && k.flag[ATTR_COPYABLE] && k.flag[ATTR_DERIVE]);
	assert_false(k.flag[ATTR_SENSITIVE]); /* extractable and not told otherwise */
	assert_false(k.flag[ATTR_NEVER_EXTRACTABLE] || k.flag[ATTR_ALWAYS_SENSITIVE]);
	assert_true(k.encrypt && k.wrap && k.bip32 && k.slip10 && k.rollover);
	assert_false(k.verify);
	assert_false(k.has_policy);
}

#define KEY(members)                                                                               \
	"{\"label\":\"k\",\"algorithm\":\"EC\",\"attributes\":{\"decrypt\":true,\"sign\":true,"    \
	"\"unwrap\":true}" members "}"

static void
test_key_create_minimal_policies(void **state)
{
	static const struct {
		const char *body;
		bool sensitive, policy, blocked;
	} rows[] = {
	    {KEY(""), true, false, false},
	    {KEY(",\"keySize\":0,\"password\":\"\""), true, false, false},
	    {KEY(",\"policy\":{}"), true, true, false},
	    {KEY(",\"policy\":{\"keyStatus\":null}"), true, true, false},
	    {KEY(",\"policy\":{\"keyStatus\":{\"blocked\":false}}"), true, true, false},
	    {KEY(",\"policy\":{\"keyStatus\":{\"blocked\":true}}"), true, true, true},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_key_create k;
		struct tsb_err err = {0};

		if (wire_key_create_parse(text(rows[i].body), &arena, &k, &err))
			fail_msg("%s: %s", rows[i].body, err.msg);
		assert_int_equal(k.flag[ATTR_SENSITIVE], rows[i].sensitive);
		assert_int_equal(k.has_policy, rows[i].policy);
		assert_int_equal(k.policy.blocked, rows[i].blocked);
	}
}

static void
test_key_create_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"{}", TSB_E_INPUT, "label is missing"},
	    {"{\"label\":\"k\"}", TSB_E_INPUT, "attributes is missing"},
	    {"{\"label\":\"a/b\",\"algorithm\":\"EC\",\"attributes\":{\"decrypt\":true,"
	     "\"sign\":true,\"unwrap\":true}}",
		TSB_E_KEY_NAME, "label must not contain '/'"},
	    {"{\"label\":\"k\",\"attributes\":{\"decrypt\":true,\"sign\":true,\"unwrap\":true}}",
		TSB_E_INPUT, "algorithm is missing"},
	    {"{\"label\":\"k\",\"algorithmOid\":\"1.2.3\",\"attributes\":{\"decrypt\":true,"
	     "\"sign\":true,\"unwrap\":true}}",
		TSB_E_INPUT, "Value '1.2.3' is not valid for field algorithmOid"},
	    {KEY(",\"algorithmOid\":\"1.3.101.112\""), TSB_E_INPUT,
		"algorithm and algorithmOid differ"},
	    {KEY(",\"keySize\":-1"), TSB_E_KEY_SIZE, "keySize must be from 0"},
	    {KEY(",\"keySize\":\"2048\""), TSB_E_INPUT, "keySize must be a whole number"},
	    {KEY(",\"addressFormat\":{\"format\":\"DOGE\"}"), TSB_E_CRYPTOCURRENCY,
		"Value 'DOGE' is not valid for field format"},
	    {KEY(",\"addressFormat\":{}"), TSB_E_INPUT, "addressFormat.format is missing"},
	    {KEY(",\"policy\":{\"keyStatus\":{}}"), TSB_E_INPUT,
		"policy.keyStatus.blocked is missing"},
	    {KEY(",\"policy\":{\"ruleUse\":[],\"keyStatus\":{\"blocked\":false}}"), TSB_E_INPUT,
		"policy.ruleUse must be an object"},
	    {KEY(",\"policy\":{\"rulesUse\":{},\"keyStatus\":{\"blocked\":false}}"), TSB_E_INPUT,
		"policy.rulesUse is not a known member"},
	    {"{\"label\":\"k\",\"algorithm\":\"EC\",\"attributes\":{\"decrypt\":\"true\"}}",
		TSB_E_INPUT, "attributes.decrypt must be true or false"},
	    {"{\"label\":\"k\",\"algorithm\":\"EC\",\"attributes\":{\"exportable\":true}}",
		TSB_E_INPUT, "attributes.exportable is not a known member"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_key_create k;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_key_create_parse(text(rows[i].body), &arena, &k, &err), &err, rows[i].code,
		    rows[i].message);
	}
}

static void
test_key_ref_both_ways(void **state)
{
	struct wire_key_ref ref = {.label = "k/44'/0\"", .password = text("p\\")}, back;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	wire_key_ref_format(&ref, &out);
	assert_view(tsb_view_bytes(&out), "{\"label\":\"k/44'/0\\\"\",\"password\":\"p\\\\\"}");
	assert_int_equal(wire_key_ref_parse(tsb_view_bytes(&out), &arena, &back, &err), 0);
	assert_string_equal(back.label, ref.label);
	assert_true(tsb_view_eq(back.password, ref.password));
	tsb_bytes_reset(&out);
	ref.password.n = 0;
	wire_key_ref_format(&ref, &out);
	assert_view(tsb_view_bytes(&out), "{\"label\":\"k/44'/0\\\"\",\"password\":null}");
	assert_refused("no label",
	    wire_key_ref_parse(text("{\"password\":null}"), &arena, &back, &err), &err, TSB_E_INPUT,
	    "label is missing");
}

static void
test_key_attributes_as_published(void **state)
{
	struct keyattr k = {
	    .root = "private_key",
	    .label = "unwrapped-ec-key",
	    .algorithm = "EC",
	    .algorithm_oid = "1.2.840.10045.2.1",
	    .curve_oid = "1.3.132.0.10",
	    .has_use_count = true,
	    .create_time = 1732190720,
	    .attest_time = 1732190806,
	    .public_key = tsb_view_of("\1\2\3", 3),
	};
	struct tsb_key_attributes back = {.key_name = "kept"};
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	k.flag[ATTR_DECRYPT] = k.flag[ATTR_SIGN] = k.flag[ATTR_UNWRAP] = true;
	k.flag[ATTR_SENSITIVE] = k.flag[ATTR_MODIFIABLE] = true;
	wire_key_attributes_format(&k, text("<private_key>\n\t\"x\"\n"), tsb_view_of("\4\5\6", 3),
	    "attestation-key", &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"xml\":\"<private_key>\\n\\t\\\"x\\\"\\n\",\"json\":{\"label\":\"unwrapped-ec-key\","
	    "\"id\":null,\"uuid\":null,\"algorithm\":\"EC\",\"algorithmOid\":\"1.2.840.10045.2.1\","
	    "\"curveOid\":\"1.3.132.0.10\",\"derivedAttributes\":null,\"keySize\":null,"
	    "\"keyUsageCount\":0,\"createTime\":\"2024-11-21T12:05:20Z\","
	    "\"attestTime\":\"2024-11-21T12:06:46Z\",\"publicKey\":\"AQID\","
	    "\"addressTruncated\":null,\"attributes\":{\"decrypt\":true,\"sign\":true,"
	    "\"ekaSign\":null,\"unwrap\":true,\"derive\":false,\"sensitive\":true,"
	    "\"alwaysSensitive\":false,\"extractable\":false,\"neverExtractable\":false,"
	    "\"modifiable\":true,\"copyable\":false,\"destroyable\":false},\"policy\":null},"
	    "\"xmlSignature\":\"BAUG\",\"attestationKeyName\":\"attestation-key\"}");
	assert_int_equal(wire_key_attributes_parse(tsb_view_bytes(&out), &arena, &back, &err), 0);
	assert_view(back.xml, "<private_key>\n\t\"x\"\n");
	assert_view(back.xml_signature, "\4\5\6");
	assert_string_equal(back.attestation_key_name, "attestation-key");
	assert_string_equal(back.key_name, "kept");
}

static void
test_key_attributes_optional_parts(void **state)
{
	struct keyattr k = {
	    .label = "k",
	    .id = "07",
	    .algorithm = "RSA",
	    .algorithm_oid = "1.2.840.113549.1.1.1",
	    .key_size = 2048,
	    .address = "B476",
	    .address_format = "BTC",
	    .derivation_type = "ADA/SLIP-10",
	    .derivation_value = "5B89",
	    .has_policy = true,
	};
	tsb_bytes_auto out = {0};
	const char *shown;

	for (int rule = 0; rule < RULE__MAX; rule++)
		ska_rule_set_always(&k.policy.rule[rule], &arena);
	k.policy.blocked = true;
	wire_key_attributes_format(&k, text("x"), text("y"), NULL, &out);
	assert_compact(&out);
	shown = tsb_bytes_cstr(&out);
	assert_non_null(strstr(shown,
	    "\"derivedAttributes\":{\"derivationType\":\"ADA/SLIP-10\","
	    "\"derivationValue\":\"5B89\"},\"keySize\":2048,"
	    "\"keyUsageCount\":null,\"createTime\":null"));
	assert_non_null(
	    strstr(shown, "\"addressTruncated\":{\"address\":\"B476\",\"format\":\"BTC\"}"));
	assert_non_null(strstr(shown,
	    "\"policy\":{\"ruleUse\":null,\"ruleBlock\":null,\"ruleUnblock\":null,"
	    "\"ruleModify\":null,\"keyStatus\":{\"blocked\":true}}}"));
}

static void
test_key_list_both_ways(void **state)
{
	const char *labels[] = {"key1", "key \"2\"/44'"};
	const char **back;
	size_t n;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	wire_key_list_format(labels, 2, &out);
	assert_view(tsb_view_bytes(&out), "[\"key1\",\"key \\\"2\\\"/44'\"]");
	assert_int_equal(wire_key_list_parse(tsb_view_bytes(&out), &arena, &back, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(back[1], labels[1]);
	assert_int_equal(wire_key_list_parse(text("[]"), &arena, &back, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_refused("object", wire_key_list_parse(text("{}"), &arena, &back, &n, &err), &err,
	    TSB_E_HSM, "'[' is expected");
	assert_refused("number", wire_key_list_parse(text("[1]"), &arena, &back, &n, &err), &err,
	    TSB_E_HSM, "keys[0] must be a string");
}

#define POLICY                                                                                     \
	"{\"ruleUse\":{\"tokens\":[{\"name\":\"Token1\",\"timelock\":0,\"timeout\":600,"           \
	"\"groups\":"                                                                              \
	"[{\"name\":null,\"quorum\":1,\"approvals\":[{\"type\":\"public_key\",\"name\":\"A\","     \
	"\"value\":\"AQID\"},{\"type\":\"certificate\",\"name\":null,\"value\":\"BAUG\"},"         \
	"{\"type\":\"onboarded_approver_certificate\",\"name\":\"o\",\"value\":null}]}]},"         \
	"{\"name\":null,\"timelock\":60,\"timeout\":0,\"groups\":[]}]},"                           \
	"\"ruleBlock\":{\"tokens\":[]},\"ruleUnblock\":null,\"ruleModify\":null"
#define POLICY_STATUS ",\"keyStatus\":{\"blocked\":true}"

static void
test_policy_both_ways(void **state)
{
	struct wire_key_create k;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	assert_int_equal(wire_key_create_parse(text(KEY(",\"policy\":" POLICY POLICY_STATUS "}")),
			     &arena, &k, &err),
	    0);
	wire_policy_format(&k.policy, true, &out);
	assert_view(tsb_view_bytes(&out), POLICY POLICY_STATUS "}");
	tsb_bytes_reset(&out);
	wire_policy_format(&k.policy, false, &out);
	assert_view(tsb_view_bytes(&out), POLICY "}");
}

/* ---- the rest ---- */

static void
test_verify_is_read(void **state)
{
	struct wire_verify v;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_verify_parse(text("{\"verifySignatureRequest\":{\"signKeyName\":\"k\","
				   "\"signKeyObject\":null,\"masterKeyPassword\":\"m\","
				   "\"signatureAlgorithm\":\"EDDSA\",\"payload\":\"AQID\","
				   "\"signature\":\"BAUG\"},\"requestSignature\":null}"),
		&arena, &v, &err),
	    0);
	assert_string_equal(v.key_name, "k");
	assert_view(v.password, "m");
	assert_string_equal(v.algorithm, "EDDSA");
	assert_view(v.payload, "\1\2\3");
	assert_view(v.signature, "\4\5\6");
	assert_refused("type",
	    wire_verify_parse(text("{\"verifySignatureRequest\":{\"signatureType\":\"RAW\"}}"),
		&arena, &v, &err),
	    &err, TSB_E_INPUT, "verifySignatureRequest.signatureType is not a known member");
}

static void
test_small_answers(void **state)
{
	tsb_bytes_auto out = {0};
	struct tsb_view v;
	struct tsb_err err = {0};

	wire_base64_format("random", tsb_view_of("\1\2\3", 3), &out);
	assert_view(tsb_view_bytes(&out), "{\"random\":\"AQID\"}");
	assert_int_equal(wire_text_member_parse(tsb_view_bytes(&out), "random", &arena, &v, &err),
	    0);
	assert_view(v, "AQID");
	assert_refused("absent",
	    wire_text_member_parse(tsb_view_bytes(&out), "signature", &arena, &v, &err), &err,
	    TSB_E_HSM, "signature is missing");
	assert_refused("not JSON",
	    wire_text_member_parse(text("<html>"), "signature", &arena, &v, &err), &err, TSB_E_HSM,
	    "'{' is expected");
	tsb_bytes_reset(&out);
	wire_bool_format("signatureValid", true, &out);
	assert_view(tsb_view_bytes(&out), "{\"signatureValid\":true}");
}

static void
test_text_is_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"", "\"\""},
	    {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
	    {"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\""},
	    {"\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {"broken \xff text", "\"broken \\ufffd text\""},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto out = {0};

		wire_text_format(text(rows[i].in), &out);
		assert_view(tsb_view_bytes(&out), rows[i].out);
	}
}

static void
test_timestamp_request_both_ways(void **state)
{
	struct wire_timestamp_request r =
					  {
					      .key_name = "k",
					      .key_password = text("p"),
					      .operation = OP_USE,
					      .payload = text("harro"),
					      .algorithm = "EDDSA",
					  },
				      back;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	wire_timestamp_request_format(&r, &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"timestampRequest\":{\"keyName\":\"k\",\"keyPassword\":\"p\",\"operation\":\"USE\","
	    "\"payload\":\"aGFycm8=\",\"signatureAlgorithm\":\"EDDSA\"}}");
	assert_int_equal(wire_timestamp_request_parse(tsb_view_bytes(&out), &arena, &back, &err),
	    0);
	assert_int_equal(back.operation, OP_USE);
	assert_view(back.payload, "harro");
	assert_view(back.key_password, "p");
	assert_string_equal(back.algorithm, "EDDSA");
	assert_int_equal(
	    wire_timestamp_request_parse(text("{\"timestampRequest\":{\"keyName\":\"k\","
					      "\"operation\":\"UNBLOCK\"}}"),
		&arena, &back, &err),
	    0);
	assert_int_equal(back.operation, OP_UNBLOCK);
	assert_refused("block with payload",
	    wire_timestamp_request_parse(text("{\"timestampRequest\":{\"keyName\":\"k\","
					      "\"operation\":\"BLOCK\",\"payload\":\"AA==\"}}"),
		&arena, &back, &err),
	    &err, TSB_E_INPUT, "timestampRequest.payload cannot be given here");
	assert_refused("modify without payload",
	    wire_timestamp_request_parse(text("{\"timestampRequest\":{\"keyName\":\"k\","
					      "\"operation\":\"MODIFY\"}}"),
		&arena, &back, &err),
	    &err, TSB_E_INPUT, "timestampRequest.payload is missing");
}

static void
test_timestamp_reply_both_ways(void **state)
{
	struct wire_timestamp_reply
	    r =
		{
		    .timestamp = decoded(
			"MAAAAFcQCABIYWxsb2FzZAcBCABW8bxmAAAAAAIQEgB0ZXN0LXRpbWVzdGFtcC1rZXkAAA=="),
		    .signature_with_algorithm = decoded(
			"MFcwDAYIKoZIzj0EAwIFAANHADBEAiAFNEFP55QP+X+QZoLm1rwCbkfO4gfwRZTPLrJicJtTow"
			"IgP0GZsXDbDQOsMNDhnyEF1KMpciImARKKMoDcqLdAVBQ="),
		    .attributes_digest = {0xab, 1},
		},
	    back;
	tsb_bytes_auto out = {0};
	struct tsb_view v;
	struct tsb_err err = {0};

	wire_timestamp_reply_format(&r, &out);
	assert_compact(&out);
	assert_true(wire_member_text(tsb_view_bytes(&out), "timestampKeyName", &v));
	assert_view(v, "\"test-timestamp-key\"");
	assert_true(wire_member_text(tsb_view_bytes(&out), "timestampSignature", &v));
	assert_int_equal(v.n, 98); /* bare: 70 bytes and quotes */
	assert_int_equal(wire_timestamp_reply_parse(tsb_view_bytes(&out), &arena, &back, &err), 0);
	assert_true(tsb_view_eq(back.timestamp, r.timestamp));
	assert_true(tsb_view_eq(back.signature_with_algorithm, r.signature_with_algorithm));
	assert_memory_equal(back.attributes_digest, r.attributes_digest, TSB_SHA256);
	assert_refused("short digest",
	    wire_timestamp_reply_parse(
		text("{\"timestamp\":\"AA==\",\"timestampSignatureWithAlgorithm\":\"AA==\","
		     "\"keyAttributesDigest\":\"ab01\"}"),
		&arena, &back, &err),
	    &err, TSB_E_HSM, "keyAttributesDigest is not a SHA-256 digest");
}

static void
test_error_of_another_server(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"{\"errorCode\":650,\"reason\":\"res.error.key.not.existent\",\"message\":\"A key "
	     "with "
	     "the name 'x' does not exist.\"}",
		TSB_E_KEY_NOT_EXISTENT, "A key with the name 'x' does not exist."},
	    {"{\"errorCode\":701,\"reason\":\"res.error.in.hsm\",\"message\":null,\"more\":1}",
		TSB_E_HSM, "res.error.in.hsm"},
	    {"{\"errorCode\":4711,\"message\":\"m\"}", TSB_E_HSM, "m"},
	    {"{\"errorCode\":-1,\"message\":\"m\"}", TSB_E_HSM, "HTTP status 502"},
	    {"{\"message\":\"only text\"}", TSB_E_HSM, "only text"},
	    {"<html>", TSB_E_HSM, "the HSM service answered with HTTP status 502"},
	    {"", TSB_E_HSM, "HTTP status 502"},
	    {"{}", TSB_E_HSM, "HTTP status 502"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_err err = {0};

		assert_refused(rows[i].body, wire_error_raise(text(rows[i].body), 502, &err), &err,
		    rows[i].code, rows[i].message);
		assert_int_equal(wire_error_has_number(text(rows[i].body)),
		    strstr(rows[i].body, "errorCode") != NULL &&
			strstr(rows[i].body, "-1") == NULL);
	}
}

static void
test_error_text_is_cut_between_characters(void **state)
{
	tsb_bytes_auto body = {0}, out = {0};
	struct tsb_err err = {0};

	for (size_t lead = 0; lead < 3; lead++) {
		tsb_bytes_reset(&body);
		tsb_bytes_add_str(&body, "{\"message\":\"");
		for (size_t i = 0; i < lead; i++)
			tsb_bytes_add_str(&body, "x");
		for (int i = 0; i < 1000; i++)
			tsb_bytes_add_str(&body, "\xe2\x82\xac");
		tsb_bytes_add_str(&body, "\"}");
		assert_int_equal(wire_error_raise(tsb_view_bytes(&body), 500, &err), -1);
		tsb_bytes_reset(&out);
		wire_text_format(text(err.msg), &out);
		assert_null(strstr(tsb_bytes_cstr(&out), "\\ufffd"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_key_create_published),
	    WIRE_TEST(test_key_create_members),
	    WIRE_TEST(test_key_create_minimal_policies),
	    WIRE_TEST(test_key_create_refusals),
	    WIRE_TEST(test_key_ref_both_ways),
	    WIRE_TEST(test_key_attributes_as_published),
	    WIRE_TEST(test_key_attributes_optional_parts),
	    WIRE_TEST(test_key_list_both_ways),
	    WIRE_TEST(test_policy_both_ways),
	    WIRE_TEST(test_verify_is_read),
	    WIRE_TEST(test_small_answers),
	    WIRE_TEST(test_text_is_escaped),
	    WIRE_TEST(test_timestamp_request_both_ways),
	    WIRE_TEST(test_timestamp_reply_both_ways),
	    WIRE_TEST(test_error_of_another_server),
	    WIRE_TEST(test_error_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("wire_key", tests, NULL, group_teardown);
}
