/*
 * Elements and containers of the token formats (docs/token-format.md): little-endian, 4-aligned,
 * strict. Reading never copies; writing appends to tsb_bytes.
 */
#ifndef TSB_SKA_TLV_H
#define TSB_SKA_TLV_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

enum tlv_tag {
	TLV_KEY_COUNT = 0x0003,
	TLV_UNWRAP_KIND = 0x0007,
	TLV_ACCESS = 0x001b,
	TLV_CAPABILITY = 0x001c,
	TLV_OPERATION = 0x003b,
	TLV_MINUTES = 0x0055,
	TLV_SECONDS = 0x0056,
	TLV_TOKEN_COUNT = 0x0059,
	TLV_GROUP_COUNT = 0x005a,
	TLV_QUORUM = 0x005b,
	TLV_TIME = 0x0107,
	TLV_LABEL = 0x1002,
	TLV_CERTIFICATE = 0x1009,
	TLV_WRAPPED_KEY = 0x100c,
	TLV_RULE_USE = 0x104e,
	TLV_RULE_BLOCK = 0x104f,
	TLV_RULE_UNBLOCK = 0x1050,
	TLV_RULE_MODIFY = 0x1051,
	TLV_PUBLIC_KEY = 0x1052,
	TLV_TIMESTAMP = 0x1054,
	TLV_APPROVAL_TOKEN = 0x1055,
	TLV_SIGNATURE = 0x1056,
	TLV_PAYLOAD = 0x1057,
	TLV_MODIFY_PAYLOAD = 0x1058,
};

/* Reads the elements of one container body in order. */
struct tlv_reader {
	struct tsb_view rest;
	const char *what; /* name of the container for messages */
};

/*
 * Checks the leading u32 of a whole container (exact length, multiple of 4) and starts at its body.
 */
int tlv_open(struct tsb_view whole, const char *what, struct tlv_reader *r, struct tsb_err *err)
    TSB_MUSTCHECK;
bool tlv_at_end(const struct tlv_reader *r);
/* Tag of the next element, or 0 at the end. */
unsigned tlv_peek(const struct tlv_reader *r);
/*
 * The next element must have this tag; padding must be inside and zero. Errors are TSB_E_PAYLOAD.
 */
int tlv_take(struct tlv_reader *r, unsigned tag, struct tsb_view *value, struct tsb_err *err)
    TSB_MUSTCHECK;
int tlv_take_u32(struct tlv_reader *r, unsigned tag, uint32_t *value, struct tsb_err *err)
    TSB_MUSTCHECK;
int tlv_take_u64(struct tlv_reader *r, unsigned tag, uint64_t *value, struct tsb_err *err)
    TSB_MUSTCHECK;
int tlv_end(const struct tlv_reader *r, struct tsb_err *err) TSB_MUSTCHECK;

/* Appends one element; from 65535 bytes on in the extended form. */
void tlv_put(struct tsb_bytes *out, unsigned tag, struct tsb_view value);
void tlv_put_u32(struct tsb_bytes *out, unsigned tag, uint32_t value);
void tlv_put_u64(struct tsb_bytes *out, unsigned tag, uint64_t value);
/* Appends u32 length and body as a container. */
void tlv_put_container(struct tsb_bytes *out, struct tsb_view body);

#endif
