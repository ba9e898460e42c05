/* The certificate of a key (api-notes.md 9.4): the HSM keeps it, no more. */
#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/log.h"
#include "lib/crypto/owned.h"

#include "hsm/key/rfctimestamp.h"
#include "hsm/serve/access.h"

static int
check_may_hold(const struct hsm_key *k, struct tsb_view certificate, struct tsb_err *err)
{
	if (k->system == KEY_RFC_TIMESTAMP)
		return rfc_timestamp_certificate_check(certificate, err);
	if (k->system != KEY_ORDINARY)
		return access_refuse(k, "is a system key: it has no certificate", err);
	if (key_is_secret(k))
		return tsb_fail(err, TSB_E_KEY_TYPE, "key '%s' has no public key to certify",
		    k->label);
	if (key_is_stateful(k))
		return tsb_fail(err, TSB_E_KEY_TYPE,
		    "key '%s' is of %s, which certificates are not made for here", k->label,
		    key_algorithm(k));
	return 0;
}

/* The public halves are compared as keys: a certificate may encode the same key differently. */
static int
check_same_key(const struct hsm_key *k, struct tsb_view certificate, struct tsb_err *err)
{
	arena_auto a = {0};
	pkey_auto *certified = NULL;
	const unsigned char *p;
	struct tsb_view spki;
	struct tsb_err why;
	bool same;

	if (crypto_cert_spki(certificate, &a, &spki, &why))
		return tsb_fail(err, TSB_E_CERTIFICATE_ENCODING, "certificate: %s", why.msg);
	p = spki.p;
	certified = d2i_PUBKEY(NULL, &p, (long)spki.n);
	same = certified != NULL && EVP_PKEY_eq(certified, k->public_key) == 1;
	ERR_clear_error();
	if (!same)
		return tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
		    "certificate is not of the public key of '%s'", k->label);
	return 0;
}

static int
store(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct wire_certificate *c = arg;

	if (check_may_hold(k, c->der, err) || check_same_key(k, c->der, err))
		return -1;
	k->certificate = c->der;
	return 0;
}

int
serve_certificate_import(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_certificate in;
	hsm_key_auto *k = NULL;

	if (wire_certificate_import_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.label), &k, err) || access_check_stored(k, err) ||
	    keystore_change(app->ks, tsb_view_str(k->label), store, &in, err))
		return -1;
	access_log(rq, "certificate stored", k, NULL, in.der, 0);
	wire_certificate_format(&in, &reply->body);
	return 0;
}

static int
absent(const struct hsm_key *k, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_FILE_NOT_FOUND, "key '%s' has no certificate", k->label);
}

/* The caller asked for something that is not there: 404, whatever its catalogue number says. */
static int
not_found(struct web_reply *reply, const struct tsb_err *err)
{
	if (err->code == TSB_E_FILE_NOT_FOUND)
		reply->status = 404;
	return -1;
}

int
serve_certificate_get(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_certificate out;
	hsm_key_auto *k = NULL;

	if (access_find(arg, rq->param[0], &k, err))
		return -1;
	if (k->certificate.n == 0) {
		(void)absent(k, err);
		return not_found(reply, err);
	}
	out = (struct wire_certificate){.label = k->label, .der = k->certificate};
	wire_certificate_format(&out, &reply->body);
	return 0;
}

static int
take_away(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	if (k->certificate.n == 0)
		return absent(k, err);
	if (k->system != KEY_ORDINARY)
		return access_refuse(k, "is a system key: it keeps its certificate", err);
	k->certificate = tsb_view_of(NULL, 0);
	return 0;
}

int
serve_certificate_delete(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_app *app = arg;
	hsm_key_auto *k = NULL;

	if (access_find(app, rq->param[0], &k, err) || access_check_stored(k, err))
		return -1;
	if (keystore_change(app->ks, tsb_view_str(k->label), take_away, NULL, err))
		return not_found(reply, err);
	log_info("certificate deleted key=%s", k->label);
	return 0;
}
