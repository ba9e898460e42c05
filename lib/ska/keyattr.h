/*
 * The XML document that describes a key (token-format.md 11): written to the byte as the reference
 * HSM does, read strictly (expat; no document types, entities, comments; depth 8; 1 MiB).
 */
#ifndef TSB_SKA_KEYATTR_H
#define TSB_SKA_KEYATTR_H

#include "lib/ska/policy.h"

/* In the order of the XML. encrypt, verify and wrap of a creation request do not appear there. */
enum keyattr_flag {
	ATTR_DECRYPT,
	ATTR_SIGN,
	ATTR_UNWRAP,
	ATTR_DERIVE,
	ATTR_SENSITIVE,
	ATTR_ALWAYS_SENSITIVE,
	ATTR_EXTRACTABLE,
	ATTR_NEVER_EXTRACTABLE,
	ATTR_MODIFIABLE,
	ATTR_COPYABLE,
	ATTR_DESTROYABLE,
	ATTR_UNIQUE,
	ATTR__MAX
};
extern const char *const keyattr_flag_xml[ATTR__MAX]; /* "always_sensitive" */
extern const char *const keyattr_flag_json[ATTR__MAX]; /* "alwaysSensitive" */

/* Members without a value are NULL, 0 or empty. Times in seconds since 1970. */
struct keyattr {
	const char *root; /* element name: "private_key", "secret_key", "public_key" */
	const char *creation; /* "generated" or "imported" */
	const char *storage; /* "external" or NULL */
	const char *uuid, *label, *id;
	int64_t create_time, attest_time;
	bool has_use_count;
	uint64_t use_count;
	bool wears_out; /* it can make so many signatures, and no more */
	uint64_t signatures_left;
	const char *algorithm, *algorithm_oid, *curve_oid;
	unsigned key_size;
	struct tsb_view public_key; /* DER SubjectPublicKeyInfo */
	const char *address, *address_format;
	const char *derivation_type, *derivation_value;
	bool flag[ATTR__MAX];
	bool has_eka_sign, eka_sign; /* not all HSMs have it */
	bool has_policy;
	struct ska_policy policy;
};

/* Appends the document, both final line feeds included. */
void keyattr_format(const struct keyattr *k, struct tsb_bytes *out);
/* Refusals are TSB_E_PAYLOAD with the element and the rule. The policy is not resolved. */
int keyattr_parse(struct tsb_view xml, struct arena *a, struct keyattr *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * The document without its attest_time, key_use_count and remaining_signatures lines: the bytes
 * whose SHA-256 is the keyAttributesDigest of the timestamp extension (docs/hsm-api.md). Appends.
 */
void keyattr_stable_text(struct tsb_view xml, struct tsb_bytes *out);

#endif
