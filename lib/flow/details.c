#include "lib/first.h"

#include <string.h>

#include "lib/crypto/crypto.h"
#include "lib/flow/details.h"
#include "lib/flow/evaluate.h"

/* ---- who ---- */

static int64_t
answered_at(const struct tsb_approval *rows, size_t n, struct tsb_view spki)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(rows[i].spki, spki) || tsb_view_eq(rows[i].service, spki))
			return rows[i].at_ms;
	return 0;
}

static void
people_add(struct tsb_request_details *d, const struct tsb_view *spkis, size_t n,
    const struct tsb_approval *rows, size_t nrows)
{
	for (size_t i = 0; i < n; i++)
		d->people[d->npeople++] = (struct tsb_participant){
		    .spki = spkis[i],
		    .at_ms = answered_at(rows, nrows, spkis[i]),
		};
}

/* NULL = the key's rule does not name it, or calls it nothing. */
static const char *
name_of(const struct flow_key *key, enum tsb_kind kind, struct tsb_view spki, struct arena *a)
{
	const struct ska_rule *rule = flow_request_rule(key, kind);
	const struct ska_approver *p = rule == NULL ? NULL : ska_rule_approver(rule, spki);
	const char *name = NULL;
	struct tsb_err ignored;

	if (p == NULL)
		return NULL;
	if (p->name != NULL)
		return arena_str(a, p->name);
	/* a certificate that cannot be read has no name: the key is shown all the same */
	if (p->type != APPROVER_CERTIFICATE ||
	    crypto_cert_common_name(p->value, a, &name, &ignored))
		return NULL;
	return name;
}

/* False when somebody is still without a name. */
static bool
people_name(struct tsb_request_details *d, const struct flow_key *key, enum tsb_kind kind,
    struct arena *a)
{
	bool whole = true;

	for (size_t i = 0; i < d->npeople; i++) {
		if (d->people[i].name == NULL)
			d->people[i].name = name_of(key, kind, d->people[i].spki, a);
		whole = whole && d->people[i].name != NULL;
	}
	return whole;
}

/* ---- how many ---- */

/* Of one group; false when too many have rejected. */
static bool
group_missing(const struct ska_group *g, const struct ska_vote *yes, const struct ska_vote *no,
    size_t n, size_t *missing)
{
	size_t have = ska_group_approvals(g, yes, n), against = ska_group_approvals(g, no, n);

	if (g->napprovers < against + g->quorum)
		return false;
	*missing += have < g->quorum ? g->quorum - have : 0;
	return true;
}

static bool
token_missing(const struct ska_token *token, const struct tsb_request *rq, int64_t now_ms,
    const struct ska_vote *yes, const struct ska_vote *no, size_t n, size_t *missing)
{
	bool timed = rq->hsm_seconds != 0;
	int64_t age = flow_request_hsm_now(rq, now_ms) - flow_request_t0(rq);

	if (!timed && !ska_token_works_without_timestamp(token))
		return false;
	if (timed && token->timeout != 0 && age >= (int64_t)token->timeout)
		return false;
	*missing = 0;
	for (size_t i = 0; i < token->ngroups; i++)
		if (!group_missing(&token->groups[i], yes, no, n, missing))
			return false;
	return true;
}

static void
fill_missing(const struct flow_key *key, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, int64_t now_ms,
    struct tsb_request_details *d)
{
	const struct ska_rule *rule = flow_request_rule(key, rq->kind);
	struct ska_vote *yes = flow_votes(rows, n, a), *no = flow_votes(rows, n, a);
	size_t missing;

	for (size_t i = 0; i < n; i++)
		no[i].approves = !no[i].approves;
	for (size_t i = 0; rule != NULL && i < rule->ntokens; i++) {
		if (!token_missing(&rule->tokens[i], rq, now_ms, yes, no, n, &missing))
			continue;
		if (!d->has_missing || missing < d->missing)
			d->missing = missing;
		d->has_missing = true;
	}
}

int
flow_details_fill(struct flow *f, struct store_tx *tx, const struct tsb_approval *rows, size_t n,
    struct arena *a, int64_t now_ms, struct tsb_request_view *view, struct tsb_err *err)
{
	const struct tsb_request *rq = &view->request;
	struct tsb_request_details *d = arena_array(a, 1, sizeof(*d));
	const struct flow_key *key;

	d->people =
	    arena_array(a, view->napproved + view->nrejected + view->nopen, sizeof(*d->people));
	people_add(d, view->approved, view->napproved, rows, n);
	people_add(d, view->rejected, view->nrejected, rows, n);
	people_add(d, view->open, view->nopen, rows, n);
	if (flow_request_key(f, tx, rq, &key, err))
		return -1;
	if (key != NULL && flow_request_open(rq, now_ms))
		fill_missing(key, rq, rows, n, a, now_ms, d);
	if ((key == NULL || !people_name(d, key, rq->kind, a)) &&
	    memcmp(rq->plan_digest, rq->attributes_digest, TSB_SHA256) != 0) {
		if (flow_key_load(f, tx, rq->attributes_digest, &key, err))
			return -1;
		if (key != NULL)
			people_name(d, key, rq->kind, a);
	}
	view->details = d;
	return 0;
}
