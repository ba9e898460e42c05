/*
 * tsb token decode: guesses the kind from the first bytes and leaves the verdict to the strict
 * parsers of lib/ska. Checks every signature whose key is inside or given.
 */
#include "lib/first.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/wire/wire.h"

#include "cli/approve/commands.h"
#include "cli/approve/token.h"
#include "cli/key/policy.h"
#include "cli/key/strength.h"
#include "cli/key/view.h"
#include "cli/lib/certview.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/pinned.h"
#include "cli/lib/session.h"

static const char *const operation_names[] = {
    [OP_USE] = "use",
    [OP_BLOCK] = "block",
    [OP_UNBLOCK] = "unblock",
    [OP_MODIFY] = "modify",
};

/* A document being shown. */
struct decode {
	struct cli *cli;
	struct doc doc;
	struct pinned_keys keys;
	bool wrong; /* a signature inside does not verify */
};

/* ---- signatures ---- */

static const char *
signature_algorithm(struct arena *a, enum ska_key_type type, enum ska_digest digest)
{
	if (!ska_key_type_has_digest(type))
		return ska_key_type_names[type];
	return arena_printf(a, "%s with %s", ska_key_type_names[type], ska_digest_names[digest]);
}

/* An empty key means that there is nothing to check with. */
static void
show_signature(struct decode *d, const char *name, struct tsb_view der, struct tsb_view key,
    struct tsb_view message)
{
	struct doc *t = &d->doc;
	arena_auto a = {0};
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_view raw;
	struct tsb_err err;

	doc_open(t, name);
	if (ska_signature_parse(der, &type, &digest, &raw, &err)) {
		doc_warn(t, "this is no signature with algorithm: %s", err.msg);
		d->wrong = true;
		doc_close(t);
		return;
	}
	doc_text(t, "algorithm", signature_algorithm(&a, type, digest));
	if (t->json)
		doc_base64(t, "value", raw);
	else
		doc_format(t, "length", "%zu bytes", raw.n);
	if (key.n == 0) {
		doc_text(t, "verified", "not checked: the key is not known here");
	} else if (crypto_verify_der(key, message, der, &err)) {
		doc_text(t, "verified", "NO");
		doc_warn(t, "the %s is WRONG: %s", name, err.msg);
		d->wrong = true;
	} else {
		doc_text(t, "verified", "yes");
	}
	doc_close(t);
}

/* ---- tokens ---- */

/* The names of the bits that are set: a list in JSON, one line for people. */
static void
show_bits(struct doc *t, const char *name, uint32_t bits, const char *const *names, size_t n)
{
	arena_auto a = {0};
	const char *line = "";
	unsigned i;

	doc_list(t, name);
	for (i = 0; i < 32; i++) {
		const char *word = i < n ? names[i] : "?";

		if (!(bits & 1U << i))
			continue;
		if (t->json)
			doc_text(t, name, word);
		line = arena_printf(&a, "%s%s%s", line, *line ? ", " : "", word);
	}
	doc_close(t);
	if (!t->json)
		doc_text(t, name, *line ? line : "nothing");
}

static void
show_unwrap(struct doc *t, const struct ska_unwrap_payload *u)
{
	static const char *const access[] = {"sensitive", "extractable", "modifiable", "copyable",
	    "preload", "token", "indestructible", "private", "public", "blocked",
	    "never extractable", "no public key", "always sensitive", "external object", "local",
	    "trusted", "wrap with trusted", "unique"};
	static const char *const capabilities[] = {"encrypt", "decrypt", "sign", "verify", "wrap",
	    "unwrap", "derive", "integrity", "attestation", "timestamp", "verify recover",
	    "sign recover"};

	doc_view(t, "new key label", u->label);
	show_bits(t, "capabilities", u->capabilities, capabilities, TSB_COUNT(capabilities));
	show_bits(t, "access", u->access, access, TSB_COUNT(access));
	if (t->json)
		doc_number(t, "wrapped kind", u->kind);
	doc_digest(t, "wrapped key", u->wrapped_key);
}

static bool
parse_unwrap(struct tsb_view payload, struct ska_unwrap_payload *out)
{
	struct tlv_reader r;
	struct tsb_err ignored;

	return tlv_open(payload, "payload", &r, &ignored) == 0 && tlv_peek(&r) == TLV_UNWRAP_KIND &&
	    ska_unwrap_payload_parse(payload, out, &ignored) == 0;
}

void
token_show_unwrap(struct doc *t, struct tsb_view payload)
{
	struct ska_unwrap_payload unwrap;

	if (parse_unwrap(payload, &unwrap))
		show_unwrap(t, &unwrap);
}

const char *
token_reading(struct tsb_view payload)
{
	struct ska_unwrap_payload unwrap;
	certview_auto v = {0};

	if (parse_unwrap(payload, &unwrap))
		return "the unwrapping of a key";
	if (certview_open_content(payload, &v))
		return v.kind == CERTVIEW_REQUEST ? "a certificate request" : "a certificate";
	return NULL;
}

static void
show_policy_bytes(struct doc *t, struct tsb_view bytes)
{
	arena_auto a = {0};
	struct ska_policy policy;
	struct tsb_err err;

	if (ska_policy_parse(bytes, &a, &policy, &err)) {
		doc_warn(t, "the new policy is not understood: %s", err.msg);
		doc_payload(t, "policy bytes", bytes);
		return;
	}
	strength_identify(&policy, &a);
	policy_show(t, &policy);
}

/* The bytes may be something else by intent or by chance; the reader has to decide. */
static void
show_readings(struct doc *t, struct tsb_view payload)
{
	struct ska_unwrap_payload unwrap;
	certview_auto v = {0};

	if (parse_unwrap(payload, &unwrap)) {
		doc_open(t, "payload as unwrap");
		show_unwrap(t, &unwrap);
		doc_close(t);
	} else if (certview_open_content(payload, &v)) {
		doc_open(t,
		    v.kind == CERTVIEW_REQUEST ? "payload as request" : "payload as certificate");
		certview_show(t, &v);
		doc_close(t);
	}
}

void
token_show_payload(struct doc *t, const struct ska_approval_token *token)
{
	if (!token->has_payload)
		return;
	if (token->operation == OP_MODIFY) {
		doc_open(t, "new policy");
		show_policy_bytes(t, token->payload);
		doc_close(t);
		return;
	}
	doc_payload(t, "payload", token->payload);
	if (token->operation == OP_USE)
		show_readings(t, token->payload);
}

static void
show_timestamp(struct decode *d, const struct ska_timestamp *s, const struct tsb_view *signature)
{
	struct doc *t = &d->doc;

	doc_time(t, "time", s->seconds);
	if (t->json)
		doc_number(t, "seconds", s->seconds);
	doc_view(t, "signed by key", s->key_label);
	if (signature != NULL)
		show_signature(d, "timestamp signature", *signature, d->keys.timestamp, s->whole);
}

static void
show_token(struct decode *d, const struct ska_approval_token *token)
{
	struct doc *t = &d->doc;

	doc_text(t, "operation", operation_names[token->operation]);
	doc_view(t, "key label", token->label);
	if (token->label.n == 0)
		doc_warn(t, "the label is empty: the approval is not tied to a key name");
	if (token->has_timestamp) {
		doc_open(t, "timestamp");
		show_timestamp(d, &token->timestamp, &token->timestamp_signature);
		doc_close(t);
		if (token->has_payload && !tsb_view_eq(token->timestamp.payload, token->payload))
			doc_warn(t, "the timestamp was made for another payload");
	} else if (t->json) {
		doc_text(t, "timestamp", NULL);
	} else {
		doc_text(t, "timestamp", "none: only rules without time limits can be met");
	}
	token_show_payload(t, token);
}

static int
decode_token(struct decode *d, struct tsb_view bytes)
{
	struct ska_approval_token token;

	if (ska_approval_token_parse(bytes, &token, &d->cli->err))
		return -1;
	doc_text(&d->doc, "kind", "approval token");
	show_token(d, &token);
	return 0;
}

static int
decode_signed_approval(struct decode *d, struct tsb_view bytes)
{
	struct ska_signed_approval approval;
	struct tsb_view key;

	if (ska_signed_approval_parse(bytes, &approval, &d->cli->err))
		return -1;
	key = approval.approver;
	if (approval.is_certificate &&
	    crypto_cert_spki(approval.approver, &d->cli->arena, &key, &d->cli->err))
		return -1;
	doc_text(&d->doc, "kind", "signed approval");
	doc_open(&d->doc, "token");
	show_token(d, &approval.token);
	doc_close(&d->doc);
	doc_key(&d->doc, approval.is_certificate ? "approver certificate" : "approver", key);
	show_signature(d, "approval signature", approval.signature, key, approval.token.whole);
	return 0;
}

static int
decode_timestamp(struct decode *d, struct tsb_view bytes)
{
	struct ska_timestamp s;

	if (ska_timestamp_parse(bytes, &s, &d->cli->err))
		return -1;
	doc_text(&d->doc, "kind", "timestamp token");
	show_timestamp(d, &s, NULL);
	if (!s.has_payload)
		return 0;
	if (s.modify) {
		doc_open(&d->doc, "new policy");
		show_policy_bytes(&d->doc, s.payload);
		doc_close(&d->doc);
	} else {
		doc_payload(&d->doc, "payload", s.payload);
	}
	return 0;
}

static int
decode_policy(struct decode *d, struct tsb_view bytes)
{
	struct ska_policy policy;

	if (ska_policy_parse(bytes, &d->cli->arena, &policy, &d->cli->err))
		return -1;
	doc_text(&d->doc, "kind", "policy");
	strength_identify(&policy, &d->cli->arena);
	policy_show(&d->doc, &policy);
	return 0;
}

static int
decode_unwrap(struct decode *d, struct tsb_view bytes)
{
	struct ska_unwrap_payload unwrap;

	if (ska_unwrap_payload_parse(bytes, &unwrap, &d->cli->err))
		return -1;
	doc_text(&d->doc, "kind", "unwrap payload");
	show_unwrap(&d->doc, &unwrap);
	return 0;
}

/* The first element says which container it is. */
static const struct {
	unsigned tag;
	int (*decode)(struct decode *, struct tsb_view);
} containers[] = {
    {TLV_OPERATION, decode_token},
    {TLV_APPROVAL_TOKEN, decode_signed_approval},
    {TLV_PAYLOAD, decode_timestamp},
    {TLV_MODIFY_PAYLOAD, decode_timestamp},
    {TLV_TIME, decode_timestamp},
    {TLV_RULE_USE, decode_policy},
    {TLV_UNWRAP_KIND, decode_unwrap},
};

static int
decode_container(struct decode *d, struct tsb_view bytes)
{
	struct tlv_reader r;
	size_t i;

	if (tlv_open(bytes, "input", &r, &d->cli->err))
		return -1;
	for (i = 0; i < TSB_COUNT(containers); i++)
		if (containers[i].tag == tlv_peek(&r))
			return containers[i].decode(d, bytes);
	return tsb_fail(&d->cli->err, TSB_E_PAYLOAD,
	    "the input starts with element 0x%04x: no token, policy or payload does", tlv_peek(&r));
}

/* ---- DER ---- */

static int
decode_der(struct decode *d, struct tsb_view bytes)
{
	struct arena *a = &d->cli->arena;
	struct tsb_view raw;
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_err ignored;
	certview_auto v = {0};

	if (certview_open(bytes, &v)) {
		doc_text(&d->doc, "kind",
		    v.kind == CERTVIEW_REQUEST ? "certificate request" : "certificate");
		certview_show(&d->doc, &v);
		return 0;
	}
	if (crypto_spki_check(bytes, &ignored) == 0) {
		doc_text(&d->doc, "kind", "public key");
		doc_key(&d->doc, "public key", bytes);
		return 0;
	}
	if (ska_signature_parse(bytes, &type, &digest, &raw, &d->cli->err))
		return -1;
	doc_text(&d->doc, "kind", "signature with algorithm");
	doc_text(&d->doc, "algorithm", signature_algorithm(a, type, digest));
	doc_payload(&d->doc, "value", raw);
	if (type == KEYTYPE_EC && raw.n > 0 && raw.p[0] != 0x30)
		doc_warn(&d->doc,
		    "the value is no ECDSA signature: some servers put the timestamp "
		    "token there");
	return 0;
}

/* ---- key attributes ---- */

static int
decode_xml(struct decode *d, struct tsb_view bytes)
{
	struct keyattr k;

	if (keyattr_parse(bytes, &d->cli->arena, &k, &d->cli->err))
		return -1;
	strength_identify(&k.policy, &d->cli->arena);
	doc_text(&d->doc, "kind", "key attributes");
	keyview_show(&d->doc, &k);
	return 0;
}

static int
decode_answer(struct decode *d, struct tsb_view answer)
{
	struct keyview view;

	if (keyview_read(d->cli, answer, d->keys.attestation, &view))
		return -1;
	doc_text(&d->doc, "kind", "answer with key attributes");
	keyview_show(&d->doc, &view.attributes);
	keyview_show_attestation(&d->doc, &view);
	d->wrong |= view.wrong;
	return 0;
}

/* Prints the document. A wrong signature decides the exit code. */
static int
finish(struct decode *d)
{
	doc_print(&d->doc);
	doc_clear(&d->doc);
	if (d->wrong)
		return cli_end(d->cli, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "a signature does not verify");
	return 0;
}

/* ---- the command ---- */

/* Decodes PEM and base64 in lines; takes anything else as it is. */
static struct tsb_view
unwrap_text(struct arena *a, struct tsb_view content)
{
	static const char dashes[] = "-----BEGIN ";
	char *text = arena_alloc(a, content.n + 1);
	struct tsb_view whole = content, bytes;
	struct tsb_err ignored;
	size_t i, n = 0;

	content = tsb_text_start(content);
	if (content.n > sizeof(dashes) && memcmp(content.p, dashes, sizeof(dashes) - 1) == 0 &&
	    crypto_pem_to_der(content, a, &bytes, &ignored) == 0)
		return bytes;

	for (i = 0; i < content.n; i++)
		if (strchr(" \t\r\n", content.p[i]) == NULL || content.p[i] == '\0')
			text[n++] = (char)content.p[i];
	if (n > 0 && enc_base64_decode(tsb_view_of(text, n), a, &bytes))
		return bytes;
	return whole;
}

/* The operand is a file, "-", or the base64 itself. */
static int
read_input(struct cli *c, struct tsb_view *out)
{
	const char *name = c->argc > 0 ? c->argv[0] : "-";
	tsb_bytes_auto content = {0};

	if (!tsb_streq(name, "-") && access(name, F_OK) != 0) {
		if (!enc_base64_decode(tsb_view_str(name), &c->arena, out))
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "'%.40s%s' is neither a file nor base64", name,
			    strlen(name) > 40 ? "..." : "");
		return 0;
	}
	if (file_read(name, 2 * TOKEN_MAX, &content, &c->err))
		return -1;
	*out =
	    unwrap_text(&c->arena, arena_view(&c->arena, tsb_text_start(tsb_view_bytes(&content))));
	return 0;
}

static int
decode_any(struct decode *d, struct tsb_view bytes)
{
	struct tlv_reader r;
	struct tsb_err ignored;

	if (bytes.n == 0)
		return tsb_fail(&d->cli->err, TSB_E_INPUT, "the input is empty");
	if (bytes.p[0] == '<')
		return decode_xml(d, bytes);
	if (bytes.p[0] == '{')
		return decode_answer(d, bytes);
	/* A container begins with its exact length, so DER is never mistaken for one. */
	if (bytes.p[0] == 0x30 && tlv_open(bytes, "input", &r, &ignored))
		return decode_der(d, bytes);
	return decode_container(d, bytes);
}

int
cli_token_decode(struct cli *c)
{
	struct decode d = {.cli = c};
	struct tsb_view bytes;

	if (read_input(c, &bytes) || pinned_keys_load(c, &d.keys))
		return -1;
	doc_start(&d.doc, c->json);
	if (decode_any(&d, bytes)) {
		doc_clear(&d.doc);
		return -1;
	}
	return finish(&d);
}
