/*
 * Shows certificates and certificate requests to people, whole or still to be signed. A key signs a
 * TBSCertificate (RFC 5280) or CertificationRequestInfo (RFC 2986), which is the payload of the
 * token that approvers sign.
 */
#ifndef TSB_CLI_LIB_CERTVIEW_H
#define TSB_CLI_LIB_CERTVIEW_H

#include "lib/base/arena.h"
#include "lib/ska/token.h"

#include "cli/lib/doc.h"

enum certview_kind { CERTVIEW_REQUEST, CERTVIEW_CERTIFICATE };

struct certview {
	enum certview_kind kind;
	struct X509_req_st *request; /* one of the two */
	struct x509_st *certificate;
};
#define certview_auto struct certview __attribute__((cleanup(certview_close)))

/* False unless der is exactly one of the two in DER: no other reader takes it differently. */
bool certview_open_content(struct tsb_view der, struct certview *out);
/* Opens a whole certificate or request; false when der is neither. Checks no signature. */
bool certview_open(struct tsb_view der, struct certview *out);
void certview_close(struct certview *);

/* Shows everything that the signature covers: names, times, key, and every extension. */
void certview_show(struct doc *, const struct certview *);
/* The public key inside; empty when it is not understood. */
struct tsb_view certview_key(const struct certview *, struct arena *);
/* First common name of the subject, NULL = none. */
const char *certview_common_name(const struct certview *, struct arena *);
/* Subject and issuer are the same name. */
bool certview_is_self_issued(const struct certview *);

#endif
