/* Tasks, keys, policies and the answers of HSMs: read and written. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/wire/wire.h"

static struct arena arena;

static int
teardown(void **state)
{
	arena_reset(&arena);
	return 0;
}

static struct tsb_view
text(const char *s)
{
	return tsb_view_str(s);
}

static struct tsb_view
decoded(const char *base64)
{
	struct tsb_view v;

	assert_true(enc_base64_decode(text(base64), &arena, &v));
	return v;
}

static void
assert_view(struct tsb_view v, const char *expected)
{
	tsb_bytes_auto got = {0};

	tsb_bytes_add_view(&got, v);
	assert_string_equal(tsb_bytes_cstr(&got), expected);
}

static void
assert_refused(const char *name, int result, const struct tsb_err *err, enum tsb_code code,
    const char *message)
{
	if (result != -1 || err->code != code || strstr(err->msg, message) == NULL)
		fail_msg("%s: result %d, code %d, message '%s', expected code %d and '%s'", name,
		    result, tsb_err_number(err->code), err->msg, tsb_err_number(code), message);
}

/* Everything we write must pass our own scanner unchanged. */
static void
assert_compact(const struct tsb_bytes *out)
{
	struct tsb_view compact;
	struct tsb_err err = {0};

	if (wire_compact(tsb_view_bytes(out), &arena, &compact, &err))
		fail_msg("%.*s: %s", (int)out->n, (const char *)out->p, err.msg);
	assert_true(tsb_view_eq(compact, tsb_view_bytes(out)));
}

static struct tsb_uuid
uuid(const char *s)
{
	struct tsb_uuid u;

	assert_true(uuid_parse(s, &u));
	return u;
}

/* ---- requests shown ---- */

#define ID "4e8731d8-0ae6-4444-8a8c-b73ab5f0ba18"

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

	/* a certificate request is PEM text with line feeds (api.md 1.4) */
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
	};
	struct tsb_uuid id = uuid(ID);

	for (int kind = 0; kind < KIND__MAX; kind++) {
		tsb_bytes_auto out = {0};

		wire_request_id_format((enum tsb_kind)kind, &id, &out);
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
	assert_true(f.has_id && f.has_request_id);
	assert_true(uuid_eq(&f.id, &f.request_id));
	assert_int_equal(f.level, 6);
	assert_int_equal(f.page, 0);
	assert_int_equal(f.sort, SORT_FETCHED_DESC);

	assert_int_equal(wire_task_filter_parse(text(ASKED ",\"paging\":null,\"id\":null}"), &arena,
			     &f, &err),
	    0);
	assert_int_equal(f.level, 1);
	assert_false(f.paged);
	assert_false(f.has_id);
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
		    wire_task_filter_parse(text(rows[i].body), &arena, &f, &err), &err, rows[i].code,
		    rows[i].message);
	}
}

/* ---- tasks shown ---- */

/* api.md 18, vector 6: token of a published task, and what the task shows of it. */
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

#define LEVEL1 "\"id\":\"" TASK_ID "\",\"approvalToBeSigned\":\"" TOKEN "\",\"approverPublicKey\":\"AQID\""
#define LEVEL2                                                                                     \
	LEVEL1 ",\"metaData\":\"U29tZU1ldGFEYXRh\",\"metaDataSignature\":"                         \
	       "\"TWV0YURhdGFTaWduYXR1cmU=\",\"payload\":\"SGFsbG9hc2Q=\","                        \
	       "\"payloadType\":\"UNSPECIFIED\""

static void
test_tasks_levels_1_and_2(void **state)
{
	struct tsb_task_view v = published_task();
	tsb_bytes_auto out = {0};

	wire_tasks_format(&v, 0, 1, NULL, &out);
	assert_view(tsb_view_bytes(&out), "{\"tasks\":[]}");
	tsb_bytes_reset(&out);
	wire_tasks_format(&v, 1, 1, NULL, &out);
	assert_view(tsb_view_bytes(&out), "{\"tasks\":[{\"detailLevel\":\"level1\"," LEVEL1 "}]}");
	tsb_bytes_reset(&out);
	wire_tasks_format(&v, 1, 2, NULL, &out);
	assert_view(tsb_view_bytes(&out), "{\"tasks\":[{\"detailLevel\":\"level2\"," LEVEL2 "}]}");
}

static void
test_tasks_level_5_as_published(void **state)
{
	struct tsb_task_view v = published_task();
	tsb_bytes_auto out = {0}, expected = {0};

	wire_tasks_format(&v, 1, 5, NULL, &out);
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
	    "\"timestamp\":\"MAAAAFcQCABIYWxsb2FzZAcBCABW8bxmAAAAAAIQEgB0ZXN0LXRpbWVzdGFtcC1rZXkAAA==\","
	    "\"timestampSignature\":\"MEQCIAU0QU/nlA/5f5BmgubWvAJuR87iB/BFlM8usmJwm1OjAiA/QZmxcNsNA6ww"
	    "0OGfIQXUoylyIiYBEooygNyot0BUFA==\",\"timestampSignatureAlgorithm\":\"SHA256_WITH_ECDSA\","
	    "\"timestampSignatureWithAlgorithm\":\"MFcwDAYIKoZIzj0EAwIFAANHADBEAiAFNEFP55QP+X+QZoLm1rwC"
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

	wire_tasks_format(v, 2, 6, status, &out);
	assert_compact(&out);
	shown = tsb_bytes_cstr(&out);
	shown = strstr(shown, "\"requestStatus\":{\"id\":\"" ID "\",\"status\":\"PENDING\"");
	assert_non_null(shown);
	assert_non_null(strstr(shown, "\"requestStatus\":{\"id\":\"" ID "\",\"status\":\"APPROVED\""));
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
		text("{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"n\",\"attributes\":"
		     "{\"decrypt\":true,\"sign\":true,\"unwrap\":true},\"unwrapKeyName\":\"k\","
		     "\"unwrapKeyPassword\":\"hunter2\",\"wrapMethod\":\"RSA_WRAP_PAD\"}}"),
		&arena, &in, &err),
	    0);
	v.request.kind = KIND_UNWRAP;
	v.request.inner_clean = in.inner_clean;
	v.request.envelope = text(""); /* as stored when it held a password */
	v.request.payload_type = NULL;
	wire_tasks_format(&v, 1, 5, NULL, &out);
	assert_null(strstr(tsb_bytes_cstr(&out), "hunter2"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"unwrapKeyPassword\":null"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"requestBase64\":null"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"payloadType\":null"));
	assert_non_null(strstr(tsb_bytes_cstr(&out), "\"label\":\"n\",\"attributes\":{\"decrypt\":true"));
}

static void
test_tasks_without_timestamp_show_null(void **state)
{
	struct tsb_task_view v = published_task();
	tsb_bytes_auto out = {0};

	/* the token inside the air-gapped sample (api.md 6.2) */
	v.request.token =
	    decoded("LAAAADsABAABAAAAAhARAE1TSS1TdGFuZGFsb25lS2V5AAAAVxAFAGhhcnJvAAAA");
	v.request.meta_data = v.request.meta_data_signature = v.request.payload_type = NULL;
	v.attributes = (struct tsb_key_attributes){0};
	wire_tasks_format(&v, 1, 5, NULL, &out);
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

	assert_int_equal(
	    wire_approval_parse(text("{\"id\":\"" ID "\",\"approvalToBeSigned\":\"AQID\","
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
		     "\"sign\": true, \"unwrap\": true, \"destroyable\": true, \"modifiable\": true, "
		     "\"extractable\": false }, \"policy\": { \"ruleUse\": null, \"ruleBlock\": null, "
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
		text("{\"label\":\"k\",\"password\":[\"R\",\"E\",\"P\"],\"id\":\"07\","
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
	    {KEY(",\"policy\":{}"), TSB_E_INPUT, "policy.keyStatus is missing"},
	    {KEY(",\"policy\":{\"keyStatus\":null}"), TSB_E_INPUT, "policy.keyStatus is missing"},
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
	assert_refused("no label", wire_key_ref_parse(text("{\"password\":null}"), &arena, &back, &err),
	    &err, TSB_E_INPUT, "label is missing");
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
	assert_non_null(strstr(shown, "\"derivedAttributes\":{\"derivationType\":\"ADA/SLIP-10\","
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
	"{\"ruleUse\":{\"tokens\":[{\"name\":\"Token1\",\"timelock\":0,\"timeout\":600,\"groups\":" \
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

	assert_int_equal(
	    wire_key_create_parse(text(KEY(",\"policy\":" POLICY POLICY_STATUS "}")), &arena, &k, &err),
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
	assert_int_equal(
	    wire_text_member_parse(tsb_view_bytes(&out), "random", &arena, &v, &err), 0);
	assert_view(v, "AQID");
	assert_refused("absent",
	    wire_text_member_parse(tsb_view_bytes(&out), "signature", &arena, &v, &err), &err,
	    TSB_E_HSM, "signature is missing");
	assert_refused("not JSON", wire_text_member_parse(text("<html>"), "signature", &arena, &v, &err),
	    &err, TSB_E_HSM, "'{' is expected");
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
	struct wire_timestamp_request r = {
	    .key_name = "k",
	    .key_password = text("p"),
	    .operation = OP_USE,
	    .payload = text("harro"),
	    .algorithm = "EDDSA",
	}, back;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	wire_timestamp_request_format(&r, &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"timestampRequest\":{\"keyName\":\"k\",\"keyPassword\":\"p\",\"operation\":\"USE\","
	    "\"payload\":\"aGFycm8=\",\"signatureAlgorithm\":\"EDDSA\"}}");
	assert_int_equal(wire_timestamp_request_parse(tsb_view_bytes(&out), &arena, &back, &err), 0);
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
	struct wire_timestamp_reply r = {
	    .timestamp = decoded(
		"MAAAAFcQCABIYWxsb2FzZAcBCABW8bxmAAAAAAIQEgB0ZXN0LXRpbWVzdGFtcC1rZXkAAA=="),
	    .signature_with_algorithm =
		decoded("MFcwDAYIKoZIzj0EAwIFAANHADBEAiAFNEFP55QP+X+QZoLm1rwCbkfO4gfwRZTPLrJicJtTow"
			"IgP0GZsXDbDQOsMNDhnyEF1KMpciImARKKMoDcqLdAVBQ="),
	    .attributes_digest = {0xab, 1},
	}, back;
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
	    {"{\"errorCode\":650,\"reason\":\"res.error.key.not.existent\",\"message\":\"A key with "
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

#define t(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    t(test_request_view_published),
	    t(test_request_view_result_texts),
	    t(test_request_id_member_of_each_kind),
	    t(test_task_filter_published),
	    t(test_task_filter_members),
	    t(test_task_filter_refusals),
	    t(test_tasks_levels_1_and_2),
	    t(test_tasks_level_5_as_published),
	    t(test_tasks_level_6_shows_the_request),
	    t(test_tasks_never_show_a_password),
	    t(test_tasks_without_timestamp_show_null),
	    t(test_approval_is_read),
	    t(test_approval_rejection_in_both_places),
	    t(test_approval_refusals),
	    t(test_key_create_published),
	    t(test_key_create_members),
	    t(test_key_create_minimal_policies),
	    t(test_key_create_refusals),
	    t(test_key_ref_both_ways),
	    t(test_key_attributes_as_published),
	    t(test_key_attributes_optional_parts),
	    t(test_key_list_both_ways),
	    t(test_policy_both_ways),
	    t(test_verify_is_read),
	    t(test_small_answers),
	    t(test_text_is_escaped),
	    t(test_timestamp_request_both_ways),
	    t(test_timestamp_reply_both_ways),
	    t(test_error_of_another_server),
	    t(test_error_text_is_cut_between_characters),
	};
	int failed = cmocka_run_group_tests_name("wire_format", tests, NULL, NULL);

	arena_clear(&arena);
	return failed;
}
