/* Back in: results of the offline HSM, each of which ends its request once (api-notes.md 6.4). */
#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/gap/attestation.h"
#include "lib/gap/carry.h"
#include "lib/gap/imported.h"
#include "lib/gap/proof.h"
#include "lib/gap/result.h"
#include "lib/qr/part.h"
#include "lib/qr/ur.h"

#define ACTOR_CALLER "keyOperation"
/* Most requests that a refusal names. */
#define NAMED_MAX 10
#define DAY_MS    (24 * 3600 * 1000LL)

/* ---- one result ---- */

struct taking {
	struct flow *f;
	struct gap_carried carried;
	struct arena *arena;
	int64_t now_ms;
	bool has_id; /* it is known which request it is of */
	struct tsb_uuid id;
	unsigned char digest[TSB_SHA256]; /* of the outcome */
	struct tsb_request after;
};

static bool
is_repeat(const struct taking *t, const struct tsb_request *rq)
{
	return tsb_view_eq(rq->outcome, tsb_view_of(t->digest, sizeof(t->digest)));
}

/* Of a finished request. */
static int
check_repeat(const struct taking *t, const struct tsb_request *rq, struct tsb_err *err)
{
	char id[UUID_TEXT];

	if (is_repeat(t, rq))
		return 0;
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION, "request %s is finished: it is %s%s",
	    uuid_format(&rq->id, id), tsb_state_names[rq->state],
	    rq->outcome.n > 0 ? ", with another result" : "");
}

static int
fail_ambiguous(const struct tsb_request_row *rows, size_t n, struct tsb_err *err)
{
	tsb_bytes_auto ids = {0};
	char id[UUID_TEXT];

	for (size_t i = 0; i < n && i < NAMED_MAX; i++)
		tsb_bytes_addf(&ids, "%s%s", i > 0 ? ", " : "", uuid_format(&rows[i].id, id));
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "id is missing: several requests have this approval token: %s%s", tsb_bytes_cstr(&ids),
	    n > NAMED_MAX ? ", and more" : "");
}

/* Among finished ones the request that had this outcome, else the newest. */
static int
find_finished(struct taking *t, struct store_tx *tx, const struct tsb_request_row *rows, size_t n,
    struct tsb_err *err)
{
	struct tsb_request rq;

	t->id = rows[0].id;
	for (size_t i = 0; i < n; i++) {
		if (store_request_load(tx, &rows[i].id, false, t->arena, &rq, err))
			return -1;
		if (is_repeat(t, &rq)) {
			t->id = rq.id;
			return 0;
		}
	}
	return 0;
}

static int
find_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct taking *t = ctx;
	struct tsb_request_row *rows;
	size_t n, waiting = 0;

	if (store_requests_by_token(tx, t->carried.in->token, NAMED_MAX + 1, t->arena, &rows, &n,
		err))
		return -1;
	if (n == 0)
		return tsb_fail(err, TSB_E_REQUEST_NOT_EXISTENT,
		    "no request waits for a result with this approval token");
	while (waiting < n && rows[waiting].state == STATE_PENDING)
		waiting++;
	if (waiting > 1)
		return fail_ambiguous(rows, waiting, err);
	if (waiting == 0)
		return find_finished(t, tx, rows, n, err);
	t->id = rows[0].id;
	return 0;
}

static int
take_find(struct taking *t, struct tsb_err *err)
{
	if (t->carried.in->has_id)
		t->id = t->carried.in->id;
	else if (store_read(t->f->store, "result_find", find_body, t, err))
		return -1;
	t->has_id = true;
	return 0;
}

/* A result that names both was made for what this request's approvers signed. */
static int
check_token(const struct taking *t, const struct tsb_request *rq, struct tsb_err *err)
{
	unsigned char digest[TSB_SHA256];
	char id[UUID_TEXT];

	if (!t->carried.in->has_token)
		return 0;
	crypto_sha256(rq->token, digest);
	if (memcmp(digest, t->carried.in->token, sizeof(digest)) != 0)
		return tsb_fail(err, TSB_E_PAYLOAD, "token is not that of request %s",
		    uuid_format(&rq->id, id));
	return 0;
}

/* The offline clock is believed when it can be right. */
static int64_t
execution_time(const struct taking *t, const struct tsb_request *rq)
{
	int64_t told = t->carried.in->execution_ms;

	if (told / 1000 < rq->created_ms / 1000 || told > t->now_ms + DAY_MS)
		return t->now_ms;
	return told;
}

/*
 * Attributes and certificate of the result come into force with it. Attributes may be in force
 * already, imported by themselves; and if results of one key arrive in the wrong order, the newer
 * attributes stay.
 */
static int
keep_more(struct taking *t, struct store_tx *tx, struct tsb_err *err)
{
	struct gap_carried *c = &t->carried;
	bool fresh, behind;

	if (c->has_attributes &&
	    gap_attributes_keep(t->f, tx, &c->attributes, &c->key, c->actor, t->now_ms, &fresh,
		&behind, err))
		return -1;
	if (c->certificate.n == 0)
		return 0;
	return gap_certificate_keep(t->f, tx, c->holder, c->certificate, c->actor, err);
}

static int
record_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct taking *t = ctx;
	struct tsb_request *rq = &t->after;
	struct store_change change = {
	    .to = t->carried.to,
	    .result = t->carried.result,
	    .reason = t->carried.reason,
	    .outcome = tsb_view_of(t->digest, sizeof(t->digest)),
	};
	struct store_audit audit = {
	    .request_id = &t->id,
	    .action = "result",
	    .actor = t->carried.actor,
	    .to = tsb_state_names[t->carried.to],
	    .detail = arena_printf(t->arena, "outcome=%s", enc_hex_str(t->arena, change.outcome)),
	};
	bool moved;

	if (store_request_load(tx, &t->id, true, t->arena, rq, err))
		return -1;
	/* somebody brought a result at the same time */
	if (tsb_state_terminal(rq->state))
		return check_repeat(t, rq, err);
	audit.from = tsb_state_names[rq->state];
	change.due_ms = rq->due_ms;
	change.expires_ms = rq->expires_ms;
	change.execution_ms = execution_time(t, rq);
	if (keep_more(t, tx, err) || store_request_move(tx, rq, &change, &moved, err))
		return -1;
	if (!moved)
		return store_run_again(tx, err);
	return store_audit_insert(tx, &audit, err);
}

static int
take_outcome(struct taking *t, const struct tsb_request *rq, struct tsb_view input,
    struct tsb_err *err)
{
	char id[UUID_TEXT];

	if (check_token(t, rq, err))
		return -1;
	if (tsb_state_terminal(rq->state))
		return check_repeat(t, rq, err);
	if (input.n == 0)
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "request %s was never carried out: it has no approval",
		    uuid_format(&rq->id, id));
	if (gap_carried_prove(t->f, &t->carried, rq, input, t->arena, err))
		return -1;
	if (store_transact(t->f->store, "result_record", record_body, t, err))
		return -1;
	return t->carried.has_attributes ? gap_imported_plan(t->f, t->carried.key.label, err) : 0;
}

static int
take_one(struct taking *t, struct tsb_request_view *view, struct tsb_err *err)
{
	struct tsb_view input;

	gap_carried_digest(&t->carried, t->arena, t->digest);
	if (take_find(t, err) ||
	    gap_carry_view(t->f, &t->id, t->arena, t->now_ms, view, &input, err) ||
	    take_outcome(t, &view->request, input, err))
		return -1;
	return gap_carry_view(t->f, &t->id, t->arena, t->now_ms, view, &input, err);
}

/* ---- a body ---- */

struct delivery {
	struct tsb_view *items; /* texts of results */
	size_t n;
	bool package;
	const char *actor;
};

/* Without white space around it, nor the byte order mark of an editor. */
static struct tsb_view
trimmed(struct tsb_view text)
{
	if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3))
		text = tsb_view_of(text.p + 3, text.n - 3);
	while (text.n > 0 && memchr(" \t\r\n", text.p[0], 4) != NULL) {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && memchr(" \t\r\n", text.p[text.n - 1], 4) != NULL)
		text.n--;
	return text;
}

/* Next line that is not empty, without white space around it; scanners end it with CR or TAB. */
static bool
next_line(struct tsb_view *rest, struct tsb_view *line)
{
	do {
		size_t n = 0;

		if (rest->n == 0)
			return false;
		while (n < rest->n && memchr("\n\r\t", rest->p[n], 3) == NULL)
			n++;
		*line = trimmed(tsb_view_of(rest->p, n));
		n += n < rest->n;
		*rest = tsb_view_of(rest->p + n, rest->n - n);
	} while (line->n == 0);
	return true;
}

static int
join_parts(struct tsb_view text, struct arena *a, struct tsb_view *out, struct tsb_err *err)
{
	qr_join_auto join = {0};
	struct tsb_view line;

	while (next_line(&text, &line))
		if (qr_join_add(&join, line, NULL, err))
			return -1;
	return qr_join_text(&join, a, out, err);
}

static int
join_ur(struct tsb_view text, struct arena *a, struct tsb_view *out, struct tsb_err *err)
{
	ur_join_auto join = {0};
	struct tsb_view line;

	while (next_line(&text, &line))
		if (ur_join_add(&join, line, NULL, err))
			return -1;
	return ur_join_text(&join, a, out, err);
}

static int
open_package(struct flow *f, struct tsb_view text, struct arena *a, struct delivery *d,
    struct tsb_err *err)
{
	struct wire_package package;
	unsigned char id[TSB_SHA256];
	size_t peer;

	if (f->files.site_key == NULL || f->files.noffline_sites == 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "packages are read with airGapped.siteKeyFile and offlineSiteKeyFile, of which "
		    "one is not set");
	if (wire_package_parse(text, PACKAGE_RESULTS, crypto_private_spki(f->files.site_key),
		f->files.offline_sites, f->files.noffline_sites, a, &package, &peer, err))
		return -1;
	crypto_sha256(f->files.offline_sites[peer].spki, id);
	*d = (struct delivery){
	    .items = package.items,
	    .n = package.nitems,
	    .package = true,
	    .actor =
		arena_printf(a, "offline site %.32s", enc_hex_str(a, tsb_view_of(id, sizeof(id)))),
	};
	return 0;
}

static int
open_body(struct flow *f, struct tsb_view body, struct arena *a, struct delivery *d,
    struct tsb_err *err)
{
	struct tsb_view text = trimmed(body);

	if (qr_is_part(text)) {
		if (join_parts(text, a, &text, err))
			return -1;
		text = trimmed(text);
	} else if (ur_is_part(text)) {
		if (join_ur(text, a, &text, err))
			return -1;
		text = trimmed(text);
	}
	if (wire_is_package(text))
		return open_package(f, text, a, d, err);
	if (text.n == 0 || text.p[0] != '{')
		return tsb_fail(err, TSB_E_INPUT,
		    "the body must be a result in JSON, a package of results, or scanned parts of "
		    "either, one a line");
	*d = (struct delivery){.items = arena_array(a, 1, sizeof(*d->items)),
	    .n = 1,
	    .actor = ACTOR_CALLER};
	d->items[0] = text;
	return 0;
}

static int
take_item(struct flow *f, const struct delivery *d, size_t i, struct arena *a, int64_t now_ms,
    struct gap_outcome *out, struct tsb_err *err)
{
	struct wire_offline_result in;
	struct taking t = {.f = f,
	    .arena = a,
	    .now_ms = now_ms,
	    .carried = {.in = &in, .by_site = d->package, .actor = d->actor}};
	int rc = wire_offline_result_parse(d->items[i], a, &in, err);

	if (rc == 0)
		rc = take_one(&t, &out->view, err);
	out->has_id = t.has_id;
	out->id = t.id;
	return rc;
}

/* Trouble of this side: the caller may send the whole body again. */
static bool
is_trouble(enum tsb_code code)
{
	return code == TSB_E_CONNECTIVITY || code == TSB_E_SUBSYSTEM || code == TSB_E_TECHNICAL;
}

int
gap_results_take(struct flow *f, struct tsb_view body, struct arena *a, int64_t now_ms,
    struct gap_outcome **outcomes, size_t *n, bool *single, struct tsb_err *err)
{
	struct gap_outcome *list;
	struct delivery d;

	if (gap_need(f, err) || open_body(f, body, a, &d, err))
		return -1;
	list = arena_array(a, d.n, sizeof(*list));
	for (size_t i = 0; i < d.n; i++) {
		struct tsb_err why = {0};

		if (take_item(f, &d, i, a, now_ms, &list[i], &why) == 0)
			continue;
		if (d.n == 1 || is_trouble(why.code)) {
			*err = why;
			return -1;
		}
		log_failure(LOG_WARN, "result of the offline HSM", &why);
		list[i].refused = true;
		list[i].err = why;
	}
	*outcomes = list;
	*n = d.n;
	*single = !d.package;
	return 0;
}
