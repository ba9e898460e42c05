/*
 * The HSM behind the broker: questions about keys, orders with approvals (order.h), and bodies that
 * are passed on (pass.h). How an HSM is spoken to is the matter of a back end (backend.h).
 */
#ifndef TSB_HSM_HSM_H
#define TSB_HSM_HSM_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/model.h"
#include "lib/wire/wire.h"

struct hsm_conf {
	const char *url; /* addresses: commas = pick one at random and fall back to the others,
			  * semicolons = in this order; lib/http/endpoint.h */
	const char *api_key[TSB_ROLE__MAX]; /* NULL = none sent */
	const char *bearer; /* instead of API keys; NULL = none */
	const char *ca_file; /* NULL = the system's */
	const char *cert_file, *key_file; /* client certificate, NULL = none */
	long timeout; /* seconds for one call */
	long key_timeout; /* seconds for one that makes a key; 0 = the same */
	long connect_timeout; /* seconds */
};

struct hsm;
/* NULL and an error of the settings when they make no sense; connects when first asked. */
struct hsm *hsm_new(const struct hsm_conf *conf, struct tsb_err *err);
/* Drops orders in flight without their done(). Sets *hsm to NULL, which it may be before. */
void hsm_free(struct hsm **hsm);

/* ---- what not every HSM can do ---- */

enum hsm_offer {
	HSM_TIMESTAMPS, /* hsm_stamp() */
	HSM_CERTIFICATES, /* hsm_certificate(), hsm_certificate_store() */
	HSM_OFFER__MAX
};
/*
 * False when the HSM said that it lacks this, as long as that is believed. Not known yet is true:
 * the call that needs it fails with TSB_E_NOT_IMPLEMENTED, and this is false from then on.
 */
bool hsm_offers(const struct hsm *, enum hsm_offer);

/*
 * ---- questions: they wait, and fail with the HSM's error as ours; TSB_E_CONNECTIVITY: nobody
 * answered, TSB_E_IO: the outcome is not known. What they give lives in the arena. ----
 */

/* The key as it is now, with digest and time. TSB_E_KEY_NOT_EXISTENT, TSB_E_KEY_PASSWORD. */
int hsm_attributes(struct hsm *, const char *key_name, struct tsb_view password, struct arena *a,
    struct tsb_key_attributes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* A signed timestamp, and the digest of the key's attributes; see HSM_TIMESTAMPS. */
int hsm_stamp(struct hsm *, const struct wire_timestamp_request *, struct arena *a,
    struct wire_timestamp_reply *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Appends n bytes. */
int hsm_random(struct hsm *, size_t n, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Makes the key that backups of approvers are encrypted for. TSB_E_KEY_EXISTS. */
int hsm_backup_key_make(struct hsm *, const char *label, struct tsb_err *err) TSB_MUSTCHECK;
/* PEM. TSB_E_INVALID_CERTIFICATE: the key has none; see HSM_CERTIFICATES. */
int hsm_certificate(struct hsm *, const char *key_name, struct arena *a, struct tsb_view *pem,
    struct tsb_err *err) TSB_MUSTCHECK;
int hsm_certificate_store(struct hsm *, const char *key_name, struct tsb_view pem,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
