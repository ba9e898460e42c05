/* Requests of the workflow: accepted, refused, passed on. */
#include "lib/first.h"

#include <stdio.h>

#include "lib/wire/names.h"
#include "tests/unit/wire_help.h"

/* ---- requests: what is accepted ---- */

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
	    "{\"signRequest\":{\"payload\":\"6861Ab72\",\"payloadType\":\"HEX\","
	    "\"signKeyName\":\"k\",\"keyPassword\":\"[s, e, c]\","
	    "\"signatureAlgorithm\":\"EDDSA\",\"signatureType\":\"RAW\"}}");

	assert_string_equal(in.payload_type, "HEX");
	assert_int_equal(in.payload.n, 4);
	assert_memory_equal(in.payload.p, "ha\xabr", 4);
	/* an HSM that does not know HEX would read the digits as base64 */
	assert_view(in.inner_clean,
	    "{\"payload\":\"aGGrcg==\",\"payloadType\":\"UNSPECIFIED\",\"signKeyName\":\"k\","
	    "\"signatureAlgorithm\":\"EDDSA\",\"signatureType\":\"RAW\"}");
	assert_view(in.key_password, "[s, e, c]"); /* never interpreted (api-notes.md 1.4) */
}

static void
test_request_signature_is_read(void **state)
{
	struct tsb_request_in in = accepted(KIND_BLOCK,
	    "{\"blockRequest\":{\"blockKeyName\":\"k\"},\"requestSignature\":{\"signature\":"
	    "\"AQID\","
	    "\"digestAlgorithm\":\"SHA-256\",\"publicKey\":\"-----BEGIN PUBLIC KEY-----\\n"
	    "MCow\\r\\nBQYDK2Vw\\n-----END PUBLIC KEY-----\\n\"}}");

	assert_true(in.signature.present);
	assert_int_equal(in.signature.digest, DIGEST_SHA256);
	assert_view(in.signature.signature, "\x01\x02\x03");
	assert_int_equal(in.signature.spki.n, 9);
	assert_view(in.inner, "{\"blockKeyName\":\"k\"}");
}

/* 32 bytes */
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* One body each, with every member, as its section of the API description lists them. */
static void
test_request_every_kind(void **state)
{
	static const struct {
		enum tsb_kind kind;
		const char *body, *clean, *algorithm;
	} rows[] = {
	    {KIND_SIGN,
		"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","
		"\"signatureAlgorithm\":\"NONE_WITH_EC_SCHNORR_BIP0340\",\"auxiliaryRandomData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"taprootTweakData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"merkleRootData\":null}}",
		"{\"payload\":\"AA==\",\"signKeyName\":\"k\","
		"\"signatureAlgorithm\":\"NONE_WITH_EC_SCHNORR_BIP0340\",\"auxiliaryRandomData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"taprootTweakData\":"
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
		"NONE_WITH_EC_SCHNORR_BIP0340"},
	    {KIND_SIGN,
		"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\",\"context\":\"AQ==\","
		"\"signatureAlgorithm\":\"ML_DSA\"}}",
		"{\"payload\":\"AA==\",\"signKeyName\":\"k\",\"context\":\"AQ==\","
		"\"signatureAlgorithm\":\"ML_DSA\"}",
		"ML_DSA"},
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
		"\"signatureAlgorithm\":\"EDDSA\",\"standardCertificateAttributes\":{"
		"\"commonName\":"
		"\"cn\",\"country\":\"CH\",\"organizationIdentifier\":\"\"},\"keyUsage\":"
		"[\"DIGITAL_SIGNATURE,KEY_CERT_SIGN\"],\"extendedKeyUsage\":[\"\"]},}",
		"{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\","
		"\"standardCertificateAttributes\":{\"commonName\":\"cn\",\"country\":\"CH\","
		"\"organizationIdentifier\":\"\"},\"keyUsage\":[\"DIGITAL_SIGNATURE,KEY_CERT_"
		"SIGN\"],"
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
	    {KIND_RESTORE_APPROVER,
		"{\"decryptRequest\":{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA_PADDING_OAEP_WITH_SHA256\",\"metaData\":\"AA==\"}}",
		"{\"encryptedPayload\":\"AA==\",\"decryptKeyName\":\"k\","
		"\"cipherAlgorithm\":\"RSA_PADDING_OAEP_WITH_SHA256\"}",
		"RSA_PADDING_OAEP_WITH_SHA256"},
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

static void
test_request_unwrap_describes_the_new_key(void **state)
{
	struct tsb_request_in in = accepted(KIND_UNWRAP,
	    "{\"unwrapKeyRequest\":{\"wrappedKey\":\"AQID\",\"label\":\"new\",\"attributes\":"
	    "{\"decrypt\":true,\"sign\":false,\"unwrap\":true,\"wrap\":true,\"extractable\":true},"
	    "\"unwrapKeyName\":\"k\",\"wrapMethod\":\"AES_WRAP\"}}");

	assert_view(in.unwrap.wrapped_key, "\1\2\3");
	assert_string_equal(in.unwrap.label, "new");
	assert_true(in.unwrap.flag[ATTR_DECRYPT] && in.unwrap.flag[ATTR_UNWRAP]);
	assert_true(in.unwrap.flag[ATTR_EXTRACTABLE] && in.unwrap.flag[ATTR_MODIFIABLE]);
	assert_false(in.unwrap.flag[ATTR_SIGN] || in.unwrap.flag[ATTR_SENSITIVE]);
	assert_true(in.unwrap.wrap);
	assert_false(in.unwrap.encrypt || in.unwrap.verify);
}

static void
test_request_certificates_are_described(void **state)
{
	const struct tsb_certificate_in *c;
	struct tsb_request_in in = accepted(KIND_CERTIFICATE_REQUEST,
	    "{\"csrSignRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":\"EDDSA\","
	    "\"standardCertificateAttributes\":{\"commonName\":\"cn\",\"country\":\"CH\","
	    "\"locality\":\"\",\"generationQualifier\":\"jr\"},\"keyUsage\":"
	    "[\"DIGITAL_SIGNATURE,KEY_CERT_SIGN\",\"DECIPHER_ONLY\"],"
	    "\"extendedKeyUsage\":[\"\"]}}");

	c = &in.certificate;
	assert_string_equal(c->subject[SUBJECT_COMMON_NAME], "cn");
	assert_string_equal(c->subject[SUBJECT_COUNTRY], "CH");
	assert_null(c->subject[SUBJECT_LOCALITY]);
	assert_string_equal(c->subject[SUBJECT_GENERATION_QUALIFIER], "jr");
	assert_int_equal(c->validity, 365);
	assert_int_equal(c->key_usage, 1u << 0 | 1u << 5 | 1u << 8);
	assert_int_equal(c->extended_key_usage, 0);

	in = accepted(KIND_SIGN_CERTIFICATE,
	    "{\"signCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
	    "\"SHA256_WITH_RSA\",\"commonName\":\"cn\",\"certificateAuthority\":true,"
	    "\"certificateSigningRequest\":\"AQID\",\"validity\":30,"
	    "\"extendedKeyUsage\":[\"OCSP_SIGNING\"]}}");
	assert_string_equal(c->subject[SUBJECT_COMMON_NAME], "cn");
	assert_true(c->authority);
	assert_view(c->csr, "\1\2\3");
	assert_int_equal(c->validity, 30);
	assert_int_equal(c->extended_key_usage, 1u << 6);

	in = accepted(KIND_SELF_SIGN_CERTIFICATE,
	    "{\"selfSignCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
	    "\"SHA256_WITH_RSA\",\"commonName\":\"cn\"}}");
	assert_string_equal(c->subject[SUBJECT_COMMON_NAME], "cn");
	assert_false(c->authority);
}

/* Every value of api-notes.md 12.1 that the table must have, spelt again. */
static void
test_request_every_signature_algorithm(void **state)
{
	static const char *const hashes[] = {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512",
	    "NONE"};
	static const char *const families[] = {"RSA", "RSA_PSS", "DSA", "ECDSA"};
	static const char *const others[] = {"NONESHA1_WITH_RSA", "NONESHA224_WITH_RSA",
	    "NONESHA256_WITH_RSA", "NONESHA384_WITH_RSA", "NONESHA512_WITH_RSA",
	    "NONESHA224_WITH_RSA_PSS", "NONESHA256_WITH_RSA_PSS", "NONESHA384_WITH_RSA_PSS",
	    "NONESHA512_WITH_RSA_PSS", "SHA3224_WITH_ECDSA", "SHA3256_WITH_ECDSA",
	    "SHA3384_WITH_ECDSA", "SHA3512_WITH_ECDSA", "KECCAK224_WITH_ECDSA",
	    "KECCAK256_WITH_ECDSA", "KECCAK384_WITH_ECDSA", "KECCAK512_WITH_ECDSA",
	    "SHA256_WITH_ECDSA_DETERMINISTIC", "DOUBLE_SHA256_WITH_ECDSA",
	    "NONE_WITH_EC_SCHNORR_BIP0340", "EDDSA", "ISS_KERL", "BLS", "DILITHIUM", "SPHINCS_PLUS",
	    "KYBER", "ML_DSA", "ML_DSA_M", "SLH_DSA", "LMS", "XMSS-SHA256_10_256",
	    "XMSS-SHAKE256_10_256", "HMAC_SHA256"};
	static const char *const prehashes[] = {"SHA2_224", "SHA2_256", "SHA2_384", "SHA2_512",
	    "SHA3_224", "SHA3_256", "SHA3_384", "SHA3_512", "SHAKE_128", "SHAKE_256"};
	const size_t n = TSB_COUNT(hashes) * TSB_COUNT(families);
	const size_t all = n + TSB_COUNT(others) + 2 * TSB_COUNT(prehashes);
	char name[64], body[256];

	for (size_t i = 0; i < all; i++) {
		if (i < n)
			snprintf(name, sizeof(name), "%s_WITH_%s", hashes[i % TSB_COUNT(hashes)],
			    families[i / TSB_COUNT(hashes)]);
		else if (i < n + TSB_COUNT(others))
			snprintf(name, sizeof(name), "%s", others[i - n]);
		else
			snprintf(name, sizeof(name), "%s_WITH_%s", prehashes[(all - i - 1) / 2],
			    i % 2 == 0 ? "ML_DSA" : "SLH_DSA");
		snprintf(body, sizeof(body),
		    "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","
		    "\"signatureAlgorithm\":\"%s\"}}",
		    name);
		assert_string_equal(accepted(KIND_SIGN, body).algorithm, name);
	}
	assert_int_equal(all, TSB_COUNT(names_signature));
}

/* ---- requests: what is refused ---- */

#define MODIFY(policy) "{\"modifyRequest\":{\"modifyKeyName\":\"k\",\"policy\":" policy "}}"
#define TOKEN(members) MODIFY("{\"ruleBlock\":{\"tokens\":[{" members "}]}}")
#define APPROVAL(members)                                                                          \
	TOKEN("\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":1,\"approvals\":[{" members    \
	      "}]}]")

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
	    {KIND_SIGN, "{\"decryptRequest\":{}}", TSB_E_INPUT,
		"decryptRequest is not a known member"},
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
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"\"}}",
		TSB_E_INPUT, "signRequest.signKeyName must not be empty"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"a\\nb\"}}",
		TSB_E_KEY_NAME, "signRequest.signKeyName must not have control characters"},
	    {KIND_SIGN, "{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\"}}",
		TSB_E_INPUT, "signRequest.signatureAlgorithm is missing"},
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
	    {KIND_SIGN, SIGN(",\"payload\":\"AA==\""), TSB_E_INPUT,
		"member 'payload' appears twice"},
	    {KIND_SIGN, SIGN(",\"payloadType\":\"HEX\""), TSB_E_PAYLOAD,
		"signRequest.payload must be hex digits"},
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
	    {KIND_SIGN, SIGN(",\"merkleRootData\":\"AA==\""), TSB_E_INPUT,
		"signRequest.merkleRootData is shorter than 32 bytes"},
	    {KIND_SIGN, SIGN(",\"auxiliaryRandomData\":\"" ZEROS "\""), TSB_E_INPUT,
		"signRequest.auxiliaryRandomData goes with NONE_WITH_EC_SCHNORR_BIP0340 only"},
	    {KIND_SIGN, SIGN(",\"taprootTweakData\":\"" ZEROS "\""), TSB_E_INPUT,
		"signRequest.taprootTweakData goes with NONE_WITH_EC_SCHNORR_BIP0340 only"},
	    {KIND_SIGN, SIGN(",\"merkleRootData\":\"" ZEROS "\""), TSB_E_INPUT,
		"signRequest.merkleRootData goes with NONE_WITH_EC_SCHNORR_BIP0340 only"},
	    {KIND_SIGN, SIGN(",\"context\":\"AA==\""), TSB_E_INPUT,
		"signRequest.context goes with algorithms of ML-DSA and SLH-DSA only"},
	    {KIND_SIGN,
		"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","
		"\"signatureAlgorithm\":\"NONE_WITH_EC_SCHNORR_BIP0340\",\"taprootTweakData\":\"" ZEROS
		"\",\"merkleRootData\":\"" ZEROS "\"}}",
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
		"\"cipherAlgorithm\":\"RSA\",\"tagLength\":999999999999999999}}",
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
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"new\",\"policy\":null}"
		"}",
		TSB_E_INPUT, "unwrapKeyRequest.policy is not a known member"},
	    {KIND_UNWRAP,
		"{\"unwrapKeyRequest\":{\"wrappedKey\":\"AA==\",\"label\":\"a/b\",\"attributes\":"
		"{\"decrypt\":true,\"sign\":true,\"unwrap\":true},\"unwrapKeyName\":\"k\","
		"\"wrapMethod\":\"RSA_WRAP_PAD\"}}",
		TSB_E_KEY_NAME, "unwrapKeyRequest.label must not contain '/'"},
	    {KIND_SELF_SIGN_CERTIFICATE,
		"{\"selfSignCertificateRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
		"\"SHA256_WITH_RSA\",\"commonName\":\"a\",\"standardCertificateAttributes\":"
		"{\"commonName\":\"b\"}}}",
		TSB_E_INPUT, "selfSignCertificateRequest.commonName differs"},
	    {KIND_MODIFY, "{\"modifyRequest\":{\"modifyKeyName\":\"k\"}}", TSB_E_INPUT,
		"modifyRequest.policy is missing"},
	    {KIND_MODIFY, MODIFY("{\"ruleuse\":null}"), TSB_E_INPUT,
		"modifyRequest.policy.ruleuse is not a known member"},
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
		TOKEN(
		    "\"timelock\":0,\"timeout\":0,\"groups\":[{\"quorum\":1,\"approvals\":null}]"),
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
		APPROVAL("\"type\":\"onboarded_approver_certificate\",\"name\":\"n\",\"value\":"
			 "\"AA==\""),
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
		"\"ED25519\"}}",
		TSB_E_INPUT, "Value 'ED25519' is not valid for field signatureAlgorithm"},
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
	static const char payload[] =
	    "{\"signRequest\":{\"signKeyName\":\"k\",\"signatureAlgorithm\":"
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
			     repeated(&b, head, unit, POLICY_TOKENS_MAX, "]}}}}"), &arena, &in,
			     &err),
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_request_published_sign),
	    WIRE_TEST(test_request_of_go_client_with_nulls),
	    WIRE_TEST(test_request_of_custody_client),
	    WIRE_TEST(test_request_signature_is_read),
	    WIRE_TEST(test_request_every_kind),
	    WIRE_TEST(test_request_unwrap_describes_the_new_key),
	    WIRE_TEST(test_request_certificates_are_described),
	    WIRE_TEST(test_request_every_signature_algorithm),
	    WIRE_TEST(test_request_refusals_name_the_member),
	    WIRE_TEST(test_request_sizes),
	    WIRE_TEST(test_policy_lists_are_bounded),
	    WIRE_TEST(test_modify_policy),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, group_teardown);
}
