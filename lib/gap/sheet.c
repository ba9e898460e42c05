#include "lib/first.h"

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/gap/sheet.h"
#include "lib/qr/words.h"
#include "lib/ska/verdict.h"
#include "lib/wire/wire.h"

#define LINES_MAX 16
/* Bytes of a text that are printed; the rest is told by its length and digest. */
#define TEXT_MAX 240
/* Approvers who are named. */
#define NAMES_MAX   12
#define FINGERPRINT 16 /* bytes of the SHA-256 of a public key, as tsb shows them */

struct caption {
	struct qr_sheet_line line[LINES_MAX];
	size_t n;
};

static void
caption_add(struct caption *c, const char *name, const char *text)
{
	if (text != NULL && *text != '\0' && c->n < LINES_MAX)
		c->line[c->n++] = (struct qr_sheet_line){name, text};
}

/* ---- what is signed, and what is not ---- */

/* What people can read aloud: characters, and white space between them. */
static bool
is_text(struct tsb_view bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if ((bytes.p[i] < 0x20 && bytes.p[i] != '\n' && bytes.p[i] != '\t' &&
			bytes.p[i] != '\r') ||
		    bytes.p[i] == 0x7f)
			return false;
	return bytes.n > 0 && tsb_utf8_valid(bytes);
}

/* "pay 100 to 4711" (15 bytes) */
static const char *
bytes_text(struct tsb_view bytes, struct arena *a)
{
	const char *plural = bytes.n == 1 ? "" : "s";
	size_t n = bytes.n;

	if (!is_text(bytes))
		return arena_printf(a, "%zu byte%s, no text", n, plural);
	/* not in the middle of a character */
	if (n > TEXT_MAX)
		for (n = TEXT_MAX; (bytes.p[n] & 0xc0) == 0x80; n--)
			;
	return arena_printf(a, "\"%s%s (%zu byte%s%s)", arena_strn(a, bytes.p, n),
	    n < bytes.n ? "..." : "\"", bytes.n, plural,
	    n < bytes.n ? ", of which this is the beginning" : "");
}

/* What every approval binds: message, cipher text, policy, new key. */
static void
add_payload(struct caption *c, const struct tsb_request *rq, struct arena *a)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	struct tsb_view bytes = tsb_view_of(digest, sizeof(digest));
	struct ska_approval_token token;
	tsb_bytes_auto words = {0};
	struct tsb_err ignored;

	if (rq->token.n == 0 || ska_approval_token_parse(rq->token, &token, &ignored) ||
	    token.payload.n == 0)
		return;
	crypto_sha256(token.payload, digest);
	qr_words_format(bytes, " ", &words);
	caption_add(c, "payload", bytes_text(token.payload, a));
	caption_add(c, "payload SHA-256", enc_hex_str(a, bytes));
	caption_add(c, "in words", arena_str(a, tsb_bytes_cstr(&words)));
}

static const char *
algorithm_text(const struct tsb_request *rq, struct arena *a)
{
	const char *member = tsb_kinds[rq->kind].algorithm_member;
	struct tsb_view name;
	struct tsb_err ignored;

	if (member == NULL || wire_text_member_parse(rq->inner_clean, member, a, &name, &ignored))
		return NULL;
	return arena_printf(a, "%s (no approval covers it)", arena_strn(a, name.p, name.n));
}

static const char *
note_text(const struct wire_offline_request *r, struct arena *a)
{
	struct tsb_view note;

	if (r->meta_data == NULL || !enc_base64_decode(tsb_view_str(r->meta_data), a, &note) ||
	    note.n == 0)
		return NULL;
	return arena_printf(a, "%s; no approval covers it", bytes_text(note, a));
}

/* ---- who approved ---- */

/* As the policy calls the approver: by name, else by the name in the certificate. */
static const char *
policy_name(const struct ska_rule *rule, struct tsb_view spki, struct arena *a)
{
	const struct ska_approver *p = rule == NULL ? NULL : ska_rule_approver(rule, spki);
	const char *name = p == NULL ? NULL : p->name;
	struct tsb_err ignored;

	if (name == NULL && p != NULL && p->type == APPROVER_CERTIFICATE &&
	    crypto_cert_common_name(p->value, a, &name, &ignored))
		name = NULL;
	return name;
}

static const char *
names_text(const struct tsb_request_view *v, const struct ska_rule *rule, struct arena *a)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	tsb_bytes_auto text = {0};

	for (size_t i = 0; i < v->napproved && i < NAMES_MAX; i++) {
		const char *name = policy_name(rule, v->approved[i], a);

		crypto_sha256(v->approved[i], digest);
		tsb_bytes_addf(&text, "%s%s%sSHA256:%s", i > 0 ? ", " : "",
		    name != NULL ? name : "", name != NULL ? " " : "",
		    enc_hex_str(a, tsb_view_of(digest, FINGERPRINT)));
	}
	if (v->napproved > NAMES_MAX)
		tsb_bytes_addf(&text, ", and %zu more", v->napproved - NAMES_MAX);
	return arena_strn(a, text.p, text.n);
}

/* "3; token main, met: group operators 2 of 2, group audit 1 of 1" */
static const char *
approvals_text(const struct tsb_request_view *v, struct arena *a)
{
	tsb_bytes_auto text = {0};

	tsb_bytes_addf(&text, "%zu", v->napproved);
	for (size_t i = 0; i < v->ntokens; i++) {
		const struct tsb_progress_token *t = &v->tokens[i];

		tsb_bytes_addf(&text, "; token %s, %s", t->name != NULL ? t->name : "",
		    t->met ? "met" : "not met");
		for (size_t g = 0; g < t->ngroups; g++)
			tsb_bytes_addf(&text, "%s group %s %zu of %u", g == 0 ? ":" : ",",
			    t->groups[g].name != NULL ? t->groups[g].name : "",
			    t->groups[g].approved, (unsigned)t->groups[g].quorum);
	}
	if (!v->has_progress)
		tsb_bytes_add_str(&text, "; the policy of the key is not known here");
	return arena_strn(a, text.p, text.n);
}

static const char *
time_text(int64_t ms, struct arena *a)
{
	char text[CLOCK_ISO_SIZE];

	return arena_str(a, clock_iso(ms / 1000, text));
}

static void
caption_fill(const struct gap_sheet *s, struct arena *a, struct caption *out)
{
	const struct wire_offline_request *r = s->request;
	char id[UUID_TEXT];

	caption_add(out, "request", arena_str(a, uuid_format(&r->id, id)));
	caption_add(out, "kind", tsb_kinds[r->kind].name);
	caption_add(out, "key", r->key_name);
	caption_add(out, "algorithm", algorithm_text(&s->view->request, a));
	caption_add(out, "created", time_text(r->created_ms, a));
	add_payload(out, &s->view->request, a);
	caption_add(out, "note", note_text(r, a));
	caption_add(out, "approvals", approvals_text(s->view, a));
	caption_add(out, "approved by", names_text(s->view, s->rule, a));
	caption_add(out, "made at", time_text(s->now_ms, a));
	caption_add(out, "site", s->site);
}

void
gap_sheet_format(const struct gap_sheet *s, enum qr_sheet_format format, struct arena *a,
    struct tsb_bytes *out)
{
	struct caption caption = {0};
	char id[UUID_TEXT];
	struct qr_sheet sheet = {
	    .title =
		arena_printf(a, "Request %s for an offline HSM", uuid_format(&s->request->id, id)),
	    .text = s->codes->text,
	    .codes = s->codes->code,
	    .ncodes = s->codes->n,
	};

	caption_fill(s, a, &caption);
	sheet.lines = caption.line;
	sheet.nlines = caption.n;
	qr_sheet_format(&sheet, format, out);
}
