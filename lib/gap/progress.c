/* What GET /v1/request adds in the profile air-gapped: how far approvals are, and the input. */
#include "lib/first.h"

#include "lib/flow/certificate.h"
#include "lib/flow/evaluate.h"
#include "lib/gap/progress.h"
#include "lib/wire/wire.h"

/* ---- how far ---- */

static void
token_progress(const struct ska_token *token, const struct ska_vote *votes, size_t n,
    struct arena *a, struct tsb_progress_token *out)
{
	*out = (struct tsb_progress_token){
	    .name = token->name == NULL ? NULL : arena_str(a, token->name),
	    .met = true,
	    .groups = arena_array(a, token->ngroups, sizeof(*out->groups)),
	    .ngroups = token->ngroups,
	};
	for (size_t i = 0; i < token->ngroups; i++) {
		const struct ska_group *g = &token->groups[i];

		out->groups[i] = (struct tsb_progress_group){
		    .name = g->name == NULL ? NULL : arena_str(a, g->name),
		    .quorum = g->quorum,
		    .approved = ska_group_approvals(g, votes, n),
		};
		out->met = out->met && out->groups[i].approved >= g->quorum;
	}
}

void
gap_progress(const struct flow_key *key, const struct tsb_approval *rows, size_t n, struct arena *a,
    struct tsb_request_view *out)
{
	const struct ska_rule *rule =
	    key == NULL ? NULL : flow_request_rule(key, out->request.kind);
	struct ska_vote *votes = flow_votes(rows, n, a);

	if (rule == NULL)
		return;
	out->has_progress = true;
	out->tokens = arena_array(a, rule->ntokens, sizeof(*out->tokens));
	for (size_t i = 0; i < rule->ntokens; i++)
		if (ska_token_works_without_timestamp(&rule->tokens[i]))
			token_progress(&rule->tokens[i], votes, n, a, &out->tokens[out->ntokens++]);
}

/* ---- what to carry ---- */

/*
 * Approvals in the order in which they came, without those of approvers who left: the HSM would
 * refuse all because of them.
 */
static struct tsb_view *
approvals_of(const struct tsb_approval *rows, size_t n, const struct ska_rule *rule,
    struct arena *a, size_t *count)
{
	struct tsb_view *list = arena_array(a, n, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (rows[i].approves && (rule == NULL || ska_rule_has_approver(rule, rows[i].spki)))
			list[(*count)++] = rows[i].signed_approval;
	return list;
}

/* named: only approvals of those whom the rule names. */
static int
make_input(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, bool named, struct arena *a, struct tsb_view *input,
    struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	const struct flow_key *key;
	const struct ska_rule *rule;
	struct tsb_view *approvals;
	struct tsb_view inner;
	enum tsb_kind kind;
	size_t count;

	*input = tsb_view_of(NULL, 0);
	if (!f->air_gapped || rq->state != STATE_PENDING || rq->owner != NULL)
		return 0;
	if (flow_request_guard(f, tx, rq, rows, n, a, &key, &rule, err))
		return -1;
	approvals = approvals_of(rows, n, named ? rule : NULL, a, &count);
	if (count == 0 && rule != NULL && !ska_rule_is_free(rule))
		return 0;
	if (flow_request_ordered(rq, a, &kind, &inner, err) ||
	    wire_synchronous_format(kind, inner, tsb_view_of(NULL, 0), approvals, count, &body,
		err))
		return -1;
	*input = arena_view(a, tsb_view_bytes(&body));
	return 0;
}

int
gap_input(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, struct tsb_view *input,
    struct tsb_err *err)
{
	return make_input(f, tx, rq, rows, n, true, a, input, err);
}

int
gap_input_before(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, struct tsb_view *input,
    struct tsb_err *err)
{
	return make_input(f, tx, rq, rows, n, false, a, input, err);
}
