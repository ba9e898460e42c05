#include "lib/first.h"

#include <string.h>

#include "lib/crypto/pem.h"
#include "lib/crypto/x509.h"

#include "hsm/key/attestation.h"
#include "hsm/key/key.h"
#include "hsm/key/sign.h"

#define DAYS          36525 /* it is pinned, and has no other end than that of the key store */
#define KEY_CERT_SIGN (1U << 5)
#define SIGNATURE     (1U << 0)

int
attestation_certify(const struct hsm_key *k, struct token_key *private_half, int64_t now,
    struct arena *a, struct tsb_view *der, struct tsb_err *err)
{
	const char *text[DN__MAX] = {[DN_COMMON_NAME] = k->label, [DN_ORGANIZATION] = "tsb-hsm"};
	struct x509_content content = {
	    .spki = k->spki,
	    .key_usage = KEY_CERT_SIGN | SIGNATURE,
	    .authority = true,
	    .not_before = now,
	    .days = DAYS,
	};
	tsb_bytes_auto name = {0};
	tsb_bytes_auto id = {0};
	tsb_bytes_auto signed_part = {0};
	tsb_bytes_auto signature = {0};
	tsb_bytes_auto pem = {0};

	if (strlen(k->label) > 64)
		text[DN_COMMON_NAME] = "attestation key";
	if (x509_algorithm("SHA256_WITH_RSA", k->spki, &content.algorithm, err) ||
	    x509_name(text, &name, err) || x509_key_id(k->spki, &id, err))
		return -1;
	content.subject = content.issuer = tsb_view_bytes(&name);
	content.issuer_key_id = tsb_view_bytes(&id);
	if (x509_certificate_content(&content, &signed_part, err) ||
	    sign_make(k, private_half, &(struct sign_how){.scheme = content.algorithm},
		tsb_view_bytes(&signed_part), &signature, err) ||
	    x509_assemble(X509_KIND_CERTIFICATE, tsb_view_bytes(&signed_part), content.algorithm,
		tsb_view_bytes(&signature), k->spki, &pem, err))
		return -1;
	return crypto_pem_pick(tsb_view_bytes(&pem), PEM_CERTIFICATE, a, der, err);
}
