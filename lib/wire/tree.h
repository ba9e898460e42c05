/*
 * A text as json-c's tree, for the reader. All strings of the tree are wiped when it is closed:
 * json-c itself frees them as they are, and any of them may be a password.
 */
#ifndef TSB_WIRE_TREE_H
#define TSB_WIRE_TREE_H

#include <json-c/json.h>

#include "lib/base/err.h"
#include "lib/base/bytes.h"

/* compact: what jsontext_compact() gave. */
int tree_open(struct tsb_view compact, struct json_object **root, struct tsb_err *err)
    TSB_MUSTCHECK;
void tree_close(struct json_object **root);
#define tree_auto struct json_object __attribute__((cleanup(tree_close)))

bool tree_is(struct json_object *v, enum json_type type);
/* Text of a string, with a NUL behind it. */
struct tsb_view tree_text(struct json_object *v);

#endif
