#include "lib/first.h"

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"
#include "lib/gap/sheet.h"

#define LINES_MAX 10

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

/* Digest of what every approval binds: message, cipher text, policy, new key. NULL = nothing. */
static const char *
payload_digest(const struct tsb_request *rq, struct arena *a)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	struct ska_approval_token token;
	struct tsb_err ignored;

	if (rq->token.n == 0 || ska_approval_token_parse(rq->token, &token, &ignored) ||
	    token.payload.n == 0)
		return NULL;
	crypto_sha256(token.payload, digest);
	return enc_hex_str(a, tsb_view_of(digest, sizeof(digest)));
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
caption_fill(const struct wire_offline_request *r, const struct tsb_request_view *v,
    const char *site, struct arena *a, int64_t now_ms, struct caption *out)
{
	char id[UUID_TEXT];

	caption_add(out, "request", arena_str(a, uuid_format(&r->id, id)));
	caption_add(out, "kind", tsb_kinds[r->kind].name);
	caption_add(out, "key", r->key_name);
	caption_add(out, "created", time_text(r->created_ms, a));
	caption_add(out, "payload SHA-256", payload_digest(&v->request, a));
	caption_add(out, "approvals", approvals_text(v, a));
	caption_add(out, "made at", time_text(now_ms, a));
	caption_add(out, "site", site);
}

void
gap_sheet_format(const struct wire_offline_request *r, const struct tsb_request_view *v,
    const struct gap_codes *codes, const char *site, enum qr_sheet_format format, struct arena *a,
    int64_t now_ms, struct tsb_bytes *out)
{
	struct caption caption = {0};
	char id[UUID_TEXT];
	struct qr_sheet sheet = {
	    .title = arena_printf(a, "Request %s for an offline HSM", uuid_format(&r->id, id)),
	    .text = codes->text,
	    .codes = codes->code,
	    .ncodes = codes->n,
	};

	caption_fill(r, v, site, a, now_ms, &caption);
	sheet.lines = caption.line;
	sheet.nlines = caption.n;
	qr_sheet_format(&sheet, format, out);
}
