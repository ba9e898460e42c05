/* Keys of an offline HSM, as they were imported: attributes and certificates. */
#ifndef TSB_GAP_IMPORTED_H
#define TSB_GAP_IMPORTED_H

#include "lib/flow/keycache.h"

/* The key; *key NULL when it was never imported. Valid like that of flow_key_load(). tx may be
 * NULL: a transaction of its own. */
int gap_imported_key(struct flow *f, struct store_tx *tx, const char *label,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
int gap_imported_exists(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * When the newest attributes of a forgotten key were attested: seconds of the HSM's clock; 0: no
 * key of that name was forgotten.
 */
int gap_imported_forgotten_at(struct flow *f, const char *label, int64_t *attest_time,
    struct tsb_err *err) TSB_MUSTCHECK;
/* What is known about an imported key; TSB_E_KEY_NOT_EXISTENT. stored may be NULL. */
int gap_imported_attributes(struct flow *f, const char *label, struct arena *a, struct keyattr *k,
    struct tsb_key_attributes *stored, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * After attributes came into force: open requests of the key are planned anew by them. A repeat of
 * the import repeats it.
 */
int gap_imported_plan(struct flow *f, const char *label, struct tsb_err *err) TSB_MUSTCHECK;
/* Names of imported keys in order. */
int gap_imported_list(struct flow *f, struct arena *a, const char ***labels, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
/*
 * The key is as if it had never been imported, and its open requests are cancelled. Attributes that
 * are not newer than the forgotten ones are still refused: what was replaced does not come back
 * this way. TSB_E_KEY_NOT_EXISTENT.
 */
int gap_imported_forget(struct flow *f, const char *label, struct arena *a, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- rows, for attestation.c ---- */

/* The row only remembers how new the next attributes must be. */
bool gap_imported_forgotten(const struct tsb_imported_key *row);
/* The document of a row. */
int gap_imported_load(struct flow *f, struct store_tx *tx, const struct tsb_imported_key *row,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- certificates, kept with the key that they are of ---- */

/* TSB_E_KEY_NOT_EXISTENT; TSB_E_INVALID_CERTIFICATE when it is of another key. */
int gap_certificate_import(struct flow *f, const char *label, struct tsb_view der,
    struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_FILE_NOT_FOUND when the key has none. */
int gap_certificate_get(struct flow *f, const char *label, struct arena *a, struct tsb_view *der,
    struct tsb_err *err) TSB_MUSTCHECK;
int gap_certificate_delete(struct flow *f, const char *label, struct tsb_err *err) TSB_MUSTCHECK;
/* Inside a transaction, with an audit row; der empty: none any more. */
int gap_certificate_keep(struct flow *f, struct store_tx *tx, const char *label,
    struct tsb_view der, const char *actor, struct tsb_err *err) TSB_MUSTCHECK;

#endif
