#include "lib/first.h"

#include <string.h>

#include "lib/flow/hsmcall.h"
#include "lib/flow/signer.h"
#include "lib/ska/token.h"

int
flow_hsm_need(const struct flow *f, struct tsb_err *err)
{
	if (f->hsm != NULL)
		return 0;
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "this broker has the profile air-gapped and no HSM: keys are used where they are");
}

/* The member of the body that asks for the use of a private or secret key; NULL: none is used. */
static const char *
use_of_key(const struct hsm_pass *pass)
{
	switch (pass->what) {
	case HSM_PASS_SYNCHRONOUS:
		return tsb_kinds[pass->kind].envelope;
	case HSM_PASS_ENCRYPT:
		return "encryptRequest";
	case HSM_PASS_HMAC:
		return "hmacRequest";
	case HSM_PASS_HMAC_VERIFY:
		return "verifyHmacRequest";
	case HSM_PASS_WRAP:
		return "wrapKeyRequest";
	case HSM_PASS_FILE_ENCRYPT:
		return wire_file_envelope(WIRE_FILE_ENCRYPT);
	case HSM_PASS_FILE_DECRYPT:
		return wire_file_envelope(WIRE_FILE_DECRYPT);
	case HSM_PASS_KEY_CREATE:
	case HSM_PASS_KEY_ATTESTATION:
	case HSM_PASS_ATTESTATIONS:
	case HSM_PASS_ATTESTATION_CHAIN:
	case HSM_PASS_KEY_IMPORT:
	case HSM_PASS_KEY_SEED:
	case HSM_PASS_KEY_DERIVE:
	case HSM_PASS_XPUB:
	case HSM_PASS_KEY_EXPORT:
	case HSM_PASS_KEY_PASSWORD:
	case HSM_PASS_KEY_CHANGE:
	case HSM_PASS_OBJECT_CREATE:
	case HSM_PASS_OBJECT_LIST:
	case HSM_PASS_OBJECT_GET:
	case HSM_PASS_OBJECT_DELETE:
	case HSM_PASS_KEY_LIST:
	case HSM_PASS_KEY_ATTRIBUTES:
	case HSM_PASS_KEY_ADDRESS:
	case HSM_PASS_KEY_DELETE:
	case HSM_PASS_VERIFY:
	case HSM_PASS_RANDOM:
	case HSM_PASS_RFC_TIMESTAMP:
	case HSM_PASS_STATISTICS:
	case HSM_PASS_LOG:
	case HSM_PASS_CERTIFICATE_STORE:
	case HSM_PASS_CERTIFICATE_GET:
	case HSM_PASS_CERTIFICATE_DELETE:
	case HSM_PASS__MAX:
		break;
	}
	return NULL;
}

/* Every use of a key that is passed on comes by here; those of certificates by sign_now(). */
static int
asker_check(struct flow *f, const struct hsm_pass *pass, struct tsb_err *err)
{
	const char *envelope = use_of_key(pass);
	arena_auto a = {0};

	return envelope == NULL
	    ? 0
	    : flow_signer_check(f, pass->asked.n > 0 ? pass->asked : pass->body, envelope, &a, err);
}

int
flow_hsm_pass(struct flow *f, const struct hsm_pass *pass, struct hsm_reply *reply,
    struct tsb_err *err)
{
	return flow_hsm_need(f, err) || asker_check(f, pass, err)
	    ? -1
	    : hsm_pass(f->hsm, pass, reply, err);
}

int
flow_hsm_random(struct flow *f, size_t n, struct tsb_bytes *out, struct tsb_err *err)
{
	return flow_hsm_need(f, err) ? -1 : hsm_random(f->hsm, n, out, err);
}

int
flow_hsm_attributes(struct flow *f, const char *key_name, struct tsb_view password, struct arena *a,
    struct tsb_key_attributes *out, struct tsb_err *err)
{
	return flow_hsm_need(f, err) ? -1 : hsm_attributes(f->hsm, key_name, password, a, out, err);
}

int
flow_hsm_key(struct flow *f, const char *label, struct arena *a, struct keyattr *out,
    struct tsb_err *err)
{
	struct tsb_key_attributes attributes;

	if (flow_hsm_attributes(f, label, tsb_view_of(NULL, 0), a, &attributes, err))
		return -1;
	return keyattr_parse(attributes.xml, a, out, err);
}

int
flow_hsm_key_open(struct flow *f, const char *label, struct tsb_view password, struct arena *a,
    struct keyattr *out, struct tsb_err *err)
{
	struct tsb_key_attributes attributes;

	if (flow_hsm_attributes(f, label, password, a, &attributes, err))
		return -1;
	return keyattr_parse(attributes.xml, a, out, err);
}

int
flow_hsm_key_exists(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
{
	arena_auto a = {0};
	struct tsb_key_attributes attributes;

	*exists = true;
	if (flow_hsm_attributes(f, label, tsb_view_of(NULL, 0), &a, &attributes, err) == 0 ||
	    err->code == TSB_E_KEY_PASSWORD)
		return 0;
	if (err->code != TSB_E_KEY_NOT_EXISTENT)
		return -1;
	*exists = false;
	return 0;
}

/* *found: what has this digest is in the database, or in this process. */
static int
key_known(struct flow *f, const unsigned char digest[TSB_SHA256], struct flow_stamp *out,
    bool *found, struct tsb_err *err)
{
	if (flow_key_load(f, NULL, digest, &out->key, err))
		return -1;
	*found = out->key != NULL;
	/* a request that was refused, or not committed, may have left it in the cache alone */
	out->new_key = !*found || out->key->stored == 0;
	return 0;
}

/*
 * Attributes with this digest: known already, or fetched; a key that changes in between is refused.
 */
static int
key_stamped(struct flow *f, const struct wire_timestamp_request *ask,
    const unsigned char digest[TSB_SHA256], struct arena *a, struct flow_stamp *out,
    struct tsb_err *err)
{
	struct tsb_key_attributes fetched = {0};
	bool found;

	if (key_known(f, digest, out, &found, err))
		return -1;
	if (found)
		return 0;
	if (flow_hsm_attributes(f, ask->key_name, ask->key_password, a, &fetched, err))
		return -1;
	if (memcmp(fetched.digest, digest, TSB_SHA256) != 0)
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "key '%s' was changed at the same time, send the request again", ask->key_name);
	return flow_key_keep(f, &fetched, false, &out->key, err);
}

/* Without timestamps the HSM is asked for the key itself, which also checks its password. */
static int
key_asked(struct flow *f, const struct wire_timestamp_request *ask, struct arena *a,
    struct flow_stamp *out, struct tsb_err *err)
{
	struct tsb_key_attributes fetched = {0};
	bool found;

	if (flow_hsm_attributes(f, ask->key_name, ask->key_password, a, &fetched, err) ||
	    key_known(f, fetched.digest, out, &found, err))
		return -1;
	return found ? 0 : flow_key_keep(f, &fetched, false, &out->key, err);
}

int
flow_hsm_stamp(struct flow *f, const struct wire_timestamp_request *ask, struct arena *a,
    struct flow_stamp *out, struct tsb_err *err)
{
	struct wire_timestamp_reply reply = {0};
	struct ska_timestamp token;

	*out = (struct flow_stamp){0};
	if (flow_hsm_need(f, err))
		return -1;
	/* whether it offers timestamps is known at the latest when it was asked for one */
	if (hsm_stamp(f->hsm, ask, a, &reply, err))
		return hsm_offers(f->hsm, HSM_TIMESTAMPS) ? -1 : key_asked(f, ask, a, out, err);
	if (ska_timestamp_parse(reply.timestamp, &token, err))
		return -1;
	if (!tsb_view_eq(token.payload, ask->payload))
		return tsb_fail(err, TSB_E_HSM, "the HSM's timestamp is over another payload");
	out->stamped = true;
	out->timestamp = reply.timestamp;
	out->signature = reply.signature_with_algorithm;
	out->seconds = token.seconds;
	return key_stamped(f, ask, reply.attributes_digest, a, out, err);
}
