/* The HSM as a service: random bytes, version, statistics (api-notes.md 8.4, 11). */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "hsm/serve/access.h"

#define RANDOM_MAX 65536
#define API_LEVEL  "2.5.1" /* of the REST API that clients expect */

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
	size_t n;

	if (access_find_system(app, app->conf->attestation_key, KEY_ATTESTATION, &attestation,
		err) ||
	    access_find_system(app, app->conf->timestamp_key, KEY_TIMESTAMP, &stamp, err) ||
	    keystore_count(app->ks, &n, err))
		return -1;
	tsb_bytes_addf(&reply->body, "{\"keyStoreStatistics\":\"tsb-hsm %s: %zu keys\"}",
	    TSB_VERSION, n);
	return 0;
}
