/* Why the result of an offline HSM is believed. */
#ifndef TSB_GAP_PROOF_H
#define TSB_GAP_PROOF_H

#include "lib/flow/context.h"
#include "lib/ska/keyattr.h"
#include "lib/wire/offline.h"

/* A result that came back, and what it stands for when it is believed. */
struct gap_carried {
	const struct wire_offline_result *in;
	bool by_site; /* in a package of a pinned offline site */
	const char *actor; /* for the audit */
	enum tsb_state to; /* EXECUTED or FAILED */
	struct tsb_view result; /* EXECUTED: as the request's caller gets it */
	const char *reason; /* FAILED */
	bool has_attributes; /* signed by a pinned HSM, of the key that was to change */
	struct tsb_key_attributes attributes;
	struct keyattr key;
	struct tsb_view certificate; /* DER, to be kept with the key holder; empty = none */
	const char *holder;
};
/* Outcome by which a repeat is recognised; sets to and reason. */
void gap_carried_digest(struct gap_carried *c, struct arena *a, unsigned char sha256[TSB_SHA256]);
/*
 * Whether the result shows what gap_results_take() asks of it; fills the rest of c. input: as it
 * was carried out.
 */
int gap_carried_prove(struct flow *f, struct gap_carried *c, const struct tsb_request *rq,
    struct tsb_view input, struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;

#endif
