/*
 * Timestamp tokens of RFC 3161. OpenSSL makes and encodes their parts; the signature is made by
 * whoever has the private half, as any other.
 */
#ifndef TSB_HSM_KEY_RFCTIMESTAMP_H
#define TSB_HSM_KEY_RFCTIMESTAMP_H

#include "lib/crypto/hash.h"

#include "hsm/key/key.h"
#include "hsm/token.h"

struct rfc_timestamp {
	struct tsb_view payload;
	enum hash hash; /* of the payload */
	const char *policy; /* dotted OID under which the token is issued */
	int64_t seconds; /* since 1970; what the token says */
};

/* Whether text is a dotted OID as such a policy needs it. */
bool rfc_timestamp_policy_valid(const char *text);
/*
 * TSB_E_INVALID_CERTIFICATE unless the DER is of a certificate whose one extended use, critical, is
 * timeStamping (RFC 3161, 2.3): verifiers refuse tokens of others.
 */
int rfc_timestamp_certificate_check(struct tsb_view der, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Appends the token (ContentInfo in DER), signed with the certificate of k. The serial number is
 * random, so that no two tokens have the same. TSB_E_INVALID_CERTIFICATE when k's certificate is
 * missing or not valid at that time.
 */
int rfc_timestamp_make(const struct hsm_key *k, struct token_key *private_half,
    const struct rfc_timestamp *, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
