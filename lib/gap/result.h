/* Back in: results of the offline HSM, each of which ends its request once. */
#ifndef TSB_GAP_RESULT_H
#define TSB_GAP_RESULT_H

#include "lib/flow/context.h"

/* What became of one result. */
struct gap_outcome {
	struct tsb_request_view view;
	bool has_id; /* false: nobody knows which request it is of */
	struct tsb_uuid id;
	bool refused; /* then err says why, else view is filled */
	struct tsb_err err;
};
/*
 * A body of PUT /v1/resultFromOfflineHsm: a JSON result, a package of results, or scanned parts of
 * either, one a line. A body that is not believed as a whole fails; the results of a package are
 * taken one by one. *single: it was one result, whose refusal is the call's. Each result that
 * stands moves its request to EXECUTED or FAILED once; the same again is answered the same; another
 * one is refused (TSB_E_UNSUPPORTED_OPERATION). What a result must show:
 *
 *	sign, certificates	a signature over the payload, when the key's public key is known
 *	block, unblock, modify	newer attributes of the key with the effect, if its key is pinned;
 *				they become the imported ones
 *	unwrap			attributes of the new key, made after the request, as approved
 *	without these, for	a package of a pinned offline site, when one is pinned
 *	the rest and failures
 */
int gap_results_take(struct flow *f, struct tsb_view body, struct arena *a, int64_t now_ms,
    struct gap_outcome **outcomes, size_t *n, bool *single, struct tsb_err *err) TSB_MUSTCHECK;

#endif
