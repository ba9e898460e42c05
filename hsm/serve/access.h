/* The keys that requests name, and what stands between a request and the use of its key. */
#ifndef TSB_HSM_SERVE_ACCESS_H
#define TSB_HSM_SERVE_ACCESS_H

#include "lib/wire/wire.h"

#include "hsm/app.h"
#include "hsm/key/cipher.h"
#include "hsm/key/sign.h"
#include "hsm/key/wrap.h"

int64_t access_seconds(const struct web_request *rq);

/*
 * TSB_E_KEY_NOT_EXISTENT. With a derivation path behind its name a key that is not stored is
 * derived for this use (key/temporary.h): TSB_E_KEY_NAME for a bad path, and as
 * access_check_derives(). As in all functions here that find a key, the caller releases it.
 */
int access_find(struct hsm_app *, struct tsb_view name, struct hsm_key **out, struct tsb_err *)
    TSB_MUSTCHECK;
/* Gives a temporary key its public half. TSB_E_KEY_PASSWORD. Does nothing to a stored one. */
int access_complete(struct hsm_app *, struct hsm_key *, struct tsb_view password, struct tsb_err *)
    TSB_MUSTCHECK;
/* For whoever reads the key without opening it. The password must fit all the same. */
int access_find_checked(struct hsm_app *, struct tsb_view name, struct tsb_view password,
    struct hsm_key **out, struct tsb_err *) TSB_MUSTCHECK;
/* One of the HSM's own keys; TSB_E_INTEGRITY_KEY when the label is another key's. */
int access_find_system(struct hsm_app *, const char *label, enum key_system, struct hsm_key **out,
    struct tsb_err *) TSB_MUSTCHECK;

/* The same with its private half. The caller releases both, the key last. */
int access_open_system(struct hsm_app *, const char *label, enum key_system, struct hsm_key **out,
    struct token_key **private_half, struct tsb_err *) TSB_MUSTCHECK;

/* Gives one that has no certificate one by itself, and keeps it with the key. */
int access_certify_system(struct hsm_app *, const char *label, int64_t seconds, struct tsb_err *)
    TSB_MUSTCHECK;

/* Stores a new key. If that fails, its private half ends too. */
int access_store(struct hsm_app *, const struct hsm_key *, struct tsb_view password,
    struct tsb_err *) TSB_MUSTCHECK;

/* TSB_E_FORBIDDEN_FOR_KEY: "key 'NAME' <why>". */
int access_refuse(const struct hsm_key *, const char *why, struct tsb_err *);
int access_check_ordinary(const struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;
/* Temporary keys are not; TSB_E_FORBIDDEN_FOR_KEY. */
int access_check_stored(const struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;
/* Others may be derived from it: TSB_E_DERIVATION, TSB_E_FORBIDDEN_FOR_KEY. */
int access_check_derives(struct hsm_app *, const struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;
int access_check_blocked(const struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;
/*
 * TSB_E_FORBIDDEN_FOR_KEY unless the key is an ordinary one that may sign, decrypt or unwrap
 * (ATTR_*) and is not blocked.
 */
int access_check_use(const struct hsm_key *, enum keyattr_flag, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Finds the algorithm of this name if the key may be used so and its token offers it. This raises
 * every error that does not depend on approvals, before anybody is asked for one.
 * TSB_E_ALGORITHM_NOT_SUPPORTED for what the key or its token cannot do.
 */
int access_select_signature(struct hsm_app *, const struct hsm_key *, const char *name, size_t n,
    const struct scheme **out, struct tsb_err *) TSB_MUSTCHECK;
int access_select_decryption(struct hsm_app *, const struct hsm_key *, const char *name,
    const struct cipher_algorithm **out, struct tsb_err *) TSB_MUSTCHECK;
int access_select_unwrapping(struct hsm_app *, const struct hsm_key *, const char *name,
    const struct wrap_method **out, struct tsb_err *) TSB_MUSTCHECK;
/* TSB_E_KEY_TYPE for keys without a policy, which cannot be blocked, unblocked or modified. */
int access_check_policy(const struct hsm_key *, struct tsb_err *) TSB_MUSTCHECK;

/*
 * Enforces the rule of the request's kind, if the key has a policy, over what will be processed.
 * Comes before the private half is opened: whoever lacks approvals gets no further, and learns
 * nothing about the password.
 */
int access_enforce(struct hsm_app *, struct web_request *rq, const struct hsm_key *,
    const struct wire_synchronous_in *in, struct tsb_view payload, struct tsb_err *) TSB_MUSTCHECK;
/* Of a change that was made already: whether those ask who may (enforce_repeat()). */
int access_enforce_repeat(struct hsm_app *, struct web_request *rq, const struct hsm_key *,
    const struct wire_synchronous_in *in, struct tsb_view payload, struct tsb_err *) TSB_MUSTCHECK;

/* The attested attributes of the key as an answer (api-notes.md 7.3). */
int access_describe(struct hsm_app *, struct web_request *rq, const struct hsm_key *,
    struct web_reply *reply, struct tsb_err *) TSB_MUSTCHECK;

/* Appends the document and its signature by an attestation key that is open. */
int access_attest(struct hsm_app *, struct web_request *rq, const struct hsm_key *,
    const struct hsm_key *attestation, struct token_key *private_half, struct tsb_bytes *xml,
    struct tsb_bytes *signature, struct tsb_err *) TSB_MUSTCHECK;

/* Warns in the log of a new key whose approvals for one use serve another one too. */
void access_warn_uses(const struct hsm_key *);
/* Logs a use in one line: never the payload, only its size and digest. algorithm may be NULL. */
void access_log(struct web_request *rq, const char *what, const struct hsm_key *,
    const char *algorithm, struct tsb_view payload, size_t approvals);

#endif
