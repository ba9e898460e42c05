#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/model/content.h"

static struct tsb_view
policy_bytes(const struct ska_policy *policy, struct arena *a)
{
	tsb_bytes_auto bytes = {0};

	ska_policy_format(policy, &bytes);
	return arena_view(a, tsb_view_bytes(&bytes));
}

static struct tsb_view
new_key_bytes(const struct ska_unwrap *unwrap, struct arena *a)
{
	tsb_bytes_auto bytes = {0};

	ska_unwrap_format(unwrap, &bytes);
	return arena_view(a, tsb_view_bytes(&bytes));
}

struct tsb_view
tsb_content_bytes(const struct tsb_request_in *in, struct arena *a)
{
	switch (tsb_kinds[in->kind].content) {
	case CONTENT_BYTES:
		return in->payload;
	case CONTENT_NEW_KEY:
		return new_key_bytes(&in->unwrap, a);
	case CONTENT_POLICY:
		return policy_bytes(in->policy, a);
	case CONTENT_NONE:
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_CERTIFICATE:
	case CONTENT_SELF_SIGNED:
		break;
	}
	return tsb_view_of(NULL, 0);
}

/*
 * The new key is not told by its name alone: somebody may have made one of that name meanwhile.
 * A key that was unwrapped was not generated.
 */
static int
new_key_shows(const struct keyattr *key, struct tsb_view content, int64_t asked, bool *shows,
    struct tsb_err *err)
{
	struct ska_unwrap_payload made;

	if (ska_unwrap_payload_parse(content, &made, err))
		return -1;
	*shows = key->create_time >= asked && tsb_streq(key->creation, "imported") &&
	    ska_unwrap_fits(&made, key->flag);
	return 0;
}

int
tsb_effect_shows(enum tsb_kind kind, const struct keyattr *key, struct tsb_view content,
    int64_t asked, bool *shows, struct tsb_err *err)
{
	tsb_bytes_auto policy = {0};

	*shows = false;
	switch (tsb_kinds[kind].effect) {
	case EFFECT_BLOCKED:
		*shows = key->has_policy && key->policy.blocked;
		break;
	case EFFECT_UNBLOCKED:
		*shows = key->has_policy && !key->policy.blocked;
		break;
	case EFFECT_POLICY:
		if (key->has_policy)
			ska_policy_format(&key->policy, &policy);
		*shows = key->has_policy && tsb_view_eq(tsb_view_bytes(&policy), content);
		break;
	case EFFECT_NEW_KEY:
		return new_key_shows(key, content, asked, shows, err);
	case EFFECT_SIGNATURE:
	case EFFECT_PLAIN_TEXT:
	case EFFECT_CERTIFICATE:
	case EFFECT_CODE:
		break;
	}
	return 0;
}
