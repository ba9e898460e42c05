/* Approvers, and how they prove who they are: by signing a fresh timestamp. */
#ifndef TSB_FLOW_APPROVER_H
#define TSB_FLOW_APPROVER_H

#include "lib/flow/context.h"

/* Who signed a timestamp. all: a signer that sees everybody's tasks. */
struct flow_approver {
	bool signer; /* notification service: may list and delete, not approve */
	bool all;
	struct tsb_view spki; /* of the approver; empty for all */
	struct tsb_view service; /* of the signer; empty for an approver */
	unsigned char id[TSB_SHA256];
	unsigned char actor[TSB_SHA256]; /* SHA-256 of the key that signed, for the audit */
};
/*
 * TSB_E_INVALID_SIGNATURE, TSB_E_TIMESTAMP_SIGNER for a signer that the settings do not list, and
 * what is wrong with the timestamp. Views of *out point into proof or a.
 */
int flow_approver_prove(struct flow *f, const struct tsb_approver_proof *proof, struct arena *a,
    int64_t now_ms, struct flow_approver *out, struct tsb_err *err) TSB_MUSTCHECK;
/* The key that approverPublicKey or approverCertificate names, not yet proven. */
int flow_approver_named(const struct tsb_approver_proof *proof, struct arena *a,
    struct flow_approver *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
