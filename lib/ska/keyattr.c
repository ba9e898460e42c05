#include "lib/first.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/ska/keyattr.h"

const char *const keyattr_flag_xml[ATTR__MAX] = {
    [ATTR_DECRYPT] = "decrypt",
    [ATTR_SIGN] = "sign",
    [ATTR_UNWRAP] = "unwrap",
    [ATTR_DERIVE] = "derive",
    [ATTR_SENSITIVE] = "sensitive",
    [ATTR_ALWAYS_SENSITIVE] = "always_sensitive",
    [ATTR_EXTRACTABLE] = "extractable",
    [ATTR_NEVER_EXTRACTABLE] = "never_extractable",
    [ATTR_MODIFIABLE] = "modifiable",
    [ATTR_COPYABLE] = "copyable",
    [ATTR_DESTROYABLE] = "destroyable",
    [ATTR_UNIQUE] = "unique",
};

const char *const keyattr_flag_json[ATTR__MAX] = {
    [ATTR_DECRYPT] = "decrypt",
    [ATTR_SIGN] = "sign",
    [ATTR_UNWRAP] = "unwrap",
    [ATTR_DERIVE] = "derive",
    [ATTR_SENSITIVE] = "sensitive",
    [ATTR_ALWAYS_SENSITIVE] = "alwaysSensitive",
    [ATTR_EXTRACTABLE] = "extractable",
    [ATTR_NEVER_EXTRACTABLE] = "neverExtractable",
    [ATTR_MODIFIABLE] = "modifiable",
    [ATTR_COPYABLE] = "copyable",
    [ATTR_DESTROYABLE] = "destroyable",
    [ATTR_UNIQUE] = "unique",
};

static const char *const rule_elements[RULE__MAX] = {
    [RULE_USE] = "rule_use",
    [RULE_BLOCK] = "rule_block",
    [RULE_UNBLOCK] = "rule_unblock",
    [RULE_MODIFY] = "rule_modify",
};

/* Every level is one tab deeper; the reference HSM writes nothing else between elements. */
struct writer {
	struct tsb_bytes *out;
	unsigned depth;
};

static void
put_escaped(struct tsb_bytes *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		switch (*p) {
		case '&':
			tsb_bytes_add_str(out, "&amp;");
			break;
		case '<':
			tsb_bytes_add_str(out, "&lt;");
			break;
		case '>':
			tsb_bytes_add_str(out, "&gt;");
			break;
		case '"':
			tsb_bytes_add_str(out, "&quot;");
			break;
		case '\'':
			tsb_bytes_add_str(out, "&apos;");
			break;
		default:
			tsb_bytes_add(out, p, 1);
		}
}

static void
put_indent(struct writer *w)
{
	for (unsigned i = 0; i < w->depth; i++)
		tsb_bytes_add_str(w->out, "\t");
}

/*
 * "<name" with attributes given as name, value, ..., NULL; a NULL value leaves its attribute out.
 */
static void
put_start(struct writer *w, const char *name, const char *const *attributes)
{
	put_indent(w);
	tsb_bytes_addf(w->out, "<%s", name);
	for (; attributes != NULL && attributes[0] != NULL; attributes += 2) {
		if (attributes[1] == NULL)
			continue;
		tsb_bytes_addf(w->out, " %s=\"", attributes[0]);
		put_escaped(w->out, attributes[1]);
		tsb_bytes_add_str(w->out, "\"");
	}
	tsb_bytes_add_str(w->out, ">");
}

static void
open_element(struct writer *w, const char *name, const char *const *attributes)
{
	put_start(w, name, attributes);
	tsb_bytes_add_str(w->out, "\n");
	w->depth++;
}

static void
close_element(struct writer *w, const char *name)
{
	w->depth--;
	put_indent(w);
	tsb_bytes_addf(w->out, "</%s>\n", name);
}

static void
put_text_with(struct writer *w, const char *name, const char *const *attributes, const char *text)
{
	if (text == NULL)
		return;
	put_start(w, name, attributes);
	put_escaped(w->out, text);
	tsb_bytes_addf(w->out, "</%s>\n", name);
}

static void
put_text(struct writer *w, const char *name, const char *text)
{
	put_text_with(w, name, NULL, text);
}

static void
put_bool(struct writer *w, const char *name, bool value)
{
	put_text(w, name, value ? "true" : "false");
}

static void
put_number(struct writer *w, const char *name, uint64_t value)
{
	put_indent(w);
	tsb_bytes_addf(w->out, "<%s>%" PRIu64 "</%s>\n", name, value, name);
}

static void
put_time(struct writer *w, const char *name, int64_t seconds)
{
	char text[CLOCK_ISO_SIZE];

	put_text(w, name, clock_iso(seconds, text));
}

static void
put_base64(struct writer *w, const char *name, const char *const *attributes, struct tsb_view value)
{
	tsb_bytes_auto text = {0};

	enc_base64(value, &text);
	put_text_with(w, name, attributes, tsb_bytes_cstr(&text));
}

/* ---- policy ---- */

static void
put_approval(struct writer *w, const struct ska_approver *ap)
{
	const char *const attributes[] = {"type",
	    ap->type == APPROVER_PUBLIC_KEY ? "public_key" : "certificate", "name", ap->name, NULL};

	put_base64(w, "approval", attributes, ap->value);
}

static void
put_group(struct writer *w, const struct ska_group *g)
{
	const char *const attributes[] = {"name", g->name, NULL};

	open_element(w, "group", attributes);
	put_number(w, "quorum", g->quorum);
	for (size_t i = 0; i < g->napprovers; i++)
		put_approval(w, &g->approvers[i]);
	close_element(w, "group");
}

static void
put_token(struct writer *w, const struct ska_token *t)
{
	const char *const attributes[] = {"name", t->name, NULL};

	open_element(w, "token", attributes);
	put_number(w, "timelock", t->timelock);
	put_number(w, "timeout", t->timeout);
	for (size_t i = 0; i < t->ngroups; i++)
		put_group(w, &t->groups[i]);
	close_element(w, "token");
}

static void
put_policy(struct writer *w, const struct ska_policy *p)
{
	open_element(w, "policy", NULL);
	open_element(w, "key_status", NULL);
	put_bool(w, "blocked", p->blocked);
	close_element(w, "key_status");
	for (int k = 0; k < RULE__MAX; k++) {
		open_element(w, rule_elements[k], NULL);
		for (size_t i = 0; i < p->rule[k].ntokens; i++)
			put_token(w, &p->rule[k].tokens[i]);
		close_element(w, rule_elements[k]);
	}
	close_element(w, "policy");
}

/* ---- document ---- */

static void
put_identity(struct writer *w, const struct keyattr *k)
{
	put_text(w, "uuid", k->uuid);
	put_text(w, "label", k->label == NULL ? "" : k->label);
	put_text(w, "id", k->id);
	put_time(w, "create_time", k->create_time);
	put_time(w, "attest_time", k->attest_time);
	if (k->has_use_count)
		put_number(w, "key_use_count", k->use_count);
	if (k->wears_out)
		put_number(w, "remaining_signatures", k->signatures_left);
}

static void
put_material(struct writer *w, const struct keyattr *k)
{
	const char *const format[] = {"format", k->address_format, NULL};
	const char *const type[] = {"type", k->derivation_type, NULL};

	put_text(w, "algorithm", k->algorithm == NULL ? "" : k->algorithm);
	put_text(w, "algorithm_oid", k->algorithm_oid);
	put_text(w, "curve_oid", k->curve_oid);
	if (k->key_size != 0)
		put_number(w, "key_size", k->key_size);
	if (k->public_key.n != 0)
		put_base64(w, "public_key", NULL, k->public_key);
	put_text_with(w, "address_truncated", format, k->address);
	put_text_with(w, "derivation_value", type, k->derivation_value);
}

static void
put_flags(struct writer *w, const struct keyattr *k)
{
	open_element(w, "attributes", NULL);
	for (int i = 0; i < ATTR__MAX; i++)
		put_bool(w, keyattr_flag_xml[i], k->flag[i]);
	if (k->has_eka_sign)
		put_bool(w, "eka_sign", k->eka_sign);
	close_element(w, "attributes");
}

void
keyattr_format(const struct keyattr *k, struct tsb_bytes *out)
{
	const char *const attributes[] = {"creation", k->creation, "storage", k->storage, NULL};
	struct writer w = {.out = out};

	tsb_bytes_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	open_element(&w, k->root, attributes);
	put_identity(&w, k);
	put_material(&w, k);
	put_flags(&w, k);
	if (k->has_policy)
		put_policy(&w, &k->policy);
	close_element(&w, k->root);
	tsb_bytes_add_str(out, "\n");
}

/* ---- the part that changes only with the key ---- */

/*
 * Nothing but the element may stand on the line: what is cut out is not covered by the digest, and
 * a line that holds more must not be lost from it.
 */
static bool
is_line_of(struct tsb_view line, const char *name)
{
	size_t n = strlen(name), text;
	const unsigned char *p = line.p;

	if (line.n < 2 * n + 7 || p[0] != '\t' || p[1] != '<' || memcmp(p + 2, name, n) != 0 ||
	    p[2 + n] != '>' || p[line.n - 1] != '\n')
		return false;
	text = line.n - (2 * n + 7);
	p += n + 3;
	return memchr(p, '<', text) == NULL && memcmp(p + text, "</", 2) == 0 &&
	    memcmp(p + text + 2, name, n) == 0 && p[text + 2 + n] == '>';
}

void
keyattr_stable_text(struct tsb_view xml, struct tsb_bytes *out)
{
	while (xml.n > 0) {
		const unsigned char *lf = memchr(xml.p, '\n', xml.n);
		struct tsb_view line = {xml.p, lf == NULL ? xml.n : (size_t)(lf - xml.p) + 1};

		if (!is_line_of(line, "attest_time") && !is_line_of(line, "key_use_count") &&
		    !is_line_of(line, "remaining_signatures"))
			tsb_bytes_add_view(out, line);
		xml.p += line.n;
		xml.n -= line.n;
	}
}
