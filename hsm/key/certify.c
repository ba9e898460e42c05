#include "lib/first.h"

#include <string.h>

#include "lib/crypto/pem.h"
#include "lib/crypto/x509.h"

#include "hsm/key/certify.h"
#include "hsm/key/key.h"
#include "hsm/key/sign.h"

#define DAYS          36525 /* it is pinned, and has no other end than that of the key store */
#define KEY_CERT_SIGN (1U << 5)
#define SIGNATURE     (1U << 0)
#define TIME_STAMPING (1U << 5) /* of the extended key usages */

/* What the certificate says of a key of this kind. */
struct purpose {
	const char *algorithm;
	const char *name; /* of a key whose label is too long for a common name */
	unsigned key_usage, extended_key_usage;
	bool authority;
};

static struct purpose
purpose_of(const struct hsm_key *k)
{
	if (k->system == KEY_RFC_TIMESTAMP)
		return (struct purpose){"SHA256_WITH_ECDSA", "timestamp key", SIGNATURE,
		    TIME_STAMPING, false};
	return (struct purpose){"SHA256_WITH_RSA", "attestation key", KEY_CERT_SIGN | SIGNATURE, 0,
	    true};
}

int
certify_system(const struct hsm_key *k, struct token_key *private_half, int64_t now,
    struct arena *a, struct tsb_view *der, struct tsb_err *err)
{
	const struct purpose purpose = purpose_of(k);
	const char *text[DN__MAX] = {[DN_COMMON_NAME] = k->label, [DN_ORGANIZATION] = "tsb-hsm"};
	struct x509_content content = {
	    .spki = k->spki,
	    .key_usage = purpose.key_usage,
	    .extended_key_usage = purpose.extended_key_usage,
	    .authority = purpose.authority,
	    .not_before = now,
	    .days = DAYS,
	};
	tsb_bytes_auto name = {0};
	tsb_bytes_auto id = {0};
	tsb_bytes_auto signed_part = {0};
	tsb_bytes_auto signature = {0};
	tsb_bytes_auto pem = {0};

	if (strlen(k->label) > 64)
		text[DN_COMMON_NAME] = purpose.name;
	if (x509_algorithm(purpose.algorithm, k->spki, &content.algorithm, err) ||
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
