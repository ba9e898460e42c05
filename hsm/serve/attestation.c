/* Attestations of keys, and with what they are verified (api-notes.md 7.7). */
#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/zip.h"
#include "lib/crypto/private.h"
#include "lib/wire/wire.h"

#include "hsm/key/attributes.h"
#include "hsm/serve/access.h"

#define README                                                                                      \
	"The HSM attests a key: NAME.xml describes it, NAME.sig is the signature over that text.\n" \
	"NAME.pem is the public key of the attestation key, PrimusHSM_Attestation.crt its\n"        \
	"certificate.\n\n"                                                                          \
	"\topenssl dgst -sha256 -verify NAME.pem -signature NAME.sig NAME.xml\n"                    \
	"\topenssl verify -CAfile PrimusHSM_Attestation.crt PrimusHSM_Attestation.crt\n\n"          \
	"Who believes it has got that certificate from somebody who knows the HSM.\n"

/* ---- the certificate of the attestation key ---- */

/* It is made when it is first asked for. */
static int
certified_key(struct hsm_app *app, struct web_request *rq, struct hsm_key **out,
    struct tsb_err *err)
{
	const char *label = app->conf->attestation_key;

	if (access_find_system(app, label, KEY_ATTESTATION, out, err))
		return -1;
	if ((*out)->certificate.n > 0)
		return 0;
	key_release(out);
	return access_certify_system(app, label, access_seconds(rq), err) ||
		access_find_system(app, label, KEY_ATTESTATION, out, err)
	    ? -1
	    : 0;
}

/* ---- attestation of a key ---- */

static void
add(struct zip *z, struct arena *a, const char *name, const char *suffix, struct tsb_view content)
{
	zip_add(z, arena_printf(a, "%s%s", name, suffix), content);
}

static void
put_zip(struct web_request *rq, const char *name, const struct wire_attestation *t,
    struct web_reply *reply)
{
	tsb_bytes_auto pem = {0};
	struct zip z = {0};

	crypto_spki_pem(t->public_key, &pem);
	add(&z, rq->arena, name, ".sig", t->signature);
	add(&z, rq->arena, name, ".xml", t->xml);
	add(&z, rq->arena, name, ".pem", tsb_view_bytes(&pem));
	tsb_bytes_reset(&pem);
	wire_certificate_pem(t->certificate, &pem);
	zip_add(&z, "PrimusHSM_Attestation.crt", tsb_view_bytes(&pem));
	zip_add(&z, "README.txt", tsb_view_str(README));
	zip_end(&z, &reply->body);
	reply->content_type = "application/zip";
	reply->disposition = arena_printf(rq->arena, "attachment; filename=\"%s.zip\"", name);
}

int
serve_key_attestation(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_ref ref;
	struct wire_attestation t = {0};
	hsm_key_auto *k = NULL;
	hsm_key_auto *attestation = NULL;
	token_key_auto *private_half = NULL;
	tsb_bytes_auto xml = {0};
	tsb_bytes_auto signature = {0};

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err) ||
	    access_find_checked(app, tsb_view_str(ref.label), ref.password, &k, err) ||
	    certified_key(app, rq, &attestation, err) ||
	    token_use(&app->tokens, attestation, (struct tsb_view){0}, &private_half, err) ||
	    access_attest(app, rq, k, attestation, private_half, &xml, &signature, err))
		return -1;
	t.key_name = attestation->label;
	t.public_key = attestation->spki;
	t.certificate = attestation->certificate;
	t.xml = tsb_view_bytes(&xml);
	t.signature = tsb_view_bytes(&signature);
	if (web_wants(rq, "json", WIRE_ATTESTATION_TYPE))
		wire_attestation_format(&t, &reply->body);
	else
		put_zip(rq, web_file_name(rq->arena, k->label), &t, reply);
	return 0;
}

/* ---- attestation keys ---- */

int
serve_attestation_list(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_app *app = arg;

	(void)rq;
	(void)err;
	wire_key_list_format((const char *const[]){app->conf->attestation_key}, 1, &reply->body);
	return 0;
}

int
serve_attestation_chain(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_app *app = arg;
	hsm_key_auto *k = NULL;

	if (!tsb_view_eq(rq->param[0], tsb_view_str(app->conf->attestation_key)))
		return tsb_fail(err, TSB_E_KEY_NOT_EXISTENT,
		    "there is no attestation key of this name");
	if (certified_key(app, rq, &k, err))
		return -1;
	wire_attestation_chain_format(k->certificate, &reply->body);
	return 0;
}
