/* What tsb-fcgi leaves in the audit beside the requests. */
#ifndef TSB_FCGI_TRACE_H
#define TSB_FCGI_TRACE_H

#include "lib/flow/deed.h"
#include "lib/hsm/pass.h"
#include "lib/web/web.h"

/* called() of the server: names the caller, and writes a row of a call that was refused. */
void fcgi_called(void *app, const struct web_request *rq, const struct tsb_err *refused);

/* Passes what on to the HSM between the two rows of a deed. 0 with the answer in reply, or -1. */
int fcgi_do(void *app, const struct web_request *rq, struct web_reply *reply,
    const struct flow_deed *deed, const struct hsm_pass *what, struct tsb_err *err) TSB_MUSTCHECK;
/* The same of rq->body, as a compact text. */
int fcgi_do_body(void *app, const struct web_request *rq, struct web_reply *reply,
    const struct flow_deed *deed, enum hsm_passage passage, struct tsb_err *err) TSB_MUSTCHECK;

#endif
