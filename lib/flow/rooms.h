/*
 * What the rooms above do for the workflow. Includes point downwards, so the workflow calls them
 * through these tables, which a program gives to flow_new().
 */
#ifndef TSB_FLOW_ROOMS_H
#define TSB_FLOW_ROOMS_H

#include "lib/ska/keyattr.h"
#include "lib/store/store.h"

struct flow;
struct flow_key;

/* Of requests that restore an approver (lib/custody). */
struct flow_restore {
	/*
	 * After the HSM's answer: what the approver becomes, and the request's result. Database
	 * and connection errors may be tried again, all others are final.
	 */
	int (*prepare)(struct flow *f, const struct tsb_request *rq, struct tsb_view answer,
	    int64_t now_ms, struct arena *a, struct tsb_approver *row, struct tsb_view *result,
	    struct tsb_err *err) TSB_MUSTCHECK;
	/* Inside the transaction that moves the request to EXECUTED. */
	int (*record)(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
	    const struct tsb_approver *row, struct tsb_err *err) TSB_MUSTCHECK;
	/* The one-time code in place of the sealed result; nothing for requests of other kinds. */
	int (*reveal)(struct flow *f, struct tsb_request *rq, struct arena *a, struct tsb_err *err)
	    TSB_MUSTCHECK;
};

/* What stands in for an HSM in the profile air-gapped (lib/gap). */
struct flow_gap {
	/* The key as imported; *key NULL when it never was. Valid like that of flow_key_load(). */
	int (*key)(struct flow *f, struct store_tx *tx, const char *label,
	    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
	int (*key_exists)(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
	    TSB_MUSTCHECK;
	/* TSB_E_KEY_NOT_EXISTENT; stored may be NULL. */
	int (*attributes)(struct flow *f, const char *label, struct arena *a, struct keyattr *k,
	    struct tsb_key_attributes *stored, struct tsb_err *err) TSB_MUSTCHECK;
	/* DER; TSB_E_FILE_NOT_FOUND when the key has none. */
	int (*certificate)(struct flow *f, const char *label, struct arena *a, struct tsb_view *der,
	    struct tsb_err *err) TSB_MUSTCHECK;
	/* How far the n approvals have brought an open request. */
	void (*progress)(const struct flow_key *key, const struct tsb_approval *rows, size_t n,
	    struct arena *a, struct tsb_request_view *out);
	/* inputOfflineHsm; empty when the request is not ready to be carried. */
	int (*input)(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
	    const struct tsb_approval *rows, size_t n, struct arena *a, struct tsb_view *input,
	    struct tsb_err *err) TSB_MUSTCHECK;
};

/* gap may be NULL in programs that neither create nor show requests. */
struct flow_rooms {
	const struct flow_restore *restore;
	const struct flow_gap *gap;
};

#endif
