#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/ska/keyattr_internal.h"

/* ---- texts ---- */

static int
copy_label(struct keyattr_reader *r, const char *text, size_t max, const char *what,
    const char **out)
{
	struct tsb_view v = tsb_view_str(text);

	if (v.n == 0 || v.n > max || !tsb_label_valid(v))
		return keyattr_refuse(r, "%s must have 1 to %zu bytes without control characters",
		    what, max);
	*out = arena_str(r->a, text);
	return 0;
}

/* Digits without leading zeros: one text per number. */
static int
parse_number(struct keyattr_reader *r, const char *text, uint64_t max, const char *what,
    uint64_t *out)
{
	uint64_t n = 0;

	if (*text == '\0' || (*text == '0' && text[1] != '\0'))
		return keyattr_refuse(r, "%s is not a plain decimal number", what);
	for (const char *p = text; *p != '\0'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (*p < '0' || *p > '9')
			return keyattr_refuse(r, "%s is not a plain decimal number", what);
		if (n > (max - digit) / 10)
			return keyattr_refuse(r, "%s is too large", what);
		n = n * 10 + digit;
	}
	*out = n;
	return 0;
}

static int
parse_bool(struct keyattr_reader *r, const char *text, const char *what, bool *out)
{
	if (!tsb_streq(text, "true") && !tsb_streq(text, "false"))
		return keyattr_refuse(r, "%s is neither true nor false", what);
	*out = *text == 't';
	return 0;
}

static int
parse_base64(struct keyattr_reader *r, const char *text, const char *what, struct tsb_view *out)
{
	if (!enc_base64_decode(tsb_view_str(text), r->a, out) || out->n == 0 ||
	    out->n > POLICY_VALUE_MAX)
		return keyattr_refuse(r, "%s is not base64 of 1 to %d bytes", what,
		    POLICY_VALUE_MAX);
	return 0;
}

static bool
is_upper_hex(const char *p, size_t n)
{
	return strspn(p, "0123456789ABCDEF") >= n;
}

/* XXXXXXXX-XXXXXXXX-XXXXXXXX-XXXXXXXX */
static int
take_uuid(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	bool good = strlen(text) == 35;

	for (int i = 0; good && i < 4; i++)
		good = is_upper_hex(text + 9 * i, 8) && (i == 3 || text[9 * i + 8] == '-');
	if (!good)
		return keyattr_refuse(r, "uuid is not four groups of eight upper-case hex digits");
	r->k.uuid = arena_str(r->a, text);
	return 0;
}

static int
take_name(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return copy_label(r, text, POLICY_NAME_MAX, keyattr_element_name(r, e),
	    e == EL_LABEL ? &r->k.label : &r->k.id);
}

static int
take_time(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	char again[CLOCK_ISO_SIZE];
	int64_t ms;

	if (!clock_iso_parse(text, &ms) || !tsb_streq(clock_iso(ms / 1000, again), text))
		return keyattr_refuse(r, "%s is not a time of the form YYYY-MM-DDThh:mm:ssZ",
		    keyattr_element_name(r, e));
	*(e == EL_CREATE_TIME ? &r->k.create_time : &r->k.attest_time) = ms / 1000;
	return 0;
}

static int
take_use_count(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	r->k.has_use_count = true;
	return parse_number(r, text, UINT64_MAX, "key_use_count", &r->k.use_count);
}

static int
take_remaining_signatures(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	r->k.wears_out = true;
	return parse_number(r, text, UINT32_MAX, "remaining_signatures", &r->k.signatures_left);
}

static int
take_algorithm(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return copy_label(r, text, 64, "algorithm", &r->k.algorithm);
}

static int
take_oid(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > 127 || strspn(text, "0123456789.") != n || text[0] == '.' ||
	    text[n - 1] == '.' || strstr(text, "..") != NULL)
		return keyattr_refuse(r, "%s is not a dotted object identifier",
		    keyattr_element_name(r, e));
	*(e == EL_CURVE_OID ? &r->k.curve_oid : &r->k.algorithm_oid) = arena_str(r->a, text);
	return 0;
}

static int
take_key_size(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	uint64_t n;

	if (parse_number(r, text, 1000000, "key_size", &n))
		return -1;
	if (n == 0)
		return keyattr_refuse(r, "key_size is 0");
	r->k.key_size = (unsigned)n;
	return 0;
}

static int
take_public_key(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return parse_base64(r, text, "public_key", &r->k.public_key);
}

static int
take_address(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return copy_label(r, text, POLICY_NAME_MAX, "address_truncated", &r->k.address);
}

static int
take_derivation(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return copy_label(r, text, POLICY_NAME_MAX, "derivation_value", &r->k.derivation_value);
}

static int
take_flag(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return parse_bool(r, text, keyattr_element_name(r, e), &r->k.flag[e - EL_FLAG]);
}

static int
take_eka_sign(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	r->k.has_eka_sign = true;
	return parse_bool(r, text, "eka_sign", &r->k.eka_sign);
}

static int
take_blocked(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return parse_bool(r, text, "blocked", &r->k.policy.blocked);
}

static int
take_seconds(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	uint64_t *out = e == EL_TIMELOCK ? &r->token->timelock : &r->token->timeout;

	if (parse_number(r, text, UINT64_MAX, keyattr_element_name(r, e), out))
		return -1;
	if (e == EL_TIMEOUT && !ska_times_fit(r->token->timelock, r->token->timeout))
		return keyattr_refuse(r, "timelock or timeout is too large");
	return 0;
}

static int
take_quorum(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	uint64_t n;

	if (parse_number(r, text, UINT32_MAX, "quorum", &n))
		return -1;
	r->group->quorum = (uint32_t)n;
	return 0;
}

static int
take_approval(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	return parse_base64(r, text, "approval", &r->approver->value);
}

typedef int take_text(struct keyattr_reader *, enum keyattr_element, const char *text);

/* Flags are a row of elements with one reader. */
static take_text *const takers[EL__MAX] = {
    [EL_UUID] = take_uuid,
    [EL_LABEL] = take_name,
    [EL_ID] = take_name,
    [EL_CREATE_TIME] = take_time,
    [EL_ATTEST_TIME] = take_time,
    [EL_KEY_USE_COUNT] = take_use_count,
    [EL_REMAINING_SIGNATURES] = take_remaining_signatures,
    [EL_ALGORITHM] = take_algorithm,
    [EL_ALGORITHM_OID] = take_oid,
    [EL_CURVE_OID] = take_oid,
    [EL_KEY_SIZE] = take_key_size,
    [EL_PUBLIC_KEY] = take_public_key,
    [EL_ADDRESS] = take_address,
    [EL_DERIVATION] = take_derivation,
    [EL_EKA_SIGN] = take_eka_sign,
    [EL_BLOCKED] = take_blocked,
    [EL_TIMELOCK] = take_seconds,
    [EL_TIMEOUT] = take_seconds,
    [EL_QUORUM] = take_quorum,
    [EL_APPROVAL] = take_approval,
};

int
keyattr_take_text(struct keyattr_reader *r, enum keyattr_element e, const char *text)
{
	if (e >= EL_FLAG && e < EL_FLAG + ATTR__MAX)
		return take_flag(r, e, text);
	return takers[e](r, e, text);
}

/* ---- growing lists of the policy ---- */

/* Room for one more of list; doubles at powers of two, as the document does not tell its counts. */
static int
add_item(struct keyattr_reader *r, void *list, size_t *n, size_t size, size_t max, const char *what,
    void **item)
{
	unsigned char *old, *fresh;

	memcpy(&old, list, sizeof(old));
	if (*n == max)
		return keyattr_refuse(r, "more than %zu elements %s", max, what);
	if ((*n & (*n - 1)) == 0) {
		fresh = arena_array(r->a, *n == 0 ? 1 : *n * 2, size);
		if (*n != 0)
			memcpy(fresh, old, *n * size);
		memcpy(list, &fresh, sizeof(fresh));
		old = fresh;
	}
	*item = old + *n * size;
	++*n;
	return 0;
}

static int
add_token(struct keyattr_reader *r)
{
	void *item;

	if (add_item(r, &r->rule->tokens, &r->rule->ntokens, sizeof(*r->token), POLICY_TOKENS_MAX,
		"token", &item))
		return -1;
	r->token = item;
	return 0;
}

static int
add_group(struct keyattr_reader *r)
{
	void *item;

	if (add_item(r, &r->token->groups, &r->token->ngroups, sizeof(*r->group), POLICY_GROUPS_MAX,
		"group", &item))
		return -1;
	r->group = item;
	return 0;
}

static int
add_approver(struct keyattr_reader *r)
{
	void *item;

	if (add_item(r, &r->group->approvers, &r->group->napprovers, sizeof(*r->approver),
		POLICY_APPROVERS_MAX, "approval", &item))
		return -1;
	r->approver = item;
	return 0;
}

int
keyattr_take_item(struct keyattr_reader *r, enum keyattr_element e)
{
	if (e == EL_TOKEN)
		return add_token(r);
	if (e == EL_GROUP)
		return add_group(r);
	return e == EL_APPROVAL ? add_approver(r) : 0;
}

/* ---- attributes ---- */

static int
take_choice(struct keyattr_reader *r, const char *value, const char *one, const char *other,
    const char *what, const char **out)
{
	if (tsb_streq(value, one))
		*out = one;
	else if (other != NULL && tsb_streq(value, other))
		*out = other;
	else
		return keyattr_refuse(r, "attribute %s has an unknown value", what);
	return 0;
}

/* Where the attribute goes that is a name of any kind; NULL for those with a choice, or none. */
static const char **
name_place(struct keyattr_reader *r, enum keyattr_element e, size_t which)
{
	if (e == EL_TOKEN)
		return &r->token->name;
	if (e == EL_GROUP)
		return &r->group->name;
	if (e == EL_APPROVAL && which == 1)
		return &r->approver->name;
	return NULL;
}

int
keyattr_take_attribute(struct keyattr_reader *r, enum keyattr_element e, size_t which,
    const char *value)
{
	const char **name = name_place(r, e, which), *type;

	if (name != NULL)
		return copy_label(r, value, POLICY_NAME_MAX, "name", name);
	if (e == EL_ADDRESS)
		return copy_label(r, value, POLICY_NAME_MAX, "format", &r->k.address_format);
	if (e == EL_DERIVATION)
		return copy_label(r, value, POLICY_NAME_MAX, "type", &r->k.derivation_type);
	if (e == EL_KEY && which == 0)
		return take_choice(r, value, "generated", "imported", "creation", &r->k.creation);
	if (e == EL_KEY)
		return take_choice(r, value, "external", NULL, "storage", &r->k.storage);
	if (e != EL_APPROVAL)
		return keyattr_refuse(r, "element %s has an attribute", keyattr_element_name(r, e));
	if (take_choice(r, value, "public_key", "certificate", "type", &type))
		return -1;
	r->approver->type = *type == 'p' ? APPROVER_PUBLIC_KEY : APPROVER_CERTIFICATE;
	return 0;
}
