#include "lib/first.h"

#include "lib/flow/policy.h"

struct naming {
	struct ska_policy *policy;
	struct arena *arena;
	bool named;
};

/* A name that only the broker knows becomes the certificate that it stands for. */
static int
name_resolve(struct naming *n, struct store_tx *tx, struct ska_approver *approver,
    struct tsb_err *err)
{
	struct tsb_approver row;
	bool found;

	if (approver->type != APPROVER_ONBOARDED)
		return 0;
	if (store_approver_find(tx, approver->name, false, n->arena, &row, &found, err))
		return -1;
	if (!found)
		return tsb_fail(err, TSB_E_APPROVER_NOT_EXISTENT,
		    "approver '%s' of type onboarded_approver_certificate does not exist",
		    approver->name);
	if (!row.onboarded)
		return tsb_fail(err, TSB_E_APPROVER_NOT_ONBOARDED,
		    "approver '%s' is pending: not onboarded", approver->name);
	*approver = (struct ska_approver){.type = APPROVER_CERTIFICATE, .value = row.certificate};
	n->named = true;
	return 0;
}

static int
group_resolve(struct naming *n, struct store_tx *tx, const struct ska_group *group,
    struct tsb_err *err)
{
	for (size_t i = 0; i < group->napprovers; i++)
		if (name_resolve(n, tx, &group->approvers[i], err))
			return -1;
	return 0;
}

/* A repeated run may meet names that an interrupted one has resolved: that is right, too. */
static int
naming_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct naming *n = ctx;
	const struct ska_policy *p = n->policy;

	for (int r = 0; r < RULE__MAX; r++)
		for (size_t t = 0; t < p->rule[r].ntokens; t++)
			for (size_t g = 0; g < p->rule[r].tokens[t].ngroups; g++)
				if (group_resolve(n, tx, &p->rule[r].tokens[t].groups[g], err))
					return -1;
	return 0;
}

static bool
names_someone(const struct ska_policy *p)
{
	for (int r = 0; r < RULE__MAX; r++)
		for (size_t t = 0; t < p->rule[r].ntokens; t++)
			for (size_t g = 0; g < p->rule[r].tokens[t].ngroups; g++) {
				const struct ska_group *group = &p->rule[r].tokens[t].groups[g];

				for (size_t i = 0; i < group->napprovers; i++)
					if (group->approvers[i].type == APPROVER_ONBOARDED)
						return true;
			}
	return false;
}

int
flow_policy_check(struct flow *f, struct ska_policy *p, struct arena *a, bool *named,
    struct tsb_err *err)
{
	struct naming n = {.policy = p, .arena = a};

	if (names_someone(p) && store_read(f->store, "policy_names", naming_body, &n, err))
		return -1;
	if (ska_policy_resolve(p, a, crypto_cert_spki, crypto_approver_check, err) ||
	    ska_policy_check(p, err))
		return -1;
	*named = n.named;
	return 0;
}
