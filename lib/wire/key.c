/* Keys: creation, attributes, lists (api-notes.md 7). */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/crypto/pq.h"
#include "lib/wire/field.h"

/* ---- attributes of a new key (api-notes.md 7.2) ---- */

#define FLAG(index) AT(struct key_form, create.flag[index])
#define CREATE(m)   AT(struct key_form, create.m)
static const struct field use_fields[] = {
    {"decrypt", FIELD_BOOL, REQUIRED, FLAG(ATTR_DECRYPT)},
    {"sign", FIELD_BOOL, REQUIRED, FLAG(ATTR_SIGN)},
    {"unwrap", FIELD_BOOL, REQUIRED, FLAG(ATTR_UNWRAP)},
    {NULL},
};
static const struct field attribute_fields[] = {
    {"encrypt", FIELD_BOOL, CREATE(encrypt), HAS(struct key_form, create.has_encrypt)},
    {"verify", FIELD_BOOL, CREATE(verify), HAS(struct key_form, create.has_verify)},
    {"wrap", FIELD_BOOL, CREATE(wrap), HAS(struct key_form, create.has_wrap)},
    {"derive", FIELD_BOOL, FLAG(ATTR_DERIVE), HAS(struct key_form, create.has_derive)},
    {"bip32", FIELD_BOOL, CREATE(bip32)},
    {"slip10", FIELD_BOOL, CREATE(slip10)},
    {"extractable", FIELD_BOOL, FLAG(ATTR_EXTRACTABLE)},
    {"modifiable", FIELD_BOOL, FLAG(ATTR_MODIFIABLE)},
    {"destroyable", FIELD_BOOL, FLAG(ATTR_DESTROYABLE)},
    {"sensitive", FIELD_BOOL, FLAG(ATTR_SENSITIVE), HAS(struct key_form, has_sensitive)},
    {"copyable", FIELD_BOOL, FLAG(ATTR_COPYABLE)},
    {"rollover", FIELD_BOOL, CREATE(rollover)},
    {"neverExtractable", FIELD_IGNORED},
    {"alwaysSensitive", FIELD_IGNORED},
    {NULL},
};

static void
attributes_init(void *dest, struct arena *a)
{
	((struct key_form *)dest)->create.flag[ATTR_MODIFIABLE] = true;
}

static int
attributes_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct key_form *f = dest;

	if (!f->has_sensitive)
		f->create.flag[ATTR_SENSITIVE] = !f->create.flag[ATTR_EXTRACTABLE];
	return 0;
}

const struct field_object key_attributes_object = {use_fields, .more = attribute_fields,
    .init = attributes_init, .check = attributes_check};

/* ---- creation (api-notes.md 7.1) ---- */

static const char *const address_formats[] = {"BTC", "ETH", "XLM", "XRP", "IOTA"};
static const struct field address_fields[] = {
    {"format", FIELD_ENUM, REQUIRED, NAMES(address_formats), .code = TSB_E_CRYPTOCURRENCY,
	CREATE(address_format)},
    {NULL},
};
static const struct field_object address_object = {address_fields};

/* The text of a custom curve is a curveOid, too. */
/* clang-format off */
#define NEW_KEY_ROWS                                                                               \
	{"label", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,           \
	    CREATE(label)},                                                                        \
	    {"password", FIELD_PASSWORD, CREATE(password)},                                        \
	    {"id", FIELD_NAME, .max = 255, .code = TSB_E_KEY_ID, CREATE(id)},                      \
	    {"algorithm", FIELD_NAME, .max = 64, CREATE(algorithm)},                               \
	    {"algorithmOid", FIELD_NAME, .max = 64, CREATE(algorithm_oid)},                        \
	    {"curveOid", FIELD_NAME, .max = 4096, CREATE(curve_oid)},                              \
	    {"keySize", FIELD_INT, .max = 65536, .code = TSB_E_KEY_SIZE, CREATE(key_size)},        \
	    {"addressFormat", FIELD_OBJECT, .object = &address_object},                            \
	{                                                                                          \
		"policy", FIELD_OBJECT, .object = &policy_object,                                  \
					.offset = offsetof(struct key_form, create.policy),        \
					HAS(struct key_form, create.has_policy)                    \
	}
/* clang-format on */
static const struct field create_fields[] = {
    NEW_KEY_ROWS,
    {"attributes", FIELD_OBJECT, REQUIRED, .object = &key_attributes_object},
    {NULL},
};

static const struct {
	const char *oid, *algorithm;
} algorithm_oids[] = {
    {"1.2.840.113549.1.1.1", "RSA"},
    {"1.2.840.10045.2.1", "EC"},
    {"1.3.101.112", "ED"},
    {"2.16.840.1.101.3.4.1", "AES"},
    {"1.2.840.10040.4.1", "DSA"},
    {"1.2.392.200011.61.1.1.1", "Camellia"},
    {"1.2.840.113549.1.9.16.3.18", "ChaCha20"},
    {"1.2.840.113549.3.7", "TDEA"},
    {"1.2.840.113549.2.9", "HMACSHA256"},
};

static const char *
algorithm_of(const char *oid)
{
	const struct pq_set *set = pq_set_by_oid(oid);

	for (size_t i = 0; i < TSB_COUNT(algorithm_oids); i++)
		if (tsb_streq(algorithm_oids[i].oid, oid))
			return algorithm_oids[i].algorithm;
	return set != NULL ? set->name : NULL;
}

static int
algorithm_from_oid(struct wire_key_create *c, struct tsb_err *err)
{
	const char *algorithm = algorithm_of(c->algorithm_oid);

	if (algorithm != NULL && c->algorithm != NULL && !tsb_streq(c->algorithm, algorithm))
		return tsb_fail(err, TSB_E_INPUT, "algorithm and algorithmOid differ");
	if (algorithm == NULL && c->algorithm == NULL)
		return tsb_fail(err, TSB_E_INPUT, "Value '%s' is not valid for field algorithmOid",
		    c->algorithm_oid);
	if (algorithm != NULL)
		c->algorithm = algorithm;
	return 0;
}

static int
create_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct wire_key_create *c = &((struct key_form *)dest)->create;

	/* text after the first '/' is a derivation path (api-notes.md 1.5) */
	if (strchr(c->label, '/') != NULL)
		return tsb_fail(err, TSB_E_KEY_NAME, "label must not contain '/'");
	if (c->algorithm_oid != NULL)
		return algorithm_from_oid(c, err);
	if (c->algorithm == NULL)
		return tsb_fail(err, TSB_E_INPUT, "algorithm is missing");
	return 0;
}

static const struct field_object create_object = {create_fields, .check = create_check};

int
wire_key_create_parse(struct tsb_view body, struct arena *a, struct wire_key_create *out,
    struct tsb_err *err)
{
	struct key_form form = {0};

	if (field_read(body, &create_object, a, &form, NULL, err))
		return -1;
	*out = form.create;
	return 0;
}

/* ---- keys brought along (api-notes.md 7.5) ---- */

/* The new key first, where the rows of keys land. */
struct plain_form {
	struct key_form key;
	struct wire_key_plain plain;
	bool has_seed, bip32, slip10;
};

#define PLAIN(m) AT(struct plain_form, plain.m)
static const struct field plain_fields[] = {
    NEW_KEY_ROWS,
    {"attributes", FIELD_OBJECT, .object = &key_attributes_object,
	HAS(struct plain_form, plain.has_attributes)},
    {"privateKey", FIELD_BASE64, .max = FIELD_KEY_OBJECT_MAX, .code = TSB_E_KEY_ENCODING,
	PLAIN(private_key)},
    {"publicKey", FIELD_BASE64, .max = FIELD_KEY_OBJECT_MAX, .code = TSB_E_PARSING_KEY,
	PLAIN(public_key)},
    {"secretKey", FIELD_BASE64, .max = FIELD_KEY_OBJECT_MAX, .code = TSB_E_KEY_ENCODING,
	PLAIN(secret_key)},
    {"certificate", FIELD_BASE64, .max = FIELD_KEY_OBJECT_MAX, .code = TSB_E_CERTIFICATE_ENCODING,
	PLAIN(certificate)},
    {"seed", FIELD_BASE64, .min = 16, .max = 64, PLAIN(seed), HAS(struct plain_form, has_seed)},
    {"bip32", FIELD_BOOL, AT(struct plain_form, bip32)},
    {"slip10", FIELD_BOOL, AT(struct plain_form, slip10)},
    {NULL},
};

/* "ED" of its OID, else "EC": clients leave the algorithm of a seed to its curve. */
static const char *
algorithm_of_curve(const char *curve_oid)
{
	return tsb_streq(curve_oid, "1.3.101.112") ? "ED" : "EC";
}

/*
 * A seed is there to derive keys from, so that goes without saying. bip32 and slip10 stand beside
 * attributes or in them.
 */
static int
seed_check(struct plain_form *f, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct wire_key_create *c = &f->key.create;
	const struct wire_key_plain *p = &f->plain;

	if (p->private_key.n > 0 || p->public_key.n > 0 || p->secret_key.n > 0 ||
	    p->certificate.n > 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "seed excludes privateKey, publicKey, secretKey and certificate");
	if (!p->has_attributes)
		return tsb_fail(err, TSB_E_INPUT, "attributes is missing");
	if (c->curve_oid == NULL)
		return tsb_fail(err, TSB_E_INPUT, "curveOid is required for a seed");
	if (c->algorithm == NULL && c->algorithm_oid == NULL)
		c->algorithm = algorithm_of_curve(c->curve_oid);
	c->bip32 |= f->bip32;
	c->slip10 |= f->slip10;
	if (!c->has_derive)
		c->flag[ATTR_DERIVE] = true;
	return create_check(&f->key, at, a, err);
}

static int
plain_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	struct plain_form *f = dest;
	const struct wire_key_plain *p = &f->plain;
	const bool lone = p->private_key.n == 0 && p->secret_key.n == 0;

	if (f->has_seed)
		return seed_check(f, at, a, err);
	if (create_check(&f->key, at, a, err))
		return -1;
	if (f->bip32 || f->slip10)
		return tsb_fail(err, TSB_E_INPUT, "bip32 and slip10 need seed");
	if (p->secret_key.n > 0 &&
	    (p->private_key.n > 0 || p->public_key.n > 0 || p->certificate.n > 0))
		return tsb_fail(err, TSB_E_INPUT,
		    "secretKey excludes privateKey, publicKey and certificate");
	if (p->public_key.n > 0 && p->certificate.n > 0)
		return tsb_fail(err, TSB_E_INPUT, "publicKey excludes certificate");
	if (p->private_key.n > 0 && p->public_key.n == 0 && p->certificate.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "privateKey needs publicKey or certificate");
	if (lone && p->public_key.n == 0 && p->certificate.n == 0)
		return tsb_fail(err, TSB_E_INPUT,
		    "privateKey, publicKey, secretKey or certificate is missing");
	if (!lone && !p->has_attributes)
		return tsb_fail(err, TSB_E_INPUT, "attributes is missing");
	return 0;
}

static const struct field_object plain_object = {plain_fields, .check = plain_check};

int
wire_key_plain_parse(struct tsb_view body, struct arena *a, struct wire_key_plain *out,
    struct tsb_err *err)
{
	struct plain_form form = {0};

	if (field_read(body, &plain_object, a, &form, NULL, err))
		return -1;
	*out = form.plain;
	out->create = form.key.create;
	return 0;
}

/* ---- derived keys (api-notes.md 7.9) ---- */

struct derive_form {
	struct key_form key;
	struct wire_key_derive derive;
};

/* A published client leaves out uses that it does not want. */
static const struct field derived_use_fields[] = {
    {"decrypt", FIELD_BOOL, FLAG(ATTR_DECRYPT)},
    {"sign", FIELD_BOOL, FLAG(ATTR_SIGN)},
    {"unwrap", FIELD_BOOL, FLAG(ATTR_UNWRAP)},
    {NULL},
};
static const struct field_object derived_attributes_object = {derived_use_fields,
    .more = attribute_fields, .init = attributes_init, .check = attributes_check};

#define DERIVE(m) AT(struct derive_form, derive.m)
static const struct field derive_fields[] = {
    {"masterKeyLabel", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	DERIVE(master)},
    {"masterKeyPassword", FIELD_PASSWORD, DERIVE(password)},
    {"derivationPath", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	DERIVE(path)},
    {"attributes", FIELD_OBJECT, .object = &derived_attributes_object,
	HAS(struct derive_form, derive.has_attributes)},
    {NULL},
};
static const struct field_object derive_object = {derive_fields};

int
wire_key_derive_parse(struct tsb_view body, struct arena *a, struct wire_key_derive *out,
    struct tsb_err *err)
{
	struct derive_form form = {0};

	if (field_read(body, &derive_object, a, &form, NULL, err))
		return -1;
	*out = form.derive;
	out->create = form.key.create;
	return 0;
}

void
wire_key_export_format(const struct wire_key_plain *plain, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_base64_or_null(out, "privateKey", plain->private_key);
	emit_base64_or_null(out, "publicKey", plain->public_key);
	emit_base64_or_null(out, "secretKey", plain->secret_key);
	emit_close(out, '}');
}

/* ---- changes of a key (api-notes.md 7.6) ---- */

#define NEW_PASSWORD(m) AT(struct wire_key_password, m)
static const struct field password_fields[] = {
    {"label", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	NEW_PASSWORD(label)},
    {"password", FIELD_PASSWORD, NEW_PASSWORD(password)},
    {"newPassword", FIELD_PASSWORD, NEW_PASSWORD(new_password)},
    {NULL},
};
static const struct field_object password_object = {password_fields};

int
wire_key_password_parse(struct tsb_view body, struct arena *a, struct wire_key_password *out,
    struct tsb_err *err)
{
	return field_take(body, &password_object, a, out, sizeof(*out), err);
}

#define CHANGE(m) AT(struct wire_key_change, m)
/* clang-format off */
#define CHANGED_FLAG(name, index) \
	{name, FIELD_BOOL, CHANGE(flag[index]), HAS(struct wire_key_change, given[index])}
#define FIXED(name) {name, FIELD_NONE, .code = TSB_E_KEY_ATTRIBUTES}
/* clang-format on */
static const struct field changed_fields[] = {
    CHANGED_FLAG("decrypt", ATTR_DECRYPT),
    CHANGED_FLAG("sign", ATTR_SIGN),
    CHANGED_FLAG("unwrap", ATTR_UNWRAP),
    CHANGED_FLAG("derive", ATTR_DERIVE),
    CHANGED_FLAG("extractable", ATTR_EXTRACTABLE),
    CHANGED_FLAG("modifiable", ATTR_MODIFIABLE),
    CHANGED_FLAG("destroyable", ATTR_DESTROYABLE),
    CHANGED_FLAG("sensitive", ATTR_SENSITIVE),
    CHANGED_FLAG("copyable", ATTR_COPYABLE),
    {"encrypt", FIELD_BOOL, CHANGE(encrypt), HAS(struct wire_key_change, encrypt_given)},
    {"verify", FIELD_BOOL, CHANGE(verify), HAS(struct wire_key_change, verify_given)},
    {"wrap", FIELD_BOOL, CHANGE(wrap), HAS(struct wire_key_change, wrap_given)},
    FIXED("bip32"),
    FIXED("slip10"),
    {"rollover", FIELD_IGNORED},
    {"neverExtractable", FIELD_IGNORED},
    {"alwaysSensitive", FIELD_IGNORED},
    {NULL},
};
static const struct field_object changed_object = {changed_fields};

static const struct field change_fields[] = {
    {"label", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME, CHANGE(label)},
    {"password", FIELD_PASSWORD, CHANGE(password)},
    {"newLabel", FIELD_LABEL, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME, CHANGE(new_label)},
    {"id", FIELD_NAME, .max = 255, .code = TSB_E_KEY_ID, CHANGE(id)},
    {"attributes", FIELD_OBJECT, .object = &changed_object},
    {NULL},
};

static int
change_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_key_change *c = dest;

	/* text after the first '/' is a derivation path (api-notes.md 1.5) */
	if (c->new_label != NULL && strchr(c->new_label, '/') != NULL)
		return tsb_fail(err, TSB_E_KEY_NAME, "newLabel must not contain '/'");
	return 0;
}

static const struct field_object change_object = {change_fields, .check = change_check};

int
wire_key_change_parse(struct tsb_view body, struct arena *a, struct wire_key_change *out,
    struct tsb_err *err)
{
	return field_take(body, &change_object, a, out, sizeof(*out), err);
}

/* ---- naming a key (api-notes.md 7.4) ---- */

static const struct field ref_fields[] = {
    {"label", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, .code = TSB_E_KEY_NAME,
	AT(struct wire_key_ref, label)},
    {"password", FIELD_PASSWORD, AT(struct wire_key_ref, password)},
    {NULL},
};
static const struct field_object ref_object = {ref_fields};

int
wire_key_ref_parse(struct tsb_view body, struct arena *a, struct wire_key_ref *out,
    struct tsb_err *err)
{
	return field_take(body, &ref_object, a, out, sizeof(*out), err);
}

void
wire_key_ref_format(const struct wire_key_ref *ref, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "label", ref->label);
	if (ref->password.n > 0)
		emit_view(out, "password", ref->password);
	else
		emit_null(out, "password");
	emit_close(out, '}');
}

/* ---- attributes of a key (api-notes.md 7.3) ---- */

static void
flags_format(const struct keyattr *k, struct tsb_bytes *out)
{
	static const enum keyattr_flag order[] = {ATTR_UNWRAP, ATTR_DERIVE, ATTR_SENSITIVE,
	    ATTR_ALWAYS_SENSITIVE, ATTR_EXTRACTABLE, ATTR_NEVER_EXTRACTABLE, ATTR_MODIFIABLE,
	    ATTR_COPYABLE, ATTR_DESTROYABLE};

	emit_open(out, "attributes", '{');
	emit_bool(out, keyattr_flag_json[ATTR_DECRYPT], k->flag[ATTR_DECRYPT]);
	emit_bool(out, keyattr_flag_json[ATTR_SIGN], k->flag[ATTR_SIGN]);
	emit_null(out, "ekaSign");
	for (size_t i = 0; i < TSB_COUNT(order); i++)
		emit_bool(out, keyattr_flag_json[order[i]], k->flag[order[i]]);
	emit_close(out, '}');
}

/* Two texts as one object, or null. */
static void
pair_format(const char *name, const char *first, const char *a, const char *second, const char *b,
    struct tsb_bytes *out)
{
	if (a == NULL && b == NULL) {
		emit_null(out, name);
		return;
	}
	emit_open(out, name, '{');
	emit_text(out, first, a);
	emit_text(out, second, b);
	emit_close(out, '}');
}

static const char *
never_null(const char *text)
{
	return text != NULL ? text : "";
}

static void
keyattr_json(const struct keyattr *k, struct tsb_bytes *out)
{
	emit_open(out, "json", '{');
	emit_text(out, "label", never_null(k->label));
	emit_text(out, "id", k->id);
	emit_text(out, "uuid", k->uuid);
	emit_text(out, "algorithm", never_null(k->algorithm));
	emit_text(out, "algorithmOid", never_null(k->algorithm_oid));
	emit_text(out, "curveOid", k->curve_oid);
	pair_format("derivedAttributes", "derivationType", k->derivation_type, "derivationValue",
	    k->derivation_value, out);
	if (k->key_size > 0)
		emit_uint(out, "keySize", k->key_size);
	else
		emit_null(out, "keySize");
	if (k->has_use_count)
		emit_uint(out, "keyUsageCount", k->use_count);
	else
		emit_null(out, "keyUsageCount");
	if (k->wears_out)
		emit_uint(out, "remainingSignatures", k->signatures_left);
	emit_time(out, "createTime", k->create_time);
	emit_time(out, "attestTime", k->attest_time);
	emit_base64_or_null(out, "publicKey", k->public_key);
	pair_format("addressTruncated", "address", k->address, "format", k->address_format, out);
	flags_format(k, out);
	if (k->has_policy) {
		emit_name(out, "policy");
		wire_policy_format(&k->policy, true, out);
	} else {
		emit_null(out, "policy");
	}
	emit_close(out, '}');
}

void
wire_key_attributes_format(const struct keyattr *k, struct tsb_view xml,
    struct tsb_view xml_signature, const char *attestation_key_name, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_view(out, "xml", xml);
	keyattr_json(k, out);
	emit_base64(out, "xmlSignature", xml_signature);
	emit_text(out, "attestationKeyName", attestation_key_name);
	emit_close(out, '}');
}

/* ---- attestations (api-notes.md 7.7) ---- */

static void
chain_format(const char *name, struct tsb_view certificate, struct tsb_bytes *out)
{
	emit_open(out, name, '[');
	emit_base64(out, NULL, certificate);
	emit_close(out, ']');
}

void
wire_attestation_format(const struct wire_attestation *t, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "attestationKeyName", t->key_name);
	emit_view(out, "signingKeyAttestationXml", t->xml);
	emit_base64(out, "signingKeyPublicKey", t->public_key);
	chain_format("signingKeyAttestationCertificate", t->certificate, out);
	emit_base64(out, "signingKeyAttestationSignatureBase64", t->signature);
	emit_close(out, '}');
}

void
wire_attestation_chain_format(struct tsb_view certificate, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	chain_format("attestationCertificateChain", certificate, out);
	emit_close(out, '}');
}

/* ---- attributes read back ---- */

#define ATTRIBUTES(m) AT(struct tsb_key_attributes, m)
static const struct field answer_fields[] = {
    {"xml", FIELD_VIEW, REQUIRED, .max = FIELD_XML_MAX, ATTRIBUTES(xml)},
    {"xmlSignature", FIELD_BASE64, REQUIRED, .max = FIELD_SIGNATURE_MAX, ATTRIBUTES(xml_signature)},
    {"attestationKeyName", FIELD_TEXT, .max = 1024, ATTRIBUTES(attestation_key_name)},
    {NULL},
};
static const struct field_object answer_object = {answer_fields, .open = true};

int
wire_key_attributes_parse(struct tsb_view body, struct arena *a, struct tsb_key_attributes *out,
    struct tsb_err *err)
{
	struct tsb_key_attributes attributes = {0};

	if (field_read_reply(body, &answer_object, a, &attributes, err))
		return -1;
	out->xml = attributes.xml;
	out->xml_signature = attributes.xml_signature;
	out->attestation_key_name = attributes.attestation_key_name;
	return 0;
}

int
wire_key_import_parse(struct tsb_view body, struct arena *a, struct tsb_key_attributes *out,
    struct tsb_err *err)
{
	return field_take(body, &answer_object, a, out, sizeof(*out), err);
}

/* ---- list of keys (api-notes.md 7.4) ---- */

void
wire_key_list_format(const char *const *labels, size_t n, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "[", 1);
	for (size_t i = 0; i < n; i++)
		emit_text(out, NULL, labels[i]);
	emit_close(out, ']');
}

struct label_list {
	const char **labels;
	size_t n;
};

static const struct field label_row = {"label", FIELD_TEXT, REQUIRED, .max = 4096,
    .size = sizeof(const char *)};
static const struct field labels_row = {"keys", FIELD_LIST, REQUIRED, .max = 256 * 1024,
    .element = &label_row, .element_size = sizeof(const char *), AT(struct label_list, labels),
    .count = offsetof(struct label_list, n)};

int
wire_key_list_parse(struct tsb_view body, struct arena *a, const char ***labels, size_t *n,
    struct tsb_err *err)
{
	struct label_list list = {0};

	if (field_read_reply_list(body, &labels_row, a, &list, err))
		return -1;
	*labels = list.labels;
	*n = list.n;
	return 0;
}
