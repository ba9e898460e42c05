/* Derivation paths: what stands behind the first '/' in the name of a derived key (BIP-32). */
#ifndef TSB_HSM_KEY_PATH_H
#define TSB_HSM_KEY_PATH_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* As many as fit into a label. */
#define KEY_PATH_MAX 127

#define KEY_PATH_HARDENED UINT32_C(0x80000000)

struct key_path {
	size_t n; /* at least 1 */
	uint32_t v[KEY_PATH_MAX]; /* KEY_PATH_HARDENED is set where "'" stands */
};

/*
 * Reads "44'/0'/7". A path has one spelling (no leading zeros, no 'h' for "'"), because a stored
 * key is found by its text: another spelling would go round its policy. TSB_E_KEY_NAME.
 */
int key_path_parse(struct tsb_view text, struct key_path *out, struct tsb_err *err) TSB_MUSTCHECK;
/* What stands before the first '/', and behind it; false when there is none. */
bool key_path_split(struct tsb_view name, struct tsb_view *master, struct tsb_view *path);

#endif
