#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/hsm/rest.h"
#include "lib/wire/custody.h"

#define REPLY_MAX (8UL * 1024 * 1024)
/* An HSM that lacks something may be replaced by one that has it: it is asked again after this. */
#define LACK_TRUST_MS (60 * 1000)

/* ---- connection ---- */

static int
conf_check(const struct hsm_conf *conf, struct tsb_err *err)
{
	for (int i = 0; i < TSB_ROLE__MAX; i++)
		if (conf->api_key[i] != NULL && strpbrk(conf->api_key[i], "\r\n") != NULL)
			return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
			    "an API key of the HSM has a line break inside");
	if (conf->bearer != NULL && strpbrk(conf->bearer, "\r\n") != NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "the bearer token of the HSM has a line break inside");
	return 0;
}

static struct hsm *
rest_open(const struct hsm_conf *conf, struct tsb_err *err)
{
	const struct http_client_conf http = {
	    .name = "HSM",
	    .url = conf->url,
	    .options =
		{
		    .ca_file = conf->ca_file,
		    .cert_file = conf->cert_file,
		    .key_file = conf->key_file,
		    .timeout_ms = conf->timeout * 1000,
		    .connect_timeout_ms = conf->connect_timeout * 1000,
		    .reply_max = REPLY_MAX,
		},
	};
	struct http_client *client;
	struct rest_hsm *h;

	if (conf_check(conf, err))
		return NULL;
	client = http_client_new(&http, err);
	if (client == NULL)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		fatal("out of memory: an HSM");
	h->http = client;
	for (int i = 0; i < TSB_ROLE__MAX; i++)
		h->api_key[i] = tsb_strdup(conf->api_key[i]);
	h->bearer = tsb_strdup(conf->bearer);
	h->key_timeout_ms = conf->key_timeout * 1000;
	return &h->hsm;
}

static void
secret_free(char *text)
{
	if (text != NULL)
		tsb_wipe(text, strlen(text));
	free(text);
}

static void
rest_close(struct hsm *hsm)
{
	struct rest_hsm *h = rest_hsm_of(hsm);

	http_client_free(&h->http);
	for (int i = 0; i < TSB_ROLE__MAX; i++)
		secret_free(h->api_key[i]);
	secret_free(h->bearer);
	free(h);
}

static size_t
rest_in_flight(const struct hsm *hsm)
{
	return http_client_in_flight(((const struct rest_hsm *)hsm)->http);
}

static bool
rest_wait(struct hsm *hsm, int fd, int timeout_ms)
{
	return http_client_wait(rest_hsm_of(hsm)->http, fd, timeout_ms);
}

/* ---- calls ---- */

struct rest_call
rest_hsm_call(const struct rest_hsm *h, const char *method, const char *path, enum tsb_role role,
    bool repeatable, struct tsb_view body)
{
	return (struct rest_call){
	    .method = method,
	    .path = path,
	    .apikey = h->api_key[role],
	    .bearer = h->bearer,
	    .body = body,
	    .repeatable = repeatable,
	};
}

bool
rest_hsm_is_success(int status)
{
	return status == 200 || status == 201;
}

int
rest_hsm_raise(const struct rest_reply *reply, struct tsb_err *err)
{
	if (reply->status == 401)
		return tsb_fail(err, TSB_E_CONNECTIVITY,
		    "the HSM does not accept the broker's API key or token (hsm.apiKey, hsm.bearerToken)");
	return wire_error_raise(tsb_view_bytes(&reply->body), reply->status, err);
}

int
rest_hsm_ask(struct rest_hsm *h, const struct rest_call *call, struct rest_reply *reply,
    int *status, struct tsb_err *err)
{
	if (status != NULL)
		*status = 0;
	if (http_client_call(h->http, call, reply, err))
		return -1;
	if (status != NULL)
		*status = reply->status;
	if (rest_hsm_is_success(reply->status))
		return 0;
	rest_hsm_raise(reply, err);
	rest_reply_clear(reply);
	return -1;
}

const char *
rest_hsm_random_path(struct arena *a, long length)
{
	return arena_printf(a, "/v1/generateRandom/%ld", length);
}

const char *
rest_hsm_certificate_path(struct arena *a, const char *key_name)
{
	return arena_printf(a, "/v1/certificate/%s", enc_percent_str(a, key_name));
}

/* ---- what it offers ---- */

static bool
rest_offers(const struct hsm *hsm, enum hsm_offer what)
{
	return ((const struct rest_hsm *)hsm)->lacks_until[what] <= clock_monotonic_ms();
}

static int
lacks(enum hsm_offer what, struct tsb_err *err)
{
	static const char *const texts[HSM_OFFER__MAX] = {
	    [HSM_TIMESTAMPS] = "the HSM issues no timestamps",
	    [HSM_CERTIFICATES] = "the HSM keeps no certificates",
	};

	return tsb_fail(err, TSB_E_NOT_IMPLEMENTED, "%s", texts[what]);
}

static int
learn_lack(struct rest_hsm *h, enum hsm_offer what, struct tsb_err *err)
{
	h->lacks_until[what] = clock_monotonic_ms() + LACK_TRUST_MS;
	return lacks(what, err);
}

/*
 * Whether an answer says that there is no such path, and not something about a key. Other servers
 * say it without a number of ours, and some refuse to everybody what is on no list of theirs.
 */
static bool
says_no_path(int status, enum tsb_code code)
{
	return (status == 403 || status == 404 || status == 405) &&
	    (code == TSB_E_OPERATION_UNREACHABLE || code == TSB_E_ENDPOINT_NOT_LICENSED ||
		code == TSB_E_HSM);
}

/* ---- questions ---- */

int
rest_hsm_attributes_read(const struct rest_reply *reply, const char *key_name, struct arena *a,
    struct tsb_key_attributes *out, struct tsb_err *err)
{
	tsb_bytes_auto stable = {0};

	if (wire_key_attributes_parse(tsb_view_bytes(&reply->body), a, out, err))
		return -1;
	keyattr_stable_text(out->xml, &stable);
	crypto_sha256(tsb_view_bytes(&stable), out->digest);
	out->key_name = arena_str(a, key_name);
	out->fetched_ms = clock_now_ms();
	return 0;
}

static int
rest_attributes(struct hsm *hsm, const char *key_name, struct tsb_view password, struct arena *a,
    struct tsb_key_attributes *out, struct tsb_err *err)
{
	const struct wire_key_ref ref = {key_name, password};
	struct rest_hsm *h = rest_hsm_of(hsm);
	struct rest_reply reply = {0};
	tsb_bytes_auto body = {0};
	struct rest_call call;
	int rc;

	wire_key_ref_format(&ref, &body);
	call = rest_hsm_call(h, "POST", REST_ATTRIBUTES_PATH, TSB_ROLE_KEY_MANAGEMENT, true,
	    tsb_view_bytes(&body));
	if (rest_hsm_ask(h, &call, &reply, NULL, err))
		return -1;
	rc = rest_hsm_attributes_read(&reply, key_name, a, out, err);
	rest_reply_clear(&reply);
	return rc;
}

static int
rest_stamp(struct hsm *hsm, const struct wire_timestamp_request *ask, struct arena *a,
    struct wire_timestamp_reply *out, struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	struct rest_reply reply = {0};
	tsb_bytes_auto body = {0};
	struct rest_call call;
	int rc, status;

	if (!rest_offers(hsm, HSM_TIMESTAMPS))
		return lacks(HSM_TIMESTAMPS, err);
	wire_timestamp_request_format(ask, &body);
	call = rest_hsm_call(h, "POST", "/v1/timestamp", TSB_ROLE_KEY_OPERATION, true,
	    tsb_view_bytes(&body));
	if (rest_hsm_ask(h, &call, &reply, &status, err))
		return says_no_path(status, err->code) ? learn_lack(h, HSM_TIMESTAMPS, err) : -1;
	rc = wire_timestamp_reply_parse(tsb_view_bytes(&reply.body), a, out, err);
	rest_reply_clear(&reply);
	return rc;
}

static int
rest_random(struct hsm *hsm, size_t n, struct tsb_bytes *out, struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	struct rest_reply reply = {0};
	arena_auto a = {0};
	struct tsb_view text, bytes;
	struct rest_call call = rest_hsm_call(h, "GET", rest_hsm_random_path(&a, (long)n),
	    TSB_ROLE_KEY_OPERATION, true, tsb_view_of(NULL, 0));
	int rc;

	if (rest_hsm_ask(h, &call, &reply, NULL, err))
		return -1;
	rc = wire_text_member_parse(tsb_view_bytes(&reply.body), "random", &a, &text, err);
	rest_reply_clear(&reply);
	if (rc != 0)
		return -1;
	if (!enc_base64_decode(text, &a, &bytes) || bytes.n != n)
		return tsb_fail(err, TSB_E_HSM, "the HSM did not give %zu random bytes", n);
	tsb_bytes_add_view(out, bytes);
	return 0;
}

/* A call whose answer says no more than that it was done. */
static int
just_do(struct rest_hsm *h, const struct rest_call *call, int *status, struct tsb_err *err)
{
	struct rest_reply reply = {0};

	if (rest_hsm_ask(h, call, &reply, status, err))
		return -1;
	rest_reply_clear(&reply);
	return 0;
}

static int
rest_backup_key_make(struct hsm *hsm, const char *label, struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	tsb_bytes_auto body = {0};
	struct rest_call call;

	wire_backup_key_format(label, &body);
	call = rest_hsm_call(h, "POST", REST_KEY_PATH, TSB_ROLE_KEY_MANAGEMENT, false,
	    tsb_view_bytes(&body));
	call.timeout_ms = h->key_timeout_ms;
	return just_do(h, &call, NULL, err);
}

/* ---- certificates ---- */

static int
rest_certificate(struct hsm *hsm, const char *key_name, struct arena *a, struct tsb_view *pem,
    struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	struct rest_reply reply = {0};
	struct rest_call call = rest_hsm_call(h, "GET", rest_hsm_certificate_path(a, key_name),
	    TSB_ROLE_KEY_MANAGEMENT, true, tsb_view_of(NULL, 0));
	int rc, status;

	if (!rest_offers(hsm, HSM_CERTIFICATES))
		return lacks(HSM_CERTIFICATES, err);
	if (rest_hsm_ask(h, &call, &reply, &status, err)) {
		if (says_no_path(status, err->code))
			return learn_lack(h, HSM_CERTIFICATES, err);
		if (err->code == TSB_E_INVALID_CERTIFICATE || err->code == TSB_E_FILE_NOT_FOUND)
			return tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
			    "key '%s' has no certificate", key_name);
		return -1;
	}
	rc = wire_text_member_parse(tsb_view_bytes(&reply.body), "certificate", a, pem, err);
	rest_reply_clear(&reply);
	return rc;
}

static int
rest_certificate_store(struct hsm *hsm, const char *key_name, struct tsb_view pem,
    struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	tsb_bytes_auto body = {0};
	struct rest_call call;
	int status;

	if (!rest_offers(hsm, HSM_CERTIFICATES))
		return lacks(HSM_CERTIFICATES, err);
	wire_pem_format(key_name, "certificate", pem, &body);
	call = rest_hsm_call(h, "POST", REST_CERTIFICATE_STORE_PATH, TSB_ROLE_KEY_MANAGEMENT, true,
	    tsb_view_bytes(&body));
	if (just_do(h, &call, &status, err) == 0)
		return 0;
	return says_no_path(status, err->code) ? learn_lack(h, HSM_CERTIFICATES, err) : -1;
}

const struct hsm_backend hsm_rest = {
    .open = rest_open,
    .close = rest_close,
    .offers = rest_offers,
    .execute = rest_hsm_execute,
    .submit = rest_hsm_submit,
    .in_flight = rest_in_flight,
    .wait = rest_wait,
    .attributes = rest_attributes,
    .stamp = rest_stamp,
    .random = rest_random,
    .backup_key_make = rest_backup_key_make,
    .certificate = rest_certificate,
    .certificate_store = rest_certificate_store,
    .pass = rest_hsm_pass,
};
