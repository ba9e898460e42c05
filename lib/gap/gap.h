/*
 * The profile air-gapped (api-notes.md 6): keys are where no network is. Policies come as
 * attributes that the offline HSM signed, requests leave as inputOfflineHsm, results are checked
 * before they are believed. In the profile online all of this is TSB_E_UNSUPPORTED_OPERATION.
 */
#ifndef TSB_GAP_GAP_H
#define TSB_GAP_GAP_H

#include "lib/flow/flow.h"
#include "lib/wire/offline.h"

/* ---- attributes that an offline HSM signed (attestation.c) ---- */

/*
 * Keeps xml, xml_signature and attestation_key_name of in when the signature is one of a pinned key
 * (airGapped.attestationKeyFile; TSB_E_CONFIG_NOT_EXISTENT when none is pinned,
 * TSB_E_INVALID_SIGNATURE). Newer ones (attest_time) replace older ones of the same key, the same
 * again changes nothing, older ones are TSB_E_KEY_ATTRIBUTES. *k and *stored (may be NULL) describe
 * what is in force.
 */
int flow_attributes_import(struct flow *f, const struct tsb_key_attributes *in, struct arena *a,
    struct keyattr *k, struct tsb_key_attributes *stored, struct tsb_err *err) TSB_MUSTCHECK;
/* What is known about an imported key; TSB_E_KEY_NOT_EXISTENT. */
int flow_attributes_imported(struct flow *f, const char *label, struct arena *a, struct keyattr *k,
    struct tsb_key_attributes *stored, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The key is as if it had never been imported, and its open requests are cancelled. Attributes that
 * are not newer than the forgotten ones are still refused: what was replaced does not come back
 * this way.
 */
int flow_attributes_forget(struct flow *f, const char *label, struct arena *a, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Names of imported keys in order. */
int flow_attributes_list(struct flow *f, struct arena *a, const char ***labels, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- certificates that are kept with imported keys (imported.c) ---- */

/* TSB_E_KEY_NOT_EXISTENT; TSB_E_INVALID_CERTIFICATE when it is of another key. */
int flow_certificate_import(struct flow *f, const char *label, struct tsb_view der,
    struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_FILE_NOT_FOUND when the key has none. */
int flow_certificate_imported(struct flow *f, const char *label, struct arena *a,
    struct tsb_view *der, struct tsb_err *err) TSB_MUSTCHECK;
int flow_certificate_delete(struct flow *f, const char *label, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- out (carry.c) ---- */

/* airGapped.siteName, for people; may be empty. */
const char *flow_site_name(const struct flow *f);

/*
 * The request for the carrier; TSB_E_UNSUPPORTED_OPERATION before the first approval, when one is
 * asked, and for finished requests. view (may be NULL) is what GET /v1/request shows of it.
 */
int flow_offline_request(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct wire_offline_request *out, struct tsb_request_view *view, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * A signed package of these requests, or (n 0) of all that are ready: with known policy those whose
 * rule is met, else those with an approval. TSB_E_UNSUPPORTED_OPERATION when there is none,
 * TSB_E_CONFIG_NOT_EXISTENT without airGapped.siteKeyFile and offlineSiteKeyFile. Appends.
 */
int flow_offline_package(struct flow *f, const struct tsb_uuid *ids, size_t n, struct arena *a,
    int64_t now_ms, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- back in (result.c) ---- */

/* What became of one result. */
struct flow_offline_outcome {
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
 *	anything else, and	a package of a pinned offline site, when one is pinned
 *	failures
 */
int flow_offline_results(struct flow *f, struct tsb_view body, struct arena *a, int64_t now_ms,
    struct flow_offline_outcome **outcomes, size_t *n, bool *single, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
