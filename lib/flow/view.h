/* Requests as callers and approvers see them. */
#ifndef TSB_FLOW_VIEW_H
#define TSB_FLOW_VIEW_H

#include "lib/flow/context.h"

/*
 * Moves an overdue request to EXPIRED first. fetch_once erases the result that is delivered.
 * TSB_E_REQUEST_NOT_EXISTENT.
 */
int flow_request_view(struct flow *f, const struct tsb_uuid *id, bool fetch_once, struct arena *a,
    int64_t now_ms, struct tsb_request_view *out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Another request has the same approval token, whatever became of it: approvals of one serve both.
 * Air-gapped only, where tokens have no time; requests of equal bytes to be signed or decrypted.
 * What fails is logged: the request is there already.
 */
bool flow_request_twin(struct flow *f, const struct tsb_uuid *id, struct arena *a,
    struct tsb_uuid *twin);
/*
 * Ids and states, newest first, of at most limit requests behind the first offset ones. states:
 * bits of 1 << enum tsb_state, 0 = all. *more: others follow behind the last one.
 */
int flow_requests_list(struct flow *f, unsigned states, const char *key_name, long offset,
    long limit, struct arena *a, struct tsb_request_row **rows, size_t *n, bool *more,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Requests with details and without results, newest first: filter->limit of them, or as many as
 * have flow_list_bytes(). *more: others follow behind the last one.
 */
int flow_requests_details(struct flow *f, const struct tsb_request_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_request_view **views, size_t *n, bool *more, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Most memory that one list takes; a few requests more, because they are loaded in parts. */
#define FLOW_LIST_BYTES ((size_t)32 * 1024 * 1024)
size_t flow_list_bytes(void); /* that, or what a test set */
/* TSB_E_INPUT: a page of which only so many entries fit. */
int flow_page_refuse(size_t fit, struct tsb_err *err);
/* Open requests that the proven approver has approved, by the filter's paging; cut like tasks. */
int flow_requests_approved(struct flow *f, const struct tsb_task_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_request_view **views, size_t *n, bool *more, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * For listings and task level 6, inside a transaction: completes out, whose request is filled, with
 * all that GET shows but inputOfflineHsm.
 */
int flow_request_fill_view(struct flow *f, struct store_tx *tx, struct arena *a, int64_t now_ms,
    struct tsb_request_view *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
