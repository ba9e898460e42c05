/*
 * Shows the people of the offline room a request before a key is used. The operation comes from the
 * token that approvers signed; everything that no approval covers is marked.
 */
#include "lib/first.h"

#include "lib/base/enc.h"

#include "cli/key/policy.h"
#include "cli/lib/doc.h"
#include "cli/lib/fingerprint.h"
#include "cli/offline/carried.h"

static const char *
origin(struct arena *a, const struct carried *k)
{
	if (k->site != NULL)
		return arena_printf(a, "package of the site %s, its signature verifies", k->site);
	return "nobody signed the whole of it (QR code, text or JSON); the HSM checks the approvals";
}

static const char *
operation_name(struct arena *a, enum tsb_kind kind)
{
	const struct tsb_kind_row *row = &tsb_kinds[kind];

	if (row->operation != OP_USE || tsb_kind_certifies(kind))
		return row->title;
	return arena_printf(a, "use the key: %s", row->title);
}

static void
show_head(struct doc *t, const struct carried *k)
{
	arena_auto a = {0};

	doc_text(t, "id", k->request.has_id ? carried_name(&a, k) : NULL);
	doc_text(t, "file", k->from);
	doc_text(t, "comes from", origin(&a, k));
	if (t->json)
		doc_bool(t, "signed by site", k->site != NULL);
	doc_text(t, "operation", operation_name(&a, k->request.kind));
	doc_view(t, "key", k->task.token.label);
	if (k->in.request.algorithm != NULL)
		doc_format(t, "algorithm",
		    t->json ? "%s"
			    : "%s (as the request says; approvals do not "
			      "cover it)",
		    k->in.request.algorithm);
	if (k->request.created_ms > 0)
		doc_time(t, "created", (uint64_t)k->request.created_ms / 1000);
}

static void
show_note(struct doc *t, const struct carried *k)
{
	arena_auto a = {0};
	struct tsb_view note;

	if (k->request.meta_data != NULL &&
	    enc_base64_decode(tsb_view_str(k->request.meta_data), &a, &note))
		doc_payload(t, "caller's note", note);
	if (tsb_kinds[k->request.executed].content == CONTENT_NEW_KEY && k->in.new_key.has_policy)
		doc_warn(t,
		    "the new key gets a policy that no approval covers: check its attributes");
}

static const char *
approver_name(struct arena *a, const struct carried *k, struct tsb_view spki)
{
	const struct ska_rule *rule = carried_rule(k);
	size_t t, g, i;

	for (t = 0; t < rule->ntokens; t++)
		for (g = 0; g < rule->tokens[t].ngroups; g++)
			for (i = 0; i < rule->tokens[t].groups[g].napprovers; i++) {
				const struct ska_approver *p =
				    &rule->tokens[t].groups[g].approvers[i];

				if (tsb_view_eq(p->spki, spki))
					return policy_approver(a, p);
			}
	return arena_printf(a, "%s  (not asked by the rule)", fingerprint_key(a, spki));
}

static void
show_approvals(struct doc *t, const struct carried *k)
{
	bool named = k->task.has_attributes && k->task.attributes.has_policy;
	arena_auto a = {0};
	size_t i;

	if (!k->approved)
		doc_text(t, "approvals", t->json ? NULL : "none: nobody signed what stands above");
	doc_list(t, "approved by");
	for (i = 0; i < k->in.napprovals; i++)
		if (named && !t->json)
			doc_text(t, "approved by", approver_name(&a, k, k->votes[i].spki));
		else
			doc_key(t, "approved by", k->votes[i].spki);
	doc_close(t);
}

/* Why the approvals do not suffice; first comes what somebody can do something about. */
static const char *
shortfall(const struct carried *k)
{
	const struct ska_rule *rule = carried_rule(k);

	if (k->stranger)
		return "somebody approved whom the rule does not ask: the HSM refuses such requests";
	if (k->verdict.locked)
		return "the approvals are complete, but the timelock has not passed";
	if (k->verdict.expired)
		return "the timeout of the rule is over";
	if (k->approved && !k->task.token.has_timestamp && !ska_rule_works_without_timestamp(rule))
		return "the rule has time limits only, and approvals without an HSM timestamp meet none";
	return "approvals are missing: no token of the rule has all its groups at quorum";
}

static void
show_verdict(struct doc *t, const struct carried *k)
{
	const struct task *task = &k->task;
	enum ska_rule_kind kind = tsb_kind_rule(k->request.executed);

	if (k->no_key != NULL || !task->has_attributes) {
		doc_warn(t, "whether the approvals suffice is not known: %s",
		    k->no_key != NULL ? k->no_key : "the HSM was not asked");
		return;
	}
	if (!task->attributes.has_policy) {
		doc_text(t, "decided by", "nobody: the key has no policy");
		return;
	}
	doc_text(t, "decided by",
	    task->attributes_verified ? "this rule of the HSM here, its signature checked"
				      : "this rule of the HSM here");
	policy_show_rule(t, kind, carried_rule(k), k->shown.status.approved,
	    k->shown.status.napproved);
	if (t->json)
		doc_bool(t, "suffices", carried_suffices(k));
	if (carried_suffices(k))
		doc_text(t, "verdict", "the approvals suffice");
	else
		doc_warn(t, "NOT ENOUGH: %s", shortfall(k));
	if (kind == RULE_USE && task->attributes.policy.blocked)
		doc_warn(t, "the key is BLOCKED: nobody can use it");
}

void
carried_show(struct doc *t, const struct carried *k)
{
	doc_open(t, "request");
	show_head(t, k);
	if (k->approved)
		task_show_time(t, &k->task);
	task_show_content(t, &k->task);
	show_note(t, k);
	room_show_digest(t, "digest", k->digest);
	show_approvals(t, k);
	show_verdict(t, k);
	doc_close(t);
}
