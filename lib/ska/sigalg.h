/*
 * Signature with algorithm (token-format.md 4): SEQUENCE { AlgorithmIdentifier, BIT STRING }.
 * One table of OIDs for key type and digest; strict DER; ECDSA carries an explicit NULL.
 */
#ifndef TSB_SKA_SIGALG_H
#define TSB_SKA_SIGALG_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

enum ska_digest {
	DIGEST_NONE, /* Ed25519, ML-DSA: they sign messages whole */
	DIGEST_SHA224,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_SHA3_224,
	DIGEST_SHA3_256,
	DIGEST_SHA3_384,
	DIGEST_SHA3_512,
	DIGEST__MAX
};
enum ska_key_type {
	KEYTYPE_RSA,
	KEYTYPE_EC,
	KEYTYPE_DSA,
	KEYTYPE_ED25519,
	KEYTYPE_ML_DSA_44,
	KEYTYPE_ML_DSA_65,
	KEYTYPE_ML_DSA_87,
	KEYTYPE__MAX
};

/* "RSA", "EC", "DSA", "Ed25519", "ML-DSA-44" ...: for people. */
extern const char *const ska_key_type_names[KEYTYPE__MAX];
/* Whether a digest goes with its signatures; with the others it is DIGEST_NONE. */
bool ska_key_type_has_digest(enum ska_key_type);

/* API names: "SHA-256" ... ; "EdDSA" for DIGEST_NONE (api-notes.md 5.1). */
extern const char *const ska_digest_names[DIGEST__MAX];

/* TSB_E_PAYLOAD on any deviation. raw is a view into der. */
int ska_signature_parse(struct tsb_view der, enum ska_key_type *type, enum ska_digest *digest,
    struct tsb_view *raw, struct tsb_err *err) TSB_MUSTCHECK;
void ska_signature_format(enum ska_key_type type, enum ska_digest digest, struct tsb_view raw,
    struct tsb_bytes *out);

#endif
