/* Requests and tasks as clients see them, and the answers of approvers. */
#include "lib/first.h"

#include "lib/wire/client.h"
#include "tests/unit/wire_help.h"

/* ---- requests shown ---- */

static void
test_request_view_published(void **state)
{
	struct tsb_view approved[] = {{(const unsigned char *)"\1\2\3", 3}};
	struct tsb_request_view v = {
	    .request = {.id = uuid(ID),
		.state = STATE_EXECUTED,
		.execution_ms = 1592988887999,
		.result = text("H3bq8PdgSi"),
		.reason = "not shown"},
	    .approved = approved,
	    .napproved = 1,
	};
	tsb_bytes_auto out = {0};

	wire_request_view_format(&v, &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"id\":\"" ID "\",\"status\":\"EXECUTED\",\"executionTime\":\"2020-06-24T08:54:47Z\","
	    "\"approvedBy\":[\"AQID\"],\"notYetApprovedBy\":[],\"rejectedBy\":[],"
	    "\"result\":\"H3bq8PdgSi\"}");

	tsb_bytes_reset(&out);
	v.request.state = STATE_PENDING;
	v.request.execution_ms = 0;
	v.request.result = text("");
	v.rejected = v.open = approved;
	v.nrejected = v.nopen = 1;
	v.napproved = 0;
	wire_request_view_format(&v, &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"id\":\"" ID "\",\"status\":\"PENDING\",\"executionTime\":null,\"approvedBy\":[],"
	    "\"notYetApprovedBy\":[\"AQID\"],\"rejectedBy\":[\"AQID\"],\"result\":null}");
}

static void
test_request_view_with_reasons(void **state)
{
	struct tsb_view left[] = {{(const unsigned char *)"\1\2\3", 3}};
	struct tsb_rejection why = {left[0], 1592988887999, "no \"order\" \x1b[2J"};
	struct tsb_request_view v = {
	    .request = {.id = uuid(ID)},
	    .rejected = left,
	    .nrejected = 1,
	    .reasons = &why,
	    .nreasons = 1,
	};
	struct wire_client_status status;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};
	arena_auto a = {0};

	wire_request_view_format(&v, &out);
	assert_non_null(strstr(tsb_bytes_cstr(&out),
	    ",\"rejectionReasons\":[{\"rejectedBy\":\"AQID\",\"time\":\"2020-06-24T08:54:47Z\","
	    "\"reason\":\"no \\\"order\\\" \\u001b[2J\"}]}"));
	assert_int_equal(wire_client_status_parse(tsb_view_bytes(&out), &a, &status, &err), 0);
	assert_int_equal(status.nreasons, 1);
	assert_true(tsb_view_eq(status.reasons[0].approver, left[0]));
	assert_string_equal(status.reasons[0].reason, why.reason);
	assert_string_equal(status.reasons[0].time, "2020-06-24T08:54:47Z");
}

static void
test_request_view_with_details(void **state)
{
	const struct tsb_view key = {(const unsigned char *)"\1\2\3", 3};
	struct tsb_participant people[] = {{key, "a\"b", 1592988887999}, {key, NULL, 0}};
	struct tsb_request_details d = {people, 2, true, 1};
	struct tsb_request_view v = {
	    .request = {.id = uuid(ID), .key_name = "k", .created_ms = 1592988887999},
	    .details = &d,
	};
	struct wire_client_status *rows;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};
	arena_auto a = {0};
	size_t n;
	bool more;

	wire_request_details_format(&v, 1, true, &out);
	assert_non_null(strstr(tsb_bytes_cstr(&out),
	    ",\"details\":{\"operation\":\"sign\",\"keyName\":\"k\",\"metaData\":null,"
	    "\"payloadType\":null,\"creationTime\":\"2020-06-24T08:54:47Z\",\"expirationTime\":null,"
	    "\"missingApprovals\":1,\"approvers\":[{\"publicKey\":\"AQID\",\"name\":\"a\\\"b\","
	    "\"answerTime\":\"2020-06-24T08:54:47Z\"},{\"publicKey\":\"AQID\",\"name\":null,"
	    "\"answerTime\":null}]}}],\"more\":true}"));
	assert_int_equal(wire_client_request_details_parse(tsb_view_bytes(&out), &a, &rows, &n,
			     &more, &err),
	    0);
	assert_true(n == 1 && more && rows[0].has_details && rows[0].details.has_missing);
	assert_int_equal(rows[0].details.missing, 1);
	assert_string_equal(rows[0].details.people[0].name, "a\"b");
	assert_null(rows[0].details.people[1].time);
}

static void
test_request_details_filter(void **state)
{
	static const struct {
		const char *body, *message; /* NULL = taken */
	} rows[] = {
	    {"{}", NULL},
	    {"{\"requestId\":null,\"requestStatusList\":[],\"after\":null,\"pageSize\":null}",
		NULL},
	    {"{\"createdSince\":\"2026-01-05\"}", "createdSince must be a date and time"},
	    {"{\"pageSize\":0}", "pageSize"},
	    {"{\"pageSize\":1001}", "pageSize"},
	    {"{\"paging\":{}}", "is not a known member"},
	};
	struct tsb_request_filter f;
	struct tsb_err err = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		int rc = wire_request_details_filter_parse(text(rows[i].body), &arena, &f, &err);

		if (rows[i].message != NULL)
			assert_refused(rows[i].body, rc, &err, TSB_E_INPUT, rows[i].message);
		else
			assert_true(rc == 0 && f.limit == 1000 && f.states == 0 && !f.has_id);
	}
	assert_int_equal(wire_request_details_filter_parse(
			     text("{\"requestStatusList\":[\"PENDING\",\"FAILED\"],\"after\":\"" ID
				  "\",\"createdSince\":\"1970-01-01T00:00:01Z\",\"pageSize\":7}"),
			     &arena, &f, &err),
	    0);
	assert_int_equal(f.states, 1u << STATE_PENDING | 1u << STATE_FAILED);
	assert_true(f.has_after && f.since_ms == 1000 && f.limit == 7);
}

static void
test_request_view_after_a_policy_change(void **state)
{
	struct tsb_view left[] = {{(const unsigned char *)"\1\2\3", 3}};
	struct tsb_request_view v = {
	    .request = {.id = uuid(ID), .planned_ms = 1592988887999},
	    .approved = left,
	    .napproved = 1,
	    .uncounted = left,
	    .nuncounted = 1,
	};
	struct wire_client_status status;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};
	arena_auto a = {0};

	wire_request_view_format(&v, &out);
	assert_non_null(strstr(tsb_bytes_cstr(&out),
	    "\"policyChange\":{\"time\":\"2020-06-24T08:54:47Z\",\"notCounted\":[\"AQID\"]}"));
	assert_int_equal(wire_client_status_parse(tsb_view_bytes(&out), &a, &status, &err), 0);
	assert_string_equal(status.policy_changed, "2020-06-24T08:54:47Z");
	assert_int_equal(status.nuncounted, 1);
	assert_true(tsb_view_eq(status.uncounted[0], left[0]));
}

static void
test_request_view_result_texts(void **state)
{
	struct tsb_request_view v = {.request = {.id = uuid(ID), .state = STATE_FAILED}};
	struct tsb_view result;
	tsb_bytes_auto out = {0};

	v.request.reason = "res.error.in.hsm: \"no\"\n";
	wire_request_view_format(&v, &out);
	assert_true(wire_member_text(tsb_view_bytes(&out), "result", &result));
	assert_view(result, "\"res.error.in.hsm: \\\"no\\\"\\n\"");

	tsb_bytes_reset(&out);
	v.request.reason = NULL;
	wire_request_view_format(&v, &out);
	assert_true(wire_member_text(tsb_view_bytes(&out), "result", &result));
	assert_view(result, "null");

	/* a certificate request is PEM text with line feeds (api-notes.md 1.3) */
	tsb_bytes_reset(&out);
	v.request.state = STATE_EXECUTED;
	v.request.result = text("-----BEGIN NEW CERTIFICATE REQUEST-----\nAAAA\n");
	wire_request_view_format(&v, &out);
	assert_true(wire_member_text(tsb_view_bytes(&out), "result", &result));
	assert_view(result, "\"-----BEGIN NEW CERTIFICATE REQUEST-----\\nAAAA\\n\"");
	assert_compact(&out);
}

static void
test_request_id_member_of_each_kind(void **state)
{
	static const char *const members[KIND__MAX] = {
	    [KIND_SIGN] = "signRequestId",
	    [KIND_DECRYPT] = "decryptRequestId",
	    [KIND_UNWRAP] = "unwrapRequestId",
	    [KIND_BLOCK] = "blockKeyRequestId",
	    [KIND_UNBLOCK] = "unblockKeyRequestId",
	    [KIND_MODIFY] = "modifyKeyRequestId",
	    [KIND_CERTIFICATE_REQUEST] = "signRequestId",
	    [KIND_SIGN_CERTIFICATE] = "signRequestId",
	    [KIND_SELF_SIGN_CERTIFICATE] = "signRequestId",
	    [KIND_RESTORE_APPROVER] = "unwrapRequestId",
	};
	struct tsb_uuid id = uuid(ID);

	for (int kind = 0; kind < KIND__MAX; kind++) {
		tsb_bytes_auto out = {0};

		wire_request_id_format((enum tsb_kind)kind, &id, NULL, &out);
		assert_view(tsb_view_bytes(&out),
		    arena_printf(&arena, "{\"%s\":\"" ID "\"}", members[kind]));
	}
}

/* ---- task filter ---- */

#define PROOF                                                                                      \
	"\"timestamp\":\"2023-10-30T17:30:24+00:00\",\"timestampSignature\":\"AQID\","             \
	"\"timestampDigestAlgorithm\":\"SHA-256\""
#define ASKED "{" PROOF ",\"approverCertificate\":\"BAUG\""

static void
test_task_filter_published(void **state)
{
	struct tsb_task_filter f;
	struct tsb_err err = {0};

	assert_int_equal(wire_task_filter_parse(
			     text(ASKED ",\"detailLevel\":\"level1\",\"paging\":{\"pageNumber\":0,"
					"\"pageSize\":1,\"sortOrder\":\"CREATION_DATE_ASC\"}}"),
			     &arena, &f, &err),
	    0);
	assert_string_equal(f.proof.timestamp, "2023-10-30T17:30:24+00:00");
	assert_int_equal(f.proof.timestamp_ms, 1698687024000);
	assert_view(f.proof.signature, "\1\2\3");
	assert_int_equal(f.proof.digest, DIGEST_SHA256);
	assert_view(f.proof.certificate, "\4\5\6");
	assert_int_equal(f.proof.spki.n, 0);
	assert_int_equal(f.proof.signer_certificate.n, 0);
	assert_int_equal(f.level, 1);
	assert_true(f.paged);
	assert_int_equal(f.page, 0);
	assert_int_equal(f.page_size, 1);
	assert_int_equal(f.sort, SORT_CREATED_ASC);
	assert_false(f.has_id);
	assert_false(f.has_request_id);
}

static void
test_task_filter_members(void **state)
{
	struct tsb_task_filter f;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_task_filter_parse(
		text("{\"timestamp\":\"2024-08-14T20:03:02.123Z\",\"timestampSignature\":\"AQID\","
		     "\"timestampDigestAlgorithm\":\"EdDSA\",\"approverPublicKey\":\"AA==\","
		     "\"approverCertificate\":null,\"timestampSigningCertificate\":\"AQ==\","
		     "\"id\":\"" ID "\",\"requestId\":\"4E8731D8-0AE6-4444-8A8C-B73AB5F0BA18\","
		     "\"detailLevel\":\"level6\",\"paging\":{\"pageSize\":1000,"
		     "\"sortOrder\":\"LAST_FETCHED_DATE_DESC\"}}"),
		&arena, &f, &err),
	    0);
	assert_int_equal(f.proof.digest, DIGEST_NONE);
	assert_int_equal(f.proof.spki.n, 1);
	assert_int_equal(f.proof.signer_certificate.n, 1);
	assert_true(f.has_id);
	assert_false(f.has_request_id); /* ignored beside id (api-notes.md 5.2) */
	assert_int_equal(f.level, 6);
	assert_int_equal(f.page, 0);
	assert_int_equal(f.sort, SORT_FETCHED_DESC);

	assert_int_equal(wire_task_filter_parse(text(ASKED ",\"paging\":null,\"id\":null}"), &arena,
			     &f, &err),
	    0);
	assert_int_equal(f.level, 1);
	assert_false(f.paged);
	assert_false(f.has_id);

	assert_int_equal(wire_task_filter_parse(text(ASKED ",\"requestId\":\"" ID "\"}"), &arena,
			     &f, &err),
	    0);
	assert_true(f.has_request_id);
	assert_true(uuid_eq(&f.request_id, &(struct tsb_uuid[]){uuid(ID)}[0]));
}

static void
test_task_filter_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"{}", TSB_E_INPUT, "timestamp is missing"},
	    {"{" PROOF "}", TSB_E_INPUT, "one of approverPublicKey, approverCertificate and"},
	    {"{" PROOF ",\"approverPublicKey\":\"\"}", TSB_E_INPUT, "one of approverPublicKey"},
	    {"{\"timestamp\":\"2023-02-29T17:30:24Z\",\"timestampSignature\":\"AQID\","
	     "\"timestampDigestAlgorithm\":\"SHA-256\",\"approverPublicKey\":\"AA==\"}",
		TSB_E_INPUT, "timestamp must be a date and time"},
	    {"{\"timestamp\":\"2023-10-30T17:30:24\",\"timestampSignature\":\"AQID\","
	     "\"timestampDigestAlgorithm\":\"SHA-256\",\"approverPublicKey\":\"AA==\"}",
		TSB_E_INPUT, "timestamp must be a date and time"},
	    {"{\"timestamp\":\"2023-10-30T17:30:24Z\",\"timestampSignature\":\"AQID\","
	     "\"timestampDigestAlgorithm\":\"SHA256\",\"approverPublicKey\":\"AA==\"}",
		TSB_E_INPUT, "Value 'SHA256' is not valid for field timestampDigestAlgorithm"},
	    {ASKED ",\"detailLevel\":\"level7\"}", TSB_E_INPUT,
		"Value 'level7' is not valid for field detailLevel"},
	    {ASKED ",\"detailLevel\":1}", TSB_E_INPUT, "detailLevel must be a string"},
	    {ASKED ",\"id\":\"x\"}", TSB_E_INVALID_UUID, "id is not a UUID"},
	    {ASKED ",\"requestId\":\"\"}", TSB_E_INVALID_UUID, "requestId is not a UUID"},
	    {ASKED ",\"paging\":{}}", TSB_E_INPUT, "paging.pageSize is missing"},
	    {ASKED ",\"paging\":{\"pageSize\":1}}", TSB_E_INPUT, "paging.sortOrder is missing"},
	    {ASKED ",\"paging\":{\"pageSize\":0}}", TSB_E_INPUT, "paging.pageSize must be from 1"},
	    {ASKED ",\"paging\":{\"pageSize\":1001}}", TSB_E_INPUT,
		"paging.pageSize must be from 1 to 1000"},
	    {ASKED ",\"paging\":{\"pageNumber\":-1}}", TSB_E_INPUT,
		"paging.pageNumber must be from 0"},
	    {ASKED ",\"paging\":{\"pageSize\":1,\"sortOrder\":\"ASC\"}}", TSB_E_INPUT,
		"Value 'ASC' is not valid for field sortOrder"},
	    {ASKED ",\"kinds\":1}", TSB_E_INPUT, "kinds is not a known member"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_task_filter f;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_task_filter_parse(text(rows[i].body), &arena, &f, &err), &err,
		    rows[i].code, rows[i].message);
	}
}

/* ---- tasks shown ---- */

/* tests/vectors/approval-tokens.json: token of a published task, and what the task shows of it. */
#define TOKEN                                                                                      \
	"6AAAADsABAABAAAAAhA2AFRFU1RLRVkyMDI0LTA4LTE0XzIwLTAyLTQ4LjcyMTY4MDE2MjU3MDIwLzQ0Jy8wJy8w" \
	"Jy8wJwAAVBA0ADAAAABXEAgASGFsbG9hc2QHAQgAVvG8ZgAAAAACEBIAdGVzdC10aW1lc3RhbXAta2V5AABWEFkA" \
	"MFcwDAYIKoZIzj0EAwIFAANHADBEAiAFNEFP55QP+X+QZoLm1rwCbkfO4gfwRZTPLrJicJtTowIgP0GZsXDbDQOs" \
	"MNDhnyEF1KMpciImARKKMoDcqLdAVBQAAABXEAgASGFsbG9hc2Q="
#define TASK_ID "7c768f4d-d221-4b88-b32b-a7a932108013"
#define INNER                                                                                      \
	"{\"payload\":\"SGFsbG9hc2Q=\",\"payloadType\":\"UNSPECIFIED\",\"signKeyName\":"           \
	"\"TESTKEY/44'/0'\",\"metaData\":\"U29tZU1ldGFEYXRh\",\"metaDataSignature\":"              \
	"\"TWV0YURhdGFTaWduYXR1cmU=\",\"signatureAlgorithm\":\"EDDSA\"}"

static struct tsb_task_view
published_task(void)
{
	const char *envelope = "{\"signRequest\":" INNER ",\"requestSignature\":null}";
	struct tsb_request_in in;
	struct tsb_err err = {0};
	struct tsb_task_view v = {0};

	assert_int_equal(wire_request_parse(KIND_SIGN, text(envelope), &arena, &in, &err), 0);
	v.task.id = uuid(TASK_ID);
	v.task.spki = tsb_view_of("\1\2\3", 3);
	v.request.kind = KIND_SIGN;
	v.request.token = decoded(TOKEN);
	v.request.payload_type = in.payload_type;
	v.request.meta_data = in.meta_data;
	v.request.meta_data_signature = in.meta_data_signature;
	v.request.envelope = in.envelope;
	v.request.inner_clean = in.inner_clean;
	v.attributes.xml = text("<?xml version=\"1.0\"?>\n\t<a/>\n\n");
	v.attributes.xml_signature = tsb_view_of("\4\5\6", 3);
	return v;
}

#define LEVEL1                                                                                     \
	"\"id\":\"" TASK_ID "\",\"approvalToBeSigned\":\"" TOKEN "\",\"approverPublicKey\":"       \
	"\"AQID\""
#define LEVEL2                                                                                     \
	LEVEL1 ",\"metaData\":\"U29tZU1ldGFEYXRh\",\"metaDataSignature\":"                         \
	       "\"TWV0YURhdGFTaWduYXR1cmU=\",\"payload\":\"SGFsbG9hc2Q=\","                        \
	       "\"payloadType\":\"UNSPECIFIED\""

static void
test_tasks_levels_1_and_2(void **state)
{
	struct tsb_task_view v = published_task();
	tsb_bytes_auto out = {0};

	wire_tasks_format(&v, 0, 1, NULL, false, &out);
	assert_view(tsb_view_bytes(&out), "{\"tasks\":[]}");
	tsb_bytes_reset(&out);
	wire_tasks_format(&v, 1, 1, NULL, false, &out);
	assert_view(tsb_view_bytes(&out), "{\"tasks\":[{\"detailLevel\":\"level1\"," LEVEL1 "}]}");
	tsb_bytes_reset(&out);
	wire_tasks_format(&v, 1, 2, NULL, false, &out);
	assert_view(tsb_view_bytes(&out), "{\"tasks\":[{\"detailLevel\":\"level2\"," LEVEL2 "}]}");
}

static void
test_tasks_level_5_as_published(void **state)
{
	struct tsb_task_view v = published_task();
	tsb_bytes_auto out = {0}, expected = {0};

	wire_tasks_format(&v, 1, 5, NULL, false, &out);
	tsb_bytes_add_str(&expected,
	    "{\"tasks\":[{\"detailLevel\":\"level5\"," LEVEL2 ",\"requestBase64\":\"");
	enc_base64(v.request.envelope, &expected);
	tsb_bytes_add_str(&expected,
	    "\",\"signedSignRequest\":{\"signRequest\":{\"payload\":\"SGFsbG9hc2Q=\","
	    "\"payloadType\":\"UNSPECIFIED\",\"signKeyName\":\"TESTKEY/44'/0'\","
	    "\"keyPassword\":null,\"metaData\":\"U29tZU1ldGFEYXRh\","
	    "\"metaDataSignature\":\"TWV0YURhdGFTaWduYXR1cmU=\",\"signatureAlgorithm\":\"EDDSA\","
	    "\"signatureType\":null,\"context\":null,\"auxiliaryRandomData\":null,"
	    "\"taprootTweakData\":null,\"merkleRootData\":null},\"requestSignature\":null},"
	    "\"signedModifyKeyRequest\":null,\"signedBlockKeyRequest\":null,"
	    "\"signedUnblockKeyRequest\":null,\"signedDecryptRequest\":null,"
	    "\"signedUnwrapKeyRequest\":null,\"signedCertificateRequestRequest\":null,"
	    "\"signedSignCertificateRequest\":null,\"signedSelfSignCertificateRequestDto\":null,"
	    "\"timestamp\":"
	    "\"MAAAAFcQCABIYWxsb2FzZAcBCABW8bxmAAAAAAIQEgB0ZXN0LXRpbWVzdGFtcC1rZXkAAA==\","
	    "\"timestampSignature\":\"MEQCIAU0QU/nlA/5f5BmgubWvAJuR87iB/BFlM8usmJwm1OjAiA/"
	    "QZmxcNsNA6ww"
	    "0OGfIQXUoylyIiYBEooygNyot0BUFA==\",\"timestampSignatureAlgorithm\":\"SHA256_WITH_"
	    "ECDSA\","
	    "\"timestampSignatureWithAlgorithm\":\"MFcwDAYIKoZIzj0EAwIFAANHADBEAiAFNEFP55QP+X+"
	    "QZoLm1rwC"
	    "bkfO4gfwRZTPLrJicJtTowIgP0GZsXDbDQOsMNDhnyEF1KMpciImARKKMoDcqLdAVBQ=\","
	    "\"keyAttributes\":\"<?xml version=\\\"1.0\\\"?>\\n\\t<a/>\\n\\n\","
	    "\"keyAttributesSignature\":\"BAUG\"}]}");
	assert_string_equal(tsb_bytes_cstr(&out), tsb_bytes_cstr(&expected));
	assert_compact(&out);
}

static void
test_tasks_level_6_shows_the_request(void **state)
{
	struct tsb_task_view v[] = {published_task(), published_task()};
	struct tsb_request_view status[] = {
	    {.request = {.id = uuid(ID), .state = STATE_PENDING}},
	    {.request = {.id = uuid(ID), .state = STATE_APPROVED}},
	};
	tsb_bytes_auto out = {0};
	const char *shown;

	wire_tasks_format(v, 2, 6, status, false, &out);
	assert_compact(&out);
	shown = tsb_bytes_cstr(&out);
	shown = strstr(shown, "\"requestStatus\":{\"id\":\"" ID "\",\"status\":\"PENDING\"");
	assert_non_null(shown);
	assert_non_null(
	    strstr(shown, "\"requestStatus\":{\"id\":\"" ID "\",\"status\":\"APPROVED\""));
}

/* The password of a request is nowhere in what approvers see. */
static void
test_tasks_never_show_a_password(void **state)
{
	struct tsb_task_view v = published_task();
	struct tsb_request_in in;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	assert_int_equal(
	    wire_request_parse(KIND_UNWRAP,
		text(
		    "{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"n\",\"attributes\":"
		    "{\"decrypt\":true,\"sign\":true,\"unwrap\":true},\"unwrapKeyName\":\"k\","
		    "\"unwrapKeyPassword\":\"hunter2\",\"wrapMethod\":\"RSA_WRAP_PAD\"}}"),
		&arena, &in, &err),
	    0);
	v.request.kind = KIND_UNWRAP;
	v.request.inner_clean = in.inner_clean;
	v.request.envelope = text(""); /* as stored when it held a password */
	v.request.payload_type = NULL;
	wire_tasks_format(&v, 1, 5, NULL, false, &out);
	assert_null(strstr(tsb_bytes_cstr(&out), "hunter2"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"unwrapKeyPassword\":null"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"requestBase64\":null"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"payloadType\":null"));
	assert_non_null(
	    strstr(tsb_bytes_cstr(&out), "\"label\":\"n\",\"attributes\":{\"decrypt\":true"));
}

static void
test_tasks_without_timestamp_show_null(void **state)
{
	struct tsb_task_view v = published_task();
	tsb_bytes_auto out = {0};

	/* the token inside the air-gapped sample (api-notes.md 6.2) */
	v.request.token =
	    decoded("LAAAADsABAABAAAAAhARAE1TSS1TdGFuZGFsb25lS2V5AAAAVxAFAGhhcnJvAAAA");
	v.request.meta_data = v.request.meta_data_signature = v.request.payload_type = NULL;
	v.attributes = (struct tsb_key_attributes){0};
	wire_tasks_format(&v, 1, 5, NULL, false, &out);
	assert_non_null(strstr(tsb_bytes_cstr(&out),
	    "\"metaData\":null,\"metaDataSignature\":null,\"payload\":\"aGFycm8=\","
	    "\"payloadType\":\"UNSPECIFIED\""));
	assert_non_null(strstr(tsb_bytes_cstr(&out),
	    "\"timestamp\":null,\"timestampSignature\":null,\"timestampSignatureAlgorithm\":null,"
	    "\"timestampSignatureWithAlgorithm\":null,\"keyAttributes\":null,"
	    "\"keyAttributesSignature\":null}]}"));
}

/* ---- approvals ---- */

static void
test_approval_is_read(void **state)
{
	struct tsb_approval_in in;
	struct tsb_err err = {0};

	assert_int_equal(wire_approval_parse(
			     text("{\"id\":\"" ID "\",\"approvalToBeSigned\":\"AQID\","
				  "\"signature\":\"BAUG\",\"approvalDigestAlgorithm\":\"SHA3-512\","
				  "\"approverPublicKey\":\"AA==\",\"approverCertificate\":null}"),
			     &arena, &in, &err),
	    0);
	assert_false(in.rejects);
	assert_view(in.token, "\1\2\3");
	assert_view(in.signature, "\4\5\6");
	assert_int_equal(in.digest, DIGEST_SHA3_512);
	assert_int_equal(in.proof.spki.n, 1);
}

static void
test_approval_rejection_in_both_places(void **state)
{
	const char *body = "{" PROOF ",\"approverPublicKey\":\"AA==\",\"id\":\"" ID "\"}";
	struct tsb_approval_in in;
	struct tsb_err err = {0};

	assert_int_equal(wire_task_delete_parse(text(body), &arena, &in, &err), 0);
	assert_true(in.rejects);
	assert_int_equal(in.proof.timestamp_ms, 1698687024000);
	assert_int_equal(in.token.n, 0);
	in = (struct tsb_approval_in){0};
	assert_int_equal(wire_approval_parse(text(body), &arena, &in, &err), 0);
	assert_true(in.rejects);
}

static void
test_rejection_with_a_reason(void **state)
{
	static const struct {
		const char *reason, *rule; /* NULL = taken */
	} rows[] = {
	    {"\"wrong amount\"", NULL},
	    {"\"\u00fc\u20ac \\\\ \u202e\"", NULL}, /* shown escaped, kept as it is */
	    {"null", NULL},
	    {"\"\"", "reason must not be empty"},
	    {"1", "reason must be a string"},
	    {"\"a\\nb\"", "reason must not have control characters"},
	    {"\"a\\u001b[2J\"", "reason must not have control characters"},
	    {"\"\\u009b2J\"", "reason must not have control characters"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *body = arena_printf(&arena,
		    "{" PROOF ",\"approverPublicKey\":\"AA==\",\"id\":\"" ID "\",\"reason\":%s}",
		    rows[i].reason);
		struct tsb_approval_in in = {0};
		struct tsb_err err = {0};
		int rc = wire_task_delete_parse(text(body), &arena, &in, &err);

		if (rows[i].rule != NULL)
			assert_refused(body, rc, &err, TSB_E_INPUT, rows[i].rule);
		else
			assert_int_equal(rc, 0);
	}
}

/* Bounded by characters, however many bytes they have. */
static void
test_reason_has_500_characters_at_most(void **state)
{
	static const char *const letters[] = {"x", "\xc3\xbc", "\xf0\x9f\x98\x80"};

	for (size_t i = 0; i < TSB_COUNT(letters); i++) {
		tsb_bytes_auto longest = {0};
		struct tsb_approval_in in = {0};
		struct tsb_err err = {0};

		for (int n = 0; n < 500; n++)
			tsb_bytes_add_str(&longest, letters[i]);
		for (int more = 0; more < 2; more++) {
			const char *body = arena_printf(&arena,
			    "{" PROOF ",\"approverPublicKey\":\"AA==\",\"id\":\"" ID
			    "\",\"reason\":\"%s%s\"}",
			    tsb_bytes_cstr(&longest), more ? "y" : "");
			int rc = wire_task_delete_parse(text(body), &arena, &in, &err);

			if (more)
				assert_refused(body, rc, &err, TSB_E_INPUT,
				    "reason is longer than 500 characters");
			else
				assert_int_equal(rc, 0);
		}
		assert_string_equal(in.reason, tsb_bytes_cstr(&longest));
	}
}

static void
test_approval_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"{}", TSB_E_INPUT, "id is missing"},
	    {"{\"id\":\"nope\"}", TSB_E_INVALID_UUID, "id is not a UUID"},
	    {"{\"id\":\"" ID "\"}", TSB_E_INPUT, "approvalToBeSigned is missing"},
	    {"{\"id\":\"" ID "\",\"approvalToBeSigned\":\"AA==\"}", TSB_E_INPUT,
		"signature is missing"},
	    {"{\"id\":\"" ID "\",\"approvalToBeSigned\":\"AA==\",\"signature\":\"AA==\","
	     "\"approvalDigestAlgorithm\":\"SHA-256\"}",
		TSB_E_INPUT, "one of approverPublicKey and approverCertificate is needed"},
	    {"{\"id\":\"" ID "\",\"approvalToBeSigned\":\"AA==\",\"signature\":\"AA==\","
	     "\"approvalDigestAlgorithm\":\"MD5\",\"approverPublicKey\":\"AA==\"}",
		TSB_E_INPUT, "Value 'MD5' is not valid for field approvalDigestAlgorithm"},
	    /* an approval that lost its token must not become a rejection */
	    {"{" PROOF ",\"approverPublicKey\":\"AA==\",\"id\":\"" ID "\",\"signature\":\"AA==\"}",
		TSB_E_INPUT, "is not a known member"},
	    {"{" PROOF ",\"id\":\"" ID "\"}", TSB_E_INPUT, "one of approverPublicKey"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_approval_in in;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_approval_parse(text(rows[i].body), &arena, &in, &err), &err, rows[i].code,
		    rows[i].message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_request_view_published),
	    WIRE_TEST(test_request_view_with_reasons),
	    WIRE_TEST(test_request_view_with_details),
	    WIRE_TEST(test_request_details_filter),
	    WIRE_TEST(test_request_view_after_a_policy_change),
	    WIRE_TEST(test_request_view_result_texts),
	    WIRE_TEST(test_request_id_member_of_each_kind),
	    WIRE_TEST(test_task_filter_published),
	    WIRE_TEST(test_task_filter_members),
	    WIRE_TEST(test_task_filter_refusals),
	    WIRE_TEST(test_tasks_levels_1_and_2),
	    WIRE_TEST(test_tasks_level_5_as_published),
	    WIRE_TEST(test_tasks_level_6_shows_the_request),
	    WIRE_TEST(test_tasks_never_show_a_password),
	    WIRE_TEST(test_tasks_without_timestamp_show_null),
	    WIRE_TEST(test_approval_is_read),
	    WIRE_TEST(test_approval_rejection_in_both_places),
	    WIRE_TEST(test_rejection_with_a_reason),
	    WIRE_TEST(test_reason_has_500_characters_at_most),
	    WIRE_TEST(test_approval_refusals),
	};

	return cmocka_run_group_tests_name("wire_task", tests, NULL, group_teardown);
}
