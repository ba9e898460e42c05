#include "lib/first.h"

#include "lib/flow/certificate.h"
#include "lib/flow/payload.h"
#include "lib/flow/policy.h"
#include "lib/wire/wire.h"

/* Payloads of token-format.md 2: each binds all that the approved operation will do. */

static struct tsb_view
policy_payload(const struct ska_policy *policy, struct arena *a)
{
	tsb_bytes_auto bytes = {0};

	ska_policy_format(policy, &bytes);
	return arena_view(a, tsb_view_bytes(&bytes));
}

static struct tsb_view
unwrap_payload(const struct ska_unwrap *unwrap, struct arena *a)
{
	tsb_bytes_auto bytes = {0};

	ska_unwrap_format(unwrap, &bytes);
	return arena_view(a, tsb_view_bytes(&bytes));
}

static int
modify_payload(struct flow *f, struct tsb_request_in *in, struct arena *a, struct tsb_view *payload,
    struct tsb_err *err)
{
	tsb_bytes_auto inner = {0};
	bool named;

	if (flow_policy_check(f, in->policy, a, &named, err))
		return -1;
	if (named) {
		wire_policy_replace(in->inner_clean, in->policy, false, &inner);
		in->inner_clean = arena_view(a, tsb_view_bytes(&inner));
	}
	*payload = policy_payload(in->policy, a);
	return 0;
}

int
flow_payload(struct flow *f, struct tsb_request_in *in, struct arena *a, struct tsb_view *payload,
    struct tsb_err *err)
{
	switch (in->kind) {
	case KIND_SIGN:
	case KIND_DECRYPT:
	case KIND_RESTORE_APPROVER:
		*payload = in->payload;
		return 0;
	case KIND_UNWRAP:
		*payload = unwrap_payload(&in->unwrap, a);
		return 0;
	case KIND_BLOCK:
	case KIND_UNBLOCK:
		*payload = tsb_view_of(NULL, 0);
		return 0;
	case KIND_MODIFY:
		return modify_payload(f, in, a, payload, err);
	case KIND_CERTIFICATE_REQUEST:
	case KIND_SIGN_CERTIFICATE:
	case KIND_SELF_SIGN_CERTIFICATE:
		return flow_certificate_payload(f, in, a, payload, err);
	case KIND__MAX:
		break;
	}
	return tsb_fail(err, TSB_E_IMPL, "a request of no kind");
}
