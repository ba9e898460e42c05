#include "lib/first.h"

#include "lib/crypto/signature.h"
#include "lib/flow/signer.h"
#include "lib/wire/wire.h"

static bool
allowed(const struct flow *f, struct tsb_view spki)
{
	for (size_t i = 0; i < f->files.nrequest_signers; i++)
		if (tsb_view_eq(f->files.request_signers[i], spki))
			return true;
	return false;
}

/* A caller who signed its request signed the bytes of the inner object that it sent. */
static int
check(const struct flow *f, const struct tsb_request_signature *s, struct tsb_view inner,
    const char *envelope, struct tsb_err *err)
{
	if (f->files.nrequest_signers > 0 && (!s->present || !allowed(f, s->spki)))
		return tsb_fail(err, TSB_E_REQUEST_SIGNER,
		    "requestSignature must be made with a key of "
		    "general.allowedRequestCertificates");
	if (!s->present || crypto_verify(s->spki, s->digest, inner, s->signature, err) == 0)
		return 0;
	if (err->code != TSB_E_INVALID_SIGNATURE)
		return -1;
	return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
	    "requestSignature.signature does not verify over the compact text of %s", envelope);
}

int
flow_signer_check_request(const struct flow *f, const struct tsb_request_in *in,
    struct tsb_err *err)
{
	return check(f, &in->signature, in->inner, tsb_kinds[in->kind].envelope, err);
}

int
flow_signer_check(const struct flow *f, struct tsb_view body, const char *envelope, struct arena *a,
    struct tsb_err *err)
{
	struct tsb_request_signature signature = {0};
	struct tsb_view inner = {0};

	if (f->files.nrequest_signers == 0)
		return 0;
	if (wire_signed_parse(body, envelope, a, &inner, &signature, err))
		return -1;
	return check(f, &signature, inner, envelope, err);
}
