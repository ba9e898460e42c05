/* New keys: checks of a creation request (api-notes.md 7.1, 7.2) and generation. */
#ifndef TSB_HSM_KEY_MAKE_H
#define TSB_HSM_KEY_MAKE_H

#include "lib/wire/wire.h"

#include "hsm/key/key.h"

/* Checks everything first, then generates. now in seconds. On 0 *out has one reference. */
int keygen_from_request(struct wire_key_create *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * A key of this kind whose value was unwrapped: the raw AES key, or PKCS#8. What the request says
 * is checked first, before the value is known. TSB_E_HSM when the value is no such key.
 */
int keygen_check_import(struct wire_key_create *in, enum key_kind, struct arena *a,
    struct tsb_err *err) TSB_MUSTCHECK;
int keygen_import(const struct wire_key_create *in, enum key_kind, struct tsb_view value,
    int64_t now, struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;
/* An attestation key (RSA 3072) or a timestamp key (EC P-256): signs, cannot be deleted. */
int keygen_system(enum key_system, const char *label, int64_t now, struct hsm_key **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Fit to be a key's name (TSB_E_KEY_NAME). */
int keygen_check_label(const char *label, struct tsb_err *err) TSB_MUSTCHECK;

#endif
