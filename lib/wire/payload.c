/*
 * The payload of a signature: base64, or hex digits where payloadType is HEX (api-notes.md 4.5).
 * The difference ends here: what is kept, carried or given to an HSM is base64, because 64 hex
 * digits are also base64 of other bytes, and a reader that does not know HEX would sign those.
 */
#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/wire/field.h"

bool
wire_payload_is_hex(const char *payload_type)
{
	return tsb_streq(payload_type, "HEX");
}

void
wire_payload_replace(struct tsb_view object, struct tsb_view payload, struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0}, object_base64 = {0};

	emit_base64(&text, NULL, payload);
	jsontext_replace(object, "payload", tsb_view_bytes(&text), &object_base64);
	jsontext_replace(tsb_view_bytes(&object_base64), "payloadType",
	    tsb_view_str("\"UNSPECIFIED\""), out);
}

void
wire_payload_replace_in(struct tsb_view body, const char *envelope, struct tsb_view payload,
    struct tsb_bytes *out)
{
	tsb_bytes_auto text = {0};
	struct tsb_view inner;

	if (!wire_member_text(body, envelope, &inner))
		return;
	wire_payload_replace(inner, payload, &text);
	jsontext_replace(body, envelope, tsb_view_bytes(&text), out);
}
