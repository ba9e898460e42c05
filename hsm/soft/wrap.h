/* Wrap methods (api-notes.md 12.3): how one key carries another, and of which kind that is. */
#ifndef TSB_HSM_SOFT_WRAP_H
#define TSB_HSM_SOFT_WRAP_H

#include "hsm/key/key.h"

struct wrap_method;

/* TSB_E_ALGORITHM_NOT_SUPPORTED when key, which is to wrap or unwrap, cannot do it. */
int wrap_select(const struct hsm_key *, const char *name, const struct wrap_method **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The kind of key that is wrapped. */
enum key_kind wrap_kind(const struct wrap_method *);

/* value: the raw AES key, or PKCS#8. Appends. opened is looked at for AES keys only. */
int wrap_make(const struct wrap_method *, const struct hsm_key *, const struct key_opened *,
    struct tsb_view value, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Appends the value. TSB_E_HSM "Error unwrapping key" whatever is wrong with wrapped. */
int wrap_open(const struct wrap_method *, const struct key_opened *, struct tsb_view wrapped,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

#endif
