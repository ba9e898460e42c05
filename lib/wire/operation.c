/* What no policy guards: encryption, wrapping, verification, the certificate stored with a key. */
#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/wire/field.h"
#include "lib/wire/names.h"

#define KEY_NAME(name) name, FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME
/* As in verification: the operation is open to whoever may call it. */
#define IGNORED                                                                                    \
	{"metaData", FIELD_IGNORED},                                                               \
	{                                                                                          \
		"metaDataSignature", FIELD_IGNORED                                                 \
	}

/* ---- encryption (api-notes.md 8.2) ---- */

#define ENCRYPT(m) AT(struct wire_encrypt, m)
static const struct field encrypt_inner_fields[] = {
    {"payload", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, ENCRYPT(payload)},
    {KEY_NAME("encryptKeyName"), ENCRYPT(key_name)},
    {"keyPassword", FIELD_PASSWORD, ENCRYPT(password)},
    {"cipherAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_cipher), ENCRYPT(cipher.algorithm)},
    {"additionalAuthenticationData", FIELD_BASE64, .max = WIRE_PAYLOAD_MAX,
	ENCRYPT(cipher.additional)},
    {"tagLength", FIELD_INT, .max = 128, .code = TSB_E_TAG_LENGTH, ENCRYPT(cipher.tag_length)},
    IGNORED,
    {NULL},
};

int
field_check_tag_length(int bits, const struct field_path *at, struct tsb_err *err)
{
	static const int lengths[] = {0, 64, 96, 104, 112, 120, 128};
	char where[FIELD_WHERE];

	for (size_t i = 0; i < TSB_COUNT(lengths); i++)
		if (bits == lengths[i])
			return 0;
	return tsb_fail(err, TSB_E_TAG_LENGTH, "%s must be one of 0, 64, 96, 104, 112, 120, 128",
	    field_where(at, "tagLength", where));
}

static int
encrypt_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	return field_check_tag_length(((struct wire_encrypt *)dest)->cipher.tag_length, at, err);
}

static const struct field_object encrypt_inner = {encrypt_inner_fields, .check = encrypt_check};
static const struct field encrypt_fields[] = {
    {"encryptRequest", FIELD_OBJECT, REQUIRED, .object = &encrypt_inner},
    {"requestSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field_object encrypt_object = {encrypt_fields};

int
wire_encrypt_parse(struct tsb_view body, struct arena *a, struct wire_encrypt *out,
    struct tsb_err *err)
{
	return field_take(body, &encrypt_object, a, out, sizeof(*out), err);
}

void
wire_encrypted_format(struct tsb_view payload, size_t tag_size, struct tsb_view iv,
    struct tsb_bytes *out)
{
	struct tsb_view text = tsb_view_of(payload.p, payload.n - tag_size);
	struct tsb_view tag = tsb_view_of(payload.p + text.n, tag_size);

	tsb_bytes_add(out, "{", 1);
	emit_base64(out, "encryptedPayload", payload);
	/* an authenticated cipher text may be empty: null means that the cipher has no tag */
	if (tag_size > 0)
		emit_base64(out, "encryptedPayloadWithoutMessageAuthenticationCode", text);
	else
		emit_null(out, "encryptedPayloadWithoutMessageAuthenticationCode");
	emit_base64_or_null(out, "initializationVector", iv);
	emit_base64_or_null(out, "messageAuthenticationCode", tag);
	emit_close(out, '}');
}

/* ---- wrapping (api-notes.md 8) ---- */

#define WRAP(m) AT(struct wire_wrap, m)
static const struct field wrap_inner_fields[] = {
    {KEY_NAME("keyToBeWrapped"), WRAP(key_to_wrap)},
    {"keyToBeWrappedPassword", FIELD_PASSWORD, WRAP(key_to_wrap_password)},
    {KEY_NAME("wrapKeyName"), WRAP(key_name)},
    {"wrapKeyPassword", FIELD_PASSWORD, WRAP(password)},
    {"wrapMethod", FIELD_ENUM, REQUIRED, NAMES(names_wrap), WRAP(method)},
    IGNORED,
    {NULL},
};
static const struct field_object wrap_inner = {wrap_inner_fields};
static const struct field wrap_fields[] = {
    {"wrapKeyRequest", FIELD_OBJECT, REQUIRED, .object = &wrap_inner},
    {"requestSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field_object wrap_object = {wrap_fields};

int
wire_wrap_parse(struct tsb_view body, struct arena *a, struct wire_wrap *out, struct tsb_err *err)
{
	return field_take(body, &wrap_object, a, out, sizeof(*out), err);
}

/* ---- verification (api-notes.md 8.3) ---- */

#define VERIFY(m) AT(struct wire_verify, m)
static const struct field verify_inner_fields[] = {
    {"signKeyName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	VERIFY(key_name)},
    {"signKeyObject", FIELD_NONE, .code = TSB_E_UNSUPPORTED_OPERATION},
    {"masterKeyPassword", FIELD_PASSWORD, VERIFY(password)},
    {"signatureAlgorithm", FIELD_ENUM, REQUIRED, NAMES(names_signature), VERIFY(algorithm)},
    {"payload", FIELD_PAYLOAD, REQUIRED, .max = WIRE_PAYLOAD_MAX, VERIFY(payload)},
    {"payloadType", FIELD_ENUM, NAMES(names_payload), VERIFY(payload_type)},
    {"signature", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, VERIFY(signature)},
    FIELD_CONTEXT(struct wire_verify),
    FIELD_TAPROOT(struct wire_verify),
    {"metaData", FIELD_IGNORED},
    {"metaDataSignature", FIELD_IGNORED},
    {NULL},
};

static int
verify_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_verify *verify = dest;

	return field_check_extra(&verify->extra, verify->algorithm, at, err);
}

static const struct field_object verify_inner = {verify_inner_fields, .check = verify_check};

static const struct field verify_fields[] = {
    {"verifySignatureRequest", FIELD_OBJECT, REQUIRED, .object = &verify_inner},
    {"requestSignature", FIELD_IGNORED}, /* nothing secret is used: who asks does not matter */
    {NULL},
};
static const struct field_object verify_object = {verify_fields};

int
wire_verify_parse(struct tsb_view body, struct arena *a, struct wire_verify *out,
    struct tsb_err *err)
{
	return field_take(body, &verify_object, a, out, sizeof(*out), err);
}

/* ---- files (api-notes.md 8.7) ---- */

#define OF_FILE(m) AT(struct wire_file, m)
static const struct field file_encrypt_inner_fields[] = {
    {KEY_NAME("encryptKeyName"), OF_FILE(key_name)},
    {"keyPassword", FIELD_PASSWORD, OF_FILE(password)},
    IGNORED,
    {NULL},
};
static const struct field file_decrypt_inner_fields[] = {
    {KEY_NAME("decryptKeyName"), OF_FILE(key_name)},
    {"keyPassword", FIELD_PASSWORD, OF_FILE(password)},
    IGNORED,
    {NULL},
};
static const struct field_object file_encrypt_inner = {file_encrypt_inner_fields};
static const struct field_object file_decrypt_inner = {file_decrypt_inner_fields};
static const struct field file_encrypt_fields[] = {
    {"fileEncryptRequest", FIELD_OBJECT, REQUIRED, .object = &file_encrypt_inner},
    {"requestSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field file_decrypt_fields[] = {
    {"fileDecryptRequest", FIELD_OBJECT, REQUIRED, .object = &file_decrypt_inner},
    {"requestSignature", FIELD_IGNORED},
    {NULL},
};
static const struct field_object file_objects[] = {
    [WIRE_FILE_ENCRYPT] = {file_encrypt_fields},
    [WIRE_FILE_DECRYPT] = {file_decrypt_fields},
};

const char *
wire_file_part(enum wire_file_call what)
{
	return what == WIRE_FILE_ENCRYPT ? "SignedFileEncryptRequestDto"
					 : "SignedFileDecryptRequestDto";
}

const char *
wire_file_envelope(enum wire_file_call what)
{
	return what == WIRE_FILE_ENCRYPT ? "fileEncryptRequest" : "fileDecryptRequest";
}

/* The boundary is random, so that no file has it inside. */
const char *
wire_file_around(enum wire_file_call what, struct tsb_view json, struct arena *a,
    struct tsb_bytes *out, size_t *file_at)
{
	unsigned char random[16];
	const char *boundary;

	crypto_random(random, sizeof(random));
	boundary = enc_hex_str(a, tsb_view_of(random, sizeof(random)));
	tsb_bytes_addf(out,
	    "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n"
	    "Content-Type: application/json\r\n\r\n",
	    boundary, wire_file_part(what));
	tsb_bytes_add_view(out, json);
	tsb_bytes_addf(out,
	    "\r\n--%s\r\nContent-Disposition: form-data; name=\"" WIRE_FILE_PART
	    "\"; filename=\"" WIRE_FILE_PART "\"\r\nContent-Type: " WIRE_FILE_TYPE "\r\n\r\n",
	    boundary);
	*file_at = out->n;
	tsb_bytes_addf(out, "\r\n--%s--\r\n", boundary);
	return arena_printf(a, "multipart/form-data; boundary=%s", boundary);
}

int
wire_file_parse(enum wire_file_call what, struct tsb_view json, struct arena *a,
    struct wire_file *out, struct tsb_err *err)
{
	struct wire_file file = {0};

	if (field_read(json, &file_objects[what], a, &file, NULL, err))
		return -1;
	*out = file;
	return 0;
}

/* ---- certificates (api-notes.md 9.4) ---- */

#define CERTIFICATE(m) AT(struct wire_certificate, m)
static const struct field import_fields[] = {
    {KEY_NAME("label"), CERTIFICATE(label)},
    {"certificate", FIELD_BASE64, REQUIRED, .max = WIRE_PAYLOAD_MAX, .pem = PEM_CERTIFICATE,
	.code = TSB_E_CERTIFICATE_ENCODING, CERTIFICATE(der)},
    {"rawCertificate", FIELD_IGNORED}, /* of an answer that is sent back */
    {NULL},
};
static const struct field_object import_object = {import_fields};

int
wire_certificate_import_parse(struct tsb_view body, struct arena *a, struct wire_certificate *out,
    struct tsb_err *err)
{
	return field_take(body, &import_object, a, out, sizeof(*out), err);
}

void
wire_certificate_pem_format(const char *label, struct tsb_view pem, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "label", label);
	emit_view(out, "certificate", pem);
	emit_view(out, "rawCertificate", pem);
	emit_close(out, '}');
}

void
wire_certificate_pem(struct tsb_view der, struct tsb_bytes *out)
{
	crypto_pem_write("CERTIFICATE", der, out);
}

void
wire_certificate_format(const struct wire_certificate *c, struct tsb_bytes *out)
{
	tsb_bytes_auto pem = {0};

	wire_certificate_pem(c->der, &pem);
	wire_certificate_pem_format(c->label, tsb_view_bytes(&pem), out);
}

void
wire_pem_format(const char *label, const char *member, struct tsb_view pem, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "label", label);
	emit_view(out, member, pem);
	emit_close(out, '}');
}

void
wire_sign_inner_format(const char *key_name, const char *algorithm, struct tsb_view payload,
    struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_base64(out, "payload", payload);
	emit_text(out, "signKeyName", key_name);
	emit_text(out, "signatureAlgorithm", algorithm);
	emit_close(out, '}');
}
