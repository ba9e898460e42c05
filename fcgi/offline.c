/* The profile air-gapped (api-notes.md 6): requests leave as codes and packages, results return. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/gap/carry.h"
#include "lib/gap/result.h"
#include "lib/qr/part.h"
#include "lib/qr/sheet.h"
#include "lib/qr/ur.h"

/* Bytes of a part before its chunk: mark, id, two numbers of four digits, hash, separators. */
#define PART_HEAD (7 + 36 + 1 + 4 + 1 + 4 + 1 + 8 + 1)

static int
path_id(const struct web_request *rq, struct tsb_uuid *id, struct tsb_err *err)
{
	if (!uuid_parse((const char *)rq->param[0].p, id))
		return tsb_fail(err, TSB_E_INVALID_UUID, "the id in the path is not a UUID");
	return 0;
}

/* ---- what is asked for ---- */

enum format { FORMAT_PNG, FORMAT_SVG, FORMAT_HTML, FORMAT_PDF_READY, FORMAT_UR, FORMAT__MAX };
static const char *const format_names[FORMAT__MAX] = {"png", "svg", "html", "pdf-ready", "ur"};
enum text_form { TEXT_JSON, TEXT_PARTS, TEXT__MAX };
static const char *const text_names[TEXT__MAX] = {"json", "parts"};

struct query {
	int ecc, format, text;
	long scale, part; /* part 0: all of them */
};

static int
query_name(const struct web_request *rq, const char *name, const char *const *names, int n,
    int *out, struct tsb_err *err)
{
	const char *value = web_query(rq, name);
	tsb_bytes_auto list = {0};

	*out = 0;
	for (int i = 0; i < n; i++) {
		if (value == NULL || tsb_streq(value, names[i])) {
			*out = value == NULL ? 0 : i;
			return 0;
		}
		tsb_bytes_addf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	return tsb_fail(err, TSB_E_INPUT, "%s must be one of %s", name, tsb_bytes_cstr(&list));
}

static int
query_number(const struct web_request *rq, const char *name, long max, long absent, long *out,
    struct tsb_err *err)
{
	const char *value = web_query(rq, name);

	*out = absent;
	if (value != NULL && !tsb_str_to_long(value, 1, max, out))
		return tsb_fail(err, TSB_E_INPUT, "%s must be a number from 1 to %ld", name, max);
	return 0;
}

static int
query_read(const struct web_request *rq, struct query *q, struct tsb_err *err)
{
	bool ur;

	if (query_name(rq, "format", format_names, FORMAT__MAX, &q->format, err))
		return -1;
	ur = q->format == FORMAT_UR;
	if (query_name(rq, "ecc", qr_ecc_names, QR_ECC__MAX, &q->ecc, err) ||
	    query_name(rq, "text", text_names, TEXT__MAX, &q->text, err) ||
	    query_number(rq, "scale", ur ? UR_GIF_SCALE_MAX : QR_SCALE_MAX, QR_SCALE_DEFAULT,
		&q->scale, err) ||
	    query_number(rq, "part", QR_PARTS_MAX, 0, &q->part, err))
		return -1;
	if (q->part != 0 && q->format != FORMAT_PNG)
		return tsb_fail(err, TSB_E_INPUT, "part asks for one picture: it needs format=png");
	if (ur && q->text != TEXT_JSON)
		return tsb_fail(err, TSB_E_INPUT,
		    "text=parts excludes format=ur, which has parts of its own");
	return 0;
}

/* ---- codes ---- */

struct codes {
	struct tsb_view text; /* of all of them together */
	size_t n;
	struct qr_code *code;
};

static size_t
chunk_max(enum qr_ecc ecc)
{
	size_t room = qr_capacity(ecc) - PART_HEAD;

	return room < QR_CHUNK_MAX ? room : QR_CHUNK_MAX;
}

/* One code with the bare text where it fits, else numbered parts (or the one asked for). */
static int
codes_make(const struct query *q, const struct wire_offline_request *r, struct arena *a,
    struct codes *out, struct tsb_err *err)
{
	struct codes c = {.text = r->input};
	size_t parts = qr_part_count(r->input, chunk_max((enum qr_ecc)q->ecc));
	struct qr_split split;

	if (q->part > 0 && (size_t)q->part > parts)
		return tsb_fail(err, TSB_E_INPUT, "part: the request has %zu", parts);
	if (q->text == TEXT_JSON && q->part == 0 &&
	    r->input.n <= qr_capacity((enum qr_ecc)q->ecc)) {
		c.n = 1;
		c.code = arena_alloc(a, sizeof(*c.code));
		if (qr_encode(r->input, (enum qr_ecc)q->ecc, a, c.code, err))
			return -1;
		*out = c;
		return 0;
	}
	if (qr_split_init(&split, r->input, &r->id, chunk_max((enum qr_ecc)q->ecc), err))
		return -1;
	c.n = q->part > 0 ? 1 : parts;
	c.code = arena_array(a, c.n, sizeof(*c.code));
	if (qr_encode_parts(&split, q->part > 0 ? (size_t)q->part : 1, c.n, (enum qr_ecc)q->ecc, a,
		c.code, err))
		return -1;
	*out = c;
	return 0;
}

/* ---- pictures (api-notes.md 6.3) ---- */

static int
png_reply(const struct query *q, const struct codes *c, const char *id, struct web_request *rq,
    struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_bytes *pngs;
	int rc;

	if (c->n == 1) {
		reply->content_type = "image/png";
		reply->disposition =
		    arena_printf(rq->arena, "attachment; filename=\"request-%s.png\"", id);
		return qr_png(&c->code[0], (int)q->scale, &reply->body, err);
	}
	reply->disposition =
	    arena_printf(rq->arena, "attachment; filename=\"request-%s.json\"", id);
	pngs = arena_array(rq->arena, c->n, sizeof(*pngs));
	rc = qr_png_all(c->code, c->n, (int)q->scale, pngs, err);
	tsb_bytes_addf(&reply->body, "{\"id\":\"%s\",\"parts\":%zu,\"qrCodes\":[", id, c->n);
	for (size_t i = 0; i < c->n; i++) {
		tsb_bytes_add_str(&reply->body, i > 0 ? ",\"" : "\"");
		enc_base64(tsb_view_bytes(&pngs[i]), &reply->body);
		tsb_bytes_add_str(&reply->body, "\"");
		tsb_bytes_clear(&pngs[i]);
	}
	tsb_bytes_add_str(&reply->body, "]}");
	return rc;
}

/* For screens; as an item of a package has it, so that id and note travel, too. */
static int
ur_reply(const struct query *q, const struct wire_offline_request *r, const char *id,
    struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_auto item = {0};

	wire_offline_request_format(r, &item);
	reply->content_type = "image/gif";
	reply->disposition = arena_printf(rq->arena, "inline; filename=\"request-%s.gif\"", id);
	return ur_gif(tsb_view_bytes(&item), (int)q->scale, &reply->body, err);
}

/* ---- sheets ---- */

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
    const char *site, const struct web_request *rq, struct caption *out)
{
	struct arena *a = rq->arena;
	char id[UUID_TEXT];

	caption_add(out, "request", arena_str(a, uuid_format(&r->id, id)));
	caption_add(out, "kind", tsb_kinds[r->kind].name);
	caption_add(out, "key", r->key_name);
	caption_add(out, "created", time_text(r->created_ms, a));
	caption_add(out, "payload SHA-256", payload_digest(&v->request, a));
	caption_add(out, "approvals", approvals_text(v, a));
	caption_add(out, "made at", time_text(rq->now_ms, a));
	caption_add(out, "site", site);
}

static void
sheet_reply(const struct query *q, const struct wire_offline_request *r,
    const struct tsb_request_view *v, const struct codes *c, const char *site, const char *id,
    struct web_request *rq, struct web_reply *reply)
{
	static const enum qr_sheet_format formats[FORMAT__MAX] = {[FORMAT_SVG] = SHEET_SVG,
	    [FORMAT_HTML] = SHEET_HTML,
	    [FORMAT_PDF_READY] = SHEET_PDF_READY};
	bool svg = q->format == FORMAT_SVG;
	struct caption caption = {0};
	struct qr_sheet sheet = {
	    .title = arena_printf(rq->arena, "Request %s for an offline HSM", id),
	    .text = c->text,
	    .codes = c->code,
	    .ncodes = c->n,
	};

	caption_fill(r, v, site, rq, &caption);
	sheet.lines = caption.line;
	sheet.nlines = caption.n;
	reply->content_type = svg ? "image/svg+xml" : "text/html; charset=utf-8";
	reply->disposition =
	    arena_printf(rq->arena, "inline; filename=\"request-%s.%s\"", id, svg ? "svg" : "html");
	/* nothing in it runs or is fetched, whatever a text of a caller says */
	reply->security_policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
	qr_sheet_format(&sheet, formats[q->format], &reply->body);
}

int
api_request_qr(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_offline_request r;
	struct tsb_request_view view;
	struct codes codes;
	struct tsb_uuid uuid;
	struct query q;
	char id[UUID_TEXT];

	if (path_id(rq, &uuid, err) || query_read(rq, &q, err) ||
	    gap_carry_request(app, &uuid, rq->arena, rq->now_ms, &r, &view, err))
		return -1;
	uuid_format(&r.id, id);
	if (q.format == FORMAT_UR)
		return ur_reply(&q, &r, id, rq, reply, err);
	if (codes_make(&q, &r, rq->arena, &codes, err))
		return -1;
	if (q.format == FORMAT_PNG)
		return png_reply(&q, &codes, id, rq, reply, err);
	sheet_reply(&q, &r, &view, &codes, gap_site_name(app), id, rq, reply);
	return 0;
}

/* ---- packages ---- */

#define PACKAGE_TYPE "application/vnd.tsb.package"

static void
package_head(struct web_reply *reply, const char *name, struct arena *a)
{
	reply->content_type = PACKAGE_TYPE;
	reply->disposition = arena_printf(a, "attachment; filename=\"%s.tsbpkg\"", name);
}

int
api_request_package(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_uuid uuid;
	char id[UUID_TEXT];

	if (path_id(rq, &uuid, err) ||
	    gap_carry_package(app, &uuid, 1, rq->arena, rq->now_ms, &reply->body, err))
		return -1;
	uuid_format(&uuid, id);
	package_head(reply, arena_printf(rq->arena, "request-%s", id), rq->arena);
	return 0;
}

int
api_package(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_uuid *ids;
	size_t n;

	if (wire_request_ids_parse(rq->body, rq->arena, &ids, &n, err) ||
	    gap_carry_package(app, ids, n, rq->arena, rq->now_ms, &reply->body, err))
		return -1;
	package_head(reply, "requests", rq->arena);
	return 0;
}

/* ---- results ---- */

static void
refusal_format(const struct gap_outcome *o, struct tsb_bytes *out)
{
	char id[UUID_TEXT];

	if (o->has_id)
		tsb_bytes_addf(out, "{\"id\":\"%s\",\"error\":", uuid_format(&o->id, id));
	else
		tsb_bytes_add_str(out, "{\"id\":null,\"error\":");
	tsb_bytes_addf(out,
	    "{\"errorCode\":%d,\"reason\":\"%s\",\"message\":", tsb_err_number(o->err.code),
	    tsb_err_reason(o->err.code));
	wire_text_format(tsb_view_str(o->err.msg), out);
	tsb_bytes_add_str(out, "}}");
}

static void
outcomes_format(const struct gap_outcome *o, size_t n, struct tsb_bytes *out)
{
	tsb_bytes_add_str(out, "{\"requests\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			tsb_bytes_add_str(out, ",");
		if (o[i].refused)
			refusal_format(&o[i], out);
		else
			wire_request_view_format(&o[i].view, out);
	}
	tsb_bytes_add_str(out, "]}");
}

int
api_offline_result(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct gap_outcome *outcomes;
	bool single;
	size_t n;

	if (gap_results_take(app, rq->body, rq->arena, rq->now_ms, &outcomes, &n, &single, err))
		return -1;
	if (single)
		wire_request_view_format(&outcomes[0].view, &reply->body);
	else
		outcomes_format(outcomes, n, &reply->body);
	return 0;
}
