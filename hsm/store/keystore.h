/*
 * The directory of key files. Any number of processes may use it: a key is created exactly once and
 * is always whole, and all processes see a change or removal at their next access.
 */
#ifndef TSB_HSM_STORE_KEYSTORE_H
#define TSB_HSM_STORE_KEYSTORE_H

#include "hsm/key/key.h"
#include "hsm/store/census.h"

struct keystore;

/*
 * Opens the directory for one process, which does not fork with it. TSB_E_CONFIG_NOT_VALID when
 * others may read it. The master key is copied, and the copy wiped on close. NULL on failure.
 */
struct keystore *keystore_open(const char *path, const unsigned char master[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err);
void keystore_close(struct keystore **);

/* Where its files are and what seals them, for others of them (objects.h). */
struct keystore_place {
	int dir;
	const unsigned char *master;
};
struct keystore_place keystore_place(const struct keystore *);

/* Stores a new key. TSB_E_KEY_EXISTS when the label is in use. */
int keystore_create(struct keystore *, const struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;
/* TSB_E_KEY_NOT_EXISTENT. The caller releases the key. */
int keystore_get(struct keystore *, struct tsb_view label, struct hsm_key **out, struct tsb_err *)
    TSB_MUSTCHECK;
/*
 * Changes a key. Under the key's lock, change gets a copy and alters it (0), finds nothing to do
 * (1), or refuses (-1). The key file is always the old or the new one. After 0 the new one is on
 * disk, and every process uses it from its next access on. Label, kind and key material cannot be
 * changed.
 */
typedef int keystore_change_fn(struct hsm_key *copy, void *arg, struct tsb_err *);
int keystore_change(struct keystore *, struct tsb_view label, keystore_change_fn *change, void *arg,
    struct tsb_err *) TSB_MUSTCHECK;
/*
 * Takes the next leaf of a key that wears out (lib/crypto/hbs.h), for one signature. After 0 it is
 * used, on disk, whether it signs or not; left is how many remain. TSB_E_FORBIDDEN_FOR_KEY when
 * there is none, and when the key file is a copy or came back from a backup: leaves may have signed
 * since. That ends with keystore_settle(). TSB_E_SUBSYSTEM when the stored key is another one now.
 */
int keystore_take_leaf(struct keystore *, const struct hsm_key *, uint32_t *leaf, uint32_t *left,
    struct tsb_err *) TSB_MUSTCHECK;
/* The key signs with this leaf next, which is none before. TSB_E_INPUT, TSB_E_KEY_TYPE. */
int keystore_settle(struct keystore *, struct tsb_view label, uint32_t leaf, struct tsb_err *)
    TSB_MUSTCHECK;
/*
 * Changes a key that gets another label, which change sets. TSB_E_KEY_EXISTS when that is in use,
 * but by the same key: a rename that was cut short is ended by another one.
 */
int keystore_rename(struct keystore *, struct tsb_view label, struct tsb_view new_label,
    keystore_change_fn *change, void *arg, struct tsb_err *) TSB_MUSTCHECK;
/* Removes the key if check agrees, both under the key's lock. */
typedef int keystore_check(const struct hsm_key *, void *arg, struct tsb_err *);
int keystore_remove(struct keystore *, struct tsb_view label, keystore_check *check, void *arg,
    struct tsb_err *) TSB_MUSTCHECK;
/* Sorted labels, in the arena. Damaged files are left out and logged. */
int keystore_list(struct keystore *, struct arena *, const char ***labels, size_t *n,
    struct tsb_err *) TSB_MUSTCHECK;
int keystore_totals(struct keystore *, struct census_totals *, struct tsb_err *) TSB_MUSTCHECK;

/*
 * How often the key was used. All processes share the number, which stands beside the key file and
 * is not synced with each use: a crash of the machine may lose the latest uses. What is derived at
 * each use counts for its master.
 */
uint64_t keystore_use_count(struct keystore *, const struct hsm_key *);
void keystore_count_use(struct keystore *, const struct hsm_key *);

#endif
