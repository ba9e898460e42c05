/*
 * Kinds of requests that a policy guards: one row says all that differs.
 *
 * The rest of the program asks the row and does not know the names of kinds. What needs code of its
 * own is a value of one of the two enums below. Switches over those have no default: the compiler
 * names every place that a new value concerns. A new kind itself touches these files:
 *
 *	lib/model/kind.h	its name
 *	lib/model/kind.c	its row
 *	lib/wire/request.c	the members of its body
 *	cli/main.c		the command that asks for it
 *	hsm/serve/routes.c	its endpoint at tsb-hsm, when it is executed as itself
 *	lib/custody/restore.c	only one that the broker asks for by itself
 *
 * tests/check/kinds reads this list: no other file names a kind.
 */
#ifndef TSB_MODEL_KIND_H
#define TSB_MODEL_KIND_H

#include "lib/model/role.h"
#include "lib/ska/keyattr.h"
#include "lib/ska/policy.h"
#include "lib/ska/token.h"

enum tsb_kind {
	KIND_SIGN,
	KIND_DECRYPT,
	KIND_UNWRAP,
	KIND_BLOCK,
	KIND_UNBLOCK,
	KIND_MODIFY,
	KIND_CERTIFICATE_REQUEST,
	KIND_SIGN_CERTIFICATE,
	KIND_SELF_SIGN_CERTIFICATE,
	KIND_RESTORE_APPROVER, /* opens the backup of an approver whose key the broker made */
	KIND__MAX
};

/* What an approval binds beside key and operation (docs/token-format.md). */
enum tsb_content {
	CONTENT_NONE, /* key and operation say it all */
	CONTENT_BYTES, /* as the caller gave them */
	CONTENT_NEW_KEY, /* the wrapped key, its label and attributes */
	CONTENT_POLICY, /* the whole new policy */
	/* written by the broker, to be signed: */
	CONTENT_CERTIFICATE_REQUEST,
	CONTENT_CERTIFICATE, /* for somebody's request, issued by the key */
	CONTENT_SELF_SIGNED /* for the key itself; kept with the key */
};

/*
 * What is there when it is done. A result for the caller changes nothing at the HSM: a second one
 * replaces a lost first one. The others change an object, and whether that has happened has to be
 * looked up before they may be tried again.
 */
enum tsb_effect {
	EFFECT_SIGNATURE,
	EFFECT_PLAIN_TEXT,
	EFFECT_CERTIFICATE, /* PEM: the signature and what it belongs to */
	EFFECT_CODE, /* the one-time code of an approver, made from what was decrypted */
	/* objects changed: */
	EFFECT_BLOCKED,
	EFFECT_UNBLOCKED,
	EFFECT_POLICY,
	EFFECT_NEW_KEY
};

struct tsb_kind_row {
	const char *name; /* in logs, in the database, in files that are carried */
	const char *title; /* for people, after "asked to": "sign" */
	/* who asks, and how; all paths take POST */
	unsigned askers; /* TSB_ROLE_BIT() of those who may */
	const char *path;
	bool internal; /* the broker asks, for the caller of path, who has another body and proof */
	const char *at_once_path; /* without approvals, or with all of them; NULL = none */
	const char *at_once_alias; /* NULL = none */
	const char *download_path; /* at once, as a file; NULL = none */
	const char *task_path; /* lists the tasks of its approvers; kinds may share one */
	/* JSON */
	const char *envelope; /* "signRequest" */
	const char *key_member; /* "signKeyName" */
	const char *password_member; /* "keyPassword" */
	const char *algorithm_member; /* "signatureAlgorithm"; NULL = none */
	const char *bytes_member; /* of CONTENT_BYTES: "payload" */
	const char *payload_type; /* unless the caller gives one (api-notes.md 4.5); NULL = none */
	const char *id_member; /* of the answer: "signRequestId" */
	const char *task_member; /* of task level 3: "signedSignRequest" */
	/* what is approved and done */
	enum ska_operation operation; /* of the token; names the rule, too */
	enum keyattr_flag needs; /* the key's attribute without which it cannot; ATTR__MAX = none */
	enum tsb_content content;
	enum tsb_effect effect;
	/*
	 * The kind as which the HSM executes it and as which it is carried to an offline one:
	 * itself, or one whose request the broker writes. Only rows of such kinds fill the members
	 * below.
	 */
	enum tsb_kind executed;
	enum tsb_role role; /* in which the HSM is asked */
	const char *answer_member; /* of the HSM's answer: "signature"; NULL = an empty one */
	const char *failure; /* what the HSM says when approvals do not suffice */
};

extern const struct tsb_kind_row tsb_kinds[KIND__MAX];
bool tsb_kind_by_name(const char *name, enum tsb_kind *out);

/* The row of the kind as which the HSM executes this one. */
const struct tsb_kind_row *tsb_kind_executed(enum tsb_kind);
/* Doing it twice does no harm: a lapsed lease may simply be repeated. */
bool tsb_kind_repeatable(enum tsb_kind);
/* The broker writes a certificate, or the request for one, and has it signed. */
bool tsb_kind_certifies(enum tsb_kind);
/* The rule that guards it. */
enum ska_rule_kind tsb_kind_rule(enum tsb_kind);
/* The first kind whose tasks are listed with those of this one: it stands for all of them. */
enum tsb_kind tsb_kind_listed_as(enum tsb_kind);

#endif
