/*
 * Evaluation of one rule (api-notes.md 4.2): the broker plans with it, the software HSM enforces
 * with it. Same votes and same clock, same verdict.
 */
#ifndef TSB_SKA_VERDICT_H
#define TSB_SKA_VERDICT_H

#include "lib/ska/policy.h"

struct ska_vote {
	struct tsb_view spki;
	bool approves; /* false = rejected */
};

/* Times are seconds of the HSM's clock; 0 in a *_at member means "none". */
struct ska_verdict {
	bool met; /* a token has all its groups at quorum and is active at now */
	size_t token; /* the token to submit when met, or when due: index into rule->tokens */
	bool locked; /* approvals complete, only a timelock runs: due_at says until when */
	int64_t due_at; /* earliest time at which a complete token becomes active */
	int64_t dies_at; /* from this time on no token can become met any more, rejections
			    * considered; 0 = never; now when it is so already */
	bool reachable; /* some token that is not over can still be completed by those who have
			    * not rejected */
	bool expired; /* every token's timeout is over (then reachable is false) */
};

/*
 * t0: creation time of the request (HSM timestamp in the token). timestamped false: only tokens
 * with timelock 0 and timeout 0 can be met. An approver counts once per group however many votes;
 * a rejection of the same approver after an approval does not take it back (first vote wins).
 * A token is active at t when t >= t0+timelock and (timeout == 0 or t < t0+timeout); now < t0 is
 * never active. A group with quorum 0 is met; a rule without tokens is never met. A token whose
 * timeout is not above its timelock is over from the start. Without timestamp t0 is not looked at.
 */
void ska_evaluate(const struct ska_rule *rule, const struct ska_vote *votes, size_t nvotes,
    bool timestamped, int64_t t0, int64_t now, struct ska_verdict *out);
/* Without any approval the rule is met, or will be: nobody is asked. */
bool ska_rule_asks_nobody(const struct ska_rule *rule);

/*
 * Different approvers (by spki) of the rule in order of first appearance: views into the policy.
 * Returns the array (arena) and count.
 */
struct tsb_view *ska_rule_approvers(const struct ska_rule *rule, struct arena *a, size_t *n);
/* The same, only of tokens that can be met at now or later, as ska_evaluate() sees it. */
struct tsb_view *ska_rule_asks(const struct ska_rule *rule, struct arena *a, bool timestamped,
    int64_t t0, int64_t now, size_t *n);
/* From this time on no token asks this approver any more; 0 = never. */
int64_t ska_approver_dies_at(const struct ska_rule *rule, struct tsb_view spki, bool timestamped,
    int64_t t0);
/* As the rule names this approver, whatever the time: a place in the policy; NULL: it does not. */
const struct ska_approver *ska_rule_approver(const struct ska_rule *rule, struct tsb_view spki);
bool ska_rule_has_approver(const struct ska_rule *rule, struct tsb_view spki);
/* How many different approvers of the group have approved. */
size_t ska_group_approvals(const struct ska_group *group, const struct ska_vote *votes,
    size_t nvotes);
/*
 * Indexes into votes of the approvals that token needs: its groups in order, each up to its quorum,
 * each approver once. Returns the array (arena) and count.
 */
size_t *ska_token_votes(const struct ska_token *token, const struct ska_vote *votes, size_t nvotes,
    struct arena *a, size_t *n);

#endif
