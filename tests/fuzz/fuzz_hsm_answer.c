/*
 * What an HSM answers, head and body, read by all that the broker asks it: questions, orders of
 * every kind, bodies that are passed on. The calls of lib/http are replaced by ones that always
 * give this answer. Whatever it is, a question fails with a reason or gives what was asked for, and
 * an order ends in the way that its status allows.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/hsm/rest.h"
#include "lib/http/fastcgi_answer.h"
#include "tests/fuzz/fuzz.h"

#define MAX (1024 * 1024)

/* ---- the HSM ---- */

static struct rest_reply given;

struct http_client {
	char unused;
};

struct http_client *
http_client_new(const struct http_client_conf *conf, struct tsb_err *err)
{
	static struct http_client client;

	(void)conf;
	(void)err;
	return &client;
}

void
http_client_free(struct http_client **client)
{
	*client = NULL;
}

/* What http_client_call() makes of the answer of a front server. */
static bool
nobody_there(struct tsb_err *err)
{
	if (given.status < 502 || given.status > 504)
		return false;
	tsb_fail(err, TSB_E_CONNECTIVITY, "the HSM did not answer");
	return true;
}

int
http_client_call(struct http_client *client, const struct rest_call *call, struct rest_reply *reply,
    struct tsb_err *err)
{
	(void)client;
	MUST(call->method != NULL && call->path[0] == '/');
	if (nobody_there(err))
		return -1;
	*reply = given;
	reply->body = (struct tsb_bytes){0};
	tsb_bytes_add_view(&reply->body, tsb_view_bytes(&given.body));
	return 0;
}

void
http_client_submit(struct http_client *client, const struct rest_call *call, http_done *done,
    void *ctx)
{
	struct tsb_err err = {0};

	(void)client;
	(void)call;
	if (nobody_there(&err))
		done(ctx, -1, NULL, &err);
	else
		done(ctx, 0, &given, NULL);
}

size_t
http_client_in_flight(const struct http_client *client)
{
	(void)client;
	return 0;
}

bool
http_client_wait(struct http_client *client, int fd, int timeout_ms)
{
	(void)client;
	(void)fd;
	(void)timeout_ms;
	return false;
}

/* ---- questions ---- */

/* A refusal has a row of the table and a sentence; only a success is none. */
static bool
refused(int result, const struct tsb_err *err)
{
	MUST(result == 0 || (result == -1 && err->code != TSB_OK && err->msg[0] != '\0'));
	MUST(result != 0 || rest_hsm_is_success(given.status));
	return result != 0;
}

/* As flow_key_keep() and the audit of attestations go on. */
static void
use_attributes(const struct tsb_key_attributes *k, struct arena *a)
{
	struct keyattr parsed;
	struct tsb_err err = {0};

	MUST(k->xml.n > 0 && k->fetched_ms > 0 && strcmp(k->key_name, "k") == 0);
	if (keyattr_parse(k->xml, a, &parsed, &err)) {
		MUST(err.code != TSB_OK && err.msg[0] != '\0');
		return;
	}
	if (parsed.has_policy &&
	    ska_policy_resolve(&parsed.policy, a, crypto_cert_spki, NULL, &err))
		MUST(err.code != TSB_OK);
	if (parsed.public_key.n > 0 &&
	    crypto_verify_attestation(parsed.public_key, k->xml, k->xml_signature, &err))
		MUST(err.code != TSB_OK);
}

static void
use_certificate(struct tsb_view pem, struct arena *a)
{
	struct tsb_view der, name, id;
	struct tsb_err err = {0};

	if (crypto_pem_pick(pem, PEM_CERTIFICATE, a, &der, &err) ||
	    crypto_cert_subject(der, a, &name, &err) || crypto_cert_key_id(der, a, &id, &err))
		MUST(err.code != TSB_OK);
}

static void
ask_for_a_key(struct hsm *h, struct arena *a)
{
	const struct tsb_view none = {0};
	struct tsb_key_attributes k = {0};
	struct tsb_view pem;
	struct tsb_err err = {0};

	if (!refused(hsm_attributes(h, "k", none, a, &k, &err), &err))
		use_attributes(&k, a);
	if (!refused(hsm_certificate(h, "k", a, &pem, &err), &err))
		use_certificate(pem, a);
	(void)refused(hsm_certificate_store(h, "k", tsb_view_str("pem"), &err), &err);
	(void)refused(hsm_backup_key_make(h, "k", &err), &err);
}

static void
ask_for_bytes(struct hsm *h, struct arena *a)
{
	static const size_t sizes[] = {1, 32};
	const struct wire_timestamp_request ask = {.key_name = "k",
	    .operation = OP_USE,
	    .payload = tsb_view_str("payload")};
	struct wire_timestamp_reply stamp = {0};
	struct ska_timestamp token;
	struct tsb_err err = {0};

	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		tsb_bytes_auto random = {0};

		if (refused(hsm_random(h, sizes[i], &random, &err), &err))
			MUST(random.n == 0);
		else
			MUST(random.n == sizes[i]);
	}
	if (refused(hsm_stamp(h, &ask, a, &stamp, &err), &err))
		MUST(err.code != TSB_E_NOT_IMPLEMENTED || !hsm_offers(h, HSM_TIMESTAMPS));
	else if (ska_timestamp_parse(stamp.timestamp, &token, &err))
		MUST(err.code != TSB_OK);
}

static void
pass_on(struct hsm *h)
{
	for (int what = 0; what < HSM_PASS__MAX; what++) {
		const struct hsm_pass pass = {.what = (enum hsm_passage)what,
		    .kind = KIND_SIGN,
		    .key_name = "k",
		    .length = 1,
		    .body = tsb_view_str("{}")};
		struct hsm_reply reply = {0};
		struct tsb_err err = {0};

		if (refused(hsm_pass(h, &pass, &reply, &err), &err))
			continue;
		MUST(reply.status == given.status);
		MUST(tsb_view_eq(tsb_view_bytes(&reply.body), tsb_view_bytes(&given.body)));
		hsm_reply_clear(&reply);
	}
}

/* ---- orders ---- */

static void
check_outcome(const struct hsm_order *order, const struct hsm_answer *answer)
{
	bool success = rest_hsm_is_success(given.status);

	MUST((answer->outcome == HSM_DID_IT) == (answer->why.code == TSB_OK));
	MUST(answer->outcome != HSM_LOST); /* it has answered */
	switch (answer->outcome) {
	case HSM_DID_IT:
		MUST(success);
		break;
	case HSM_REFUSED:
		MUST(!success && wire_error_has_number(tsb_view_bytes(&given.body)));
		break;
	case HSM_AWAY:
	case HSM_STOPPED:
		MUST(!success);
		break;
	case HSM_LOST:
	case HSM_TROUBLE:
		break;
	}
	if (answer->outcome == HSM_DID_IT && order->type == HSM_ORDER_EXECUTE)
		MUST(tsb_kinds[order->kind].answer_member != NULL || answer->result.n == 0);
	if (answer->outcome == HSM_DID_IT && order->type == HSM_ORDER_LOOK)
		use_attributes(&answer->attributes, order->arena);
}

static void
keep(void *ctx, const struct hsm_answer *answer)
{
	*(struct hsm_answer *)ctx = *answer;
}

static void
place(struct hsm *h, const struct hsm_order *order)
{
	struct hsm_answer at_once, in_flight;
	struct tsb_err err = {0};

	hsm_execute(h, order, &at_once);
	MUST(hsm_submit(h, order, keep, &in_flight, &err) == 0);
	check_outcome(order, &at_once);
	MUST(at_once.outcome == in_flight.outcome && at_once.why.code == in_flight.why.code);
	MUST(tsb_view_eq(at_once.result, in_flight.result));
}

static void
place_all(struct hsm *h, struct arena *a)
{
	struct hsm_order order = {.key_name = "k",
	    .inner = tsb_view_str("{\"keyName\":\"k\"}"),
	    .certificate = tsb_view_str("pem"),
	    .arena = a};

	for (int kind = 0; kind < KIND__MAX; kind++)
		if (tsb_kinds[kind].executed == (enum tsb_kind)kind) {
			order.kind = (enum tsb_kind)kind;
			place(h, &order);
		}
	order.type = HSM_ORDER_LOOK;
	place(h, &order);
	order.type = HSM_ORDER_STORE;
	place(h, &order);
}

/* ---- */

/* The head of the answer is that of CGI, which tsb-hsm sends; fuzz_fastcgi cuts it into records. */
static bool
take_answer(struct tsb_view in)
{
	struct fastcgi_answer a = {0};
	bool taken;

	fastcgi_answer_init(&a, MAX);
	a.state = FASTCGI_WHOLE;
	tsb_bytes_add_view(&a.out, in);
	taken = fastcgi_answer_read(&a, &given) == 0;
	fastcgi_answer_clear(&a);
	return taken;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const struct hsm_conf conf = {.url = "http://hsm", .timeout = 1, .connect_timeout = 1};
	arena_auto a = {0};
	struct tsb_err err = {0};
	struct hsm *h;

	if (!take_answer(tsb_view_of(data, size)))
		return 0;
	h = hsm_new(&conf, &err); /* a new one: it has not learnt yet what is lacking */
	MUST(h != NULL);
	ask_for_a_key(h, &a);
	ask_for_bytes(h, &a);
	pass_on(h);
	place_all(h, &a);
	hsm_free(&h);
	rest_reply_clear(&given);
	return 0;
}
