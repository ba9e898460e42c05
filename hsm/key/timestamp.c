#include "lib/first.h"

#include "lib/ska/sigalg.h"

#include "hsm/key/timestamp.h"
#include "hsm/key/sign.h"

int
timestamp_make(const struct hsm_key *timestamp_key, struct token_key *private_half,
    enum ska_operation operation, struct tsb_view payload, int64_t seconds, struct tsb_bytes *token,
    struct tsb_bytes *signature, struct tsb_err *err)
{
	const struct ska_timestamp t = {
	    .has_payload = operation == OP_USE || operation == OP_MODIFY,
	    .modify = operation == OP_MODIFY,
	    .payload = payload,
	    .seconds = (uint64_t)seconds,
	    .key_label = tsb_view_str(timestamp_key->label),
	};
	tsb_bytes_auto whole = {0};
	tsb_bytes_auto bare = {0};
	struct sign_how how = {.form = FORM_DER};

	ska_timestamp_format(&t, &whole);
	if (sign_select(timestamp_key, "SHA256_WITH_ECDSA", whole.n, &how.scheme, err) ||
	    sign_make(timestamp_key, private_half, &how, tsb_view_bytes(&whole), &bare, err))
		return -1;
	tsb_bytes_add_view(token, tsb_view_bytes(&whole));
	ska_signature_format(KEYTYPE_EC, DIGEST_SHA256, tsb_view_bytes(&bare), signature);
	return 0;
}
