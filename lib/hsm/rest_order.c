#include "lib/first.h"

#include <stdlib.h>

#include "lib/hsm/rest.h"

/* ---- what is sent ---- */

struct rest_call
rest_hsm_synchronous(const struct rest_hsm *h, enum tsb_kind kind, struct tsb_view body)
{
	const struct tsb_kind_row *row = &tsb_kinds[kind];

	return rest_hsm_call(h, "POST", row->at_once_path, row->role, tsb_kind_repeatable(kind),
	    body);
}

static int
order_write(const struct rest_hsm *h, const struct hsm_order *o, struct tsb_bytes *body,
    struct rest_call *call, struct tsb_err *err)
{
	const struct wire_key_ref ref = {o->key_name, o->password};

	switch (o->type) {
	case HSM_ORDER_EXECUTE:
		if (wire_synchronous_format(o->kind, o->inner, o->password, o->approvals,
			o->napprovals, body, err))
			return -1;
		*call = rest_hsm_synchronous(h, o->kind, tsb_view_bytes(body));
		break;
	case HSM_ORDER_LOOK:
		wire_key_ref_format(&ref, body);
		*call = rest_hsm_call(h, "POST", REST_ATTRIBUTES_PATH, TSB_ROLE_KEY_MANAGEMENT,
		    true, tsb_view_bytes(body));
		break;
	case HSM_ORDER_STORE:
		wire_pem_format(o->key_name, "certificate", o->certificate, body);
		*call = rest_hsm_call(h, "POST", REST_CERTIFICATE_STORE_PATH,
		    TSB_ROLE_KEY_MANAGEMENT, true, tsb_view_bytes(body));
		break;
	}
	call->not_after_ms = o->not_after_ms;
	return 0;
}

/* ---- what the answer means ---- */

/* Codes that tell of the HSM's own trouble, not of this order. */
static bool
is_trouble(enum tsb_code code)
{
	return code == TSB_E_TECHNICAL || code == TSB_E_SUBSYSTEM || code == TSB_E_IO ||
	    code == TSB_E_IMPL || code == TSB_E_GENERAL;
}

/* Limits of a front server or of the HSM, whatever the body says: nothing was executed. */
static bool
is_limit(int status)
{
	return status == 408 || status == 413 || status == 429;
}

static enum hsm_outcome
error_read(const struct rest_reply *reply, struct tsb_err *why)
{
	rest_hsm_raise(reply, why);
	if (why->code == TSB_E_CONNECTIVITY)
		return HSM_AWAY;
	if (is_limit(reply->status))
		return HSM_STOPPED;
	/* not an answer of this API: a wrong address or a front server's page */
	if (!wire_error_has_number(tsb_view_bytes(&reply->body)))
		return HSM_TROUBLE;
	return is_trouble(why->code) ? HSM_TROUBLE : HSM_REFUSED;
}

static enum hsm_outcome
result_read(const struct rest_reply *reply, enum tsb_kind kind, struct arena *a,
    struct hsm_answer *answer)
{
	const char *member = tsb_kinds[kind].answer_member;

	if (member != NULL)
		return wire_text_member_parse(tsb_view_bytes(&reply->body), member, a,
			   &answer->result, &answer->why)
		    ? HSM_TROUBLE
		    : HSM_DID_IT;
	if (reply->body.n == 0 || reply->body.p[0] == '{')
		return HSM_DID_IT;
	tsb_fail(&answer->why, TSB_E_HSM, "the answer is not one of an HSM");
	return HSM_TROUBLE;
}

/* The part of an order that its answer is read by. */
struct expected {
	enum hsm_order_type type;
	enum tsb_kind kind;
	const char *key_name; /* in the arena */
	struct arena *arena;
};

static struct expected
expected_of(const struct hsm_order *o)
{
	return (struct expected){o->type, o->kind, arena_str(o->arena, o->key_name), o->arena};
}

/* rc, reply and err as http_client_call() gives them. */
static void
answer_read(const struct expected *x, int rc, const struct rest_reply *reply,
    const struct tsb_err *err, struct hsm_answer *answer)
{
	*answer = (struct hsm_answer){.outcome = HSM_DID_IT};
	if (rc != 0) {
		answer->why = *err;
		answer->outcome = err->code == TSB_E_CONNECTIVITY ? HSM_AWAY : HSM_LOST;
		return;
	}
	if (!rest_hsm_is_success(reply->status)) {
		answer->outcome = error_read(reply, &answer->why);
		return;
	}
	switch (x->type) {
	case HSM_ORDER_EXECUTE:
		answer->outcome = result_read(reply, x->kind, x->arena, answer);
		break;
	case HSM_ORDER_LOOK:
		if (rest_hsm_attributes_read(reply, x->key_name, x->arena, &answer->attributes,
			&answer->why))
			answer->outcome = HSM_TROUBLE;
		break;
	case HSM_ORDER_STORE:
		break;
	}
}

/* ---- one at a time ---- */

void
rest_hsm_execute(struct hsm *hsm, const struct hsm_order *order, struct hsm_answer *answer)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	const struct expected x = expected_of(order);
	struct rest_reply reply = {0};
	tsb_bytes_auto body = {0};
	struct tsb_err err = {0};
	struct rest_call call;
	int rc;

	if (order_write(h, order, &body, &call, &err)) {
		*answer = (struct hsm_answer){.outcome = HSM_TROUBLE, .why = err};
		return;
	}
	rc = http_client_call(h->http, &call, &reply, &err);
	answer_read(&x, rc, &reply, &err, answer);
	rest_reply_clear(&reply);
}

/* ---- many in flight ---- */

struct order_flight {
	struct expected expected;
	hsm_done *done;
	void *ctx;
};

static void
order_done(void *ctx, int rc, const struct rest_reply *reply, const struct tsb_err *err)
{
	const struct order_flight f = *(struct order_flight *)ctx;
	struct hsm_answer answer;

	free(ctx);
	answer_read(&f.expected, rc, reply, err, &answer);
	f.done(f.ctx, &answer);
}

int
rest_hsm_submit(struct hsm *hsm, const struct hsm_order *order, hsm_done *done, void *ctx,
    struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	tsb_bytes_auto body = {0};
	struct order_flight *f;
	struct rest_call call;

	if (order_write(h, order, &body, &call, err))
		return -1;
	f = malloc(sizeof(*f));
	if (f == NULL)
		fatal("out of memory: an order");
	*f = (struct order_flight){expected_of(order), done, ctx};
	http_client_submit(h->http, &call, order_done, f);
	return 0;
}
