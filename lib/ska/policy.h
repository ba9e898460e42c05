/*
 * Policy of a key (api-notes.md 4.1, token-format.md 6): four rules; a rule is a list of tokens, of
 * which one is enough; all groups of a token must reach their quorum. Pure: no clock, no I/O, no
 * cryptography.
 */
#ifndef TSB_SKA_POLICY_H
#define TSB_SKA_POLICY_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define POLICY_TOKENS_MAX    64
#define POLICY_GROUPS_MAX    64
#define POLICY_APPROVERS_MAX 256
#define POLICY_ENTRIES_MAX   1024 /* approvers of all groups, tokens and rules together */
#define POLICY_VALUE_MAX     (16 * 1024) /* bytes of one key or certificate */
#define POLICY_NAME_MAX      255

enum ska_rule_kind { RULE_USE, RULE_BLOCK, RULE_UNBLOCK, RULE_MODIFY, RULE__MAX };
enum ska_approver_type { APPROVER_PUBLIC_KEY, APPROVER_CERTIFICATE, APPROVER_ONBOARDED };

struct ska_approver {
	enum ska_approver_type type;
	const char *name; /* NULL = none */
	struct tsb_view value; /* DER SubjectPublicKeyInfo or certificate; empty for onboarded */
	struct tsb_view spki; /* identity: the key itself, for certificates the key inside.
				   * Filled by ska_policy_resolve() */
};

struct ska_group {
	const char *name;
	uint32_t quorum;
	size_t napprovers;
	struct ska_approver *approvers;
};

struct ska_token {
	const char *name;
	uint64_t timelock, timeout; /* seconds; 0 = off */
	size_t ngroups;
	struct ska_group *groups;
};

/* No token: can never be met. An absent rule is one nameless token without times and groups. */
struct ska_rule {
	size_t ntokens;
	struct ska_token *tokens;
};

struct ska_policy {
	struct ska_rule rule[RULE__MAX];
	bool blocked;
};

extern const char *const ska_rule_names[RULE__MAX]; /* "ruleUse" ... */

/* The rule "always allowed", as an absent or null rule means it. */
void ska_rule_set_always(struct ska_rule *rule, struct arena *a);
/* Exactly the form above: what JSON shows as null. */
bool ska_rule_is_absent_form(const struct ska_rule *rule);
/* Some token needs no approval and no waiting: the operation may run at once. */
bool ska_rule_is_free(const struct ska_rule *rule);
/* Neither timelock nor timeout: it can be met without an HSM timestamp. */
bool ska_token_works_without_timestamp(const struct ska_token *token);
/* Some token does. */
bool ska_rule_works_without_timestamp(const struct ska_rule *rule);

/*
 * The pair has a binary form: minutes when both are whole minutes, else seconds, in 32 bits. Of
 * what comes from outside only pairs that fit may be formatted (ska_policy_check() asks for more).
 */
bool ska_times_fit(uint64_t timelock, uint64_t timeout);

/*
 * Binary form, whole container with its u32. The blocked flag is not part of it. Parsing refuses
 * all that token-format.md 9 refuses; formatting a parsed policy gives the same bytes.
 */
int ska_policy_parse(struct tsb_view der, struct arena *a, struct ska_policy *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void ska_policy_format(const struct ska_policy *p, struct tsb_bytes *out);

/* Gives the SubjectPublicKeyInfo of a certificate, bytes in the arena. */
typedef int ska_spki_of_cert(struct tsb_view cert, struct arena *a, struct tsb_view *spki,
    struct tsb_err *err);
/* Checks that the key type is one an approver may have (TSB_E_APPROVER_KEY_TYPE, PARSING_KEY). */
typedef int ska_spki_check(struct tsb_view spki, struct tsb_err *err);
/*
 * Fills spki of every approver (and certificate names from nothing: they stay as they are). check
 * is NULL for policies in force: a key that is unfit today only cannot approve any more.
 */
int ska_policy_resolve(struct ska_policy *p, struct arena *a, ska_spki_of_cert *of_cert,
    ska_spki_check *check, struct tsb_err *err) TSB_MUSTCHECK;

/*
 * Fit to be created (api-notes.md 4.1): limits, times multiple of 60 and fitting minutes, names, a
 * ruleUse that can be met: at least one token whose timeout (if any) is above its timelock and
 * whose groups all have 1 <= quorum <= number of different approvers. Quorum 0 is refused in
 * ruleUse. The other rules may be unfulfillable. Needs a resolved policy. The message names the
 * member, as in "policy.ruleUse.tokens[0].groups[1].quorum".
 */
int ska_policy_check(const struct ska_policy *p, struct tsb_err *err) TSB_MUSTCHECK;

#endif
