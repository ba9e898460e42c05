/* The HSM client inside: shared by blocking calls (hsm.c) and calls in flight (flight.c). */
#ifndef TSB_HSM_CLIENT_H
#define TSB_HSM_CLIENT_H

#include "lib/hsm/hsm.h"
#include "lib/http/rest.h"

#define HSM_REPLY_MAX (8UL * 1024 * 1024)

struct hsm {
	struct endpoint_list endpoints;
	char *ca_file, *cert_file, *key_file;
	char *api_key[HSM_ROLE__MAX];
	struct rest_options options; /* shows the texts above */
	struct rest *rest;
	struct flights *flights; /* NULL until the first hsm_submit() */
};

/* One call on its way through the endpoints. */
struct hsm_try {
	unsigned char order[ENDPOINT_MAX];
	size_t at;
	bool repeatable;
	struct tsb_bytes said; /* what the endpoints so far did */
};

enum hsm_verdict { HSM_TRY_DONE, HSM_TRY_FAILED, HSM_TRY_NEXT };

void hsm_try_start(struct hsm *, const struct hsm_call *, struct hsm_try *);
void hsm_try_clear(struct hsm_try *);
/* The call as it goes to the endpoint whose turn it is. Texts and body of call are borrowed. */
struct rest_call hsm_try_call(struct hsm *, const struct hsm_try *, const struct hsm_call *);
/* Decides after an attempt; fills err with HSM_TRY_FAILED. Clears reply unless done. */
enum hsm_verdict hsm_try_judge(struct hsm *, struct hsm_try *, enum rest_outcome,
    struct rest_reply *, const char *why, struct tsb_err *err);

/* flight.c */
void flights_free(struct flights **);

#endif
