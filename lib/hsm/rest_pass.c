#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/hsm/rest.h"

#define REST_LOG_PATH    "/v1/hsm/log"
#define REST_OBJECT_PATH "/v1/dataObject"

/* repeatable: doing it twice does no harm, as with storing the same certificate. */
static const struct passage {
	const char *method;
	const char *path; /* NULL: it depends */
	enum tsb_role role;
	bool repeatable;
} passages[HSM_PASS__MAX] = {
    [HSM_PASS_KEY_CREATE] = {"POST", REST_KEY_PATH, TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_KEY_ATTESTATION] = {"POST", "/v1/key/keyAttestation", TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_ATTESTATIONS] = {"GET", "/v1/attestation", TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_ATTESTATION_CHAIN] = {"GET", NULL, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_KEY_IMPORT] = {"POST", "/v1/key/import/plain", TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_KEY_SEED] = {"POST", "/v1/importedKey", TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_KEY_DERIVE] = {"POST", "/v1/derivedKey", TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_XPUB] = {"GET", NULL, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_KEY_EXPORT] = {"POST", "/v1/key/export/plain", TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_KEY_PASSWORD] = {"POST", "/v1/key/changePassword", TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_KEY_CHANGE] = {"PATCH", "/v1/key/changeAttributes", TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_OBJECT_CREATE] = {"POST", REST_OBJECT_PATH, TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_OBJECT_LIST] = {"GET", REST_OBJECT_PATH, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_OBJECT_GET] = {"GET", NULL, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_OBJECT_DELETE] = {"DELETE", NULL, TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_KEY_LIST] = {"GET", REST_KEY_PATH, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_KEY_ATTRIBUTES] = {"POST", REST_ATTRIBUTES_PATH, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_KEY_ADDRESS] = {"POST", "/v1/key/address", TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_KEY_DELETE] = {"POST", "/v1/key/deleteKey", TSB_ROLE_KEY_MANAGEMENT, false},
    [HSM_PASS_VERIFY] = {"POST", "/v1/verify", TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_HMAC] = {"POST", "/v1/synchronousHmac", TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_HMAC_VERIFY] = {"POST", "/v1/verify", TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_ENCRYPT] = {"POST", "/v1/encrypt", TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_WRAP] = {"POST", "/v1/wrap", TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_FILE_ENCRYPT] = {"POST", "/v1/fileEncrypt", TSB_ROLE_KEY_OPERATION, false},
    [HSM_PASS_FILE_DECRYPT] = {"POST", "/v1/synchronousFileDecrypt", TSB_ROLE_KEY_OPERATION, false},
    [HSM_PASS_RANDOM] = {"GET", NULL, TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_RFC_TIMESTAMP] = {"POST", "/v1/createRfcTimestamp", TSB_ROLE_KEY_OPERATION, true},
    [HSM_PASS_STATISTICS] = {"GET", "/v1/keystore/statistics", TSB_ROLE_SERVICE, true},
    [HSM_PASS_LOG] = {"GET", REST_LOG_PATH, TSB_ROLE_SERVICE, true},
    [HSM_PASS_CERTIFICATE_STORE] = {"POST", REST_CERTIFICATE_STORE_PATH, TSB_ROLE_KEY_MANAGEMENT,
	true},
    [HSM_PASS_CERTIFICATE_GET] = {"GET", NULL, TSB_ROLE_KEY_MANAGEMENT, true},
    [HSM_PASS_CERTIFICATE_DELETE] = {"DELETE", NULL, TSB_ROLE_KEY_MANAGEMENT, false},
};

static struct rest_call
pass_call(const struct rest_hsm *h, const struct hsm_pass *pass, struct arena *a)
{
	const struct passage *row = &passages[pass->what];
	const char *path = row->path;
	struct rest_call call;

	switch (pass->what) {
	case HSM_PASS_SYNCHRONOUS:
		return rest_hsm_synchronous(h, pass->kind, pass->body);
	case HSM_PASS_RANDOM:
		path = rest_hsm_random_path(a, pass->length);
		break;
	case HSM_PASS_KEY_ATTESTATION:
		if (pass->length > 0)
			path = "/v1/key/keyAttestation?format=json";
		break;
	case HSM_PASS_ATTESTATION_CHAIN:
		path = arena_printf(a, "/v1/attestation/%s/certificateChain",
		    enc_percent_str(a, pass->key_name));
		break;
	case HSM_PASS_XPUB:
		path = arena_printf(a, "/v1/xpub/%s", enc_percent_str(a, pass->key_name));
		break;
	case HSM_PASS_OBJECT_GET:
	case HSM_PASS_OBJECT_DELETE:
		path = arena_printf(a, REST_OBJECT_PATH "/%s", enc_percent_str(a, pass->key_name));
		break;
	case HSM_PASS_LOG:
		if (pass->length > 0)
			path = arena_printf(a, REST_LOG_PATH "/%ld", pass->length);
		break;
	case HSM_PASS_CERTIFICATE_GET:
	case HSM_PASS_CERTIFICATE_DELETE:
		path = rest_hsm_certificate_path(a, pass->key_name);
		break;
	case HSM_PASS_KEY_CREATE:
	case HSM_PASS_ATTESTATIONS:
	case HSM_PASS_KEY_IMPORT:
	case HSM_PASS_KEY_SEED:
	case HSM_PASS_KEY_DERIVE:
	case HSM_PASS_KEY_EXPORT:
	case HSM_PASS_KEY_PASSWORD:
	case HSM_PASS_KEY_CHANGE:
	case HSM_PASS_OBJECT_CREATE:
	case HSM_PASS_OBJECT_LIST:
	case HSM_PASS_KEY_LIST:
	case HSM_PASS_KEY_ATTRIBUTES:
	case HSM_PASS_KEY_ADDRESS:
	case HSM_PASS_KEY_DELETE:
	case HSM_PASS_VERIFY:
	case HSM_PASS_HMAC:
	case HSM_PASS_HMAC_VERIFY:
	case HSM_PASS_ENCRYPT:
	case HSM_PASS_WRAP:
	case HSM_PASS_FILE_ENCRYPT:
	case HSM_PASS_FILE_DECRYPT:
	case HSM_PASS_RFC_TIMESTAMP:
	case HSM_PASS_STATISTICS:
	case HSM_PASS_CERTIFICATE_STORE:
	case HSM_PASS__MAX:
		break;
	}
	call = rest_hsm_call(h, row->method, path, row->role, row->repeatable, pass->body);
	if (pass->what == HSM_PASS_KEY_CREATE || pass->stream != NULL)
		call.timeout_ms = h->key_timeout_ms;
	call.stream = pass->stream;
	if (pass->stream != NULL)
		call.content_type = pass->content_type;
	return call;
}

int
rest_hsm_pass(struct hsm *hsm, const struct hsm_pass *pass, struct hsm_reply *reply,
    struct tsb_err *err)
{
	struct rest_hsm *h = rest_hsm_of(hsm);
	struct rest_reply got = {0};
	arena_auto a = {0};
	struct rest_call call = pass_call(h, pass, &a);

	if (rest_hsm_ask(h, &call, &got, NULL, err))
		return -1;
	*reply = (struct hsm_reply){.status = got.status, .body = got.body};
	return 0;
}
