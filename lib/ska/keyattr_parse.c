#include "lib/first.h"

#include <string.h>

#include <expat.h>

#include "lib/base/str.h"
#include "lib/ska/keyattr_internal.h"

struct attribute_row {
	const char *name;
	bool need;
};

struct element_row {
	const char *name;
	enum keyattr_element parent;
	bool need, many;
	bool text; /* else it holds elements */
	struct attribute_row attribute[2];
};

/* Rows stand in the order in which elements may follow each other below one parent. */
#define FLAG(a, n) [EL_FLAG + (a)] = {n, EL_ATTRIBUTES, .need = true, .text = true}
#define RULE(r, n) [EL_RULE + (r)] = {n, EL_POLICY, .need = true}
static const struct element_row elements[EL__MAX] = {
    [EL_KEY] = {NULL, EL_DOCUMENT, .need = true,
	.attribute = {{"creation", true}, {"storage", false}}},
    [EL_UUID] = {"uuid", EL_KEY, .text = true},
    [EL_LABEL] = {"label", EL_KEY, .need = true, .text = true},
    [EL_ID] = {"id", EL_KEY, .text = true},
    [EL_CREATE_TIME] = {"create_time", EL_KEY, .need = true, .text = true},
    [EL_ATTEST_TIME] = {"attest_time", EL_KEY, .need = true, .text = true},
    [EL_KEY_USE_COUNT] = {"key_use_count", EL_KEY, .text = true},
    [EL_REMAINING_SIGNATURES] = {"remaining_signatures", EL_KEY, .text = true},
    [EL_ALGORITHM] = {"algorithm", EL_KEY, .need = true, .text = true},
    [EL_ALGORITHM_OID] = {"algorithm_oid", EL_KEY, .text = true},
    [EL_CURVE_OID] = {"curve_oid", EL_KEY, .text = true},
    [EL_KEY_SIZE] = {"key_size", EL_KEY, .text = true},
    [EL_PUBLIC_KEY] = {"public_key", EL_KEY, .text = true},
    [EL_ADDRESS] = {"address_truncated", EL_KEY, .text = true, .attribute = {{"format", true}}},
    [EL_DERIVATION] = {"derivation_value", EL_KEY, .text = true, .attribute = {{"type", true}}},
    [EL_ATTRIBUTES] = {"attributes", EL_KEY, .need = true},
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
    [EL_EKA_SIGN] = {"eka_sign", EL_ATTRIBUTES, .text = true},
    [EL_POLICY] = {"policy", EL_KEY},
    [EL_KEY_STATUS] = {"key_status", EL_POLICY, .need = true},
    [EL_BLOCKED] = {"blocked", EL_KEY_STATUS, .need = true, .text = true},
    RULE(RULE_USE, "rule_use"),
    RULE(RULE_BLOCK, "rule_block"),
    RULE(RULE_UNBLOCK, "rule_unblock"),
    RULE(RULE_MODIFY, "rule_modify"),
    [EL_TOKEN] = {"token", EL_RULE, .many = true, .attribute = {{"name", false}}},
    [EL_TIMELOCK] = {"timelock", EL_TOKEN, .need = true, .text = true},
    [EL_TIMEOUT] = {"timeout", EL_TOKEN, .need = true, .text = true},
    [EL_GROUP] = {"group", EL_TOKEN, .many = true, .attribute = {{"name", false}}},
    [EL_QUORUM] = {"quorum", EL_GROUP, .need = true, .text = true},
    [EL_APPROVAL] = {"approval", EL_GROUP, .many = true, .text = true,
	.attribute = {{"type", true}, {"name", false}}},
    [EL_OTHER] = {"of newer firmware", EL__MAX, .many = true, .text = true},
};
#undef FLAG
#undef RULE

static const char *const roots[] = {"private_key", "secret_key", "public_key"};

const char *
keyattr_element_name(const struct keyattr_reader *r, enum keyattr_element e)
{
	return e == EL_DOCUMENT ? "the document" : e == EL_KEY ? r->k.root : elements[e].name;
}

static int
take_attributes(struct keyattr_reader *r, enum keyattr_element e, const char **given)
{
	const struct attribute_row *known = elements[e].attribute;
	bool seen[2] = {false};

	for (; given[0] != NULL; given += 2) {
		size_t i = 0;

		while (i < 2 && !(known[i].name != NULL && tsb_streq(known[i].name, given[0])))
			i++;
		if (i == 2)
			return keyattr_refuse(r, "element %s has an unknown attribute",
			    keyattr_element_name(r, e));
		seen[i] = true;
		if (keyattr_take_attribute(r, e, i, given[1]))
			return -1;
	}
	for (size_t i = 0; i < 2; i++)
		if (known[i].need && !seen[i])
			return keyattr_refuse(r, "element %s has no attribute %s",
			    keyattr_element_name(r, e), known[i].name);
	return 0;
}

/* ---- structure ---- */

/* All rules have the same children: those of EL_RULE. */
static enum keyattr_element
as_parent(enum keyattr_element e)
{
	return e >= EL_RULE && e < EL_TOKEN ? EL_RULE : e;
}

static int
find_root(struct keyattr_reader *r, const char *name, enum keyattr_element *out)
{
	for (size_t i = 0; i < TSB_COUNT(roots); i++)
		if (tsb_streq(roots[i], name)) {
			r->k.root = roots[i];
			*out = EL_KEY;
			return 0;
		}
	return keyattr_refuse(r, "unknown root element");
}

static int
find_child(struct keyattr_reader *r, enum keyattr_element parent, const char *name,
    enum keyattr_element *out)
{
	if (parent == EL_DOCUMENT)
		return find_root(r, name, out);
	for (int e = EL_KEY + 1; e < EL__MAX; e++)
		if (elements[e].parent == as_parent(parent) && tsb_streq(elements[e].name, name)) {
			*out = (enum keyattr_element)e;
			return 0;
		}
	/* it stays in the digest; in a policy it could mean that less is allowed than we think */
	if (parent == EL_KEY || parent == EL_ATTRIBUTES) {
		*out = EL_OTHER;
		return 0;
	}
	return keyattr_refuse(r, "unknown element in %s", keyattr_element_name(r, parent));
}

/* No needed child of parent may stand between the latest one and the next (EL__MAX = the end). */
static int
check_none_skipped(struct keyattr_reader *r, enum keyattr_element parent,
    enum keyattr_element latest, enum keyattr_element next)
{
	for (int e = latest + 1; e < (int)next; e++)
		if (elements[e].need && elements[e].parent == as_parent(parent))
			return keyattr_refuse(r,
			    "element %s is missing or in the wrong place in %s",
			    keyattr_element_name(r, (enum keyattr_element)e),
			    keyattr_element_name(r, parent));
	return 0;
}

static int
enter(struct keyattr_reader *r, const char *name, const char **attributes)
{
	enum keyattr_element parent = r->open[r->depth], latest = r->latest[r->depth], e;

	if (r->depth == KEYATTR_DEPTH_MAX)
		return keyattr_refuse(r, "nested deeper than %d", KEYATTR_DEPTH_MAX);
	if (elements[parent].text)
		return keyattr_refuse(r, "element %s holds another one",
		    keyattr_element_name(r, parent));
	if (find_child(r, parent, name, &e))
		return -1;
	if (e == EL_OTHER) {
		r->open[++r->depth] = e;
		tsb_bytes_reset(&r->text);
		return 0;
	}
	if (e < latest || (e == latest && !elements[e].many))
		return keyattr_refuse(r, "element %s is repeated or in the wrong place",
		    keyattr_element_name(r, e));
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
	if (keyattr_take_item(r, e))
		return -1;
	return take_attributes(r, e, attributes);
}

static int
leave(struct keyattr_reader *r)
{
	enum keyattr_element e = r->open[r->depth];

	if (e == EL_OTHER) {
		r->depth--;
		tsb_bytes_reset(&r->text);
		return 0;
	}
	if (elements[e].text) {
		if (keyattr_take_text(r, e, tsb_bytes_cstr(&r->text)))
			return -1;
	} else if (check_none_skipped(r, e, r->latest[r->depth], EL__MAX)) {
		return -1;
	}
	tsb_bytes_reset(&r->text);
	r->depth--;
	return 0;
}

static int
add_text(struct keyattr_reader *r, const char *p, size_t n)
{
	if (elements[r->open[r->depth]].text) {
		tsb_bytes_add(&r->text, p, n);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\r\n", p[i]) == NULL)
			return keyattr_refuse(r, "text between the elements of %s",
			    keyattr_element_name(r, r->open[r->depth]));
	return 0;
}

/* ---- expat ---- */

/* What expat's handlers share. */
struct session {
	struct keyattr_reader r;
	XML_Parser parser;
	bool failed; /* the reason is in err */
};

static void
stop(struct session *s)
{
	s->failed = true;
	XML_StopParser(s->parser, XML_FALSE);
}

static void
on_start(void *u, const char *name, const char **attributes)
{
	struct session *s = u;

	if (!s->failed && enter(&s->r, name, attributes))
		stop(s);
}

static void
on_end(void *u, const char *name)
{
	struct session *s = u;

	if (!s->failed && leave(&s->r))
		stop(s);
}

static void
on_text(void *u, const char *p, int n)
{
	struct session *s = u;

	if (!s->failed && add_text(&s->r, p, (size_t)n))
		stop(s);
}

static void
forbid(struct session *s, const char *what)
{
	if (s->failed)
		return;
	keyattr_refuse(&s->r, "%s is not allowed", what);
	stop(s);
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
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};

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
set_handlers(struct session *s)
{
	XML_SetUserData(s->parser, s);
	XML_SetElementHandler(s->parser, on_start, on_end);
	XML_SetCharacterDataHandler(s->parser, on_text);
	XML_SetStartDoctypeDeclHandler(s->parser, on_doctype);
	XML_SetCommentHandler(s->parser, on_comment);
	XML_SetProcessingInstructionHandler(s->parser, on_instruction);
	XML_SetStartCdataSectionHandler(s->parser, on_cdata);
	XML_SetXmlDeclHandler(s->parser, on_declaration);
}

static int
run_parser(struct session *s, struct tsb_view xml)
{
	enum XML_Status status = XML_Parse(s->parser, (const char *)xml.p, (int)xml.n, XML_TRUE);

	if (s->failed)
		return -1;
	if (status != XML_STATUS_OK)
		return keyattr_refuse(&s->r, "not well-formed: %s",
		    XML_ErrorString(XML_GetErrorCode(s->parser)));
	return 0;
}

int
keyattr_parse(struct tsb_view xml, struct arena *a, struct keyattr *out, struct tsb_err *err)
{
	static const char declaration[] = "<?xml ";
	struct session s = {.r = {.a = a, .err = err}};
	int rc;

	if (xml.n > KEYATTR_XML_MAX)
		return tsb_fail(err, TSB_E_PAYLOAD, "key attributes: longer than %d bytes",
		    KEYATTR_XML_MAX);
	if (xml.n < strlen(declaration) || memcmp(xml.p, declaration, strlen(declaration)) != 0)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "key attributes: does not start with an XML declaration");
	if (check_references(xml, err))
		return -1;
	s.parser = XML_ParserCreate("UTF-8");
	if (s.parser == NULL)
		fatal("out of memory: no XML parser");
	set_handlers(&s);
	rc = run_parser(&s, xml);
	XML_ParserFree(s.parser);
	tsb_bytes_clear(&s.r.text);
	if (rc == 0)
		*out = s.r.k;
	return rc;
}
