/* Data objects: small named values beside the keys, in files that are sealed as key files are. */
#ifndef TSB_HSM_STORE_OBJECTS_H
#define TSB_HSM_STORE_OBJECTS_H

#include "hsm/store/keystore.h"

struct data_object {
	const char *name;
	struct tsb_view value;
	bool is_private, modifiable, destroyable;
};

/* TSB_E_DATA_OBJECT_EXISTS when the name is in use. */
int objects_create(const struct keystore *, const struct data_object *, struct tsb_err *)
    TSB_MUSTCHECK;
/* TSB_E_DATA_OBJECT_NOT_EXISTENT. Texts and bytes live in the arena. */
int objects_get(const struct keystore *, struct tsb_view name, struct arena *,
    struct data_object *out, struct tsb_err *) TSB_MUSTCHECK;
/* TSB_E_FORBIDDEN_FOR_KEY unless the object is destroyable. */
int objects_remove(const struct keystore *, struct tsb_view name, struct tsb_err *) TSB_MUSTCHECK;
/* Sorted names, in the arena. Damaged files are left out and logged. */
int objects_list(const struct keystore *, struct arena *, const char ***names, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;
int objects_count(const struct keystore *, size_t *n, struct tsb_err *) TSB_MUSTCHECK;

#endif
