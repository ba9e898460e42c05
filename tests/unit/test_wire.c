/* JSON text, the field reader, and the requests of the workflow. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/wire/field.h"

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

/* ---- text ---- */

static void
test_text_is_compacted(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} rows[] = {
	    {"empty object", " \t\r\n{ } \n", "{}"},
	    {"space everywhere", "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }", "{\"a\":[1,2],\"b\":{}}"},
	    {"space inside strings stays", "{\"a\": \" b \"}", "{\"a\":\" b \"}"},
	    {"bytes of strings stay", "{\"a\":\"\\u00e9\\/\xc3\xa9\\\"\"}",
		"{\"a\":\"\\u00e9\\/\xc3\xa9\\\"\"}"},
	    {"numbers stay as written", "{\"a\":[0,-0,1.50,1E+2,-2e-3]}",
		"{\"a\":[0,-0,1.50,1E+2,-2e-3]}"},
	    {"trailing comma in object", "{\"a\":1, }", "{\"a\":1}"},
	    {"trailing comma in array", "{\"a\":[1 , ]}", "{\"a\":[1]}"},
	    {"trailing commas on each level", "{\"a\":{\"b\":[true,],},}", "{\"a\":{\"b\":[true]}}"},
	    {"words", "{\"a\":[true,false,null]}", "{\"a\":[true,false,null]}"},
	    {"surrogate pair", "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}"},
	    {"same name in different objects", "{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":{\"a\":{\"a\":1}}}"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view once, twice;
		struct tsb_err err = {0};

		if (wire_compact(text(rows[i].in), &arena, &once, &err))
			fail_msg("%s: %s", rows[i].name, err.msg);
		assert_view(once, rows[i].out);
		assert_int_equal(wire_compact(once, &arena, &twice, &err), 0);
		assert_true(tsb_view_eq(once, twice));
	}
}

static void
test_text_outside_the_grammar_is_refused(void **state)
{
	static const struct {
		const char *name, *in, *message;
	} rows[] = {
	    {"nothing", "", "body is missing"},
	    {"only space", " \r\n\t", "body is missing"},
	    {"array", "[]", "'{' is expected"},
	    {"string", "\"a\"", "'{' is expected"},
	    {"byte order mark", "\xef\xbb\xbf{}", "'{' is expected"},
	    {"open object", "{", "member name"},
	    {"open object after a member", "{\"a\":1", "ends early"},
	    {"open after comma", "{\"a\":1,", "member name"},
	    {"open array", "{\"a\":[1", "ends early"},
	    {"no value", "{\"a\":", "ends early"},
	    {"no colon", "{\"a\" 1}", "':' is expected"},
	    {"only a comma", "{,}", "member name"},
	    {"only a comma in array", "{\"a\":[,]}", "not a number"},
	    {"two trailing commas", "{\"a\":1,,}", "member name"},
	    {"two trailing commas in array", "{\"a\":[1,,]}", "not a number"},
	    {"wrong bracket", "{\"a\":[1}", "',' is expected"},
	    {"text behind", "{} {}", "text after the end"},
	    {"NUL behind", "{}\\u0000", "text after the end"},
	    {"unquoted name", "{a:1}", "member name"},
	    {"single quotes", "{'a':1}", "member name"},
	    {"comment", "{/**/}", "member name"},
	    {"duplicate member", "{\"a\":1,\"b\":2,\"a\":1}", "member 'a' appears twice"},
	    {"duplicate below", "{\"x\":[{\"a\":1,\"a\":null}]}", "member 'a' appears twice"},
	    {"escaped name", "{\"\\u0061\":1}", "backslash"},
	    {"escaped quote in name", "{\"a\\\"\":1}", "backslash"},
	    {"plus sign", "{\"a\":+1}", "not a number"},
	    {"leading zero", "{\"a\":01}", "not a number"},
	    {"bare minus", "{\"a\":-}", "not a number"},
	    {"no digit after point", "{\"a\":1.}", "not a number"},
	    {"no digit before point", "{\"a\":.5}", "not a number"},
	    {"no exponent digits", "{\"a\":1e+}", "not a number"},
	    {"hexadecimal", "{\"a\":0x10}", "',' is expected"},
	    {"NaN", "{\"a\":NaN}", "not a number"},
	    {"Infinity", "{\"a\":-Infinity}", "not a number"},
	    {"huge number", "{\"a\":100000000000000000000000000000000000}", "too long"},
	    {"upper case word", "{\"a\":True}", "not a number"},
	    {"short word", "{\"a\":nul}", "not a value"},
	    {"long word", "{\"a\":nulll}", "',' is expected"},
	    {"open string", "{\"a\":\"b", "does not end"},
	    {"open string after escape", "{\"a\":\"b\\", "does not end"},
	    {"line feed in string", "{\"a\":\"\n\"}", "control character"},
	    {"unknown escape", "{\"a\":\"\\x41\"}", "unknown escape"},
	    {"escaped NUL", "{\"a\":\"\\u0000\"}", "NUL"},
	    {"short escape", "{\"a\":\"\\u00g0\"}", "four hex digits"},
	    {"escape at the end", "{\"a\":\"\\u12", "four hex digits"},
	    {"high surrogate alone", "{\"a\":\"\\ud83d\"}", "surrogate"},
	    {"high surrogate and letter", "{\"a\":\"\\ud83dx\\ude00\"}", "surrogate"},
	    {"two high surrogates", "{\"a\":\"\\ud83d\\ud83d\"}", "surrogate"},
	    {"low surrogate first", "{\"a\":\"\\ude00\\ud83d\"}", "surrogate"},
	    {"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", "not UTF-8"},
	    {"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"},
	    {"cut UTF-8", "{\"a\":\"\xe2\x82\"}", "not UTF-8"},
	    {"Latin-1", "{\"a\":\"\xe9\"}", "not UTF-8"},
	    {"UTF-8 outside strings", "{\xc2\xa0}", "member name"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view out;
		struct tsb_err err = {0};

		assert_refused(rows[i].name, wire_compact(text(rows[i].in), &arena, &out, &err), &err,
		    TSB_E_INPUT, rows[i].message);
	}
}

static void
test_text_with_raw_nul_is_refused(void **state)
{
	static const char inside[] = "{\"a\":\"x\0y\"}", behind[] = "{}\0";
	struct tsb_view out;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_compact(tsb_view_of(inside, sizeof(inside) - 1), &arena, &out, &err), -1);
	assert_int_equal(
	    wire_compact(tsb_view_of(behind, sizeof(behind) - 1), &arena, &out, &err), -1);
}

/* head, n times unit, tail */
static struct tsb_view
repeated(struct tsb_bytes *b, const char *head, const char *unit, size_t n, const char *tail)
{
	tsb_bytes_reset(b);
	tsb_bytes_add_str(b, head);
	for (size_t i = 0; i < n; i++)
		tsb_bytes_add_str(b, unit);
	tsb_bytes_add_str(b, tail);
	return tsb_view_bytes(b);
}

static void
test_text_limits(void **state)
{
	tsb_bytes_auto b = {0};
	struct tsb_view out;
	struct tsb_err err = {0};

	repeated(&b, "{\"a\":", "[", 31, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}");
	assert_int_equal(wire_compact(tsb_view_bytes(&b), &arena, &out, &err), 0);
	repeated(&b, "{\"a\":", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}");
	assert_refused("depth 33", wire_compact(tsb_view_bytes(&b), &arena, &out, &err), &err,
	    TSB_E_INPUT, "nested too deep");
	assert_refused("depth bomb",
	    wire_compact(repeated(&b, "", "{\"a\":", 700000, ""), &arena, &out, &err), &err,
	    TSB_E_INPUT, "nested too deep");
	assert_refused("array bomb",
	    wire_compact(repeated(&b, "{\"a\":[", "[],", 1000000, "]}"), &arena, &out, &err), &err,
	    TSB_E_INPUT, "too many objects");
	assert_refused("value bomb",
	    wire_compact(repeated(&b, "{\"a\":[", "0,", 2000000, "]}"), &arena, &out, &err), &err,
	    TSB_E_INPUT, "too many values");
}

static void
test_text_member_count_is_bounded(void **state)
{
	tsb_bytes_auto b = {0};
	struct tsb_view out;
	struct tsb_err err = {0};

	for (int members = 64; members <= 65; members++) {
		tsb_bytes_reset(&b);
		tsb_bytes_add_str(&b, "{");
		for (int i = 0; i < members; i++)
			tsb_bytes_addf(&b, "\"m%d\":%d,", i, i);
		tsb_bytes_add_str(&b, "}");
		assert_int_equal(wire_compact(tsb_view_bytes(&b), &arena, &out, &err),
		    members == 64 ? 0 : -1);
	}
	assert_refused("65 members", -1, &err, TSB_E_INPUT, "too many members");
}

/* 4 MiB of the most costly text for each rule, read to its end. */
static void
test_text_hostile_input_takes_linear_time(void **state)
{
	static const char *const units[] = {
	    "\"\\\\\\\"\\ud83d\\ude00\",",
	    "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1,\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\":2},",
	    "[[[[[[[[[[]]]]]]]]]],",
	};
	int64_t start = clock_monotonic_ms();

	for (size_t i = 0; i < TSB_COUNT(units); i++) {
		tsb_bytes_auto b = {0};
		struct tsb_request_in in;
		struct tsb_err err = {0};

		repeated(&b, "{\"signRequest\":{\"keyPassword\":[", units[i],
		    4 * 1024 * 1024 / strlen(units[i]), "]}}");
		assert_int_equal(
		    wire_request_parse(KIND_SIGN, tsb_view_bytes(&b), &arena, &in, &err), -1);
		arena_reset(&arena);
	}
	assert_true(clock_monotonic_ms() - start < 20000);
}

static void
test_member_text_gives_the_callers_bytes(void **state)
{
	struct tsb_view compact, v;
	struct tsb_err err = {0};

	assert_int_equal(wire_compact(text("{\"x\":\"a\\\\\\\",}\", \"a\":{\"b\":[1,{\"b\":\"]\"}]},"
					   "\"b\" : [ 1 ] ,\"c\":null, \"d\":-1.0}"),
			     &arena, &compact, &err),
	    0);
	assert_true(wire_member_text(compact, "x", &v));
	assert_view(v, "\"a\\\\\\\",}\"");
	assert_true(wire_member_text(compact, "a", &v));
	assert_view(v, "{\"b\":[1,{\"b\":\"]\"}]}");
	assert_true(wire_member_text(compact, "b", &v));
	assert_view(v, "[1]");
	assert_true(wire_member_text(compact, "c", &v));
	assert_view(v, "null");
	assert_true(wire_member_text(compact, "d", &v));
	assert_view(v, "-1.0");
	assert_false(wire_member_text(compact, "e", &v));
	assert_false(wire_member_text(text("{}"), "e", &v));
	assert_false(wire_member_text(text(""), "e", &v));
	assert_false(wire_member_text(text("{\"e\":\"open"), "e", &v));
}

/* ---- requests: what is accepted ---- */

static struct tsb_request_in
accepted(enum tsb_kind kind, const char *body)
{
	struct tsb_request_in in = {0};
	struct tsb_err err = {0};

	if (wire_request_parse(kind, text(body), &arena, &in, &err))
		fail_msg("%s: %s", body, err.msg);
	return in;
}

static void
test_request_published_sign(void **state)
{
	struct tsb_request_in in = accepted(KIND_SIGN,
	    "{ \"signRequest\": { \"payload\": \"QXBwcm92ZVNpZ25UYXNrUGF5bG9hZA==\", "
	    "\"payloadType\": \"UNSPECIFIED\", \"signKeyName\": \"TSB_TUTORIAL_1-RSA\", "
	    "\"signatureAlgorithm\": \"SHA256_WITH_RSA\" } }");

	assert_int_equal(in.kind, KIND_SIGN);
	assert_string_equal(in.key_name, "TSB_TUTORIAL_1-RSA");
	assert_view(in.payload, "ApproveSignTaskPayload");
	assert_string_equal(in.payload_type, "UNSPECIFIED");
	assert_string_equal(in.algorithm, "SHA256_WITH_RSA");
	assert_null(in.meta_data);
	assert_null(in.meta_data_signature);
	assert_null(in.policy);
	assert_int_equal(in.key_password.n, 0);
	assert_false(in.signature.present);
	assert_view(in.inner,
	    "{\"payload\":\"QXBwcm92ZVNpZ25UYXNrUGF5bG9hZA==\",\"payloadType\":\"UNSPECIFIED\","
	    "\"signKeyName\":\"TSB_TUTORIAL_1-RSA\",\"signatureAlgorithm\":\"SHA256_WITH_RSA\"}");
	assert_true(tsb_view_eq(in.inner, in.inner_clean));
}

static void
test_request_of_go_client_with_nulls(void **state)
{
	struct tsb_request_in in = accepted(KIND_SIGN,
	    "{\"signRequest\":{\"payload\":\"aGFycm8=\",\"payloadType\":\"UNSPECIFIED\","
	    "\"signKeyName\":\"key/44'/0'/0\",\"keyPassword\":[\"s\",\"\\u00e9\",\"\xe2\x82\xac\"],"
	    "\"metaData\":\"e30=\",\"metaDataSignature\":null,"
	    "\"signatureAlgorithm\":\"NONE_WITH_ECDSA\",\"signatureType\":null},"
	    "\"requestSignature\":null}");

	assert_string_equal(in.key_name, "key/44'/0'/0");
	assert_view(in.key_password, "s\xc3\xa9\xe2\x82\xac");
	assert_string_equal(in.meta_data, "e30=");
	assert_null(in.meta_data_signature);
	assert_false(in.signature.present);
	assert_view(in.inner_clean,
	    "{\"payload\":\"aGFycm8=\",\"payloadType\":\"UNSPECIFIED\","
	    "\"signKeyName\":\"key/44'/0'/0\",\"signatureAlgorithm\":\"NONE_WITH_ECDSA\"}");
}

static void
test_request_of_custody_client(void **state)
{
	struct tsb_request_in in = accepted(KIND_SIGN,
	    "{\"signRequest\":{\"payload\":\"aGFycm8=\",\"payloadType\":\"HEX\","
	    "\"signKeyName\":\"k\",\"keyPassword\":\"[s, e, c]\","
	    "\"signatureAlgorithm\":\"EDDSA\",\"signatureType\":\"RAW\"}}");

	assert_string_equal(in.payload_type, "HEX");
	assert_view(in.key_password, "[s, e, c]"); /* never interpreted (api.md 1.5) */
}

static void
test_request_signature_is_read(void **state)
{
	struct tsb_request_in in = accepted(KIND_BLOCK,
	    "{\"blockRequest\":{\"blockKeyName\":\"k\"},\"requestSignature\":{\"signature\":\"AQID\","
	    "\"digestAlgorithm\":\"SHA-256\",\"publicKey\":\"-----BEGIN PUBLIC KEY-----\\n"
	    "MCow\\r\\nBQYDK2Vw\\n-----END PUBLIC KEY-----\\n\"}}");

	assert_true(in.signature.present);
	assert_int_equal(in.signature.digest, DIGEST_SHA256);
	assert_view(in.signature.signature, "\x01\x02\x03");
	assert_int_equal(in.signature.spki.n, 9);
	assert_view(in.inner, "{\"blockKeyName\":\"k\"}");
}

/* One body each, with every member, as its section of the API description lists them. */
static void
test_request_every_kind(void **state)
{
	static const struct {
		enum tsb_kind kind;
		const char *body, *clean, *algorithm;
	} rows[] = {
	    {KIND_SIGN,
		"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\",\"context\":\"AQ==\","
		"\"signatureAlgorithm\":\"NONE_WITH_EC_SCHNORR_BIP0340\",\"auxiliaryRandomData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"taprootTweakData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"merkleRootData\":null}}",
		"{\"payload\":\"AA==\",\"signKeyName\":\"k\",\"context\":\"AQ==\","
		"\"signatureAlgorithm\":\"NONE_WITH_EC_SCHNORR_BIP0340\",\"auxiliaryRandomData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"taprootTweakData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
		"NONE_WITH_EC_SCHNORR_BIP0340"},
	    {KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"keyPassword\":\"p\",\"metaData\":\"AA==\",\"metaDataSignature\":\"AA==\","
		"\"cipherAlgorithm\":\"AES_GCM\",\"initializationVector\":\"AAAAAAAAAAAAAAAA\","
		"\"additionalAuthenticationData\":\"\",\"tagLength\":128}}",
		"{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"AES_GCM\",\"initializationVector\":\"AAAAAAAAAAAAAAAA\","
		"\"additionalAuthenticationData\":\"\",\"tagLength\":128}",
		"AES_GCM"},
	    {KIND_UNWRAP,
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"new\",\"attributes\":"
		"{\"decrypt\":true,\"sign\":true,\"unwrap\":true,\"neverExtractable\":true,"
		"\"alwaysSensitive\":false},\"unwrapKeyName\":\"k\",\"unwrapKeyPassword\":\"p\","
		"\"wrapMethod\":\"RSA_WRAP_OAEP\"}}",
		"{\"wrappedKey\":\"AA==\",\"label\":\"new\",\"attributes\":"
		"{\"decrypt\":true,\"sign\":true,\"unwrap\":true,\"neverExtractable\":true,"
		"\"alwaysSensitive\":false},\"unwrapKeyName\":\"k\","
		"\"wrapMethod\":\"RSA_WRAP_OAEP\"}",
		NULL},
	    {KIND_BLOCK, "{\"blockRequest\":{\"blockKeyName\":\"k\"}}", "{\"blockKeyName\":\"k\"}",
		NULL},
	    {KIND_UNBLOCK, "{\"unblockRequest\":{\"keyPassword\":[],\"unblockKeyName\":\"k\"}}",
		"{\"unblockKeyName\":\"k\"}", NULL},
	    {KIND_MODIFY,
		"{\"modifyRequest\":{\"modifyKeyName\":\"k\",\"policy\":{\"ruleUse\":null,"
		"\"keyStatus\":null}}}",
		"{\"modifyKeyName\":\"k\",\"policy\":{\"ruleUse\":null,\"keyStatus\":null}}", NULL},
	    {KIND_CERTIFICATE_REQUEST,
		"{\"csrSignRequest\":{\"signKeyName\":\"k\",\"keyPassword\":\"\","
		"\"signatureAlgorithm\":\"EDDSA\",\"standardCertificateAttributes\":{\"commonName\":"
		"\"cn\",\"country\":\"CH\",\"organizationIdentifier\":\"\"},\"keyUsage\":"
		"[\"DIGITAL_SIGNATURE,KEY_CERT_SIGN\"],\"extendedKeyUsage\":[\"\"]},}",
		"{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\","
		"\"standardCertificateAttributes\":{\"commonName\":\"cn\",\"country\":\"CH\","
		"\"organizationIdentifier\":\"\"},\"keyUsage\":[\"DIGITAL_SIGNATURE,KEY_CERT_SIGN\"],"
		"\"extendedKeyUsage\":[\"\"]}",
		"EDDSA"},
	    {KIND_SIGN_CERTIFICATE,
		"{\"signCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
		"\"SHA256_WITH_RSA\",\"commonName\":\"cn\",\"certificateAuthority\":false,"
		"\"certificateSigningRequest\":\"-----BEGIN NEW CERTIFICATE REQUEST-----\\nAAAA\\n"
		"-----END NEW CERTIFICATE REQUEST-----\",\"validity\":365,\"keyUsage\":null}}",
		"{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"SHA256_WITH_RSA\","
		"\"commonName\":\"cn\",\"certificateAuthority\":false,"
		"\"certificateSigningRequest\":\"-----BEGIN NEW CERTIFICATE REQUEST-----\\nAAAA\\n"
		"-----END NEW CERTIFICATE REQUEST-----\",\"validity\":365}",
		"SHA256_WITH_RSA"},
	    {KIND_SELF_SIGN_CERTIFICATE,
		"{\"selfSignCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
		"\"SHA512_WITH_ECDSA\",\"standardCertificateAttributes\":{\"commonName\":\"cn\"}}}",
		"{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"SHA512_WITH_ECDSA\","
		"\"standardCertificateAttributes\":{\"commonName\":\"cn\"}}",
		"SHA512_WITH_ECDSA"},
	};
	unsigned seen = 0;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_request_in in = accepted(rows[i].kind, rows[i].body);

		seen |= 1u << in.kind;
		assert_string_equal(in.key_name, "k");
		assert_view(in.inner_clean, rows[i].clean);
		if (rows[i].algorithm != NULL)
			assert_string_equal(in.algorithm, rows[i].algorithm);
		else
			assert_null(in.algorithm);
	}
	assert_int_equal(seen, (1u << KIND__MAX) - 1);
}

/* Every value of api.md 15.1 that the table must have, spelt again. */
static void
test_request_every_signature_algorithm(void **state)
{
	static const char *const hashes[] = {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "NONE"};
	static const char *const families[] = {"RSA", "RSA_PSS", "DSA", "ECDSA"};
	static const char *const others[] = {"NONESHA1_WITH_RSA", "NONESHA224_WITH_RSA",
	    "NONESHA256_WITH_RSA", "NONESHA384_WITH_RSA", "NONESHA512_WITH_RSA",
	    "NONESHA224_WITH_RSA_PSS", "NONESHA256_WITH_RSA_PSS", "NONESHA384_WITH_RSA_PSS",
	    "NONESHA512_WITH_RSA_PSS", "SHA3224_WITH_ECDSA", "SHA3256_WITH_ECDSA",
	    "SHA3384_WITH_ECDSA", "SHA3512_WITH_ECDSA", "KECCAK224_WITH_ECDSA",
	    "KECCAK256_WITH_ECDSA", "KECCAK384_WITH_ECDSA", "KECCAK512_WITH_ECDSA",
	    "SHA256_WITH_ECDSA_DETERMINISTIC", "DOUBLE_SHA256_WITH_ECDSA",
	    "NONE_WITH_EC_SCHNORR_BIP0340", "EDDSA", "ISS_KERL", "BLS", "DILITHIUM",
	    "SPHINCS_PLUS", "KYBER", "ML_DSA", "ML_DSA_M", "SLH_DSA", "LMS", "XMSS-SHA256_10_256",
	    "XMSS-SHAKE256_10_256"};
	char name[64], body[256];
	size_t n = TSB_COUNT(hashes) * TSB_COUNT(families);

	for (size_t i = 0; i < n + TSB_COUNT(others); i++) {
		if (i < n)
			snprintf(name, sizeof(name), "%s_WITH_%s", hashes[i % TSB_COUNT(hashes)],
			    families[i / TSB_COUNT(hashes)]);
		else
			snprintf(name, sizeof(name), "%s", others[i - n]);
		snprintf(body, sizeof(body),
		    "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","
		    "\"signatureAlgorithm\":\"%s\"}}",
		    name);
		assert_string_equal(accepted(KIND_SIGN, body).algorithm, name);
	}
	assert_int_equal(n + TSB_COUNT(others), REQUEST_SIGNATURE_ALGORITHMS);
}

/* ---- requests: what is refused ---- */

#define SIGN(members)                                                                              \
	"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","                            \
	"\"signatureAlgorithm\":\"EDDSA\"" members "}}"
#define MODIFY(policy) "{\"modifyRequest\":{\"modifyKeyName\":\"k\",\"policy\":" policy "}}"
#define TOKEN(members) MODIFY("{\"ruleBlock\":{\"tokens\":[{" members "}]}}")
#define APPROVAL(members)                                                                          \
	TOKEN("\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":1,\"approvals\":[{" members "}]}]")

static void
test_request_refusals_name_the_member(void **state)
{
	static const struct {
		enum tsb_kind kind;
		const char *body;
		enum tsb_code code;
		const char *message;
	} rows[] = {
	    {KIND_SIGN, "{}", TSB_E_INPUT, "signRequest is missing"},
	    {KIND_SIGN, "{\"signRequest\":null}", TSB_E_INPUT, "signRequest is missing"},
	    {KIND_SIGN, "{\"signRequest\":[]}", TSB_E_INPUT, "signRequest must be an object"},
	    {KIND_SIGN, "{\"decryptRequest\":{}}", TSB_E_INPUT, "decryptRequest is not a known member"},
	    {KIND_SIGN, "{\"signRequest\":{}}", TSB_E_INPUT, "signRequest.payload is missing"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":null}}", TSB_E_INPUT,
		"signRequest.payload is missing"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"\"}}", TSB_E_INPUT,
		"signRequest.payload must not be empty"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":5}}", TSB_E_INPUT,
		"signRequest.payload must be a string"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA=\"}}", TSB_E_INPUT,
		"signRequest.payload must be base64"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AB==\"}}", TSB_E_INPUT,
		"signRequest.payload must be base64"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\"}}", TSB_E_INPUT,
		"signRequest.signKeyName is missing"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"\"}}", TSB_E_INPUT,
		"signRequest.signKeyName must not be empty"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"a\\nb\"}}",
		TSB_E_KEY_NAME, "signRequest.signKeyName must not have control characters"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\"}}", TSB_E_INPUT,
		"signRequest.signatureAlgorithm is missing"},
	    {KIND_SIGN,
		"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","
		"\"signatureAlgorithm\":\"eddsa\"}}",
		TSB_E_INPUT, "Value 'eddsa' is not valid for field signatureAlgorithm"},
	    {KIND_SIGN, SIGN(",\"frobnicate\":1"), TSB_E_INPUT,
		"signRequest.frobnicate is not a known member"},
	    {KIND_SIGN, SIGN(",\"frob\xc3\xa9\":1"), TSB_E_INPUT,
		"signRequest.frob?? is not a known member"},
	    {KIND_SIGN, SIGN(",\"signedApprovals\":[]"), TSB_E_INPUT,
		"signRequest.signedApprovals is not a known member"},
	    {KIND_SIGN, SIGN(",\"payload\":\"AA==\""), TSB_E_INPUT, "member 'payload' appears twice"},
	    {KIND_SIGN, SIGN(",\"payloadType\":\"X\""), TSB_E_INPUT,
		"Value 'X' is not valid for field payloadType"},
	    {KIND_SIGN, SIGN(",\"signatureType\":\"ETH\""), TSB_E_INPUT,
		"signRequest.signatureType ETH needs"},
	    {KIND_SIGN, SIGN(",\"metaData\":\"{}\""), TSB_E_INPUT,
		"signRequest.metaData must be base64"},
	    {KIND_SIGN, SIGN(",\"metaData\":{}"), TSB_E_INPUT,
		"signRequest.metaData must be a string"},
	    {KIND_SIGN, SIGN(",\"auxiliaryRandomData\":\"AAAA\""), TSB_E_INPUT,
		"signRequest.auxiliaryRandomData is shorter than 32 bytes"},
	    {KIND_SIGN,
		SIGN(",\"taprootTweakData\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
		     "\"merkleRootData\":\"AA==\""),
		TSB_E_INPUT, "signRequest.taprootTweakData excludes merkleRootData"},
	    {KIND_SIGN, SIGN(",\"keyPassword\":5"), TSB_E_INPUT,
		"signRequest.keyPassword must be a string or a list"},
	    {KIND_SIGN, SIGN(",\"keyPassword\":[\"ab\"]"), TSB_E_INPUT,
		"signRequest.keyPassword must be a list of single characters"},
	    {KIND_SIGN, SIGN(",\"keyPassword\":[\"\"]"), TSB_E_INPUT, "single characters"},
	    {KIND_SIGN, SIGN(",\"keyPassword\":[1]"), TSB_E_INPUT, "single characters"},
	    {KIND_SIGN, SIGN(",\"keyPassword\":[null]"), TSB_E_INPUT, "single characters"},
	    {KIND_SIGN, "{\"signRequest\":{},\"requestSignature\":{}}", TSB_E_INPUT,
		"signRequest.payload is missing"},
	    {KIND_BLOCK, "{\"blockRequest\":{\"blockKeyName\":\"k\"},\"requestSignature\":{}}",
		TSB_E_INPUT, "requestSignature.signature is missing"},
	    {KIND_BLOCK, "{\"blockRequest\":{\"blockKeyName\":\"k\"},\"requestSignature\":true}",
		TSB_E_INPUT, "requestSignature must be an object"},
	    {KIND_BLOCK,
		"{\"blockRequest\":{\"blockKeyName\":\"k\"},\"requestSignature\":{\"signature\":"
		"\"AA==\",\"digestAlgorithm\":\"SHA256\",\"publicKey\":\"AA==\"}}",
		TSB_E_INPUT, "Value 'SHA256' is not valid for field digestAlgorithm"},
	    {KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA\",\"tagLength\":65}}",
		TSB_E_TAG_LENGTH, "decryptRequest.tagLength must be one of"},
	    {KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA\",\"tagLength\":-1}}",
		TSB_E_TAG_LENGTH, "decryptRequest.tagLength must be from 0 to 128"},
	    {KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA\",\"tagLength\":\"0\"}}",
		TSB_E_INPUT, "decryptRequest.tagLength must be a whole number"},
	    {KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA\",\"tagLength\":18446744073709551616}}",
		TSB_E_TAG_LENGTH, "decryptRequest.tagLength must be from 0 to 128"},
	    {KIND_DECRYPT,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA\",\"tagLength\":64.0}}",
		TSB_E_INPUT, "decryptRequest.tagLength must be a whole number"},
	    {KIND_UNWRAP,
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"new\",\"attributes\":"
		"{\"decrypt\":true,\"unwrap\":true}}}",
		TSB_E_INPUT, "unwrapKeyRequest.attributes.sign is missing"},
	    {KIND_UNWRAP,
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"new\",\"policy\":null}}",
		TSB_E_INPUT, "unwrapKeyRequest.policy is not a known member"},
	    {KIND_MODIFY, "{\"modifyRequest\":{\"modifyKeyName\":\"k\"}}", TSB_E_INPUT,
		"modifyRequest.policy is missing"},
	    {KIND_MODIFY, MODIFY("{\"ruleuse\":null}"), TSB_E_INPUT,
		"modifyRequest.policy.ruleuse is not a known member"},
	    {KIND_MODIFY, MODIFY("{\"keyStatus\":{\"blocked\":false}}"), TSB_E_INPUT,
		"modifyRequest.policy.keyStatus cannot be given here"},
	    {KIND_MODIFY, MODIFY("{\"ruleUse\":{\"token\":[]}}"), TSB_E_INPUT,
		"modifyRequest.policy.ruleUse.token is not a known member"},
	    {KIND_MODIFY, MODIFY("{\"ruleUse\":{\"tokens\":[null]}}"), TSB_E_INPUT,
		"modifyRequest.policy.ruleUse.tokens[0] is missing"},
	    {KIND_MODIFY, MODIFY("{\"ruleUse\":{\"tokens\":{}}}"), TSB_E_INPUT,
		"modifyRequest.policy.ruleUse.tokens must be a list"},
	    {KIND_MODIFY, TOKEN("\"timeout\":0"), TSB_E_INPUT,
		"modifyRequest.policy.ruleBlock.tokens[0].timelock is missing"},
	    {KIND_MODIFY, TOKEN("\"timelock\":-60,\"timeout\":0"), TSB_E_INPUT,
		"tokens[0].timelock must be from 0"},
	    {KIND_MODIFY, TOKEN("\"timelock\":0,\"timeout\":1e3"), TSB_E_INPUT,
		"tokens[0].timeout must be a whole number"},
	    {KIND_MODIFY,
		TOKEN("\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":1,\"approvals\":[]},"
		      "{\"approvals\":[]}]"),
		TSB_E_INPUT, "tokens[0].groups[1].quorum is missing"},
	    {KIND_MODIFY,
		TOKEN("\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":4294967296,"
		      "\"approvals\":[]}]"),
		TSB_E_INPUT, "groups[0].quorum must be from 0"},
	    {KIND_MODIFY,
		TOKEN("\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":1,\"approvals\":null}]"),
		TSB_E_INPUT, "groups[0].approvals is missing"},
	    {KIND_MODIFY, APPROVAL("\"value\":\"AA==\""), TSB_E_INPUT,
		"groups[0].approvals[0].type is missing"},
	    {KIND_MODIFY, APPROVAL("\"type\":\"PUBLIC_KEY\",\"value\":\"AA==\""), TSB_E_INPUT,
		"Value 'PUBLIC_KEY' is not valid for field type"},
	    {KIND_MODIFY, APPROVAL("\"type\":\"public_key\""), TSB_E_INPUT,
		"approvals[0].value is missing"},
	    {KIND_MODIFY, APPROVAL("\"type\":\"public_key\",\"value\":\"\""), TSB_E_INPUT,
		"approvals[0].value is missing"},
	    {KIND_MODIFY, APPROVAL("\"type\":\"certificate\",\"name\":\"n\",\"value\":\"AA==\""),
		TSB_E_CERTIFICATE_NAME, "approvals[0].name cannot be given"},
	    {KIND_MODIFY,
		APPROVAL("\"type\":\"onboarded_approver_certificate\",\"name\":\"n\",\"value\":\"AA==\""),
		TSB_E_APPROVER_VALUE, "approvals[0].value cannot be given"},
	    {KIND_MODIFY, APPROVAL("\"type\":\"onboarded_approver_certificate\""), TSB_E_INPUT,
		"approvals[0].name is missing"},
	    {KIND_CERTIFICATE_REQUEST,
		"{\"csrSignRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\","
		"\"standardCertificateAttributes\":{}}}",
		TSB_E_INPUT, "csrSignRequest.standardCertificateAttributes.commonName is missing"},
	    {KIND_CERTIFICATE_REQUEST,
		"{\"csrSignRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\","
		"\"standardCertificateAttributes\":{\"commonName\":\"c\"},"
		"\"keyUsage\":[\"CRL_SIGN,CRLSIGN\"]}}",
		TSB_E_INPUT, "Value 'CRLSIGN' is not valid for field keyUsage"},
	    {KIND_SIGN_CERTIFICATE,
		"{\"signCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
		"\"EDDSA\"}}",
		TSB_E_INPUT, "Value 'EDDSA' is not valid for field signatureAlgorithm"},
	    {KIND_SIGN_CERTIFICATE,
		"{\"signCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
		"\"SHA256_WITH_RSA\",\"commonName\":\"c\",\"certificateAuthority\":true,"
		"\"certificateSigningRequest\":\"-----BEGIN CERTIFICATE REQUEST-----\\nAAAA\"}}",
		TSB_E_CSR_FORMAT, "certificateSigningRequest must be base64"},
	    {KIND_SELF_SIGN_CERTIFICATE,
		"{\"selfSignCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
		"\"SHA256_WITH_RSA\",\"validity\":30}}",
		TSB_E_INPUT, "selfSignCertificateRequest.commonName is missing"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_request_in in = {.key_name = "untouched"};
		struct tsb_err err = {0};

		assert_refused(rows[i].body,
		    wire_request_parse(rows[i].kind, text(rows[i].body), &arena, &in, &err), &err,
		    rows[i].code, rows[i].message);
		assert_string_equal(in.key_name, "untouched");
	}
}

/* A sign request whose member is value repeated: n digits of base64 or characters of a name. */
static int
parse_with(const char *head, const char *unit, size_t n, const char *tail, struct tsb_err *err)
{
	tsb_bytes_auto b = {0};
	struct tsb_request_in in;

	return wire_request_parse(KIND_SIGN, repeated(&b, head, unit, n, tail), &arena, &in, err);
}

static void
test_request_sizes(void **state)
{
	static const char payload[] = "{\"signRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
				      "\"EDDSA\",\"payload\":\"";
	static const char meta[] = "{\"signRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
				   "\"EDDSA\",\"payload\":\"AA==\",\"metaData\":\"";
	static const char name[] = "{\"signRequest\":{\"signatureAlgorithm\":\"EDDSA\",\"payload\":"
				   "\"AA==\",\"signKeyName\":\"";
	struct tsb_err err = {0};

	/* 65535 bytes, and one or two more */
	assert_int_equal(parse_with(payload, "AAAA", 21845, "\"}}", &err), 0);
	assert_int_equal(parse_with(payload, "AAAA", 21845, "AA==\"}}", &err), 0);
	assert_refused("payload", parse_with(payload, "AAAA", 21845, "AAA=\"}}", &err), &err,
	    TSB_E_INPUT, "signRequest.payload is longer than 65536 bytes");
	assert_refused("big payload", parse_with(payload, "AAAA", 900000, "\"}}", &err), &err,
	    TSB_E_INPUT, "signRequest.payload is longer than 65536 bytes");
	assert_int_equal(parse_with(meta, "AAAA", 21845, "AA==\"}}", &err), 0);
	assert_refused("metaData", parse_with(meta, "AAAA", 21846, "\"}}", &err), &err, TSB_E_INPUT,
	    "signRequest.metaData is longer than 65536 bytes");
	assert_int_equal(parse_with(name, "a", 255, "\"}}", &err), 0);
	assert_refused("name", parse_with(name, "a", 256, "\"}}", &err), &err, TSB_E_KEY_NAME,
	    "signRequest.signKeyName is longer than 255 bytes");
}

static void
test_policy_lists_are_bounded(void **state)
{
	tsb_bytes_auto b = {0};
	struct tsb_request_in in;
	struct tsb_err err = {0};
	static const char head[] =
	    "{\"modifyRequest\":{\"modifyKeyName\":\"k\",\"policy\":{\"ruleUse\":{\"tokens\":[";
	static const char unit[] = "{\"timelock\":0,\"timeout\":0},";

	assert_int_equal(wire_request_parse(KIND_MODIFY,
			     repeated(&b, head, unit, POLICY_TOKENS_MAX, "]}}}}"), &arena, &in, &err),
	    0);
	assert_int_equal(in.policy->rule[RULE_USE].ntokens, POLICY_TOKENS_MAX);
	assert_refused("tokens",
	    wire_request_parse(KIND_MODIFY,
		repeated(&b, head, unit, POLICY_TOKENS_MAX + 1, "]}}}}"), &arena, &in, &err),
	    &err, TSB_E_INPUT, "modifyRequest.policy.ruleUse.tokens has more than 64 elements");
}

static void
test_modify_policy(void **state)
{
	const struct ska_policy *p = accepted(KIND_MODIFY,
	    MODIFY("{\"ruleUse\":{\"tokens\":[{\"name\":\"Token1\",\"timelock\":0,\"timeout\":600,"
		   "\"groups\":[{\"name\":\"Group1\",\"quorum\":1,\"approvals\":["
		   "{\"type\":\"public_key\",\"name\":\"A1\",\"value\":\"AQID\"},"
		   "{\"type\":\"certificate\",\"name\":null,\"value\":\"-----BEGIN CERTIFICATE-----"
		   "\\nBAUG\\n-----END CERTIFICATE-----\"},"
		   "{\"type\":\"onboarded_approver_certificate\",\"name\":\"o@example.com\"}]}]},"
		   "{\"name\":\"\",\"timelock\":60,\"timeout\":0,\"groups\":null}]},"
		   "\"ruleBlock\":{\"tokens\":[]},\"ruleUnblock\":{\"tokens\":null},"
		   "\"ruleModify\":null}"))
					  .policy;
	const struct ska_token *t;
	const struct ska_approver *approvers;

	assert_non_null(p);
	assert_int_equal(p->rule[RULE_USE].ntokens, 2);
	t = p->rule[RULE_USE].tokens;
	assert_string_equal(t[0].name, "Token1");
	assert_int_equal(t[0].timeout, 600);
	assert_int_equal(t[0].ngroups, 1);
	assert_string_equal(t[0].groups[0].name, "Group1");
	assert_int_equal(t[0].groups[0].quorum, 1);
	assert_int_equal(t[0].groups[0].napprovers, 3);
	approvers = t[0].groups[0].approvers;
	assert_int_equal(approvers[0].type, APPROVER_PUBLIC_KEY);
	assert_view(approvers[0].value, "\x01\x02\x03");
	assert_int_equal(approvers[1].type, APPROVER_CERTIFICATE);
	assert_null(approvers[1].name);
	assert_view(approvers[1].value, "\x04\x05\x06");
	assert_int_equal(approvers[2].type, APPROVER_ONBOARDED);
	assert_string_equal(approvers[2].name, "o@example.com");
	assert_null(t[1].name);
	assert_int_equal(t[1].timelock, 60);
	assert_int_equal(t[1].ngroups, 0);
	assert_int_equal(p->rule[RULE_BLOCK].ntokens, 0);
	assert_int_equal(p->rule[RULE_UNBLOCK].ntokens, 0);
	assert_true(ska_rule_is_absent_form(&p->rule[RULE_MODIFY]));
}

/* ---- the synchronous form ---- */

static void
test_synchronous_takes_what_is_carried_offline(void **state)
{
	struct wire_synchronous_in in;
	struct tsb_err err = {0};

	assert_int_equal(
	    wire_synchronous_parse(KIND_SIGN,
		text("{\"signRequest\":{\"payload\":\"aGFycm8=\",\"payloadType\":\"UNSPECIFIED\","
		     "\"signKeyName\":\"MSI-OnlineKey\",\"signatureAlgorithm\":\"SHA224_WITH_RSA_PSS\","
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
		"\"wrapMethod\":\"RSA_WRAP_PAD\",\"policy\":{}}}",
		TSB_E_INPUT, "unwrapKeyRequest.policy.keyStatus is missing"},
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
	assert_int_equal(
	    wire_synchronous_parse(KIND_SIGN, tsb_view_bytes(&out), &arena, &back, &err), 0);
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

	assert_refused("inner", wire_synchronous_format(KIND_SIGN, text(""), text(""), NULL, 0, &out, &err),
	    &err, TSB_E_DATA_CONSTELLATION, "signRequest is not an object");
	assert_refused("password",
	    wire_synchronous_format(KIND_SIGN, text("{}"), text("\xff"), NULL, 0, &out, &err), &err,
	    TSB_E_DATA_CONSTELLATION, "keyPassword is not UTF-8");
	assert_int_equal(out.n, 0);
}

#define t(f) cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    t(test_text_is_compacted),
	    t(test_text_outside_the_grammar_is_refused),
	    t(test_text_with_raw_nul_is_refused),
	    t(test_text_limits),
	    t(test_text_member_count_is_bounded),
	    t(test_text_hostile_input_takes_linear_time),
	    t(test_member_text_gives_the_callers_bytes),
	    t(test_request_published_sign),
	    t(test_request_of_go_client_with_nulls),
	    t(test_request_of_custody_client),
	    t(test_request_signature_is_read),
	    t(test_request_every_kind),
	    t(test_request_every_signature_algorithm),
	    t(test_request_refusals_name_the_member),
	    t(test_request_sizes),
	    t(test_policy_lists_are_bounded),
	    t(test_modify_policy),
	    t(test_synchronous_takes_what_is_carried_offline),
	    t(test_synchronous_refusals),
	    t(test_synchronous_body_is_built_and_read_back),
	    t(test_synchronous_body_refuses_broken_parts),
	};
	int failed = cmocka_run_group_tests_name("wire", tests, NULL, NULL);

	arena_clear(&arena);
	return failed;
}
