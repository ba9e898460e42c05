/* Changes of a key that need no approval: towards stricter, and its name (api-notes.md 7.6). */
#ifndef TSB_HSM_KEY_ALTER_H
#define TSB_HSM_KEY_ALTER_H

#include "lib/wire/wire.h"

#include "hsm/key/key.h"

/*
 * Gives the key the attributes and the id of the change. TSB_E_FORBIDDEN_FOR_KEY unless it is
 * modifiable; TSB_E_KEY_ATTRIBUTES for an attribute that would allow more.
 */
int key_alter(struct hsm_key *, const struct wire_key_change *, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Gives it its new name. TSB_E_UNSUPPORTED_OPERATION when its policy asks somebody: approvals name
 * keys by their labels. TSB_E_KEY_PASSWORD.
 */
int key_rename(struct hsm_key *, const struct wire_key_change *, struct tsb_err *err) TSB_MUSTCHECK;

#endif
