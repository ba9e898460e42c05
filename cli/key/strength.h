/* How much a rule of a policy asks for, and whether a new rule asks for less than the old one. */
#ifndef TSB_CLI_KEY_STRENGTH_H
#define TSB_CLI_KEY_STRENGTH_H

#include "lib/ska/policy.h"

/* Who can meet a rule. */
enum strength_reach {
	REACH_NOBODY, /* no token can ever be met */
	REACH_APPROVED, /* with approvals */
	REACH_LATER, /* everyone, after a wait */
	REACH_EVERYONE, /* everyone, at once */
};

/*
 * Fills spki of all approvers, the identity that the functions below compare by: the key in a
 * certificate; for an onboarded approver, whose key only the broker knows, the name.
 */
void strength_identify(struct ska_policy *, struct arena *);

enum strength_reach strength_reach(const struct ska_rule *);
/* Rules that everyone may use, at once or after a wait: bits 1 << RULE_*. */
unsigned strength_open_rules(const struct ska_policy *);
/*
 * True when everything that meets now at some time would provably have met old at that time. False
 * when not, and for the rare rules where only several groups together prove it.
 */
bool strength_holds(const struct ska_rule *old, const struct ska_rule *now);
/* Few enough approvers to be compared; nothing is proven about larger rules. */
bool strength_comparable(const struct ska_rule *);

/* All below take rules that somebody can meet. */

/* Approvals without which the rule cannot be met. */
size_t strength_fewest(const struct ska_rule *);
/* The shortest wait, and the longest life (0 = endless), of tokens that can be met. */
uint64_t strength_wait(const struct ska_rule *);
uint64_t strength_life(const struct ska_rule *);
/* The rule asks this approver. */
bool strength_asks(const struct ska_rule *, struct tsb_view spki);

#endif
