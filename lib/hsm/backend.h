/*
 * What a kind of HSM has to bring: the functions of hsm.h, order.h and pass.h under the same names,
 * with the same promises. An implementation puts struct hsm first into a struct of its own.
 */
#ifndef TSB_HSM_BACKEND_H
#define TSB_HSM_BACKEND_H

#include "lib/hsm/order.h"
#include "lib/hsm/pass.h"

struct hsm_backend {
	struct hsm *(*open)(const struct hsm_conf *, struct tsb_err *);
	void (*close)(struct hsm *);
	bool (*offers)(const struct hsm *, enum hsm_offer);

	void (*execute)(struct hsm *, const struct hsm_order *, struct hsm_answer *);
	int (*submit)(struct hsm *, const struct hsm_order *, hsm_done *, void *ctx,
	    struct tsb_err *);
	size_t (*in_flight)(const struct hsm *);
	bool (*wait)(struct hsm *, int fd, int timeout_ms);

	int (*attributes)(struct hsm *, const char *key_name, struct tsb_view password,
	    struct arena *, struct tsb_key_attributes *, struct tsb_err *);
	int (*stamp)(struct hsm *, const struct wire_timestamp_request *, struct arena *,
	    struct wire_timestamp_reply *, struct tsb_err *);
	int (*random)(struct hsm *, size_t n, struct tsb_bytes *, struct tsb_err *);
	int (*backup_key_make)(struct hsm *, const char *label, struct tsb_err *);
	int (*certificate)(struct hsm *, const char *key_name, struct arena *, struct tsb_view *,
	    struct tsb_err *);
	int (*certificate_store)(struct hsm *, const char *key_name, struct tsb_view pem,
	    struct tsb_err *);
	int (*pass)(struct hsm *, const struct hsm_pass *, struct hsm_reply *, struct tsb_err *);
};

struct hsm {
	const struct hsm_backend *backend;
};

/* The HSM-side part of the published REST API (docs/hsm-api.md), over lib/http. */
extern const struct hsm_backend hsm_rest;

#endif
