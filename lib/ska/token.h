/*
 * Timestamp token, approval token, signed approval, unwrap payload (token-format.md 2, 3, 5, 7).
 * Parsed structs hold views into the input; re-formatting them gives the same bytes (checked by the
 * parsers as their last step). All refusals are TSB_E_PAYLOAD unless said otherwise. A token and
 * the timestamp inside must carry the same payload; an empty one counts as none for block and
 * unblock.
 */
#ifndef TSB_SKA_TOKEN_H
#define TSB_SKA_TOKEN_H

#include "lib/ska/policy.h"
#include "lib/ska/tlv.h"

#define TOKEN_MAX         (4 * 1024 * 1024)
#define TOKEN_PAYLOAD_MAX (1024 * 1024)
#define TOKEN_LABEL_MAX   255

enum ska_operation { OP_USE = 1, OP_BLOCK = 2, OP_UNBLOCK = 3, OP_MODIFY = 4 };
/* The rule of a policy that guards it. */
enum ska_rule_kind ska_operation_rule(enum ska_operation);

/* Timestamp token: what the HSM's timestamp key signs, its u32 included. */
struct ska_timestamp {
	struct tsb_view whole; /* the container as received or as made */
	bool has_payload; /* false for block and unblock */
	bool modify; /* payload element is TLV_MODIFY_PAYLOAD */
	struct tsb_view payload;
	uint64_t seconds;
	struct tsb_view key_label;
};

struct ska_approval_token {
	struct tsb_view whole; /* exactly what approvers sign */
	enum ska_operation operation;
	struct tsb_view label; /* of the key; may be empty */
	bool has_timestamp;
	struct ska_timestamp timestamp;
	struct tsb_view timestamp_signature; /* DER, as in sigalg.h */
	bool has_payload;
	struct tsb_view
	    payload; /* TLV_PAYLOAD, or TLV_MODIFY_PAYLOAD for OP_MODIFY (whole policy) */
};

struct ska_signed_approval {
	struct tsb_view whole;
	struct ska_approval_token token;
	struct tsb_view signature; /* DER, as in sigalg.h */
	bool is_certificate;
	struct tsb_view approver; /* SubjectPublicKeyInfo or certificate */
};

struct ska_unwrap_payload {
	uint32_t kind;
	uint32_t capabilities, access;
	struct tsb_view wrapped_key;
	struct tsb_view label;
};

int ska_timestamp_parse(struct tsb_view, struct ska_timestamp *, struct tsb_err *) TSB_MUSTCHECK;
int ska_approval_token_parse(struct tsb_view, struct ska_approval_token *, struct tsb_err *)
    TSB_MUSTCHECK;
int ska_signed_approval_parse(struct tsb_view, struct ska_signed_approval *, struct tsb_err *)
    TSB_MUSTCHECK;
int ska_unwrap_payload_parse(struct tsb_view, struct ska_unwrap_payload *, struct tsb_err *)
    TSB_MUSTCHECK;

/* Formatters append to out; they read every member but whole. */
void ska_timestamp_format(const struct ska_timestamp *, struct tsb_bytes *out);
/* Embeds timestamp.whole as it is. */
void ska_approval_token_format(const struct ska_approval_token *, struct tsb_bytes *out);
/* Embeds token.whole as it is. */
void ska_signed_approval_format(const struct ska_signed_approval *, struct tsb_bytes *out);
void ska_unwrap_payload_format(const struct ska_unwrap_payload *, struct tsb_bytes *out);

#endif
