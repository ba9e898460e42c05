/*
 * The decision: may this operation with this key happen now, given these signed approvals? Every
 * approval is checked in full (token-format.md 5, 9) and a single bad one refuses the
 * request, so that what the votes are counted over is sound. Needs no broker to be honest.
 */
#ifndef TSB_HSM_KEY_ENFORCE_H
#define TSB_HSM_KEY_ENFORCE_H

#include "lib/ska/policy.h"
#include "lib/ska/token.h"

#define ENFORCE_DRIFT 600 /* seconds by which the clock may have been set back since a timestamp */

/* Gives the SubjectPublicKeyInfo of our timestamp key of this label; any failure refuses. */
typedef int enforce_timestamp_key(void *arg, struct tsb_view label, struct arena *a,
    struct tsb_view *spki, struct tsb_err *err);

struct enforce_request {
	const char *key_name;
	const struct ska_policy *policy; /* resolved */
	enum ska_operation operation;
	struct tsb_view payload; /* what will be processed; empty for block and unblock */
	const struct tsb_view *approvals; /* containers as received */
	size_t napprovals;
	int64_t now; /* seconds of this HSM's clock */
	int64_t created; /* of the key: what was stamped before is for another key of its name */
	struct tsb_view approvers; /* who approved changes that were made (done.h) */
	uint64_t forgotten; /* timestamps up to this one are refused (done.h); 0 = none */
	enforce_timestamp_key *timestamp_key;
	void *arg;
	const char *failure; /* what could not be done, as a sentence; NULL = a signature */
};

/*
 * Of a change that was made already (done_before()): whether those ask who may, because the key's
 * rule names them or because they approved the change, which may have replaced them. Their
 * approvals need not suffice any more, nor be in time. Errors like those of enforce().
 */
int enforce_repeat(const struct enforce_request *, struct arena *, struct tsb_err *) TSB_MUSTCHECK;
/*
 * 0 = allowed. TSB_E_HSM with a message that names the approval and the check that failed;
 * TSB_E_TIMESTAMP_OFF when the clock has to catch up with a timestamp, at most ENFORCE_DRIFT.
 */
int enforce(const struct enforce_request *, struct arena *, struct tsb_err *) TSB_MUSTCHECK;

#endif
