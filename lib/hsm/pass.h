/* What the HSM does itself: the broker checks a body and passes it on. */
#ifndef TSB_HSM_PASS_H
#define TSB_HSM_PASS_H

#include "lib/base/stream.h"
#include "lib/hsm/hsm.h"

enum hsm_passage {
	HSM_PASS_SYNCHRONOUS, /* of a kind */
	HSM_PASS_KEY_CREATE,
	HSM_PASS_KEY_ATTESTATION, /* length: 1 = as JSON, 0 = as a zip file */
	HSM_PASS_ATTESTATIONS,
	HSM_PASS_ATTESTATION_CHAIN, /* of a key */
	HSM_PASS_KEY_IMPORT,
	HSM_PASS_KEY_SEED,
	HSM_PASS_KEY_DERIVE,
	HSM_PASS_XPUB, /* of a key */
	HSM_PASS_KEY_EXPORT,
	HSM_PASS_KEY_PASSWORD,
	HSM_PASS_KEY_CHANGE,
	HSM_PASS_OBJECT_CREATE,
	HSM_PASS_OBJECT_LIST,
	HSM_PASS_OBJECT_GET, /* key_name: of the object */
	HSM_PASS_OBJECT_DELETE, /* the same */
	HSM_PASS_KEY_LIST,
	HSM_PASS_KEY_ATTRIBUTES,
	HSM_PASS_KEY_ADDRESS,
	HSM_PASS_KEY_DELETE,
	HSM_PASS_VERIFY,
	HSM_PASS_HMAC,
	HSM_PASS_HMAC_VERIFY,
	HSM_PASS_ENCRYPT,
	HSM_PASS_WRAP,
	HSM_PASS_FILE_ENCRYPT, /* stream, content_type; asked: the JSON of its body, compact */
	HSM_PASS_FILE_DECRYPT, /* the same */
	HSM_PASS_RANDOM, /* length */
	HSM_PASS_RFC_TIMESTAMP,
	HSM_PASS_STATISTICS,
	HSM_PASS_LOG, /* length: lines; 0 = as many as the HSM likes */
	HSM_PASS_CERTIFICATE_STORE,
	HSM_PASS_CERTIFICATE_GET, /* of a key */
	HSM_PASS_CERTIFICATE_DELETE, /* of a key */
	HSM_PASS__MAX
};

struct hsm_pass {
	enum hsm_passage what;
	enum tsb_kind kind;
	const char *key_name;
	long length;
	struct tsb_view body; /* compact JSON of the published API, checked; empty = none */
	struct tsb_view asked; /* what the caller sent, where body is written anew; empty = body */
	const struct tsb_stream
	    *stream; /* the body, and where the answer goes; NULL = body, reply */
	const char *content_type; /* of the stream */
};

struct hsm_reply {
	int status; /* 200 or 201 */
	struct tsb_bytes body; /* JSON of the published API, or a file; the caller's to clear */
};
void hsm_reply_clear(struct hsm_reply *);

/* An error of the HSM is raised as ours. */
int hsm_pass(struct hsm *, const struct hsm_pass *, struct hsm_reply *, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
