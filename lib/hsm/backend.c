#include "lib/first.h"

#include "lib/hsm/backend.h"

/* Every address of today means REST; another kind of HSM is told by its address. */
static const struct hsm_backend *
backend_of(const struct hsm_conf *conf)
{
	(void)conf;
	return &hsm_rest;
}

struct hsm *
hsm_new(const struct hsm_conf *conf, struct tsb_err *err)
{
	const struct hsm_backend *backend = backend_of(conf);
	struct hsm *h = backend->open(conf, err);

	if (h != NULL)
		h->backend = backend;
	return h;
}

void
hsm_free(struct hsm **hsm)
{
	if (*hsm == NULL)
		return;
	(*hsm)->backend->close(*hsm);
	*hsm = NULL;
}

bool
hsm_offers(const struct hsm *h, enum hsm_offer what)
{
	return h->backend->offers(h, what);
}

void
hsm_execute(struct hsm *h, const struct hsm_order *order, struct hsm_answer *answer)
{
	h->backend->execute(h, order, answer);
}

int
hsm_submit(struct hsm *h, const struct hsm_order *order, hsm_done *done, void *ctx,
    struct tsb_err *err)
{
	return h->backend->submit(h, order, done, ctx, err);
}

size_t
hsm_in_flight(const struct hsm *h)
{
	return h->backend->in_flight(h);
}

bool
hsm_wait(struct hsm *h, int fd, int timeout_ms)
{
	return h->backend->wait(h, fd, timeout_ms);
}

int
hsm_attributes(struct hsm *h, const char *key_name, struct tsb_view password, struct arena *a,
    struct tsb_key_attributes *out, struct tsb_err *err)
{
	return h->backend->attributes(h, key_name, password, a, out, err);
}

int
hsm_stamp(struct hsm *h, const struct wire_timestamp_request *ask, struct arena *a,
    struct wire_timestamp_reply *out, struct tsb_err *err)
{
	return h->backend->stamp(h, ask, a, out, err);
}

int
hsm_random(struct hsm *h, size_t n, struct tsb_bytes *out, struct tsb_err *err)
{
	return h->backend->random(h, n, out, err);
}

int
hsm_backup_key_make(struct hsm *h, const char *label, struct tsb_err *err)
{
	return h->backend->backup_key_make(h, label, err);
}

int
hsm_certificate(struct hsm *h, const char *key_name, struct arena *a, struct tsb_view *pem,
    struct tsb_err *err)
{
	return h->backend->certificate(h, key_name, a, pem, err);
}

int
hsm_certificate_store(struct hsm *h, const char *key_name, struct tsb_view pem, struct tsb_err *err)
{
	return h->backend->certificate_store(h, key_name, pem, err);
}

void
hsm_reply_clear(struct hsm_reply *reply)
{
	tsb_bytes_clear(&reply->body);
	reply->status = 0;
}

int
hsm_pass(struct hsm *h, const struct hsm_pass *pass, struct hsm_reply *reply, struct tsb_err *err)
{
	return h->backend->pass(h, pass, reply, err);
}
