/*
 * The published samples (tests/vectors/approval-tokens.json) and what they say about themselves.
 * $SRC names the source tree; the makefile and tests/lib/run-units set it.
 */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <json-c/json.h>

#include "lib/base/arena.h"
#include "lib/ska/policy.h"
#include "lib/ska/sigalg.h"

struct vector {
	const char *name, *kind;
	struct tsb_view bytes;
	json_object *decoded;
	json_object *signatures; /* NULL = none listed */
};

extern struct vector *vectors;
extern size_t nvectors;

/* For group set-up and tear-down. */
int vectors_load(void **state);
int vectors_unload(void **state);
const struct vector *vector_by_name(const char *name);
bool vector_is(const struct vector *v, const char *kind);

/* Members; a missing one fails the test. Bytes live until vectors_unload(). */
json_object *json_need(json_object *o, const char *member);
const char *json_text(json_object *o, const char *member);
struct tsb_view json_base64(json_object *o, const char *member);
struct tsb_view json_hex(json_object *o, const char *member);
enum ska_digest json_digest(json_object *o);
/* The key of a signature entry: given as key or as certificate. */
struct tsb_view json_spki(json_object *signature);

void assert_view_text(struct tsb_view v, const char *text);
void assert_view_equal(struct tsb_view a, struct tsb_view b);
void assert_policy_is(const struct ska_policy *p, json_object *decoded);

/* Calls of a long loop are thinned out when the program runs under valgrind. */
size_t test_stride(size_t under_valgrind);

#endif
