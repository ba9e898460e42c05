/* Requests for an offline HSM, and its results. */
#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/uuid.h"
#include "lib/ska/token.h"
#include "lib/wire/client.h"
#include "lib/wire/offline.h"
#include "tests/unit/wire_help.h"

#define TOKEN_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define INNER(members)                                                                             \
	"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","                            \
	"\"signatureAlgorithm\":\"EDDSA\"" members "}}"
#define ITEM(members, input)                                                                       \
	"{\"id\":\"" ID "\",\"kind\":\"sign\",\"keyName\":\"k\"" members                           \
	",\"inputOfflineHsm\":" input "}"

/* The published answer of GET /v1/request/{id}. */
static struct tsb_view
published(void)
{
	const char *src = getenv("SRC");
	char buf[8192];
	FILE *f = fopen(arena_printf(&arena, "%s/tests/vectors/offline-answer.json",
			    src != NULL ? src : "."),
	    "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf), f);
	assert_true(n > 0 && n < sizeof(buf));
	fclose(f);
	return arena_view(&arena, tsb_view_of(buf, n));
}

static struct wire_offline_request
request(struct tsb_view body)
{
	struct wire_offline_request r = {0};
	struct tsb_err err = {0};

	if (wire_offline_request_parse(body, &arena, &r, &err))
		fail_msg("%.*s: %s", (int)body.n, (const char *)body.p, err.msg);
	return r;
}

static struct wire_offline_result
result(const char *body)
{
	struct wire_offline_result r = {0};
	struct tsb_err err = {0};

	if (wire_offline_result_parse(text(body), &arena, &r, &err))
		fail_msg("%s: %s", body, err.msg);
	return r;
}

/* ---- ASCII ---- */

static void
test_text_becomes_ascii_and_means_the_same(void **state)
{
	static const struct {
		const char *text, *ascii;
	} rows[] = {
	    {"", ""},
	    {"{\"a\":\"b\"}", "{\"a\":\"b\"}"},
	    {"\"\xc3\xa9\"", "\"\\u00e9\""},
	    {"\"x\xe2\x82\xacy\"", "\"x\\u20acy\""},
	    {"\"\xf0\x9f\x94\x91\"", "\"\\ud83d\\udd11\""},
	    {"\"\xf4\x8f\xbf\xbf\"", "\"\\udbff\\udfff\""},
	    {"\"\x7f\"", "\"\\u007f\""},
	    {"\"\xff\xc3\"", "\"\\ufffd\\ufffd\""},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto out = {0};

		wire_ascii(text(rows[i].text), &out);
		assert_view(tsb_view_bytes(&out), rows[i].ascii);
	}
}

/* ---- requests ---- */

static void
assert_published(const struct wire_offline_request *r)
{
	struct tsb_err err = {0};
	struct ska_signed_approval approval;

	assert_int_equal(r->kind, KIND_SIGN);
	assert_int_equal(r->executed, KIND_SIGN);
	assert_string_equal(r->key_name, "MSI-OnlineKey");
	assert_int_equal(r->napprovals, 1);
	/* its label is another one than signKeyName: that is the HSM's to refuse */
	assert_int_equal(ska_signed_approval_parse(r->signed_approvals[0], &approval, &err), 0);
	assert_int_equal(r->inner.p[0], '{');
	assert_true(wire_member_text(r->input, "signRequest", &(struct tsb_view){0}));
}

static void
test_the_published_request_is_read_in_every_form(void **state)
{
	struct wire_offline_request r = request(published()), bare, again;
	tsb_bytes_auto item = {0};
	char id[UUID_TEXT];

	assert_published(&r);
	assert_true(r.has_id);
	assert_string_equal(uuid_format(&r.id, id), "9f03da93-2f07-4ca1-a0d1-f41f50f76c25");
	bare = request(r.input);
	assert_published(&bare);
	assert_false(bare.has_id);
	assert_true(tsb_view_eq(bare.input, r.input));
	r.created_ms = 1767225600000;
	r.meta_data = "AAEC";
	wire_offline_request_format(&r, &item);
	assert_compact(&item);
	again = request(tsb_view_bytes(&item));
	assert_published(&again);
	assert_true(again.has_id && uuid_eq(&again.id, &r.id));
	assert_int_equal(again.created_ms, r.created_ms);
	assert_string_equal(again.meta_data, "AAEC");
	assert_true(tsb_view_eq(again.input, r.input));
}

static void
test_our_own_request_has_the_members_of_the_published_one(void **state)
{
	struct wire_offline_request r = request(published());
	struct tsb_request_in in = accepted(KIND_SIGN,
	    "{\"signRequest\":{\"payload\":\"aGFycm8=\",\"payloadType\":\"UNSPECIFIED\","
	    "\"signKeyName\":\"MSI-OnlineKey\",\"keyPassword\":\"secret\",\"signatureAlgorithm\":"
	    "\"SHA224_WITH_RSA_PSS\",\"context\":null,\"metaData\":\"AA==\","
	    "\"metaDataSignature\":null}}");
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	assert_int_equal(wire_synchronous_format(KIND_SIGN, in.inner_clean, text(""),
			     r.signed_approvals, r.napprovals, &out, &err),
	    0);
	assert_true(tsb_view_eq(tsb_view_bytes(&out), r.input));
}

static void
test_requests_of_all_kinds_are_carried(void **state)
{
	static const struct {
		enum tsb_kind kind, executed;
		const char *input;
	} rows[] = {
	    {KIND_SIGN, KIND_SIGN, INNER("")},
	    {KIND_DECRYPT, KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA\",\"signedApprovals\":[]}}"},
	    {KIND_UNWRAP, KIND_UNWRAP,
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"n\",\"attributes\":"
		"{\"decrypt\":true,\"sign\":true,\"unwrap\":true},\"unwrapKeyName\":\"k\","
		"\"wrapMethod\":\"RSA_WRAP_PAD\",\"signedApprovals\":[\"AA==\"]}}"},
	    {KIND_BLOCK, KIND_BLOCK, "{\"blockRequest\":{\"blockKeyName\":\"k\"}}"},
	    {KIND_UNBLOCK, KIND_UNBLOCK, "{\"unblockRequest\":{\"unblockKeyName\":\"k\"}}"},
	    {KIND_MODIFY, KIND_MODIFY,
		"{\"modifyRequest\":{\"modifyKeyName\":\"k\",\"policy\":{\"ruleUse\":null}}}"},
	    {KIND_CERTIFICATE_REQUEST, KIND_SIGN, INNER("")},
	    {KIND_SIGN_CERTIFICATE, KIND_SIGN, INNER("")},
	    {KIND_SELF_SIGN_CERTIFICATE, KIND_SIGN, INNER("")},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_offline_request r = request(text(rows[i].input)), back;
		tsb_bytes_auto out = {0};

		assert_int_equal(r.kind, rows[i].executed);
		assert_int_equal(r.executed, rows[i].executed);
		r.id = uuid(ID);
		r.kind = rows[i].kind;
		wire_offline_request_format(&r, &out);
		back = request(tsb_view_bytes(&out));
		assert_int_equal(back.kind, rows[i].kind);
		assert_int_equal(back.executed, rows[i].executed);
		assert_string_equal(back.key_name, "k");
		assert_int_equal(back.created_ms, 0);
		assert_null(back.meta_data);
		assert_true(tsb_view_eq(back.input, r.input));
	}
}

static void
test_carried_requests_are_ascii(void **state)
{
	struct wire_offline_request r = request(
	    text("{\"blockRequest\": {\"blockKeyName\": \"Schl\xc3\xbcssel \xf0\x9f\x94\x91\"}}"));
	tsb_bytes_auto out = {0};

	assert_view(r.input,
	    "{\"blockRequest\":{\"blockKeyName\":\"Schl\\u00fcssel \\ud83d\\udd11\"}}");
	assert_string_equal(r.key_name, "Schl\xc3\xbcssel \xf0\x9f\x94\x91");
	r.id = uuid(ID);
	wire_offline_request_format(&r, &out);
	for (size_t i = 0; i < out.n; i++)
		assert_true(out.p[i] >= 0x20 && out.p[i] < 0x7f);
	assert_string_equal(request(tsb_view_bytes(&out)).key_name, r.key_name);
}

static void
test_request_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"", TSB_E_INPUT, "body is missing"},
	    {"[]", TSB_E_INPUT, "'{' is expected"},
	    {"{}", TSB_E_INPUT, "inputOfflineHsm must hold a request"},
	    {INNER("") "x", TSB_E_INPUT, "text after the end"},
	    {"{\"signRequest\":{},\"blockRequest\":{}}", TSB_E_INPUT,
		"inputOfflineHsm.blockRequest is a second member"},
	    {"{\"signRequest\":{},\"requestSignature\":null}", TSB_E_INPUT,
		"inputOfflineHsm.requestSignature is a second member"},
	    {"{\"signCertificateRequest\":{}}", TSB_E_INPUT,
		"inputOfflineHsm.signCertificateRequest is not a request that an HSM executes"},
	    {"{\"signRequest\":\"x\"}", TSB_E_INPUT, "signRequest must be an object"},
	    {"{\"signRequest\":null}", TSB_E_INPUT, "signRequest is missing"},
	    {"{\"signRequest\":{}}", TSB_E_INPUT, "signRequest.payload is missing"},
	    {INNER(",\"signedApprovals\":[\"AA==\",\"%\"]"), TSB_E_INPUT,
		"signRequest.signedApprovals[1] must be base64"},
	    {INNER(",\"more\":1"), TSB_E_INPUT, "signRequest.more is not a known member"},
	    {INNER(",\"keyPassword\":\"p\""), TSB_E_INPUT,
		"signRequest.keyPassword must not be carried"},
	    {INNER(",\"keyPassword\":[]"), TSB_E_INPUT,
		"signRequest.keyPassword must not be carried"},
	    {"{\"id\":\"" ID "\",\"status\":\"EXECUTED\",\"result\":\"AA==\"}",
		TSB_E_UNSUPPORTED_OPERATION,
		"the request has no inputOfflineHsm, its status is EXECUTED"},
	    {"{\"id\":\"" ID "\",\"status\":\"PENDING\",\"inputOfflineHsm\":null}",
		TSB_E_UNSUPPORTED_OPERATION, "its status is PENDING"},
	    {"{\"id\":\"" ID "\",\"status\":\"PENDING\",\"inputOfflineHsm\":[]}", TSB_E_INPUT,
		"inputOfflineHsm must be an object"},
	    {"{\"id\":\"1\",\"status\":\"PENDING\",\"inputOfflineHsm\":" INNER("") "}",
		TSB_E_INVALID_UUID, "id is not a UUID"},
	    {"{\"status\":\"PENDING\",\"inputOfflineHsm\":" INNER("") "}", TSB_E_INPUT,
		"id is missing"},
	    {"{\"id\":\"" ID "\",\"kind\":\"sign\",\"keyName\":\"k\"}", TSB_E_INPUT,
		"inputOfflineHsm is missing"},
	    {ITEM(",\"created\":\"today\"", INNER("")), TSB_E_INPUT, "created must be a date"},
	    {ITEM(",\"metaData\":\"?\"", INNER("")), TSB_E_INPUT, "metaData must be base64"},
	    {ITEM(",\"status\":\"PENDING\"", INNER("")), TSB_E_INPUT,
		"status is not a known member"},
	    {ITEM("", "\"x\""), TSB_E_INPUT, "inputOfflineHsm must be an object"},
	    {ITEM("", "{\"blockRequest\":{\"blockKeyName\":\"k\"}}"), TSB_E_INPUT,
		"kind does not fit inputOfflineHsm.blockRequest"},
	    {"{\"id\":\"" ID
	     "\",\"kind\":\"no\",\"keyName\":\"k\",\"inputOfflineHsm\":" INNER("") "}",
		TSB_E_INPUT, "kind does not fit inputOfflineHsm.signRequest"},
	    {"{\"id\":\"" ID
	     "\",\"kind\":\"sign\",\"keyName\":\"other\",\"inputOfflineHsm\":" INNER("") "}",
		TSB_E_INPUT, "keyName differs from signRequest.signKeyName"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_offline_request r;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_offline_request_parse(text(rows[i].body), &arena, &r, &err), &err,
		    rows[i].code, rows[i].message);
	}
}

static void
test_every_part_of_a_request_is_refused(void **state)
{
	struct tsb_view whole = published();

	while (whole.n > 0 && whole.p[whole.n - 1] != '}')
		whole.n--;
	for (size_t n = 0; n < whole.n; n++) {
		struct wire_offline_request r;
		struct tsb_err err = {0};

		assert_int_equal(wire_offline_request_parse(tsb_view_of(whole.p, n), &arena, &r,
				     &err),
		    -1);
		assert_true(err.code != TSB_OK && err.msg[0] != '\0');
		if (n % 64 == 0) {
			arena_reset(&arena);
			whole.p = published().p;
		}
	}
}

/* ---- the answer of GET /v1/request/{id} ---- */

static void
test_the_view_is_the_published_answer(void **state)
{
	struct tsb_view whole = published(), compact;
	struct tsb_err err = {0};
	struct wire_client_status status;
	struct tsb_request_view v = {.request.state = STATE_PENDING};
	tsb_bytes_auto out = {0};

	assert_int_equal(wire_compact(whole, &arena, &compact, &err), 0);
	assert_int_equal(wire_client_status_parse(compact, &arena, &status, &err), 0);
	v.request.id = uuid(status.id);
	v.approved = status.approved;
	v.napproved = status.napproved;
	assert_true(wire_member_text(compact, "inputOfflineHsm", &v.input));
	wire_request_view_format(&v, &out);
	assert_true(tsb_view_eq(tsb_view_bytes(&out), compact));
	assert_true(tsb_view_eq(status.offline, v.input));
	assert_false(status.has_progress);
}

static void
test_progress_is_told_and_read(void **state)
{
	struct tsb_progress_group groups[] = {
	    {.name = "two", .quorum = 2, .approved = 3},
	    {.name = "one \xc3\xa9", .quorum = 3, .approved = 1},
	};
	struct tsb_progress_token tokens[] = {
	    {.name = "a", .met = false, .groups = groups, .ngroups = 2},
	    {.name = NULL, .met = true, .groups = groups, .ngroups = 1},
	};
	struct tsb_request_view v = {.has_progress = true, .tokens = tokens, .ntokens = 2};
	struct wire_client_status s;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	v.request.id = uuid(ID);
	wire_request_view_format(&v, &out);
	assert_compact(&out);
	assert_view(tsb_view_bytes(&out),
	    "{\"id\":\"" ID "\",\"status\":\"PENDING\",\"executionTime\":null,\"approvedBy\":[],"
	    "\"notYetApprovedBy\":[],\"rejectedBy\":[],\"result\":null,\"approvalProgress\":{\"met\":"
	    "true,\"tokens\":[{\"name\":\"a\",\"met\":false,\"groups\":[{\"name\":\"two\",\"quorum\":"
	    "2,\"approved\":3,\"missing\":0},{\"name\":\"one \xc3\xa9\",\"quorum\":3,\"approved\":1,"
	    "\"missing\":2}]},{\"name\":null,\"met\":true,\"groups\":[{\"name\":\"two\",\"quorum\":2,"
	    "\"approved\":3,\"missing\":0}]}]}}");
	assert_int_equal(wire_client_status_parse(tsb_view_bytes(&out), &arena, &s, &err), 0);
	assert_true(s.has_progress && s.progress_met);
	assert_int_equal(s.ntokens, 2);
	assert_false(s.tokens[0].met);
	assert_int_equal(s.tokens[0].ngroups, 2);
	assert_string_equal(s.tokens[0].groups[1].name, "one \xc3\xa9");
	assert_int_equal(s.tokens[0].groups[1].quorum, 3);
	assert_int_equal(s.tokens[0].groups[1].approved, 1);
	assert_int_equal(s.tokens[0].groups[1].missing, 2);
	assert_null(s.tokens[1].name);
	assert_true(s.tokens[1].met);
}

static void
test_broken_progress_is_refused(void **state)
{
	static const struct {
		const char *progress, *message;
	} rows[] = {
	    {"[]", "approvalProgress is not an object"},
	    {"{\"tokens\":[]}", "met is not true or false"},
	    {"{\"met\":true}", "tokens is not a list"},
	    {"{\"met\":true,\"tokens\":[{\"met\":false,\"groups\":[{\"quorum\":-1}]}]}",
		"quorum is not a count"},
	    {"{\"met\":true,\"tokens\":[{\"met\":false,\"groups\":[{\"quorum\":\"1\"}]}]}",
		"quorum is not a count"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *body = arena_printf(&arena,
		    "{\"id\":\"" ID "\",\"status\":\"PENDING\",\"approvalProgress\":%s}",
		    rows[i].progress);
		struct wire_client_status s;
		struct tsb_err err = {0};

		assert_refused(rows[i].progress,
		    wire_client_status_parse(text(body), &arena, &s, &err), &err, TSB_E_IO,
		    rows[i].message);
	}
}

/* ---- results ---- */

static void
test_results_are_written_and_read_back(void **state)
{
	static const struct {
		const char *member, *text;
	} rows[] = {
	    {"signature",
		"{\"id\":\"" ID "\",\"signature\":\"AQID\",\"executionTime\":"
		"\"2026-01-01T00:00:00Z\"}"},
	    {"payload", "{\"payload\":\"AQID\",\"token\":\"" TOKEN_HEX "\"}"},
	    {"payload", "{\"id\":\"" ID "\",\"payload\":\"\"}"}, /* an empty plain text is one */
	    {NULL, "{\"id\":\"" ID "\",\"result\":\"any \\u20ac\"}"},
	    {NULL,
		"{\"id\":\"" ID "\",\"failed\":\"refused\",\"errorCode\":612,\"reason\":"
		"\"res.error.invalid.payload\"}"},
	    {NULL,
		"{\"id\":\"" ID "\",\"attributes\":{\"xml\":\"<a/>\",\"xmlSignature\":\"AQID\","
		"\"attestationKeyName\":\"att\"},\"token\":\"" TOKEN_HEX "\"}"},
	    {NULL, "{\"id\":\"" ID "\"}"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_offline_result r = result(rows[i].text);
		tsb_bytes_auto out = {0};

		assert_view(r.text, rows[i].text);
		assert_int_equal(r.member != NULL, r.result.p != NULL);
		wire_offline_result_format(&r, rows[i].member, &out);
		assert_view(tsb_view_bytes(&out), rows[i].text);
	}
}

static void
test_members_of_a_result(void **state)
{
	struct wire_offline_result r = result(
	    "{ \"id\" : \"" ID "\", \"token\":\"" TOKEN_HEX "\","
	    "\"payload\":\"-----BEGIN X-----\\nAQ\\nID\\n-----END X-----\\n\",\"executionTime\":"
	    "\"2026-01-01T01:00:00+01:00\",\"attributes\":{\"xml\":\"<a/>\",\"xmlSignature\":\"AQI"
	    "D\"},\"failed\":null}");
	struct tsb_uuid id = uuid(ID);

	assert_true(r.has_id && uuid_eq(&r.id, &id));
	assert_true(r.has_token && r.token[0] == 0 && r.token[31] == 31);
	assert_view(r.result, "AQID");
	assert_string_equal(r.member, "payload");
	assert_int_equal(r.execution_ms, 1767225600000);
	assert_true(r.has_attributes);
	assert_view(r.attributes.xml, "<a/>");
	assert_view(r.attributes.xml_signature, "\x01\x02\x03");
	assert_null(r.attributes.attestation_key_name);
	assert_null(r.failed);
	r = result("{\"token\":\"" TOKEN_HEX "\",\"failed\":\"no\",\"errorCode\":650}");
	assert_false(r.has_id || r.has_attributes);
	assert_string_equal(r.failed, "no");
	assert_int_equal(r.error_code, 650);
	assert_null(r.error_reason);
}

static void
test_result_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"", TSB_E_INPUT, "body is missing"},
	    {"[]", TSB_E_INPUT, "'{' is expected"},
	    {"{\"signature\":\"AA==\"}", TSB_E_INPUT, "id is missing, and so is token"},
	    {"{\"id\":\"x\"}", TSB_E_INVALID_UUID, "id is not a UUID"},
	    {"{\"id\":\"" ID "\",\"id\":\"" ID "\"}", TSB_E_INPUT, "member 'id' appears twice"},
	    {"{\"id\":\"" ID "\",\"more\":1}", TSB_E_INPUT, "more is not a known member"},
	    {"{\"token\":\"00\"}", TSB_E_INPUT, "token must be 64 hex digits"},
	    {"{\"token\":\"" TOKEN_HEX "00\"}", TSB_E_INPUT, "token is longer than 64 bytes"},
	    {"{\"token\":\"zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}",
		TSB_E_INPUT, "token must be 64 hex digits"},
	    {"{\"id\":\"" ID "\",\"signature\":\"A\"}", TSB_E_INPUT, "signature must be base64"},
	    {"{\"id\":\"" ID "\",\"signature\":5}", TSB_E_INPUT, "signature must be a string"},
	    {"{\"id\":\"" ID "\",\"signature\":\"AA==\",\"payload\":\"AA==\"}", TSB_E_INPUT,
		"payload is a second result"},
	    {"{\"id\":\"" ID "\",\"result\":\"AA==\",\"payload\":\"AA==\"}", TSB_E_INPUT,
		"result is a second result"},
	    {"{\"id\":\"" ID "\",\"failed\":\"\"}", TSB_E_INPUT, "failed must not be empty"},
	    {"{\"id\":\"" ID "\",\"failed\":\"a\\nb\"}", TSB_E_INPUT,
		"failed must not have control characters"},
	    {"{\"id\":\"" ID "\",\"failed\":true}", TSB_E_INPUT, "failed must be a string"},
	    {"{\"id\":\"" ID "\",\"failed\":\"x\",\"signature\":\"AA==\"}", TSB_E_INPUT,
		"failed excludes signature"},
	    {"{\"id\":\"" ID "\",\"failed\":\"x\",\"payload\":\"AA==\"}", TSB_E_INPUT,
		"failed excludes payload"},
	    {"{\"id\":\"" ID "\",\"failed\":\"x\",\"result\":\"\"}", TSB_E_INPUT,
		"failed excludes result"},
	    {"{\"id\":\"" ID "\",\"failed\":\"x\",\"attributes\":{\"xml\":\"<a/>\","
	     "\"xmlSignature\":\"AA==\"}}",
		TSB_E_INPUT, "failed excludes attributes"},
	    {"{\"id\":\"" ID "\",\"errorCode\":1}", TSB_E_INPUT, "errorCode needs failed"},
	    {"{\"id\":\"" ID "\",\"reason\":\"r\"}", TSB_E_INPUT, "reason needs failed"},
	    {"{\"id\":\"" ID "\",\"failed\":\"x\",\"errorCode\":-1}", TSB_E_INPUT,
		"errorCode must be from 0"},
	    {"{\"id\":\"" ID "\",\"executionTime\":\"2026-01-01\"}", TSB_E_INPUT,
		"executionTime must be a date"},
	    {"{\"id\":\"" ID "\",\"attributes\":[]}", TSB_E_INPUT, "attributes must be an object"},
	    {"{\"id\":\"" ID "\",\"attributes\":{\"xml\":\"<a/>\"}}", TSB_E_INPUT,
		"attributes.xmlSignature is missing"},
	    {"{\"id\":\"" ID "\",\"attributes\":{\"xml\":\"<a/>\",\"xmlSignature\":\"AA==\","
	     "\"json\":{}}}",
		TSB_E_INPUT, "attributes.json is not a known member"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_offline_result r;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_offline_result_parse(text(rows[i].body), &arena, &r, &err), &err,
		    rows[i].code, rows[i].message);
	}
}

static void
test_results_that_are_too_long_are_refused(void **state)
{
	static const struct {
		const char *member;
		size_t n;
	} rows[] = {{"signature", 400000}, {"result", 262145}, {"failed", 1025}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto body = {0};
		const char *head =
		    arena_printf(&arena, "{\"id\":\"" ID "\",\"%s\":\"", rows[i].member);
		struct wire_offline_result r;
		struct tsb_err err = {0};

		repeated(&body, head, "A", rows[i].n, "\"}");
		assert_refused(rows[i].member,
		    wire_offline_result_parse(tsb_view_bytes(&body), &arena, &r, &err), &err,
		    TSB_E_INPUT, "is longer than");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_text_becomes_ascii_and_means_the_same),
	    WIRE_TEST(test_the_published_request_is_read_in_every_form),
	    WIRE_TEST(test_our_own_request_has_the_members_of_the_published_one),
	    WIRE_TEST(test_requests_of_all_kinds_are_carried),
	    WIRE_TEST(test_carried_requests_are_ascii),
	    WIRE_TEST(test_request_refusals),
	    WIRE_TEST(test_every_part_of_a_request_is_refused),
	    WIRE_TEST(test_the_view_is_the_published_answer),
	    WIRE_TEST(test_progress_is_told_and_read),
	    WIRE_TEST(test_broken_progress_is_refused),
	    WIRE_TEST(test_results_are_written_and_read_back),
	    WIRE_TEST(test_members_of_a_result),
	    WIRE_TEST(test_result_refusals),
	    WIRE_TEST(test_results_that_are_too_long_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, group_teardown);
}
