/* Approvers whose keys the broker made (api-notes.md 10). */
#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/crypto/pem.h"
#include "lib/wire/custody.h"
#include "lib/wire/field.h"

#define VALIDITY_DEFAULT 3650 /* days */
#define VALIDITY_MAX     36525
#define KEY_SIZE_DEFAULT 3072

/* clang-format off */
#define APPROVER_NAME(s) \
	{ \
		"approverName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, AT(s, name) \
	}
/* clang-format on */

/* A password that is there has at least one character. */
static int
need(struct tsb_view password, const struct field_path *at, const char *member, struct tsb_err *err)
{
	char where[FIELD_WHERE];

	if (password.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "%s must not be empty",
		    field_where(at, member, where));
	return 0;
}

/* ---- creation ---- */

static const char *const algorithms[] = {"RSA"};

#define CREATE(m) AT(struct wire_approver_create, m)
static const struct field create_fields[] = {
    APPROVER_NAME(struct wire_approver_create),
    {"algorithm", FIELD_ENUM, REQUIRED, NAMES(algorithms)},
    {"keySize", FIELD_INT, .max = 65536, .code = TSB_E_KEY_SIZE, CREATE(key_size)},
    {"backupPassword", FIELD_PASSWORD, REQUIRED, CREATE(backup_password)},
    {"validity", FIELD_INT, .min = 1, .max = VALIDITY_MAX, CREATE(validity)},
    {"qrCode", FIELD_BOOL, CREATE(qr_code)},
    {NULL},
};

static void
create_init(void *dest, struct arena *a)
{
	struct wire_approver_create *c = dest;

	c->key_size = KEY_SIZE_DEFAULT;
	c->validity = VALIDITY_DEFAULT;
}

static int
create_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_approver_create *c = dest;
	char where[FIELD_WHERE];

	if (c->key_size != 2048 && c->key_size != 3072 && c->key_size != 4096)
		return tsb_fail(err, TSB_E_KEY_SIZE, "%s must be 2048, 3072 or 4096",
		    field_where(at, "keySize", where));
	return need(c->backup_password, at, "backupPassword", err);
}

static const struct field_object create_object = {create_fields, .init = create_init,
    .check = create_check};

int
wire_approver_create_parse(struct tsb_view body, struct arena *a, struct wire_approver_create *out,
    struct tsb_err *err)
{
	return field_take(body, &create_object, a, out, sizeof(*out), err);
}

/* ---- onboarding ---- */

#define ONBOARD(m) AT(struct wire_approver_onboard, m)
static const struct field onboard_fields[] = {
    APPROVER_NAME(struct wire_approver_onboard),
    {"oneTimeCode", FIELD_PASSWORD, REQUIRED, ONBOARD(code)},
    {"transportPassword", FIELD_PASSWORD, REQUIRED, ONBOARD(transport_password)},
    {NULL},
};

static int
onboard_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_approver_onboard *o = dest;
	char where[FIELD_WHERE];

	if (o->transport_password.n != 16 && o->transport_password.n != 32)
		return tsb_fail(err, TSB_E_INPUT, "%s must have 16 or 32 bytes",
		    field_where(at, "transportPassword", where));
	return need(o->code, at, "oneTimeCode", err);
}

static const struct field_object onboard_object = {onboard_fields, .check = onboard_check};

int
wire_approver_onboard_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_onboard *out, struct tsb_err *err)
{
	return field_take(body, &onboard_object, a, out, sizeof(*out), err);
}

void
wire_approver_onboard_format(struct tsb_view encrypted, struct tsb_view iv, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_base64(out, "encryptedPayload", encrypted);
	emit_base64(out, "initializationVector", iv);
	emit_close(out, '}');
}

/* ---- bodies with a name, and with passwords ---- */

struct named {
	const char *name;
};

static const struct field name_fields[] = {
    APPROVER_NAME(struct named),
    {NULL},
};
static const struct field_object name_object = {name_fields};

int
wire_approver_name_parse(struct tsb_view body, struct arena *a, const char **name,
    struct tsb_err *err)
{
	struct named named = {0};

	if (field_read(body, &name_object, a, &named, NULL, err))
		return -1;
	*name = named.name;
	return 0;
}

#define PASSWORDS(m) AT(struct wire_approver_password, m)
static const struct field forgot_fields[] = {
    APPROVER_NAME(struct wire_approver_password),
    {"newBackupPassword", FIELD_PASSWORD, REQUIRED, PASSWORDS(new_password)},
    {NULL},
};
static const struct field old_password_fields[] = {
    {"backupPassword", FIELD_PASSWORD, REQUIRED, PASSWORDS(old_password)},
    {NULL},
};

static int
forgot_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_approver_password *p = dest;

	return need(p->new_password, at, "newBackupPassword", err);
}

static int
change_check(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err)
{
	const struct wire_approver_password *p = dest;

	return need(p->old_password, at, "backupPassword", err) ||
		need(p->new_password, at, "newBackupPassword", err)
	    ? -1
	    : 0;
}

static const struct field_object forgot_object = {forgot_fields, .check = forgot_check};
static const struct field_object change_object = {forgot_fields, old_password_fields,
    .check = change_check};

static int
password_read(struct tsb_view body, const struct field_object *object, struct arena *a,
    struct wire_approver_password *out, struct tsb_err *err)
{
	return field_take(body, object, a, out, sizeof(*out), err);
}

int
wire_approver_change_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_password *out, struct tsb_err *err)
{
	return password_read(body, &change_object, a, out, err);
}

int
wire_approver_forgot_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_password *out, struct tsb_err *err)
{
	return password_read(body, &forgot_object, a, out, err);
}

/* ---- answers ---- */

void
wire_approver_code_format(const char *code, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "oneTimeCode", code);
	emit_close(out, '}');
}

void
wire_approver_created_format(const char *code, struct tsb_view png, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	emit_text(out, "oneTimeCode", code);
	emit_base64(out, "qrCode", png);
	emit_close(out, '}');
}

/* Appends JSON with \u escapes for what is not ASCII: readers of QR codes guess encodings. */
static void
add_ascii(struct tsb_view json, struct tsb_bytes *out)
{
	while (json.n > 0) {
		unsigned c;
		size_t n = tsb_utf8_next(json, &c);

		if (n > 1 && c > 0xffff)
			tsb_bytes_addf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10),
			    0xdc00 + (c & 0x3ff));
		else if (n > 1)
			tsb_bytes_addf(out, "\\u%04x", c);
		else
			tsb_bytes_add(out, json.p, 1);
		json.p += n > 0 ? n : 1;
		json.n -= n > 0 ? n : 1;
	}
}

void
wire_approver_invitation_format(const char *name, const char *code, const char *url,
    struct tsb_bytes *out)
{
	tsb_bytes_auto json = {0};

	tsb_bytes_add(&json, "{", 1);
	emit_text(&json, "approverName", name);
	emit_text(&json, "oneTimeCode", code);
	if (*url != '\0')
		emit_text(&json, "url", url);
	emit_close(&json, '}');
	add_ascii(tsb_view_bytes(&json), out);
}

static void
pem_format(const char *name, struct tsb_view der, struct tsb_bytes *out)
{
	tsb_bytes_auto pem = {0};

	crypto_pem_write("CERTIFICATE", der, &pem);
	emit_view(out, name, tsb_view_bytes(&pem));
}

static void
list_format(const char *name, const struct tsb_approver *rows, size_t n, bool onboarded,
    struct tsb_bytes *out)
{
	emit_open(out, name, '[');
	for (size_t i = 0; i < n; i++) {
		if (rows[i].onboarded != onboarded)
			continue;
		emit_open(out, NULL, '{');
		emit_text(out, "approverName", rows[i].name);
		pem_format("approverCertificate", rows[i].certificate, out);
		emit_close(out, '}');
	}
	emit_close(out, ']');
}

void
wire_approvers_format(const struct tsb_approver *rows, size_t n, struct tsb_bytes *out)
{
	tsb_bytes_add(out, "{", 1);
	list_format("onboarded", rows, n, true, out);
	list_format("pending", rows, n, false, out);
	emit_close(out, '}');
}

/* ---- the answers read by a client ---- */

struct onboarded {
	struct tsb_view encrypted, iv;
};

static const struct field onboarded_fields[] = {
    {"encryptedPayload", FIELD_BASE64, REQUIRED, .max = FIELD_KEY_OBJECT_MAX,
	AT(struct onboarded, encrypted)},
    {"initializationVector", FIELD_BASE64, REQUIRED, .max = 64, AT(struct onboarded, iv)},
    {NULL},
};
static const struct field_object onboarded_object = {onboarded_fields, .open = true};

int
wire_approver_onboard_read(struct tsb_view body, struct arena *a, struct tsb_view *encrypted,
    struct tsb_view *iv, struct tsb_err *err)
{
	struct onboarded o = {0};

	if (field_read(body, &onboarded_object, a, &o, NULL, err))
		return -1;
	*encrypted = o.encrypted;
	*iv = o.iv;
	return 0;
}

#define STATES_MAX (1024 * 1024)

struct states {
	struct tsb_approver *onboarded, *pending;
	size_t nonboarded, npending;
};

static const struct field state_fields[] = {
    {"approverName", FIELD_LABEL, REQUIRED, .max = FIELD_LABEL_MAX, AT(struct tsb_approver, name)},
    {"approverCertificate", FIELD_BASE64, REQUIRED, .max = FIELD_KEY_OBJECT_MAX,
	AT(struct tsb_approver, certificate)},
    {NULL},
};
static const struct field_object state_object = {state_fields, .open = true};
static const struct field state_row = {"approver", FIELD_OBJECT, .object = &state_object};
/* clang-format off */
#define STATES(name, list, number) \
	{ \
		name, FIELD_LIST, REQUIRED, .max = STATES_MAX, .element = &state_row, \
		    .element_size = sizeof(struct tsb_approver), AT(struct states, list), \
		    .count = offsetof(struct states, number) \
	}
/* clang-format on */
static const struct field states_fields[] = {
    STATES("onboarded", onboarded, nonboarded),
    STATES("pending", pending, npending),
    {NULL},
};
static const struct field_object states_object = {states_fields, .open = true};

int
wire_approvers_read(struct tsb_view body, struct arena *a, struct tsb_approver **rows, size_t *n,
    struct tsb_err *err)
{
	struct states s = {0};

	if (field_read(body, &states_object, a, &s, NULL, err))
		return -1;
	*n = s.nonboarded + s.npending;
	*rows = arena_array(a, *n + 1, sizeof(**rows));
	for (size_t i = 0; i < *n; i++) {
		(*rows)[i] = i < s.nonboarded ? s.onboarded[i] : s.pending[i - s.nonboarded];
		(*rows)[i].onboarded = i < s.nonboarded;
	}
	return 0;
}

/* ---- what the broker asks of the HSM ---- */

/*
 * With an empty policy, so that its owner can ask for a quorum with /v1/modify. Whoever destroys it
 * takes the way back from every approver who forgets a password, hence not destroyable.
 */
void
wire_backup_key_format(const char *label, struct tsb_bytes *out)
{
	static const struct {
		const char *name;
		bool value;
	} attributes[] = {
	    {"decrypt", true},
	    {"sign", false},
	    {"unwrap", true},
	    {"derive", false},
	    {"extractable", false},
	    {"sensitive", true},
	    {"modifiable", true},
	    {"destroyable", false},
	    {"copyable", false},
	};

	tsb_bytes_add(out, "{", 1);
	emit_text(out, "label", label);
	emit_text(out, "algorithm", "RSA");
	emit_uint(out, "keySize", WIRE_BACKUP_KEY_SIZE);
	emit_open(out, "attributes", '{');
	for (size_t i = 0; i < TSB_COUNT(attributes); i++)
		emit_bool(out, attributes[i].name, attributes[i].value);
	emit_close(out, '}');
	emit_open(out, "policy", '{');
	for (int kind = 0; kind < RULE__MAX; kind++)
		emit_null(out, ska_rule_names[kind]);
	emit_open(out, "keyStatus", '{');
	emit_bool(out, "blocked", false);
	emit_close(out, '}');
	emit_close(out, '}');
	emit_close(out, '}');
}

void
wire_restore_format(enum tsb_kind kind, const char *key_name, struct tsb_view wrapped_key,
    const char *note, struct tsb_bytes *out)
{
	const struct tsb_kind_row *row = &tsb_kinds[kind];

	tsb_bytes_add(out, "{", 1);
	emit_open(out, row->envelope, '{');
	emit_base64(out, row->bytes_member, wrapped_key);
	emit_text(out, row->key_member, key_name);
	emit_text(out, row->algorithm_member, "RSA_PADDING_OAEP_WITH_SHA256");
	emit_base64(out, "metaData", tsb_view_str(note));
	emit_close(out, '}');
	emit_close(out, '}');
}
