/* Shared by the files of the REST back end. */
#ifndef TSB_HSM_REST_H
#define TSB_HSM_REST_H

#include "lib/hsm/backend.h"
#include "lib/http/client.h"

struct rest_hsm {
	struct hsm hsm; /* first: what hsm.h hands out */
	struct http_client *http;
	char *api_key[TSB_ROLE__MAX];
	char *bearer;
	long key_timeout_ms; /* of calls that make a key */
	int64_t lacks_until[HSM_OFFER__MAX]; /* monotonic ms; 0 = not known to lack it */
};

static inline struct rest_hsm *
rest_hsm_of(struct hsm *h)
{
	return (struct rest_hsm *)h;
}

/* A call of the API that HSMs offer; body is borrowed. */
struct rest_call rest_hsm_call(const struct rest_hsm *, const char *method, const char *path,
    enum tsb_role role, bool repeatable, struct tsb_view body);
/* Calls and waits for a success. Else -1, with the status in *status unless that is NULL. */
int rest_hsm_ask(struct rest_hsm *, const struct rest_call *, struct rest_reply *, int *status,
    struct tsb_err *) TSB_MUSTCHECK;
bool rest_hsm_is_success(int status);
/* Raises the error of an answer. */
int rest_hsm_raise(const struct rest_reply *, struct tsb_err *);
/* The answer that describes a key. */
int rest_hsm_attributes_read(const struct rest_reply *, const char *key_name, struct arena *a,
    struct tsb_key_attributes *out, struct tsb_err *) TSB_MUSTCHECK;

/* rest_order.c */
struct rest_call rest_hsm_synchronous(const struct rest_hsm *, enum tsb_kind, struct tsb_view body);
void rest_hsm_execute(struct hsm *, const struct hsm_order *, struct hsm_answer *);
int rest_hsm_submit(struct hsm *, const struct hsm_order *, hsm_done *, void *ctx,
    struct tsb_err *);

/* rest_pass.c */
int rest_hsm_pass(struct hsm *, const struct hsm_pass *, struct hsm_reply *, struct tsb_err *);

/* Paths that several files call; those that depend are in the arena. */
#define REST_KEY_PATH               "/v1/key"
#define REST_ATTRIBUTES_PATH        "/v1/key/attributes"
#define REST_CERTIFICATE_STORE_PATH "/v1/certificate/import/plain"
const char *rest_hsm_random_path(struct arena *a, long length);
const char *rest_hsm_certificate_path(struct arena *a, const char *key_name);

#endif
