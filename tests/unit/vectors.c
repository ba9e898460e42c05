#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "tests/unit/vectors.h"

struct vector *vectors;
size_t nvectors;

static json_object *document;
static struct arena memory;

json_object *
json_need(json_object *o, const char *member)
{
	json_object *value = NULL;

	if (!json_object_object_get_ex(o, member, &value))
		fail_msg("vector without member %s", member);
	return value;
}

const char *
json_text(json_object *o, const char *member)
{
	return json_object_get_string(json_need(o, member));
}

struct tsb_view
json_base64(json_object *o, const char *member)
{
	struct tsb_view out = {NULL, 0};

	assert_true(enc_base64_decode(tsb_view_str(json_text(o, member)), &memory, &out));
	return out;
}

struct tsb_view
json_hex(json_object *o, const char *member)
{
	struct tsb_view out = {NULL, 0};

	assert_true(enc_hex_decode(tsb_view_str(json_text(o, member)), &memory, &out));
	return out;
}

enum ska_digest
json_digest(json_object *o)
{
	assert_string_equal(json_text(o, "digest"), "sha256");
	return DIGEST_SHA256;
}

struct tsb_view
json_spki(json_object *signature)
{
	struct tsb_view key = json_base64(signature, "key");
	struct tsb_err err;

	if (tsb_streq(json_text(signature, "key_type"), "certificate"))
		assert_int_equal(crypto_cert_spki(key, &memory, &key, &err), 0);
	return key;
}

void
assert_view_equal(struct tsb_view a, struct tsb_view b)
{
	assert_int_equal(a.n, b.n);
	if (a.n > 0)
		assert_memory_equal(a.p, b.p, a.n);
}

void
assert_view_text(struct tsb_view v, const char *text)
{
	assert_view_equal(v, tsb_view_str(text));
}

/* ---- policies ---- */

static void
assert_name_is(const char *name, json_object *o)
{
	json_object *given = NULL;

	if (json_object_object_get_ex(o, "name", &given) && given != NULL)
		assert_string_equal(name, json_object_get_string(given));
	else
		assert_null(name);
}

static void
assert_group_is(const struct ska_group *g, json_object *o)
{
	json_object *list = json_need(o, "approvers");

	assert_name_is(g->name, o);
	assert_int_equal(g->quorum, json_object_get_int64(json_need(o, "quorum")));
	assert_int_equal(g->napprovers, json_object_array_length(list));
	for (size_t i = 0; i < g->napprovers; i++) {
		json_object *ap = json_object_array_get_idx(list, i);

		assert_name_is(g->approvers[i].name, ap);
		assert_int_equal(g->approvers[i].type,
		    tsb_streq(json_text(ap, "type"), "certificate") ? APPROVER_CERTIFICATE
								    : APPROVER_PUBLIC_KEY);
		assert_view_equal(g->approvers[i].value, json_base64(ap, "value"));
	}
}

static void
assert_rule_is(const struct ska_rule *rule, json_object *o)
{
	json_object *tokens = json_need(o, "tokens");

	assert_int_equal(rule->ntokens, json_object_array_length(tokens));
	for (size_t i = 0; i < rule->ntokens; i++) {
		const struct ska_token *t = &rule->tokens[i];
		json_object *token = json_object_array_get_idx(tokens, i);
		json_object *groups = json_need(token, "groups");

		assert_name_is(t->name, token);
		assert_int_equal(t->timelock,
		    json_object_get_int64(json_need(token, "timelock_seconds")));
		assert_int_equal(t->timeout,
		    json_object_get_int64(json_need(token, "timeout_seconds")));
		assert_int_equal(t->ngroups, json_object_array_length(groups));
		for (size_t g = 0; g < t->ngroups; g++)
			assert_group_is(&t->groups[g], json_object_array_get_idx(groups, g));
	}
}

void
assert_policy_is(const struct ska_policy *p, json_object *decoded)
{
	static const char *const names[RULE__MAX] = {"use", "block", "unblock", "modify"};
	json_object *rules = json_need(decoded, "rules");

	assert_int_equal(json_object_array_length(rules), RULE__MAX);
	for (size_t k = 0; k < RULE__MAX; k++) {
		json_object *rule = json_object_array_get_idx(rules, k);

		assert_string_equal(json_text(rule, "rule"), names[k]);
		assert_rule_is(&p->rule[k], rule);
	}
}

/* ---- the file ---- */

int
vectors_load(void **state)
{
	const char *src = getenv("SRC");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/vectors/approval-tokens.json",
	    src == NULL ? "." : src);
	document = json_object_from_file(path);
	if (document == NULL) {
		fprintf(stderr, "%s: cannot be read (SRC names the source tree)\n", path);
		return -1;
	}
	nvectors = json_object_array_length(document);
	vectors = arena_array(&memory, nvectors, sizeof(*vectors));
	for (size_t i = 0; i < nvectors; i++) {
		json_object *o = json_object_array_get_idx(document, i);
		json_object *signatures = NULL;

		json_object_object_get_ex(o, "signatures", &signatures);
		vectors[i] = (struct vector){.name = json_text(o, "name"),
		    .kind = json_text(o, "kind"),
		    .bytes = json_base64(o, "base64"),
		    .decoded = json_need(o, "decoded"),
		    .signatures = signatures};
	}
	return nvectors > 0 ? 0 : -1;
}

int
vectors_unload(void **state)
{
	json_object_put(document);
	arena_clear(&memory);
	return 0;
}

const struct vector *
vector_by_name(const char *name)
{
	for (size_t i = 0; i < nvectors; i++)
		if (tsb_streq(vectors[i].name, name))
			return &vectors[i];
	fail_msg("no vector %s", name);
	return NULL;
}

bool
vector_is(const struct vector *v, const char *kind)
{
	return tsb_streq(v->kind, kind);
}

size_t
test_stride(size_t under_valgrind)
{
	const char *v = getenv("VALGRIND");

	return v != NULL && *v != '\0' ? under_valgrind : 1;
}
