#include "lib/first.h"

#include "lib/flow/internal.h"

/* Names that only the broker knows never reach the HSM; a certificate's name is its common name. */
static int
approver_check(const struct ska_approver *approver, struct tsb_err *err)
{
	if (approver->type == APPROVER_ONBOARDED)
		return tsb_fail(err, TSB_E_APPROVER_NOT_EXISTENT,
		    "approver '%s' of type onboarded_approver_certificate does not exist",
		    approver->name);
	return 0;
}

int
flow_policy_check(struct ska_policy *p, struct arena *a, struct tsb_err *err)
{
	for (int r = 0; r < RULE__MAX; r++)
		for (size_t t = 0; t < p->rule[r].ntokens; t++)
			for (size_t g = 0; g < p->rule[r].tokens[t].ngroups; g++) {
				const struct ska_group *group = &p->rule[r].tokens[t].groups[g];

				for (size_t i = 0; i < group->napprovers; i++)
					if (approver_check(&group->approvers[i], err))
						return -1;
			}
	if (ska_policy_resolve(p, a, crypto_cert_spki, crypto_spki_check, err))
		return -1;
	return ska_policy_check(p, err);
}
