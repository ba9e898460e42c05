#include "lib/first.h"

#include "lib/ska/unwrap.h"

/* Element 0x0007 of the published samples, all of which unwrap a symmetric key with an RSA key; the
 * only keys with a policy that unwrap anything are RSA keys. */
#define UNWRAP_SYMMETRIC 3

enum capability_bit {
	CAN_ENCRYPT = 1 << 0,
	CAN_DECRYPT = 1 << 1,
	CAN_SIGN = 1 << 2,
	CAN_VERIFY = 1 << 3,
	CAN_WRAP = 1 << 4,
	CAN_UNWRAP = 1 << 5,
	CAN_DERIVE = 1 << 6,
};

enum access_bit {
	IS_SENSITIVE = 1 << 0,
	IS_EXTRACTABLE = 1 << 1,
	IS_MODIFIABLE = 1 << 2,
	IS_COPYABLE = 1 << 3,
	IS_TOKEN = 1 << 5, /* kept, not of one session only */
	IS_INDESTRUCTIBLE = 1 << 6,
};

/* Of the flags that attributes show, too. */
static uint32_t
shown_capabilities(const bool flag[ATTR__MAX])
{
	return (flag[ATTR_DECRYPT] ? CAN_DECRYPT : 0u) | (flag[ATTR_SIGN] ? CAN_SIGN : 0u) |
	    (flag[ATTR_UNWRAP] ? CAN_UNWRAP : 0u) | (flag[ATTR_DERIVE] ? CAN_DERIVE : 0u);
}

static uint32_t
shown_access(const bool flag[ATTR__MAX])
{
	return IS_TOKEN | (flag[ATTR_SENSITIVE] ? IS_SENSITIVE : 0u) |
	    (flag[ATTR_EXTRACTABLE] ? IS_EXTRACTABLE : 0u) |
	    (flag[ATTR_MODIFIABLE] ? IS_MODIFIABLE : 0u) |
	    (flag[ATTR_COPYABLE] ? IS_COPYABLE : 0u) |
	    (flag[ATTR_DESTROYABLE] ? 0u : IS_INDESTRUCTIBLE);
}

void
ska_unwrap_format(const struct ska_unwrap *u, struct tsb_bytes *out)
{
	struct ska_unwrap_payload payload = {
	    .kind = UNWRAP_SYMMETRIC,
	    .capabilities = (u->encrypt ? CAN_ENCRYPT : 0u) | (u->verify ? CAN_VERIFY : 0u) |
		(u->wrap ? CAN_WRAP : 0u) | shown_capabilities(u->flag),
	    .access = shown_access(u->flag),
	    .wrapped_key = u->wrapped_key,
	    .label = tsb_view_str(u->label),
	};

	ska_unwrap_payload_format(&payload, out);
}

bool
ska_unwrap_fits(const struct ska_unwrap_payload *payload, const bool flag[ATTR__MAX])
{
	const uint32_t hidden = CAN_ENCRYPT | CAN_VERIFY | CAN_WRAP;

	return (payload->capabilities & ~hidden) == shown_capabilities(flag) &&
	    payload->access == shown_access(flag);
}
