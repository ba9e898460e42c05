#include "lib/first.h"

#include "lib/crypto/crypto.h"

#include "hsm/key/policy.h"

typedef int approver_fn(struct ska_approver *, struct arena *, struct tsb_err *);

static int
refuse_onboarded(struct ska_approver *approver, struct arena *a, struct tsb_err *err)
{
	if (approver->type != APPROVER_ONBOARDED)
		return 0;
	return tsb_fail(err, TSB_E_APPROVER_NOT_EXISTENT,
	    "onboarded_approver_certificate '%s' must be resolved by the broker before the HSM"
	    " sees the policy",
	    approver->name ? approver->name : "");
}

static int
name_certificate(struct ska_approver *approver, struct arena *a, struct tsb_err *err)
{
	if (approver->type != APPROVER_CERTIFICATE || approver->name != NULL)
		return 0;
	return crypto_cert_common_name(approver->value, a, &approver->name, err);
}

static int
each_of_rule(struct ska_rule *rule, approver_fn *fn, struct arena *a, struct tsb_err *err)
{
	for (size_t t = 0; t < rule->ntokens; t++)
		for (size_t g = 0; g < rule->tokens[t].ngroups; g++) {
			struct ska_group *group = &rule->tokens[t].groups[g];

			for (size_t i = 0; i < group->napprovers; i++)
				if (fn(&group->approvers[i], a, err))
					return -1;
		}
	return 0;
}

static int
each(struct ska_policy *p, approver_fn *fn, struct arena *a, struct tsb_err *err)
{
	for (int rule = 0; rule < RULE__MAX; rule++)
		if (each_of_rule(&p->rule[rule], fn, a, err))
			return -1;
	return 0;
}

int
key_policy_check(struct ska_policy *p, struct arena *a, struct tsb_err *err)
{
	if (each(p, refuse_onboarded, a, err) ||
	    ska_policy_resolve(p, a, crypto_cert_spki, crypto_approver_check, err))
		return -1;
	return ska_policy_check(p, err);
}

int
key_policy_check_new(struct ska_policy *p, struct arena *a, struct tsb_err *err)
{
	return each(p, name_certificate, a, err) || key_policy_check(p, a, err) ? -1 : 0;
}
