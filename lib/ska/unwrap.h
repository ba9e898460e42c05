/*
 * What an approval of an unwrap binds (docs/token-format.md, unwrap payload): the wrapped key, the
 * new label and the flags that the new key will have. Broker and HSM must come to the same bytes.
 */
#ifndef TSB_SKA_UNWRAP_H
#define TSB_SKA_UNWRAP_H

#include "lib/ska/keyattr.h"
#include "lib/ska/token.h"

/* The attributes of a new key as an unwrap request gives them. */
struct ska_unwrap {
	struct tsb_view wrapped_key;
	const char *label;
	bool flag[ATTR__MAX];
	bool encrypt, verify, wrap;
};

/* Appends the payload container. */
void ska_unwrap_format(const struct ska_unwrap *u, struct tsb_bytes *out);
/* A key with these flags can be the one that payload describes. */
bool ska_unwrap_fits(const struct ska_unwrap_payload *payload, const bool flag[ATTR__MAX]);

#endif
