/* The HSM as a service: random bytes, version, statistics, log (api-notes.md 8.4, 11). */
#include "lib/first.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "hsm/serve/access.h"
#include "hsm/store/objects.h"

#define RANDOM_MAX    65536
#define API_LEVEL     "2.5.1" /* of the REST API that clients expect */
#define LOG_LINES     1000
#define LOG_LINES_MAX 100000
#define LOG_BYTES_MAX (1024 * 1024)

int
serve_random(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *text = (const char *)rq->param[0].p;
	tsb_bytes_auto random = {0};
	long n;

	if (rq->param[0].n == 0 || strspn(text, "0123456789") != rq->param[0].n)
		return tsb_fail(err, TSB_E_INPUT, "length must be a number of bytes");
	if (!tsb_str_to_long(text, 1, RANDOM_MAX, &n))
		return tsb_fail(err, TSB_E_NUMBER_RANGE, "length must be from 1 to %d", RANDOM_MAX);
	crypto_random(tsb_bytes_grow(&random, (size_t)n), (size_t)n);
	wire_base64_format("random", tsb_view_bytes(&random), &reply->body);
	return 0;
}

int
serve_version(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_add_str(&reply->body,
	    "{\"Version\":\"" API_LEVEL "\",\"Vendor\":\"Open Transaction Security Broker\","
	    "\"Implementation\":\"tsb-hsm " TSB_VERSION "\"}");
	return 0;
}

int
serve_license(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	/* Nothing needs a license here, but clients look for these names (api-notes.md 11). */
	tsb_bytes_add_str(&reply->body,
	    "{\"clientFlags\":[\"REST_API\",\"TSB_ENGINE\",\"KEY_AUTH\",\"FIREBLOCKS_AGENT\"]}");
	return 0;
}

/* Most clients use it as a health check: it fails if the key store or the system keys do. */
int
serve_statistics(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	hsm_key_auto *attestation = NULL;
	hsm_key_auto *stamp = NULL;
	struct census_totals n;
	size_t objects;

	if (access_find_system(app, app->conf->attestation_key, KEY_ATTESTATION, &attestation,
		err) ||
	    access_find_system(app, app->conf->timestamp_key, KEY_TIMESTAMP, &stamp, err) ||
	    keystore_totals(app->ks, &n, err) || objects_count(app->ks, &objects, err))
		return -1;
	/*
	 * the text that clients of the published API know; the keys of damaged files are the
	 * invalidated ones
	 */
	tsb_bytes_addf(&reply->body,
	    "{\"keyStoreStatistics\":\"user tsb-hsm, private keys %zu, public keys %zu, "
	    "secret keys %zu, certificates %zu, data objects %zu, invalidated keys %zu, "
	    "used size %" PRIu64 " bytes, max size %" PRIu64 " bytes, "
	    "remaining objects %" PRIu64,
	    n.private_keys, n.public_keys, n.secret_keys, n.certificates, objects, n.damaged,
	    n.used, n.max, n.remaining);
	if (n.stateful > 0) /* behind what clients may look for */
		tsb_bytes_addf(&reply->body,
		    ", keys that wear out %zu, remaining signatures %" PRIu64, n.stateful,
		    n.signatures);
	tsb_bytes_add_str(&reply->body, "\"}");
	return 0;
}

/* ---- log ---- */

static int
log_lines(long lines, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};

	if (log_tail(lines, LOG_BYTES_MAX, &text, err)) {
		if (err->code != TSB_E_FILE_NOT_FOUND)
			return -1;
		tsb_bytes_add_str(&text, err->msg);
	}
	wire_text_member_format("log", tsb_view_bytes(&text), &reply->body);
	return 0;
}

int
serve_log(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)arg;
	(void)rq;
	return log_lines(LOG_LINES, reply, err);
}

int
serve_log_lines(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *text = (const char *)rq->param[0].p;
	long n;

	(void)arg;
	if (rq->param[0].n == 0 || strspn(text, "0123456789") != rq->param[0].n)
		return tsb_fail(err, TSB_E_INPUT, "lines must be a number");
	if (!tsb_str_to_long(text, 1, LOG_LINES_MAX, &n))
		return tsb_fail(err, TSB_E_NUMBER_RANGE, "lines must be from 1 to %d",
		    LOG_LINES_MAX);
	return log_lines(n, reply, err);
}
