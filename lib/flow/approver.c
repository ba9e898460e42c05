#include "lib/first.h"

#include "lib/flow/approver.h"

/* Checks of api-notes.md 5.1 in their order; syntax and presence are the field tables' part. */

static void
identify(struct flow_approver *who, struct tsb_view spki)
{
	who->spki = spki;
	crypto_sha256(spki, who->id);
	crypto_sha256(spki, who->actor);
}

int
flow_approver_named(const struct tsb_approver_proof *proof, struct arena *a,
    struct flow_approver *out, struct tsb_err *err)
{
	struct tsb_view spki = proof->spki, of_cert;

	*out = (struct flow_approver){0};
	if (proof->certificate.n > 0) {
		if (crypto_cert_spki(proof->certificate, a, &of_cert, err))
			return -1;
		if (spki.n > 0 && !tsb_view_eq(spki, of_cert))
			return tsb_fail(err, TSB_E_INPUT,
			    "approverPublicKey and approverCertificate name different keys");
		spki = of_cert;
	}
	if (spki.n > 0) {
		if (crypto_spki_check(spki, err))
			return -1;
		identify(out, spki);
	}
	return 0;
}

static int
check_fresh(struct flow *f, const struct tsb_approver_proof *proof, int64_t now_ms,
    struct tsb_err *err)
{
	int64_t age_ms = now_ms - proof->timestamp_ms;

	if (age_ms > f->conf->max_timestamp_age * 1000)
		return tsb_fail(err, TSB_E_TIMESTAMP_OFF,
		    "timestamp %s is older than %ld seconds; the broker's clock decides",
		    proof->timestamp, f->conf->max_timestamp_age);
	if (-age_ms > f->conf->max_timestamp_future * 1000)
		return tsb_fail(err, TSB_E_TIMESTAMP_OFF,
		    "timestamp %s is in the future; the broker's clock decides", proof->timestamp);
	return 0;
}

static int
check_signer(struct flow *f, struct tsb_view certificate, struct tsb_err *err)
{
	for (size_t i = 0; i < f->files.nsigners; i++)
		if (tsb_view_eq(f->files.signers[i], certificate))
			return 0;
	return tsb_fail(err, TSB_E_TIMESTAMP_SIGNER,
	    "timestampSigningCertificate is not in general.allowedTimestampSigningCertificates");
}

int
flow_approver_prove(struct flow *f, const struct tsb_approver_proof *proof, struct arena *a,
    int64_t now_ms, struct flow_approver *out, struct tsb_err *err)
{
	struct flow_approver who;
	struct tsb_view key;

	if (flow_approver_named(proof, a, &who, err))
		return -1;
	key = who.spki;
	if (proof->signer_certificate.n > 0) {
		if (crypto_cert_spki(proof->signer_certificate, a, &key, err) ||
		    crypto_spki_check(key, err))
			return -1;
		who.signer = true;
		who.all = who.spki.n == 0;
		who.service = key;
		crypto_sha256(key, who.actor);
	}
	if (check_fresh(f, proof, now_ms, err))
		return -1;
	if (crypto_verify(key, proof->digest, tsb_view_str(proof->timestamp), proof->signature,
		err)) {
		if (err->code != TSB_E_INVALID_SIGNATURE)
			return -1;
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "timestampSignature does not verify over the timestamp with the key given");
	}
	if (who.signer &&
	    (check_signer(f, proof->signer_certificate, err) ||
		crypto_cert_valid_at(proof->signer_certificate, now_ms / 1000, err)))
		return -1;
	*out = who;
	return 0;
}
