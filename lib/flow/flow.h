/*
 * Use cases: one function per thing that can happen to a request. They own the transactions, speak
 * to the HSM before or after them and never inside, and are where the edges meet.
 */
#ifndef TSB_FLOW_FLOW_H
#define TSB_FLOW_FLOW_H

#include "lib/base/arena.h"
#include "lib/conf/settings.h"
#include "lib/hsm/order.h"
#include "lib/hsm/pass.h"
#include "lib/model/model.h"

struct flow; /* connections and caches of one process */

/* Names the process in claims and audit (copied). Connections are made when first needed. */
struct flow *flow_new(const struct broker_conf *conf, enum store_login login, const char *owner,
    struct tsb_err *err);
void flow_free(struct flow **f);
/* For callers that keep many calls in flight; NULL in the profile air-gapped. */
struct hsm *flow_hsm(struct flow *f);

/* ---- requests (request.c) ---- */

/*
 * A caller's request: recorded, turned into tasks, or executed at once where no approval is asked.
 */
int flow_request_create(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_uuid *id, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Answers also move a request to EXPIRED whose time is over. fetch_once erases the result that is
 * delivered (api-notes.md 4.4).
 */
int flow_request_view(struct flow *f, const struct tsb_uuid *id, bool fetch_once, struct arena *a,
    int64_t now_ms, struct tsb_request_view *out, struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_UNSUPPORTED_OPERATION when it is finished or being executed. */
int flow_request_cancel(struct flow *f, const struct tsb_uuid *id, const char *reason,
    struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
/* Ids and states, newest first. */
int flow_requests_list(struct flow *f, unsigned states, const char *key_name, long offset,
    long limit, struct arena *a, struct tsb_request_row **rows, size_t *n, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Cancels what is open on a key that was deleted. */
int flow_requests_cancel_of_key(struct flow *f, const char *key_name, struct arena *a,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Moves open requests to EXPIRED whose time is over, at most limit; *n of them. */
int flow_requests_expire(struct flow *f, int64_t now_ms, size_t limit, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
int flow_requests_purge(struct flow *f, int64_t now_ms, size_t limit, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- tasks (task.c) ---- */

/* Tasks that the proven approver may see; status (level 6) has n entries or is NULL. */
int flow_tasks_list(struct flow *f, const struct tsb_task_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_task_view **tasks, struct tsb_request_view **status, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Open requests that the proven approver has approved (api-notes.md 5.4), paged by the filter. */
int flow_requests_approved(struct flow *f, const struct tsb_task_filter *filter, struct arena *a,
    int64_t now_ms, struct tsb_request_view **views, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
int flow_task_approve(struct flow *f, const struct tsb_approval_in *in, struct arena *a,
    int64_t now_ms, struct tsb_err *err) TSB_MUSTCHECK;
int flow_task_reject(struct flow *f, const struct tsb_approval_in *in, struct arena *a,
    int64_t now_ms, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- execution (execute.c) ---- */

/* An execution between its claim and its outcome. Lives in its own arena. */
struct flow_execution {
	struct tsb_request request;
	struct hsm_order order;
	struct tsb_bytes password; /* of the order; wiped */
	struct tsb_view *approvals; /* those of the chosen token first, then the others */
	size_t nchosen, napprovals;
	bool all_approvals; /* second try with every approval, should the policy have changed */
	struct tsb_view
	    certificate; /* self-signed: PEM that the order stores; empty = not made yet */
	bool asking; /* the order asks whether an earlier attempt has happened (recover.c) */
	bool only_asking; /* the rule is not met any more: nothing is called after that */
	bool called; /* the HSM may have heard of the request in this execution */
	bool never_sent; /* the last order did not reach the HSM */
	int64_t locked_until_ms; /* end of the timelock of the chosen token, 0 = it has none */
	int64_t sent_ms;
	struct arena arena;
};

/*
 * Claims a due request for this process and prepares its order. *x stays NULL when there is nothing
 * to do: another one has it, it is finished, not due, or was moved (EXPIRED). Freed with
 * flow_execution_free().
 */
int flow_execution_claim(struct flow *f, const struct tsb_uuid *id, struct flow_execution **x,
    struct tsb_err *err) TSB_MUSTCHECK;
void flow_execution_free(struct flow_execution **x);

enum flow_outcome {
	OUTCOME_DONE, /* the request is finished, or somebody else has it */
	OUTCOME_CALL_AGAIN, /* order was changed: submit it once more */
	OUTCOME_HSM_AWAY, /* given back, due again now: hold all work for a while */
	OUTCOME_LATER /* given back, due again later */
};
/* Records what came of the order. -1: not recorded. */
int flow_execution_finish(struct flow *f, struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_outcome *outcome, struct tsb_err *err) TSB_MUSTCHECK;
/* Ids of due requests, oldest first. */
int flow_requests_due(struct flow *f, int64_t now_ms, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
/* When a request becomes due or overdue next; 0 = nothing known. */
int flow_next_time(struct flow *f, int64_t *at_ms, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- certificates (certificate.c) ---- */

/*
 * A request, certificate or self-signed certificate without approvals: PEM. A self-signed
 * certificate is stored with the key; so is one beside a request, when the key has neither policy
 * nor certificate.
 */
int flow_certificate_make(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_view *pem, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- keys and operations of the HSM (hsmcall.c, policy.c) ---- */

/* hsm_pass() of the broker's HSM. */
int flow_hsm_pass(struct flow *f, const struct hsm_pass *pass, struct hsm_reply *reply,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * What a policy must fulfil before the HSM sees it; resolves certificate approvers. The HSM knows
 * no names of approvers: *named tells that their certificates now stand in p, and that the body
 * that is passed on has to be written anew from it.
 */
int flow_policy_check(struct flow *f, struct ska_policy *p, struct arena *a, bool *named,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
