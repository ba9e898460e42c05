/* Calls that are checked here and passed on to the HSM. */
#ifndef TSB_FCGI_FORWARD_H
#define TSB_FCGI_FORWARD_H

#include "lib/hsm/pass.h"
#include "lib/ska/policy.h"
#include "lib/web/web.h"

/* reply becomes the HSM's answer; its refusals are errors. */
int fcgi_forward(void *app, struct web_reply *reply, const struct hsm_pass *what,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The compact text of rq->body is what was checked: no second reading of the same bytes. */
int fcgi_forward_body(void *app, struct web_request *rq, struct web_reply *reply,
    enum hsm_passage passage, struct tsb_err *err) TSB_MUSTCHECK;
/* Writes the payload of a body that is to be passed on in the form that every HSM reads. */
int fcgi_payload_settle(struct web_request *rq, const char *envelope, const char *payload_type,
    struct tsb_view payload, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Checks the policy of a body that is to be passed on. Where it names onboarded approvers, or its
 * keyStatus is not as HSMs want it, rq->body becomes the body that the HSM understands. envelope:
 * the member around the policy, NULL = none.
 */
int fcgi_policy_check(void *app, struct web_request *rq, struct ska_policy *policy,
    const char *envelope, bool with_status, struct tsb_err *err) TSB_MUSTCHECK;

#endif
