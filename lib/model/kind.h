/*
 * Kinds of requests that a policy guards (api-notes.md 4, 8, 9): one row says all that differs.
 */
#ifndef TSB_MODEL_KIND_H
#define TSB_MODEL_KIND_H

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
	KIND_RESTORE_APPROVER, /* made by the broker: opens a backup (api-notes.md 10.3) */
	KIND__MAX
};

struct tsb_kind_row {
	const char *name; /* in logs and in the database */
	const char *envelope; /* "signRequest" */
	const char *key_member; /* "signKeyName" */
	const char *password_member; /* "keyPassword" */
	const char *id_member; /* of the answer: "signRequestId" */
	const char *task_member; /* of task level 3: "signedSignRequest" */
	const char *synchronous_path; /* of the HSM: "/v1/synchronousSign" */
	const char *result_member; /* of its answer: "signature"; NULL = empty answer */
	enum ska_rule_kind rule;
	enum ska_operation operation;
	bool repeatable; /* doing it twice does no harm: a lapsed lease may simply be repeated */
};

extern const struct tsb_kind_row tsb_kinds[KIND__MAX];
bool tsb_kind_by_name(const char *name, enum tsb_kind *out);

#endif
