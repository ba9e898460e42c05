#include "lib/first.h"

#include "lib/base/str.h"

#include "hsm/key/alter.h"

/* The value that allows less; the others never change. */
static bool
is_stricter(enum keyattr_flag flag, bool value)
{
	return flag == ATTR_SENSITIVE ? value : !value;
}

static int
refuse(const char *attribute, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_KEY_ATTRIBUTES, "attributes.%s: it can only become stricter",
	    attribute);
}

static int
alter_extra(struct hsm_key *k, unsigned bit, const char *name, bool given, bool value,
    struct tsb_err *err)
{
	if (!given || ((k->extra & bit) != 0) == value)
		return 0;
	if (value)
		return refuse(name, err);
	k->extra &= ~bit;
	return 0;
}

int
key_alter(struct hsm_key *k, const struct wire_key_change *c, struct tsb_err *err)
{
	if (!k->flag[ATTR_MODIFIABLE])
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY, "key '%s' is not modifiable",
		    k->label);
	for (int flag = 0; flag < ATTR__MAX; flag++) {
		if (!c->given[flag] || k->flag[flag] == c->flag[flag])
			continue;
		if (!is_stricter((enum keyattr_flag)flag, c->flag[flag]))
			return refuse(keyattr_flag_json[flag], err);
		k->flag[flag] = c->flag[flag];
	}
	k->flag[ATTR_UNIQUE] = !k->flag[ATTR_COPYABLE];
	if (c->id != NULL)
		k->id = arena_str(&k->arena, c->id);
	return alter_extra(k, KEY_ENCRYPT, "encrypt", c->encrypt_given, c->encrypt, err) ||
		alter_extra(k, KEY_VERIFY, "verify", c->verify_given, c->verify, err) ||
		alter_extra(k, KEY_WRAP, "wrap", c->wrap_given, c->wrap, err)
	    ? -1
	    : 0;
}

static bool
asks_somebody(const struct hsm_key *k)
{
	for (int rule = 0; k->has_policy && rule < RULE__MAX; rule++)
		if (!ska_rule_is_free(&k->policy.rule[rule]))
			return true;
	return false;
}

int
key_rename(struct hsm_key *k, const struct wire_key_change *c, struct tsb_err *err)
{
	tsb_bytes_auto part = {0};

	if (asks_somebody(k))
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "key '%s' has a policy that asks for approvals, which name it by its label",
		    k->label);
	if (key_is_stateful(k))
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "key '%s' keeps its name: its signatures are counted in one file", k->label);
	if (k->extra & KEY_PUBLIC_ONLY) {
		k->label = arena_str(&k->arena, c->new_label);
		return 0;
	}
	/* the box of a private part may be bound to the label */
	if (key_private_part(k, c->password, &part, err))
		return -1;
	k->label = arena_str(&k->arena, c->new_label);
	return key_set_private_part(k, tsb_view_bytes(&part), c->password, err);
}
