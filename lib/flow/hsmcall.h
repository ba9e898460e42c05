/* Calls to the HSM that use cases make before or after their transactions. */
#ifndef TSB_FLOW_HSMCALL_H
#define TSB_FLOW_HSMCALL_H

#include "lib/flow/keycache.h"
#include "lib/hsm/pass.h"
#include "lib/wire/wire.h"

/* 0 with an HSM; TSB_E_UNSUPPORTED_OPERATION in the profile air-gapped. */
int flow_hsm_need(const struct flow *f, struct tsb_err *err) TSB_MUSTCHECK;
/* hsm_pass() of the broker's HSM. */
int flow_hsm_pass(struct flow *f, const struct hsm_pass *pass, struct hsm_reply *reply,
    struct tsb_err *err) TSB_MUSTCHECK;
/* hsm_random() of the broker's HSM. */
int flow_hsm_random(struct flow *f, size_t n, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;

/* What the HSM says about a key when a request is made; without one, what is known of the key. */
struct flow_stamp {
	bool stamped; /* false: an HSM without timestamps, or no HSM */
	struct tsb_view timestamp; /* container */
	struct tsb_view signature; /* with algorithm */
	uint64_t seconds;
	const struct flow_key *key; /* current attributes; NULL: a key that was never imported */
	bool new_key; /* they are not in the database yet */
};
int flow_hsm_stamp(struct flow *f, const struct wire_timestamp_request *ask, struct arena *a,
    struct flow_stamp *out, struct tsb_err *err) TSB_MUSTCHECK;

/* The key as the HSM attests it now; TSB_E_KEY_NOT_EXISTENT, TSB_E_KEY_PASSWORD. */
int flow_hsm_attributes(struct flow *f, const char *key_name, struct tsb_view password,
    struct arena *a, struct tsb_key_attributes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* What it says; TSB_E_KEY_NOT_EXISTENT. */
int flow_hsm_key(struct flow *f, const char *label, struct arena *a, struct keyattr *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The same of a key that may have a password; TSB_E_KEY_PASSWORD. */
int flow_hsm_key_open(struct flow *f, const char *label, struct tsb_view password, struct arena *a,
    struct keyattr *out, struct tsb_err *err) TSB_MUSTCHECK;
int flow_hsm_key_exists(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
