/* Attributes that an offline HSM signed. */
#ifndef TSB_GAP_ATTESTATION_H
#define TSB_GAP_ATTESTATION_H

#include "lib/flow/context.h"
#include "lib/ska/keyattr.h"

/*
 * Keeps xml, xml_signature and attestation_key_name of in when the signature is one of a pinned key
 * (airGapped.attestationKeyFile; TSB_E_CONFIG_NOT_EXISTENT when none is pinned,
 * TSB_E_INVALID_SIGNATURE). Newer ones (attest_time) replace older ones of the same key, the same
 * again changes nothing, older ones are TSB_E_KEY_ATTRIBUTES. *k and *stored (may be NULL) describe
 * what is in force. TSB_E_UNSUPPORTED_OPERATION in the profile online.
 */
int gap_attributes_import(struct flow *f, const struct tsb_key_attributes *in, struct arena *a,
    struct keyattr *k, struct tsb_key_attributes *stored, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Checks the signature with the pinned keys, and reads the document: *k, and of *in the digest and
 * key_name, which the document gives. Nothing is stored. Errors are those of
 * gap_attributes_import().
 */
int gap_attributes_accept(struct flow *f, struct tsb_key_attributes *in, struct arena *a,
    struct keyattr *k, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Puts accepted attributes in force, with an audit row, inside the caller's transaction. *fresh
 * false: they are in force already and nothing changed. Nothing changes either when newer ones are
 * in force: *behind, or TSB_E_KEY_ATTRIBUTES where behind is NULL.
 */
int gap_attributes_keep(struct flow *f, struct store_tx *tx, const struct tsb_key_attributes *in,
    const struct keyattr *k, const char *actor, int64_t now_ms, bool *fresh, bool *behind,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
