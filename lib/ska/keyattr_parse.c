#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/ska/keyattr.h"
#include "lib/ska/keyattr_xml.h"

enum element {
	EL_DOCUMENT, /* the parent of the root */
	EL_KEY,
	EL_UUID,
	EL_LABEL,
	EL_ID,
	EL_CREATE_TIME,
	EL_ATTEST_TIME,
	EL_KEY_USE_COUNT,
	EL_ALGORITHM,
	EL_ALGORITHM_OID,
	EL_CURVE_OID,
	EL_KEY_SIZE,
	EL_PUBLIC_KEY,
	EL_ADDRESS,
	EL_DERIVATION,
	EL_ATTRIBUTES,
	EL_FLAG, /* ATTR__MAX elements in a row */
	EL_EKA_SIGN = EL_FLAG + ATTR__MAX,
	EL_POLICY,
	EL_KEY_STATUS,
	EL_BLOCKED,
	EL_RULE, /* RULE__MAX elements in a row */
	EL_TOKEN = EL_RULE + RULE__MAX,
	EL_TIMELOCK,
	EL_TIMEOUT,
	EL_GROUP,
	EL_QUORUM,
	EL_APPROVAL,
	EL__MAX
};

struct reader {
	XML_Parser parser;
	struct arena *a;
	struct tsb_err *err;
	bool failed;
	struct keyattr k;

	/* The open elements and, for each, its latest child: order and repetition hang on it. */
	enum element open[KEYATTR_DEPTH_MAX + 1];
	enum element latest[KEYATTR_DEPTH_MAX + 1];
	unsigned depth;
	struct tsb_bytes text;

	/* Where the policy is being filled. */
	struct ska_rule *rule;
	struct ska_token *token;
	struct ska_group *group;
	struct ska_approver *approver;
};

typedef int take_text(struct reader *, enum element, const char *text);

struct attribute_row {
	const char *name;
	bool need;
};

struct element_row {
	const char *name;
	enum element parent;
	bool need, many;
	take_text *take; /* NULL: holds elements */
	struct attribute_row attribute[2];
};

static take_text take_uuid, take_name, take_time, take_use_count, take_algorithm, take_oid,
    take_key_size, take_public_key, take_address, take_derivation, take_flag, take_eka_sign,
    take_blocked, take_seconds, take_quorum, take_approval;

/* Rows stand in the order in which elements may follow each other below one parent. */
#define FLAG(a, n) [EL_FLAG + (a)] = { n, EL_ATTRIBUTES, .need = true, .take = take_flag }
#define RULE(r, n) [EL_RULE + (r)] = { n, EL_POLICY, .need = true }
static const struct element_row elements[EL__MAX] = {
	[EL_KEY] = { NULL, EL_DOCUMENT, .need = true,
	    .attribute = { { "creation", true }, { "storage", false } } },
	[EL_UUID] = { "uuid", EL_KEY, .take = take_uuid },
	[EL_LABEL] = { "label", EL_KEY, .need = true, .take = take_name },
	[EL_ID] = { "id", EL_KEY, .take = take_name },
	[EL_CREATE_TIME] = { "create_time", EL_KEY, .need = true, .take = take_time },
	[EL_ATTEST_TIME] = { "attest_time", EL_KEY, .need = true, .take = take_time },
	[EL_KEY_USE_COUNT] = { "key_use_count", EL_KEY, .take = take_use_count },
	[EL_ALGORITHM] = { "algorithm", EL_KEY, .need = true, .take = take_algorithm },
	[EL_ALGORITHM_OID] = { "algorithm_oid", EL_KEY, .take = take_oid },
	[EL_CURVE_OID] = { "curve_oid", EL_KEY, .take = take_oid },
	[EL_KEY_SIZE] = { "key_size", EL_KEY, .take = take_key_size },
	[EL_PUBLIC_KEY] = { "public_key", EL_KEY, .take = take_public_key },
	[EL_ADDRESS] = { "address_truncated", EL_KEY, .take = take_address,
	    .attribute = { { "format", true } } },
	[EL_DERIVATION] = { "derivation_value", EL_KEY, .take = take_derivation,
	    .attribute = { { "type", true } } },
	[EL_ATTRIBUTES] = { "attributes", EL_KEY, .need = true },
	FLAG(ATTR_DECRYPT, "decrypt"),
	FLAG(ATTR_SIGN, "sign"),
	FLAG(ATTR_UNWRAP, "unwrap"),
	FLAG(ATTR_DERIVE, "derive"),
	FLAG(ATTR_SENSITIVE, "sensitive"),
	FLAG(ATTR_ALWAYS_SENSITIVE, "always_sensitive"),
	FLAG(ATTR_EXTRACTABLE, "extractable"),
	FLAG(ATTR_NEVER_EXTRACTABLE, "never_extractable"),
	FLAG(ATTR_MODIFIABLE, "modifiable"),
	FLAG(ATTR_COPYABLE, "copyable"),
	FLAG(ATTR_DESTROYABLE, "destroyable"),
	FLAG(ATTR_UNIQUE, "unique"),
	[EL_EKA_SIGN] = { "eka_sign", EL_ATTRIBUTES, .take = take_eka_sign },
	[EL_POLICY] = { "policy", EL_KEY },
	[EL_KEY_STATUS] = { "key_status", EL_POLICY, .need = true },
	[EL_BLOCKED] = { "blocked", EL_KEY_STATUS, .need = true, .take = take_blocked },
	RULE(RULE_USE, "rule_use"),
	RULE(RULE_BLOCK, "rule_block"),
	RULE(RULE_UNBLOCK, "rule_unblock"),
	RULE(RULE_MODIFY, "rule_modify"),
	[EL_TOKEN] = { "token", EL_RULE, .many = true, .attribute = { { "name", false } } },
	[EL_TIMELOCK] = { "timelock", EL_TOKEN, .need = true, .take = take_seconds },
	[EL_TIMEOUT] = { "timeout", EL_TOKEN, .need = true, .take = take_seconds },
	[EL_GROUP] = { "group", EL_TOKEN, .many = true, .attribute = { { "name", false } } },
	[EL_QUORUM] = { "quorum", EL_GROUP, .need = true, .take = take_quorum },
	[EL_APPROVAL] = { "approval", EL_GROUP, .many = true, .take = take_approval,
	    .attribute = { { "type", true }, { "name", false } } },
};
#undef FLAG
#undef RULE

static const char *const roots[] = { "private_key", "secret_key", "public_key" };

#define refuse(r, ...) (tsb_fail((r)->err, TSB_E_PAYLOAD, "key attributes: " __VA_ARGS__))

static const char *
element_name(const struct reader *r, enum element e)
{
	return e == EL_DOCUMENT ? "the document" : e == EL_KEY ? r->k.root : elements[e].name;
}

/* ---- texts ---- */

static int
copy_label(struct reader *r, const char *text, size_t max, const char *what, const char **out)
{
	struct tsb_view v = tsb_view_str(text);

	if (v.n == 0 || v.n > max || !tsb_label_valid(v))
		return refuse(r, "%s must have 1 to %zu bytes without control characters", what,
		    max);
	*out = arena_str(r->a, text);
	return 0;
}

/* Digits without leading zeros: one text per number. */
static int
parse_number(struct reader *r, const char *text, uint64_t max, const char *what, uint64_t *out)
{
	uint64_t n = 0;

	if (*text == '\0' || (*text == '0' && text[1] != '\0'))
		return refuse(r, "%s is not a plain decimal number", what);
	for (const char *p = text; *p != '\0'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (*p < '0' || *p > '9')
			return refuse(r, "%s is not a plain decimal number", what);
		if (n > (max - digit) / 10)
			return refuse(r, "%s is too large", what);
		n = n * 10 + digit;
	}
	*out = n;
	return 0;
}

static int
parse_bool(struct reader *r, const char *text, const char *what, bool *out)
{
	if (!tsb_streq(text, "true") && !tsb_streq(text, "false"))
		return refuse(r, "%s is neither true nor false", what);
	*out = *text == 't';
	return 0;
}

static int
parse_base64(struct reader *r, const char *text, const char *what, struct tsb_view *out)
{
	if (!enc_base64_decode(tsb_view_str(text), r->a, out) || out->n == 0 ||
	    out->n > POLICY_VALUE_MAX)
		return refuse(r, "%s is not base64 of 1 to %d bytes", what, POLICY_VALUE_MAX);
	return 0;
}

static bool
is_upper_hex(const char *p, size_t n)
{
	return strspn(p, "0123456789ABCDEF") >= n;
}

/* XXXXXXXX-XXXXXXXX-XXXXXXXX-XXXXXXXX */
static int
take_uuid(struct reader *r, enum element e, const char *text)
{
	bool good = strlen(text) == 35;

	for (int i = 0; good && i < 4; i++)
		good = is_upper_hex(text + 9 * i, 8) && (i == 3 || text[9 * i + 8] == '-');
	if (!good)
		return refuse(r, "uuid is not four groups of eight upper-case hex digits");
	r->k.uuid = arena_str(r->a, text);
	return 0;
}

static int
take_name(struct reader *r, enum element e, const char *text)
{
	return copy_label(r, text, POLICY_NAME_MAX, element_name(r, e),
	    e == EL_LABEL ? &r->k.label : &r->k.id);
}

static int
take_time(struct reader *r, enum element e, const char *text)
{
	char again[CLOCK_ISO_SIZE];
	int64_t ms;

	if (!clock_iso_parse(text, &ms) || !tsb_streq(clock_iso(ms / 1000, again), text))
		return refuse(r, "%s is not a time of the form YYYY-MM-DDThh:mm:ssZ",
		    element_name(r, e));
	*(e == EL_CREATE_TIME ? &r->k.create_time : &r->k.attest_time) = ms / 1000;
	return 0;
}

static int
take_use_count(struct reader *r, enum element e, const char *text)
{
	r->k.has_use_count = true;
	return parse_number(r, text, UINT64_MAX, "key_use_count", &r->k.use_count);
}

static int
take_algorithm(struct reader *r, enum element e, const char *text)
{
	return copy_label(r, text, 64, "algorithm", &r->k.algorithm);
}

static int
take_oid(struct reader *r, enum element e, const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > 127 || strspn(text, "0123456789.") != n || text[0] == '.' ||
	    text[n - 1] == '.' || strstr(text, "..") != NULL)
		return refuse(r, "%s is not a dotted object identifier", element_name(r, e));
	*(e == EL_CURVE_OID ? &r->k.curve_oid : &r->k.algorithm_oid) = arena_str(r->a, text);
	return 0;
}

static int
take_key_size(struct reader *r, enum element e, const char *text)
{
	uint64_t n;

	if (parse_number(r, text, 1000000, "key_size", &n))
		return -1;
	if (n == 0)
		return refuse(r, "key_size is 0");
	r->k.key_size = (unsigned)n;
	return 0;
}

static int
take_public_key(struct reader *r, enum element e, const char *text)
{
	return parse_base64(r, text, "public_key", &r->k.public_key);
}

static int
take_address(struct reader *r, enum element e, const char *text)
{
	return copy_label(r, text, POLICY_NAME_MAX, "address_truncated", &r->k.address);
}

static int
take_derivation(struct reader *r, enum element e, const char *text)
{
	return copy_label(r, text, POLICY_NAME_MAX, "derivation_value", &r->k.derivation_value);
}

static int
take_flag(struct reader *r, enum element e, const char *text)
{
	return parse_bool(r, text, element_name(r, e), &r->k.flag[e - EL_FLAG]);
}

static int
take_eka_sign(struct reader *r, enum element e, const char *text)
{
	r->k.has_eka_sign = true;
	return parse_bool(r, text, "eka_sign", &r->k.eka_sign);
}

static int
take_blocked(struct reader *r, enum element e, const char *text)
{
	return parse_bool(r, text, "blocked", &r->k.policy.blocked);
}

static int
take_seconds(struct reader *r, enum element e, const char *text)
{
	uint64_t *out = e == EL_TIMELOCK ? &r->token->timelock : &r->token->timeout;

	if (parse_number(r, text, UINT64_MAX, element_name(r, e), out))
		return -1;
	if (e == EL_TIMEOUT && !ska_times_fit(r->token->timelock, r->token->timeout))
		return refuse(r, "timelock or timeout is too large");
	return 0;
}

static int
take_quorum(struct reader *r, enum element e, const char *text)
{
	uint64_t n;

	if (parse_number(r, text, UINT32_MAX, "quorum", &n))
		return -1;
	r->group->quorum = (uint32_t)n;
	return 0;
}

static int
take_approval(struct reader *r, enum element e, const char *text)
{
	return parse_base64(r, text, "approval", &r->approver->value);
}

/* ---- growing lists of the policy ---- */

/* Room for one more of list; doubles at powers of two, as the document does not tell its counts. */
static int
add_item(struct reader *r, void *list, size_t *n, size_t size, size_t max, const char *what,
    void **item)
{
	unsigned char *old, *fresh;

	memcpy(&old, list, sizeof(old));
	if (*n == max)
		return refuse(r, "more than %zu elements %s", max, what);
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
add_token(struct reader *r)
{
	void *item;

	if (add_item(r, &r->rule->tokens, &r->rule->ntokens, sizeof(*r->token), POLICY_TOKENS_MAX,
		"token", &item))
		return -1;
	r->token = item;
	return 0;
}

static int
add_group(struct reader *r)
{
	void *item;

	if (add_item(r, &r->token->groups, &r->token->ngroups, sizeof(*r->group),
		POLICY_GROUPS_MAX, "group", &item))
		return -1;
	r->group = item;
	return 0;
}

static int
add_approver(struct reader *r)
{
	void *item;

	if (add_item(r, &r->group->approvers, &r->group->napprovers, sizeof(*r->approver),
		POLICY_APPROVERS_MAX, "approval", &item))
		return -1;
	r->approver = item;
	return 0;
}

/* ---- attributes ---- */

static int
take_choice(struct reader *r, const char *value, const char *one, const char *other,
    const char *what, const char **out)
{
	if (tsb_streq(value, one))
		*out = one;
	else if (other != NULL && tsb_streq(value, other))
		*out = other;
	else
		return refuse(r, "attribute %s has an unknown value", what);
	return 0;
}

static int
take_attribute(struct reader *r, enum element e, size_t which, const char *value)
{
	const char *type;

	switch (e) {
	case EL_KEY:
		if (which == 0)
			return take_choice(r, value, "generated", "imported", "creation",
			    &r->k.creation);
		return take_choice(r, value, "external", NULL, "storage", &r->k.storage);
	case EL_ADDRESS:
		return copy_label(r, value, POLICY_NAME_MAX, "format", &r->k.address_format);
	case EL_DERIVATION:
		return copy_label(r, value, POLICY_NAME_MAX, "type", &r->k.derivation_type);
	case EL_TOKEN:
		return copy_label(r, value, POLICY_NAME_MAX, "name", &r->token->name);
	case EL_GROUP:
		return copy_label(r, value, POLICY_NAME_MAX, "name", &r->group->name);
	case EL_APPROVAL:
		if (which == 1)
			return copy_label(r, value, POLICY_NAME_MAX, "name", &r->approver->name);
		if (take_choice(r, value, "public_key", "certificate", "type", &type))
			return -1;
		r->approver->type = *type == 'p' ? APPROVER_PUBLIC_KEY : APPROVER_CERTIFICATE;
		return 0;
	default:
		return refuse(r, "element %s has an attribute", element_name(r, e));
	}
}

static int
take_attributes(struct reader *r, enum element e, const char **given)
{
	const struct attribute_row *known = elements[e].attribute;
	bool seen[2] = { false };

	for (; given[0] != NULL; given += 2) {
		size_t i = 0;

		while (i < 2 && !(known[i].name != NULL && tsb_streq(known[i].name, given[0])))
			i++;
		if (i == 2)
			return refuse(r, "element %s has an unknown attribute", element_name(r, e));
		seen[i] = true;
		if (take_attribute(r, e, i, given[1]))
			return -1;
	}
	for (size_t i = 0; i < 2; i++)
		if (known[i].need && !seen[i])
			return refuse(r, "element %s has no attribute %s", element_name(r, e),
			    known[i].name);
	return 0;
}

/* ---- structure ---- */

/* All rules have the same children: those of EL_RULE. */
static enum element
as_parent(enum element e)
{
	return e >= EL_RULE && e < EL_TOKEN ? EL_RULE : e;
}

static int
find_root(struct reader *r, const char *name, enum element *out)
{
	for (size_t i = 0; i < TSB_COUNT(roots); i++)
		if (tsb_streq(roots[i], name)) {
			r->k.root = roots[i];
			*out = EL_KEY;
			return 0;
		}
	return refuse(r, "unknown root element");
}

static int
find_child(struct reader *r, enum element parent, const char *name, enum element *out)
{
	if (parent == EL_DOCUMENT)
		return find_root(r, name, out);
	for (int e = EL_KEY + 1; e < EL__MAX; e++)
		if (elements[e].parent == as_parent(parent) && tsb_streq(elements[e].name, name)) {
			*out = (enum element)e;
			return 0;
		}
	return refuse(r, "unknown element in %s", element_name(r, parent));
}

/* No needed child of parent may stand between the latest one and the next (EL__MAX = the end). */
static int
check_none_skipped(struct reader *r, enum element parent, enum element latest, enum element next)
{
	for (int e = latest + 1; e < (int)next; e++)
		if (elements[e].need && elements[e].parent == as_parent(parent))
			return refuse(r, "element %s is missing or in the wrong place in %s",
			    element_name(r, (enum element)e), element_name(r, parent));
	return 0;
}

static int
enter(struct reader *r, const char *name, const char **attributes)
{
	enum element parent = r->open[r->depth], latest = r->latest[r->depth], e;

	if (r->depth == KEYATTR_DEPTH_MAX)
		return refuse(r, "nested deeper than %d", KEYATTR_DEPTH_MAX);
	if (elements[parent].take != NULL)
		return refuse(r, "element %s holds another one", element_name(r, parent));
	if (find_child(r, parent, name, &e))
		return -1;
	if (e < latest || (e == latest && !elements[e].many))
		return refuse(r, "element %s is repeated or in the wrong place", element_name(r, e));
	if (check_none_skipped(r, parent, latest, e))
		return -1;
	r->latest[r->depth] = e;
	r->depth++;
	r->open[r->depth] = e;
	r->latest[r->depth] = EL_DOCUMENT;
	tsb_bytes_reset(&r->text);

	if (e == EL_POLICY)
		r->k.has_policy = true;
	if (as_parent(e) == EL_RULE)
		r->rule = &r->k.policy.rule[e - EL_RULE];
	if ((e == EL_TOKEN && add_token(r)) || (e == EL_GROUP && add_group(r)) ||
	    (e == EL_APPROVAL && add_approver(r)))
		return -1;
	return take_attributes(r, e, attributes);
}

static int
leave(struct reader *r)
{
	enum element e = r->open[r->depth];

	if (elements[e].take != NULL) {
		if (elements[e].take(r, e, tsb_bytes_cstr(&r->text)))
			return -1;
	} else if (check_none_skipped(r, e, r->latest[r->depth], EL__MAX)) {
		return -1;
	}
	tsb_bytes_reset(&r->text);
	r->depth--;
	return 0;
}

static int
add_text(struct reader *r, const char *p, size_t n)
{
	if (elements[r->open[r->depth]].take != NULL) {
		tsb_bytes_add(&r->text, p, n);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\r\n", p[i]) == NULL)
			return refuse(r, "text between the elements of %s",
			    element_name(r, r->open[r->depth]));
	return 0;
}

/* ---- expat ---- */

static void
stop(struct reader *r)
{
	r->failed = true;
	XML_StopParser(r->parser, XML_FALSE);
}

static void
on_start(void *u, const char *name, const char **attributes)
{
	struct reader *r = u;

	if (!r->failed && enter(r, name, attributes))
		stop(r);
}

static void
on_end(void *u, const char *name)
{
	struct reader *r = u;

	if (!r->failed && leave(r))
		stop(r);
}

static void
on_text(void *u, const char *p, int n)
{
	struct reader *r = u;

	if (!r->failed && add_text(r, p, (size_t)n))
		stop(r);
}

static void
forbid(struct reader *r, const char *what)
{
	if (r->failed)
		return;
	refuse(r, "%s is not allowed", what);
	stop(r);
}

static void
on_doctype(void *u, const char *name, const char *sysid, const char *pubid, int internal)
{
	forbid(u, "a document type");
}

static void
on_comment(void *u, const char *text)
{
	forbid(u, "a comment");
}

static void
on_instruction(void *u, const char *target, const char *data)
{
	forbid(u, "a processing instruction");
}

static void
on_cdata(void *u)
{
	forbid(u, "a CDATA section");
}

static void
on_declaration(void *u, const char *version, const char *encoding, int standalone)
{
	if (!tsb_streq(version, "1.0") || !tsb_streq(encoding, "UTF-8") || standalone != -1)
		forbid(u, "an XML declaration other than version 1.0, UTF-8");
}

/*
 * Expat resolves character references without a trace; so all references are looked at beforehand.
 * CDATA and comments are refused, hence every '&' of a good document starts a reference.
 */
static int
check_references(struct tsb_view xml, struct tsb_err *err)
{
	static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };

	for (size_t at = 0; at < xml.n; at++) {
		size_t i = 0;

		if (xml.p[at] != '&')
			continue;
		while (i < TSB_COUNT(known) &&
		    (xml.n - at < strlen(known[i]) ||
			memcmp(xml.p + at, known[i], strlen(known[i])) != 0))
			i++;
		if (i == TSB_COUNT(known))
			return tsb_fail(err, TSB_E_PAYLOAD,
			    "key attributes: a reference other than amp, lt, gt, quot, apos");
	}
	return 0;
}

static void
set_handlers(struct reader *r)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	XML_SetCommentHandler(r->parser, on_comment);
	XML_SetProcessingInstructionHandler(r->parser, on_instruction);
	XML_SetStartCdataSectionHandler(r->parser, on_cdata);
	XML_SetXmlDeclHandler(r->parser, on_declaration);
}

static int
run_parser(struct reader *r, struct tsb_view xml)
{
	enum XML_Status status = XML_Parse(r->parser, (const char *)xml.p, (int)xml.n, XML_TRUE);

	if (r->failed)
		return -1;
	if (status != XML_STATUS_OK)
		return refuse(r, "not well-formed at line %lu: %s",
		    (unsigned long)XML_GetCurrentLineNumber(r->parser),
		    XML_ErrorString(XML_GetErrorCode(r->parser)));
	return 0;
}

int
keyattr_parse(struct tsb_view xml, struct arena *a, struct keyattr *out, struct tsb_err *err)
{
	static const char declaration[] = "<?xml ";
	struct reader r = { .a = a, .err = err };
	int rc;

	if (xml.n > KEYATTR_XML_MAX)
		return tsb_fail(err, TSB_E_PAYLOAD, "key attributes: longer than %d bytes",
		    KEYATTR_XML_MAX);
	if (xml.n < strlen(declaration) || memcmp(xml.p, declaration, strlen(declaration)) != 0)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "key attributes: does not start with an XML declaration");
	if (check_references(xml, err))
		return -1;
	r.parser = XML_ParserCreate("UTF-8");
	if (r.parser == NULL)
		fatal("out of memory: no XML parser");
	set_handlers(&r);
	rc = run_parser(&r, xml);
	XML_ParserFree(r.parser);
	tsb_bytes_clear(&r.text);
	if (rc == 0)
		*out = r.k;
	return rc;
}
