/* Certificates and certificate requests: the broker writes them, the HSM signs them. */
#ifndef TSB_FLOW_CERTIFICATE_H
#define TSB_FLOW_CERTIFICATE_H

#include "lib/flow/context.h"

/*
 * A request, certificate or self-signed certificate without approvals: PEM. A self-signed
 * certificate is stored with the key, another one with the key that keyName says; so is one beside
 * a request, when the key has neither policy nor certificate.
 */
int flow_certificate_make(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_view *pem, struct tsb_err *err) TSB_MUSTCHECK;
/* What is to be signed; asks the HSM for the key and the issuer's certificate. */
int flow_certificate_payload(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_view *payload, struct tsb_err *err) TSB_MUSTCHECK;
/* The key with which the certificate of a request will be kept; NULL = none. */
int flow_certificate_holder(const struct tsb_request *rq, struct arena *a, const char **label,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The order that the HSM gets for a request: its kind and object. For certificates that is to sign
 * what was approved.
 */
int flow_request_ordered(const struct tsb_request *rq, struct arena *a, enum tsb_kind *kind,
    struct tsb_view *inner, struct tsb_err *err) TSB_MUSTCHECK;
/* PEM of what was approved with the signature (base64) that the HSM answered; checks it. */
int flow_certificate_finish(struct flow *f, const struct tsb_request *rq, struct tsb_view answer,
    struct arena *a, struct tsb_view *pem, struct tsb_err *err) TSB_MUSTCHECK;

#endif
