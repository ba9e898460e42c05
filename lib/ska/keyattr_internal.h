/*
 * Between the two halves of the reader: keyattr_parse.c knows which elements may follow each other,
 * keyattr_value.c what stands in them.
 */
#ifndef TSB_SKA_KEYATTR_INTERNAL_H
#define TSB_SKA_KEYATTR_INTERNAL_H

#include "lib/ska/keyattr.h"

#define KEYATTR_XML_MAX   (1024 * 1024)
#define KEYATTR_DEPTH_MAX 8

enum keyattr_element {
	EL_DOCUMENT, /* the parent of the root */
	EL_KEY,
	EL_UUID,
	EL_LABEL,
	EL_ID,
	EL_CREATE_TIME,
	EL_ATTEST_TIME,
	EL_KEY_USE_COUNT,
	EL_REMAINING_SIGNATURES,
	EL_ALGORITHM,
	EL_ALGORITHM_OID,
	EL_CURVE_OID,
	EL_KEY_SIZE,
	EL_PUBLIC_KEY,
	EL_ADDRESS,
	EL_DERIVATION,
	EL_ATTRIBUTES,
	EL_FLAG, /* ATTR__MAX elements in a row */
	EL_EKA_SIGN = EL_FLAG + ATTR__MAX,
	EL_POLICY,
	EL_KEY_STATUS,
	EL_BLOCKED,
	EL_RULE, /* RULE__MAX elements in a row */
	EL_TOKEN = EL_RULE + RULE__MAX,
	EL_TIMELOCK,
	EL_TIMEOUT,
	EL_GROUP,
	EL_QUORUM,
	EL_APPROVAL,
	EL_OTHER, /* of newer firmware: skipped */
	EL__MAX
};

struct keyattr_reader {
	struct arena *a;
	struct tsb_err *err;
	struct keyattr k;

	/* The open elements and, for each, its latest child: order and repetition hang on it. */
	enum keyattr_element open[KEYATTR_DEPTH_MAX + 1];
	enum keyattr_element latest[KEYATTR_DEPTH_MAX + 1];
	unsigned depth;
	struct tsb_bytes text;

	/* Where the policy is being filled. */
	struct ska_rule *rule;
	struct ska_token *token;
	struct ska_group *group;
	struct ska_approver *approver;
};

#define keyattr_refuse(r, ...) (tsb_fail((r)->err, TSB_E_PAYLOAD, "key attributes: " __VA_ARGS__))

/* For messages. */
const char *keyattr_element_name(const struct keyattr_reader *r, enum keyattr_element e);

/* Makes room for the token, group or approver that e opens; nothing for other elements. */
int keyattr_take_item(struct keyattr_reader *r, enum keyattr_element e) TSB_MUSTCHECK;
/* The value of an attribute of e, by its position in the table of keyattr_parse.c. */
int keyattr_take_attribute(struct keyattr_reader *r, enum keyattr_element e, size_t which,
    const char *value) TSB_MUSTCHECK;
/* The text of e, which ends here. */
int keyattr_take_text(struct keyattr_reader *r, enum keyattr_element e, const char *text)
    TSB_MUSTCHECK;

#endif
