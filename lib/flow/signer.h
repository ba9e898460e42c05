/* general.allowedRequestCertificates: who may ask for the use of a key. */
#ifndef TSB_FLOW_SIGNER_H
#define TSB_FLOW_SIGNER_H

#include "lib/flow/context.h"

/*
 * 0 when the settings name no signers, or when one of them signed the compact text of the member
 * envelope of body. TSB_E_REQUEST_SIGNER, TSB_E_INVALID_SIGNATURE.
 */
int flow_signer_check(const struct flow *f, struct tsb_view body, const char *envelope,
    struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;
/* The same of a request that was read; verifies a signature that is there in any case. */
int flow_signer_check_request(const struct flow *f, const struct tsb_request_in *in,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
