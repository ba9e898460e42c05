#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"

#include "cli/approve/task.h"
#include "cli/key/strength.h"
#include "cli/lib/body.h"
#include "cli/lib/certview.h"
#include "cli/lib/session.h"

/*
 * Pages grow as long as answers stay small: a task repeats its payload several times, so a few
 * large ones fill an answer. Sizes are powers of two, so that pages of any size meet without a gap.
 */
#define PAGE_FIRST 16
#define PAGE_MAX   512
#define ANSWER_AIM (2 * 1024 * 1024)
#define TASKS_MAX  1000000

/* ---- fetching ---- */

void
task_put_approver(const struct signer *s, struct tsb_bytes *body)
{
	if (s->certificate.n > 0)
		body_base64(body, "approverCertificate", s->certificate);
	else
		body_base64(body, "approverPublicKey", s->spki);
}

int
task_prove(struct cli *c, const struct signer *s, struct tsb_bytes *body)
{
	tsb_bytes_auto signature = {0};
	char now[CLOCK_ISO_SIZE];

	clock_iso(clock_now_ms() / 1000, now);
	if (signer_sign(s, tsb_view_str(now), &signature, &c->err))
		return -1;
	body_text(body, "timestamp", now);
	body_base64(body, "timestampSignature", tsb_view_bytes(&signature));
	body_text(body, "timestampDigestAlgorithm",
	    ska_digest_names[crypto_private_digest(s->key)]);
	task_put_approver(s, body);
	return 0;
}

/* first is a multiple of size. fresh: asks the HSM for the attributes of the task's key. */
struct page {
	size_t first, size;
	bool fresh;
};

static int
fetch_page(struct cli *c, const struct signer *s, const char *id, const char *level,
    const struct page *page, struct tsb_bytes *answer)
{
	tsb_bytes_auto body = {0};

	body_open(&body, NULL);
	if (task_prove(c, s, &body))
		return -1;
	body_text(&body, "id", id);
	body_text(&body, "requestId", id != NULL ? NULL : c->opt[OPT_REQUEST]);
	body_text(&body, "detailLevel", level);
	if (page->fresh)
		body_bool(&body, "freshKeyAttributes", true);
	body_open(&body, "paging");
	body_number(&body, "pageNumber", (long)(page->first / page->size));
	body_number(&body, "pageSize", (long)page->size);
	body_text(&body, "sortOrder", "CREATION_DATE_ASC");
	body_close(&body);
	body_close(&body);
	return session_call(c, "POST", "/v1/filteredAllApprovalTask", tsb_view_bytes(&body),
	    answer);
}

/*
 * What a refusal with 600 may be about, by what it says: the page, which has more bytes than the
 * server's bound; or level 6, which says who has approved, and which not every server has.
 */
static bool
ask_less(const struct cli *c, struct page *page, const char **level)
{
	if (c->exit != CLI_REFUSED || c->refused_number != tsb_err_number(TSB_E_INPUT))
		return false;
	if (page->size > 1 && strstr(c->err.msg, "paging.pageSize") != NULL)
		page->size /= 2;
	else if (tsb_streq(*level, "level6"))
		*level = "level5";
	else
		return false;
	return true;
}

static int
fetch_best(struct cli *c, const struct signer *s, const char *id, const char **level,
    struct page *page, struct tsb_bytes *answer)
{
	while (fetch_page(c, s, id, *level, page, answer)) {
		if (!ask_less(c, page, level))
			return -1;
		c->exit = CLI_USAGE;
	}
	return 0;
}

/* Appends the elements of the answer's list to those that raw has already. */
static void
join_raw(struct cli *c, struct tsb_bytes *raw, struct tsb_view answer)
{
	struct tsb_view compact, list;
	struct tsb_err ignored;

	if (wire_compact(answer, &c->arena, &compact, &ignored) ||
	    !wire_member_text(compact, "tasks", &list) || list.n <= 2)
		return;
	if (raw->p[raw->n - 1] != '[')
		tsb_bytes_add_str(raw, ",");
	tsb_bytes_add(raw, list.p + 1, list.n - 2);
}

/* The tasks so far. The room doubles, so that memory grows with their number only. */
struct tasks {
	struct wire_client_task *all;
	size_t n, room;
};

static void
append(struct arena *a, struct tasks *t, const struct wire_client_task *more, size_t count)
{
	struct wire_client_task *all;

	if (t->n + count > t->room) {
		t->room = 2 * (t->n + count);
		all = arena_array(a, t->room, sizeof(*all));
		if (t->n > 0)
			memcpy(all, t->all, t->n * sizeof(*all));
		t->all = all;
	}
	if (count > 0)
		memcpy(t->all + t->n, more, count * sizeof(*t->all));
	t->n += count;
}

/*
 * The page behind one of count tasks and n bytes. False at the end of the list: a page is short,
 * and not because the server bounds the bytes of an answer.
 */
static bool
next_page(struct page *page, size_t count, size_t n)
{
	size_t first = page->first + count;
	size_t size = page->size * 2 < PAGE_MAX ? page->size * 2 : PAGE_MAX;

	if (count == 0 || (count < page->size && n < ANSWER_AIM) || first > TASKS_MAX)
		return false;
	while (size > 1 && (first % size != 0 || n / count * size > ANSWER_AIM))
		size /= 2;
	page->first = first;
	page->size = size;
	return true;
}

int
task_fetch(struct cli *c, const struct signer *s, const char *id, struct wire_client_task **tasks,
    size_t *n, struct tsb_bytes *raw)
{
	const char *level = "level6";
	struct page page = {.size = PAGE_FIRST};
	struct tasks got = {0};
	struct wire_client_task *part;
	size_t count;
	bool more;

	if (raw != NULL)
		tsb_bytes_add_str(raw, "{\"tasks\":[");
	do {
		tsb_bytes_auto answer = {0};

		if (fetch_best(c, s, id, &level, &page, &answer))
			return -1;
		if (wire_client_tasks_parse(tsb_view_bytes(&answer), &c->arena, &part, &count,
			&c->err))
			return session_misread(c);
		append(&c->arena, &got, part, count);
		if (raw != NULL)
			join_raw(c, raw, tsb_view_bytes(&answer));
		more = id == NULL && next_page(&page, count, answer.n);
	} while (more);
	if (raw != NULL)
		tsb_bytes_add_str(raw, "]}");
	*tasks = got.all;
	*n = got.n;
	return 0;
}

int
task_fetch_fresh(struct cli *c, const struct signer *s, const char *id,
    struct wire_client_task *out, bool *found)
{
	const char *level = "level5";
	struct page page = {.size = 1, .fresh = true};
	struct wire_client_task *tasks;
	tsb_bytes_auto answer = {0};
	size_t n;

	*found = false;
	if (fetch_best(c, s, id, &level, &page, &answer)) {
		if (c->exit != CLI_REFUSED)
			return -1;
		c->exit =
		    CLI_USAGE; /* a server that does not know the member, or the task is over */
		return 0;
	}
	if (wire_client_tasks_parse(tsb_view_bytes(&answer), &c->arena, &tasks, &n, &c->err))
		return session_misread(c);
	*found = n == 1 && tsb_streq(tasks[0].id, id);
	if (*found)
		*out = tasks[0];
	return 0;
}

/* ---- checking ---- */

#define WRONG(c, t, ...)                                                                           \
	cli_end((c), CLI_WRONG, TSB_E_PAYLOAD, "task %s is not what it claims: " __VA_ARGS__)

static bool
view_is(struct tsb_view v, const char *text)
{
	return tsb_view_eq(v, tsb_view_str(text));
}

/* The request beside the token must be the one that the token stands for. */
static int
check_request(struct cli *c, const struct wire_client_task *w, const struct ska_approval_token *t)
{
	if (w->has_payload && (!t->has_payload || !tsb_view_eq(w->payload, t->payload)))
		return WRONG(c, w, "its payload is not the one in the token", w->id);
	if (!w->has_kind)
		return 0;
	if (t->operation != tsb_kinds[w->kind].operation)
		return WRONG(c, w, "the token allows another operation than %s", w->id,
		    tsb_kinds[w->kind].name);
	if (!view_is(t->label, w->key_name))
		return WRONG(c, w, "the token is for another key than %s", w->id, w->key_name);
	if (w->has_request_payload &&
	    (!t->has_payload || !tsb_view_eq(w->request_payload, t->payload)))
		return WRONG(c, w, "the request's payload is not the one in the token", w->id);
	return 0;
}

/* The token and the request must name the same new key and wrap the same bytes. */
static int
check_unwrap(struct cli *c, const struct wire_client_task *w, const struct ska_approval_token *t)
{
	struct ska_unwrap_payload u;
	struct tsb_err why;

	if (!t->has_payload)
		return WRONG(c, w, "its token says nothing about the new key", w->id);
	if (ska_unwrap_payload_parse(t->payload, &u, &why))
		return WRONG(c, w, "%s", w->id, why.msg);
	if (w->new_label != NULL && !view_is(u.label, w->new_label))
		return WRONG(c, w, "the token makes another key than %s", w->id, w->new_label);
	if (w->has_wrapped_key && !tsb_view_eq(w->wrapped_key, u.wrapped_key))
		return WRONG(c, w, "the wrapped key in the token is not the request's", w->id);
	return 0;
}

/* The public key that a certificate of this kind must have; empty when nothing here knows it. */
static struct tsb_view
certified_key(struct cli *c, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	struct tsb_view der, none = {NULL, 0};
	struct tsb_err ignored;
	certview_auto csr = {0};

	if (tsb_kinds[w->kind].content != CONTENT_CERTIFICATE)
		return task->has_attributes ? task->attributes.public_key : none;
	if (w->csr == NULL ||
	    crypto_pem_pick(tsb_view_str(w->csr), PEM_REQUEST, &c->arena, &der, &ignored) ||
	    !certview_open(der, &csr))
		return none;
	return certview_key(&csr, &c->arena);
}

/* The payload must be exactly what is certified: the approver sees what the key will sign. */
static int
check_certificate(struct cli *c, const struct task *task)
{
	const struct wire_client_task *w = task->wire;
	const struct ska_approval_token *t = &task->token;
	struct tsb_view key = certified_key(c, task);
	enum tsb_content content = tsb_kinds[w->kind].content;
	bool request = content == CONTENT_CERTIFICATE_REQUEST;
	certview_auto v = {0};
	const char *name;

	if (!t->has_payload || !certview_open_content(t->payload, &v) ||
	    (v.kind == CERTVIEW_REQUEST) != request)
		return WRONG(c, w, "its token holds no certificate%s to be signed", w->id,
		    request ? " request" : "");
	name = certview_common_name(&v, &c->arena);
	if (w->common_name != NULL && !tsb_streq(w->common_name, name != NULL ? name : ""))
		return WRONG(c, w, "the token is for the name '%s', not for '%s'", w->id,
		    name ? name : "", w->common_name);
	if (key.n > 0 && !tsb_view_eq(key, certview_key(&v, &c->arena)))
		return WRONG(c, w, "the token certifies another public key", w->id);
	if (content == CONTENT_SELF_SIGNED && !certview_is_self_issued(&v))
		return WRONG(c, w, "the certificate in the token names another issuer", w->id);
	return 0;
}

static int
check_policy(struct cli *c, struct task *out)
{
	struct tsb_err why;

	if (ska_policy_parse(out->token.payload, &c->arena, &out->policy, &why))
		return WRONG(c, out->wire, "its new policy is not understood: %s", out->wire->id,
		    why.msg);
	strength_identify(&out->policy, &c->arena);
	return 0;
}

/* Refuses an operation that cannot be shown to the approver. */
static int
check_content(struct cli *c, struct task *out)
{
	if (out->token.operation == OP_MODIFY)
		return check_policy(c, out);
	if (!out->wire->has_kind)
		return 0;
	switch (tsb_kinds[out->wire->kind].content) {
	case CONTENT_NEW_KEY:
		return check_unwrap(c, out->wire, &out->token);
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_CERTIFICATE:
	case CONTENT_SELF_SIGNED:
		return check_certificate(c, out);
	case CONTENT_NONE:
	case CONTENT_BYTES:
	case CONTENT_POLICY:
		break;
	}
	return 0;
}

static int
check_timestamp(struct cli *c, const struct pinned_keys *keys, struct task *out)
{
	const struct ska_approval_token *t = &out->token;
	struct tsb_err ignored;

	if (t->has_timestamp && t->has_payload &&
	    !(t->timestamp.has_payload && tsb_view_eq(t->timestamp.payload, t->payload)))
		return WRONG(c, out, "its timestamp was made for another payload", out->wire->id);
	if (keys->timestamp.n == 0)
		return 0;
	if (!t->has_timestamp ||
	    crypto_verify_der(keys->timestamp, t->timestamp.whole, t->timestamp_signature,
		&ignored))
		return WRONG(c, out, "the key of --timestamp-key did not sign its timestamp",
		    out->wire->id);
	out->timestamp_verified = true;
	return 0;
}

int
task_check_attributes(struct cli *c, const struct pinned_keys *keys, struct task *out)
{
	const struct wire_client_task *w = out->wire;
	struct keyattr *k = &out->attributes;
	struct tsb_err ignored;

	if (w->attributes.n == 0 && keys->attestation.n > 0)
		return WRONG(c, w, "it brings no key attributes", w->id);
	if (w->attributes.n == 0)
		return 0;
	if (keyattr_parse(w->attributes, &c->arena, &out->attributes, &ignored))
		return WRONG(c, w, "its key attributes are not understood: %s", w->id, ignored.msg);
	/* Tokens for keys outside the HSM name the uuid (release notes of the reference HSM). */
	if (!view_is(out->token.label, k->label) &&
	    !(k->uuid != NULL && view_is(out->token.label, k->uuid)))
		return WRONG(c, w, "its key attributes belong to another key", w->id);
	if (keys->attestation.n > 0 &&
	    crypto_verify_attestation(keys->attestation, w->attributes, w->attributes_signature,
		&ignored))
		return WRONG(c, w, "the key of --attestation-key did not sign the key attributes",
		    w->id);
	strength_identify(&k->policy, &c->arena);
	out->has_attributes = true;
	out->attributes_verified = keys->attestation.n > 0;
	return 0;
}

int
task_check(struct cli *c, const struct signer *s, const struct pinned_keys *keys,
    const struct wire_client_task *w, struct task *out)
{
	struct task t = {.wire = w};
	struct tsb_err why;

	if (w->token.n == 0)
		return WRONG(c, w, "it has no token", w->id);
	if (ska_approval_token_parse(w->token, &t.token, &why))
		return WRONG(c, w, "%s", w->id, why.msg);
	if (w->approver.n > 0 && !tsb_view_eq(w->approver, s->spki))
		return WRONG(c, w, "it is meant for another approver", w->id);
	if (t.token.label.n == 0)
		return WRONG(c, w, "its token names no key", w->id);
	if (check_request(c, w, &t.token) || check_timestamp(c, keys, &t) ||
	    task_check_attributes(c, keys, &t) || check_content(c, &t))
		return -1;
	*out = t;
	return 0;
}
