/*
 * Operations of the HSM: encrypt, wrap, certificates, and what synchronous requests say of theirs.
 */
#include "lib/first.h"

#include "tests/unit/wire_help.h"

/* ---- encrypt ---- */

#define ENCRYPT(members)                                                                           \
	"{\"encryptRequest\":{\"payload\":\"aGFycm8=\",\"encryptKeyName\":\"k\","                  \
	"\"cipherAlgorithm\":\"AES_GCM\"" members "}}"

static void
test_encrypt(void **state)
{
	struct wire_encrypt in;
	struct tsb_err err = {0};

	assert_int_equal(wire_encrypt_parse(text(ENCRYPT(
						",\"keyPassword\":[\"p\",\"w\"],\"tagLength\":96,"
						"\"additionalAuthenticationData\":\"ZGF0YQ==\","
						"\"metaData\":7")),
			     &arena, &in, &err),
	    0);
	assert_view(in.payload, "harro");
	assert_string_equal(in.key_name, "k");
	assert_view(in.password, "pw");
	assert_string_equal(in.cipher.algorithm, "AES_GCM");
	assert_view(in.cipher.additional, "data");
	assert_int_equal(in.cipher.tag_length, 96);
	assert_int_equal(in.cipher.iv.n, 0);
}

static void
test_encrypt_refusals(void **state)
{
	static const struct {
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {"{}", TSB_E_INPUT, "encryptRequest is missing"},
	    {"{\"encryptRequest\":{}}", TSB_E_INPUT, "encryptRequest.payload is missing"},
	    {ENCRYPT(",\"tagLength\":8"), TSB_E_TAG_LENGTH, "encryptRequest.tagLength must be one"},
	    {ENCRYPT(",\"tagLength\":129"), TSB_E_TAG_LENGTH, "encryptRequest.tagLength"},
	    {ENCRYPT(",\"tagLength\":-64"), TSB_E_TAG_LENGTH, "encryptRequest.tagLength"},
	    {ENCRYPT(",\"initializationVector\":\"AA==\""), TSB_E_INPUT,
		"encryptRequest.initializationVector is not a known member"},
	    {ENCRYPT(",\"signedApprovals\":[]"), TSB_E_INPUT, "is not a known member"},
	    {ENCRYPT(",\"cipherAlgorithm\":\"AES\""), TSB_E_INPUT, "cipherAlgorithm"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_encrypt in;
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_encrypt_parse(text(rows[i].body), &arena, &in, &err), &err, rows[i].code,
		    rows[i].message);
	}
}

static void
encrypted(const char *payload, size_t tag, const char *iv, const char *expected)
{
	tsb_bytes_auto out = {0};

	wire_encrypted_format(text(payload), tag, text(iv), &out);
	assert_view(tsb_view_bytes(&out), expected);
	assert_compact(&out);
}

static void
test_encrypted_answer(void **state)
{
	encrypted("harrotag", 3, "iv",
	    "{\"encryptedPayload\":\"aGFycm90YWc=\","
	    "\"encryptedPayloadWithoutMessageAuthenticationCode\":\"aGFycm8=\","
	    "\"initializationVector\":\"aXY=\",\"messageAuthenticationCode\":\"dGFn\"}");
	encrypted("harro", 0, "",
	    "{\"encryptedPayload\":\"aGFycm8=\","
	    "\"encryptedPayloadWithoutMessageAuthenticationCode\":null,"
	    "\"initializationVector\":null,\"messageAuthenticationCode\":null}");
	encrypted("tag", 3, "",
	    "{\"encryptedPayload\":\"dGFn\","
	    "\"encryptedPayloadWithoutMessageAuthenticationCode\":\"\","
	    "\"initializationVector\":null,\"messageAuthenticationCode\":\"dGFn\"}");
}

/* ---- wrap ---- */

static void
test_wrap(void **state)
{
	struct wire_wrap in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_wrap_parse(text("{\"wrapKeyRequest\":{\"keyToBeWrapped\":\"a\","
				 "\"keyToBeWrappedPassword\":\"x\",\"wrapKeyName\":\"b\","
				 "\"wrapKeyPassword\":\"y\",\"wrapMethod\":\"AES_WRAP\"}}"),
		&arena, &in, &err),
	    0);
	assert_string_equal(in.key_to_wrap, "a");
	assert_view(in.key_to_wrap_password, "x");
	assert_string_equal(in.key_name, "b");
	assert_view(in.password, "y");
	assert_string_equal(in.method, "AES_WRAP");
	assert_refused("no key",
	    wire_wrap_parse(text("{\"wrapKeyRequest\":{\"wrapKeyName\":\"b\","
				 "\"wrapMethod\":\"AES_WRAP\"}}"),
		&arena, &in, &err),
	    &err, TSB_E_INPUT, "wrapKeyRequest.keyToBeWrapped is missing");
	assert_refused("no method",
	    wire_wrap_parse(
		text("{\"wrapKeyRequest\":{\"keyToBeWrapped\":\"a\",\"wrapKeyName\":\"b\","
		     "\"wrapMethod\":\"aes_wrap\"}}"),
		&arena, &in, &err),
	    &err, TSB_E_INPUT, "aes_wrap");
}

/* ---- certificates ---- */

static void
test_certificate_import(void **state)
{
	struct wire_certificate in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_certificate_import_parse(
		text(
		    "{\"label\":\"k\",\"certificate\":\"-----BEGIN CERTIFICATE-----\\naGFy\\ncm8=\\n"
		    "-----END CERTIFICATE-----\\n\"}"),
		&arena, &in, &err),
	    0);
	assert_string_equal(in.label, "k");
	assert_view(in.der, "harro");
	assert_refused("not base64",
	    wire_certificate_import_parse(text("{\"label\":\"k\",\"certificate\":\"a b\"}"), &arena,
		&in, &err),
	    &err, TSB_E_CERTIFICATE_ENCODING, "certificate must be base64");
	assert_refused("empty",
	    wire_certificate_import_parse(text("{\"label\":\"k\",\"certificate\":\"\"}"), &arena,
		&in, &err),
	    &err, TSB_E_INPUT, "certificate must not be empty");
}

/* What programs write around a certificate; api-notes.md 1.2. */
static void
test_certificate_as_people_have_it(void **state)
{
#define CRT "-----BEGIN CERTIFICATE-----\\naGFycm8=\\n-----END CERTIFICATE-----\\n"
#define KEY "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n"
	static const struct {
		const char *text, *says; /* NULL = read */
	} rows[] = {
	    {CRT, NULL},
	    {"\xef\xbb\xbf" CRT, NULL},
	    {"\xef\xbb\xbf"
	     "aGFycm8=\\r\\n",
		NULL},
	    {"Certificate:\\n    Data:\\n" CRT, NULL},
	    {"Bag Attributes\\n    localKeyID: 01 02\\nsubject=CN = a\\n" CRT, NULL},
	    {KEY CRT "text behind", NULL},
	    {"-----BEGIN CERTIFICATE-----\\r\\naGFy\\r\\ncm8=\\r\\n-----END CERTIFICATE-----",
		NULL},
	    {KEY,
		"certificate must be base64 or PEM: PEM: no certificate, but a block PRIVATE KEY"},
	    {"-----BEGIN CERTIFICATE-----\\naGFycm8=\\n", "has no END line"},
	    {"-----BEGIN CERTIFICATE-----\\na*\\n-----END CERTIFICATE-----", "not base64"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_certificate in;
		struct tsb_err err = {0};
		tsb_bytes_auto body = {0};
		int rc;

		tsb_bytes_addf(&body, "{\"label\":\"k\",\"certificate\":\"%s\"}", rows[i].text);
		rc = wire_certificate_import_parse(tsb_view_bytes(&body), &arena, &in, &err);
		if (rows[i].says != NULL)
			assert_refused(rows[i].text, rc, &err, TSB_E_CERTIFICATE_ENCODING,
			    rows[i].says);
		else if (rc != 0)
			fail_msg("%s: %s", rows[i].text, err.msg);
		else
			assert_view(in.der, "harro");
	}
}

/* Lines of 64 characters, and one reading back (RFC 7468). */
static void
test_certificate_answer(void **state)
{
	static const size_t sizes[] = {1, 47, 48, 49, 96, 1000};
	unsigned char bytes[1000];

	memset(bytes, 0xa5, sizeof(bytes));
	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		struct wire_certificate out = {"k\"", {bytes, sizes[i]}}, in;
		tsb_bytes_auto json = {0};
		struct tsb_err err = {0};
		const char *line, *next;

		wire_certificate_format(&out, &json);
		assert_compact(&json);
		line = strstr(tsb_bytes_cstr(&json), "\\n");
		while ((next = strstr(line + 2, "\\n")) != NULL) {
			assert_true(next - (line + 2) <= 64);
			line = next;
		}
		assert_string_equal(line, "\\n\"}");
		assert_int_equal(wire_certificate_import_parse(tsb_view_bytes(&json), &arena, &in,
				     &err),
		    0);
		assert_string_equal(in.label, "k\"");
		assert_true(tsb_view_eq(in.der, out.der));
	}
}

/* ---- what the HSM is told of a cipher and of a new key ---- */

static void
test_synchronous_decrypt_tells_its_cipher(void **state)
{
	struct wire_synchronous_in in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_synchronous_parse(KIND_DECRYPT,
		text(
		    "{\"decryptRequest\":{\"encryptedPayload\":\"aGFycm8=\","
		    "\"decryptKeyName\":\"k\",\"cipherAlgorithm\":\"ECIES\","
		    "\"initializationVector\":\"aXY=\",\"additionalAuthenticationData\":\"ZGF0YQ==\","
		    "\"tagLength\":128}}"),
		&arena, &in, &err),
	    0);
	assert_view(in.request.payload, "harro");
	assert_string_equal(in.cipher.algorithm, "ECIES");
	assert_view(in.cipher.iv, "iv");
	assert_view(in.cipher.additional, "data");
	assert_int_equal(in.cipher.tag_length, 128);
}

static void
test_synchronous_unwrap_tells_its_new_key(void **state)
{
	struct wire_synchronous_in in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_synchronous_parse(KIND_UNWRAP,
		text("{\"unwrapKeyRequest\":{\"wrappedKey\":\"aGFycm8=\",\"label\":\"new\","
		     "\"attributes\":{\"decrypt\":true,\"sign\":false,\"unwrap\":false,"
		     "\"encrypt\":true,\"wrap\":null},\"unwrapKeyName\":\"k\","
		     "\"wrapMethod\":\"AES_WRAP_PAD_EC\","
		     "\"policy\":{\"keyStatus\":{\"blocked\":true}}}}"),
		&arena, &in, &err),
	    0);
	assert_string_equal(in.request.wrap_method, "AES_WRAP_PAD_EC");
	assert_string_equal(in.new_key.label, "new");
	assert_true(in.new_key.flag[ATTR_DECRYPT] && in.new_key.flag[ATTR_SENSITIVE]);
	assert_true(in.new_key.has_encrypt && in.new_key.encrypt);
	assert_false(in.new_key.has_wrap || in.new_key.wrap);
	assert_true(in.new_key.has_policy && in.new_key.policy.blocked);
	assert_non_null(in.request.policy);
	assert_memory_equal(in.request.unwrap.flag, in.new_key.flag, sizeof(in.new_key.flag));
}

static void
test_timestamp_names_one_use(void **state)
{
	static const char *const good[] = {
	    "\"operation\":\"USE\",\"payload\":\"AA==\",\"cipherAlgorithm\":\"ECIES\"",
	    "\"operation\":\"USE\",\"payload\":\"AA==\",\"wrapMethod\":\"RSA_WRAP_PAD\"",
	    "\"operation\":\"USE\",\"payload\":\"AA==\",\"signatureAlgorithm\":\"EDDSA\"",
	    "\"operation\":\"BLOCK\"",
	};
	static const char *const bad[] = {
	    "\"operation\":\"USE\",\"payload\":\"AA==\",\"cipherAlgorithm\":\"AES\",\"wrapMethod\":"
	    "\"AES_WRAP\"",
	    "\"operation\":\"USE\",\"payload\":\"AA==\",\"cipherAlgorithm\":\"AES\","
	    "\"signatureAlgorithm\":\"EDDSA\"",
	    "\"operation\":\"BLOCK\",\"wrapMethod\":\"AES_WRAP\"",
	    "\"operation\":\"MODIFY\",\"payload\":\"AA==\",\"cipherAlgorithm\":\"AES\"",
	};
	struct wire_timestamp_request in, back;
	struct tsb_err err = {0};

	for (size_t i = 0; i < TSB_COUNT(good); i++) {
		const char *body =
		    arena_printf(&arena, "{\"timestampRequest\":{\"keyName\":\"k\",%s}}", good[i]);
		tsb_bytes_auto out = {0};

		assert_int_equal(wire_timestamp_request_parse(text(body), &arena, &in, &err), 0);
		wire_timestamp_request_format(&in, &out);
		assert_view(tsb_view_bytes(&out), body);
		assert_int_equal(wire_timestamp_request_parse(tsb_view_bytes(&out), &arena, &back,
				     &err),
		    0);
	}
	for (size_t i = 0; i < TSB_COUNT(bad); i++) {
		const char *body =
		    arena_printf(&arena, "{\"timestampRequest\":{\"keyName\":\"k\",%s}}", bad[i]);

		assert_refused(body, wire_timestamp_request_parse(text(body), &arena, &in, &err),
		    &err, TSB_E_INPUT, "exclude each other and need operation USE");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_encrypt),
	    WIRE_TEST(test_encrypt_refusals),
	    WIRE_TEST(test_encrypted_answer),
	    WIRE_TEST(test_wrap),
	    WIRE_TEST(test_certificate_import),
	    WIRE_TEST(test_certificate_as_people_have_it),
	    WIRE_TEST(test_certificate_answer),
	    WIRE_TEST(test_synchronous_decrypt_tells_its_cipher),
	    WIRE_TEST(test_synchronous_unwrap_tells_its_new_key),
	    WIRE_TEST(test_timestamp_names_one_use),
	};

	return cmocka_run_group_tests(tests, NULL, group_teardown);
}
