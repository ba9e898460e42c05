/* Requests to the HSM: read, built, and read back. */
#include "lib/first.h"

#include "tests/unit/wire_help.h"

static void
test_synchronous_takes_what_is_carried_offline(void **state)
{
	struct wire_synchronous_in in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_synchronous_parse(KIND_SIGN,
		text("{\"signRequest\":{\"payload\":\"aGFycm8=\",\"payloadType\":\"UNSPECIFIED\","
		     "\"signKeyName\":\"MSI-OnlineKey\",\"signatureAlgorithm\":\"SHA224_WITH_RSA_"
		     "PSS\","
		     "\"metaData\":{\"not\":\"looked at\"},\"metaDataSignature\":5,"
		     "\"signKeyObject\":null,\"signedApprovals\":[\"AQID\",\"BA==\"]}}"),
		&arena, &in, &err),
	    0);
	assert_view(in.request.payload, "harro");
	assert_string_equal(in.signature_type, "DER");
	assert_null(in.request.meta_data);
	assert_int_equal(in.napprovals, 2);
	assert_view(in.signed_approvals[0], "\x01\x02\x03");
	assert_view(in.signed_approvals[1], "\x04");
}

static void
test_synchronous_refusals(void **state)
{
	static const struct {
		enum tsb_kind kind;
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {KIND_SIGN, SIGN(",\"signKeyObject\":\"AA==\""), TSB_E_UNSUPPORTED_OPERATION,
		"signRequest.signKeyObject cannot be given here"},
	    {KIND_SIGN, SIGN(",\"signedApprovals\":[\"AA==\",\"\"]"), TSB_E_INPUT,
		"signRequest.signedApprovals[1] must not be empty"},
	    {KIND_SIGN, SIGN(",\"signedApprovals\":[\"AA==\",null]"), TSB_E_INPUT,
		"signRequest.signedApprovals[1] is missing"},
	    {KIND_SIGN, SIGN(",\"signedApprovals\":[\"*\"]"), TSB_E_INPUT,
		"signRequest.signedApprovals[0] must be base64"},
	    {KIND_BLOCK, "{\"blockRequest\":{\"blockKeyName\":\"k\",\"policy\":null}}", TSB_E_INPUT,
		"blockRequest.policy is not a known member"},
	    {KIND_UNWRAP,
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"n\",\"attributes\":"
		"{\"decrypt\":true,\"sign\":true,\"unwrap\":true},\"unwrapKeyName\":\"k\","
		"\"wrapMethod\":\"RSA_WRAP_PAD\",\"policy\":{\"keyStatus\":{}}}}",
		TSB_E_INPUT, "unwrapKeyRequest.policy.keyStatus.blocked is missing"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_synchronous_in in;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_synchronous_parse(rows[i].kind, text(rows[i].body), &arena, &in, &err),
		    &err, rows[i].code, rows[i].message);
	}
}

static void
test_synchronous_body_is_built_and_read_back(void **state)
{
	const struct tsb_view approvals[] = {{(const unsigned char *)"\1\2\3", 3}};
	struct tsb_request_in in = accepted(KIND_SIGN,
	    SIGN(",\"keyPassword\":\"p\\\"\\u00e9\",\"metaData\":\"AA==\",\"context\":null"));
	struct wire_synchronous_in back;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	assert_int_equal(wire_synchronous_format(KIND_SIGN, in.inner_clean, in.key_password,
			     approvals, 1, &out, &err),
	    0);
	assert_view(tsb_view_bytes(&out),
	    "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\",\"signatureAlgorithm\":"
	    "\"EDDSA\",\"keyPassword\":\"p\\\"\xc3\xa9\",\"signedApprovals\":[\"AQID\"]}}");
	assert_int_equal(wire_synchronous_parse(KIND_SIGN, tsb_view_bytes(&out), &arena, &back,
			     &err),
	    0);
	assert_true(tsb_view_eq(back.request.key_password, in.key_password));
	assert_true(tsb_view_eq(back.request.inner_clean, in.inner_clean));

	tsb_bytes_reset(&out);
	assert_int_equal(wire_synchronous_format(KIND_BLOCK, text("{\"blockKeyName\":\"k\"}"),
			     text(""), NULL, 0, &out, &err),
	    0);
	assert_view(tsb_view_bytes(&out),
	    "{\"blockRequest\":{\"blockKeyName\":\"k\",\"signedApprovals\":[]}}");
}

static void
test_synchronous_body_refuses_broken_parts(void **state)
{
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	assert_refused("inner",
	    wire_synchronous_format(KIND_SIGN, text(""), text(""), NULL, 0, &out, &err), &err,
	    TSB_E_DATA_CONSTELLATION, "signRequest is not an object");
	assert_refused("password",
	    wire_synchronous_format(KIND_SIGN, text("{}"), text("\xff"), NULL, 0, &out, &err), &err,
	    TSB_E_DATA_CONSTELLATION, "keyPassword is not UTF-8");
	assert_int_equal(out.n, 0);
}

static void
test_certificates_stand_without_envelope(void **state)
{
	struct tsb_request_in in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_certificate_parse(KIND_SELF_SIGN_CERTIFICATE,
		text("{\"signKeyName\":\"k\",\"keyPassword\":[\"p\"],\"signatureAlgorithm\":"
		     "\"EDDSA\",\"commonName\":\"cn\",\"certificateAuthority\":true,"
		     "\"keyUsage\":[\"KEY_CERT_SIGN\"],\"metaData\":{\"not\":\"looked at\"}}"),
		&arena, &in, &err),
	    0);
	assert_int_equal(in.kind, KIND_SELF_SIGN_CERTIFICATE);
	assert_string_equal(in.key_name, "k");
	assert_view(in.key_password, "p");
	assert_string_equal(in.algorithm, "EDDSA");
	assert_string_equal(in.certificate.subject[SUBJECT_COMMON_NAME], "cn");
	assert_true(in.certificate.authority);
	assert_int_equal(in.certificate.validity, 365);
	assert_int_equal(in.certificate.key_usage, 1u << 5);
}

static void
test_certificates_without_envelope_are_checked(void **state)
{
	static const struct {
		enum tsb_kind kind;
		const char *body, *message;
	} rows[] = {
	    {KIND_SELF_SIGN_CERTIFICATE, "{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\"}",
		"commonName is missing"},
	    {KIND_SELF_SIGN_CERTIFICATE, "{\"selfSignCertificateRequest\":{\"signKeyName\":\"k\"}}",
		"selfSignCertificateRequest.signatureAlgorithm is missing"},
	    {KIND_CERTIFICATE_REQUEST, "{\"selfSignCertificateRequest\":{\"signKeyName\":\"k\"}}",
		"selfSignCertificateRequest is not a known member"},
	    {KIND_CERTIFICATE_REQUEST,
		"{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\",\"signedApprovals\":[],"
		"\"standardCertificateAttributes\":{\"commonName\":\"c\"}}",
		"signedApprovals is not a known member"},
	    {KIND_CERTIFICATE_REQUEST,
		"{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\",\"validity\":0,"
		"\"standardCertificateAttributes\":{\"commonName\":\"c\"}}",
		"validity must be"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_request_in in;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_certificate_parse(rows[i].kind, text(rows[i].body), &arena, &in, &err),
		    &err, TSB_E_INPUT, rows[i].message);
	}
}

static void
test_what_the_broker_asks_to_sign_is_read_back(void **state)
{
	struct wire_synchronous_in back;
	tsb_bytes_auto inner = {0};
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	wire_sign_inner_format("k\"1", "EDDSA", text("\1\2\3"), &inner);
	assert_view(tsb_view_bytes(&inner),
	    "{\"payload\":\"AQID\",\"signKeyName\":\"k\\\"1\",\"signatureAlgorithm\":\"EDDSA\"}");
	assert_int_equal(wire_synchronous_format(KIND_SIGN, tsb_view_bytes(&inner), text(""), NULL,
			     0, &out, &err),
	    0);
	assert_int_equal(wire_synchronous_parse(KIND_SIGN, tsb_view_bytes(&out), &arena, &back,
			     &err),
	    0);
	assert_view(back.request.payload, "\1\2\3");
	assert_string_equal(back.request.key_name, "k\"1");
}

static void
test_pem_keeps_its_lines(void **state)
{
	tsb_bytes_auto out = {0};

	wire_pem_format("k", "certificate", text("-----BEGIN\nAA==\n"), &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"label\":\"k\",\"certificate\":\"-----BEGIN\\nAA==\\n\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_synchronous_takes_what_is_carried_offline),
	    WIRE_TEST(test_synchronous_refusals),
	    WIRE_TEST(test_synchronous_body_is_built_and_read_back),
	    WIRE_TEST(test_synchronous_body_refuses_broken_parts),
	    WIRE_TEST(test_certificates_stand_without_envelope),
	    WIRE_TEST(test_certificates_without_envelope_are_checked),
	    WIRE_TEST(test_what_the_broker_asks_to_sign_is_read_back),
	    WIRE_TEST(test_pem_keeps_its_lines),
	};

	return cmocka_run_group_tests_name("wire_synchronous", tests, NULL, group_teardown);
}
