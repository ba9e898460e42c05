#include "lib/first.h"

#include "lib/flow/certificate.h"
#include "lib/flow/payload.h"
#include "lib/flow/policy.h"
#include "lib/model/content.h"
#include "lib/wire/wire.h"

/* Payloads of token-format.md 2: each binds all that the approved operation will do. */

/*
 * As the HSM will see the new policy: checked, with the certificates of named approvers, and
 * without keyStatus.
 */
static int
policy_settle(struct flow *f, struct tsb_request_in *in, struct arena *a, struct tsb_err *err)
{
	tsb_bytes_auto inner = {0};
	bool named;

	if (flow_policy_check(f, in->policy, a, &named, err))
		return -1;
	if (named || wire_policy_has_status(in->inner_clean)) {
		wire_policy_replace(in->inner_clean, in->policy, false, &inner);
		in->inner_clean = arena_view(a, tsb_view_bytes(&inner));
	}
	return 0;
}

int
flow_payload(struct flow *f, struct tsb_request_in *in, struct arena *a, struct tsb_view *payload,
    struct tsb_err *err)
{
	switch (tsb_kinds[in->kind].content) {
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_CERTIFICATE:
	case CONTENT_SELF_SIGNED:
		return flow_certificate_payload(f, in, a, payload, err);
	case CONTENT_POLICY:
		if (policy_settle(f, in, a, err))
			return -1;
		break;
	case CONTENT_NONE:
	case CONTENT_BYTES:
	case CONTENT_NEW_KEY:
		break;
	}
	*payload = tsb_content_bytes(in, a);
	return 0;
}
