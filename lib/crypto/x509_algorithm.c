/* Signature algorithms of the API as AlgorithmIdentifiers (RFC 4055, 5758, 8410). */
#include "lib/first.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/der.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/scheme_internal.h"
#include "lib/crypto/x509_internal.h"

int
x509_algorithm(const char *name, struct tsb_view spki, const struct scheme **out,
    struct tsb_err *err)
{
	const struct scheme *s = scheme_find(name);
	const unsigned char *p = spki.p;
	pkey_auto *key = spki.n > LONG_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)spki.n);

	ERR_clear_error();
	if (s == NULL || s->x509 == NID_undef)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "signatureAlgorithm %s makes no certificates", name);
	if (key == NULL || !tsb_streq(scheme_type_of(key), s->type))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "signatureAlgorithm %s does not fit the key", name);
	if (scheme_missing(s) != NULL)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "signatureAlgorithm %s is not supported: %s", name, scheme_missing(s));
	*out = s;
	return 0;
}

static void
put_digest(int nid, struct tsb_bytes *out)
{
	tsb_bytes_auto b = {0};

	der_put_oid(&b, nid);
	der_put(&b, DER_NULL, tsb_view_of(NULL, 0));
	der_put_gathered(out, DER_SEQUENCE, &b);
}

/* RFC 4055 3.1; the trailer is the default and thus left out, as DER asks. */
static void
put_pss(enum hash hash, struct tsb_bytes *out)
{
	int digest = EVP_MD_get_type(hash_md(hash));
	tsb_bytes_auto all = {0};
	tsb_bytes_auto b = {0};
	tsb_bytes_auto mgf = {0};

	put_digest(digest, &b);
	der_put_gathered(&all, DER_CONTEXT_CONSTRUCTED, &b);
	der_put_oid(&mgf, NID_mgf1);
	put_digest(digest, &mgf);
	der_put_gathered(&b, DER_SEQUENCE, &mgf);
	der_put_gathered(&all, DER_CONTEXT_CONSTRUCTED + 1, &b);
	der_put_small(&b, (unsigned char)hash_size(hash));
	der_put_gathered(&all, DER_CONTEXT_CONSTRUCTED + 2, &b);
	der_put_gathered(out, DER_SEQUENCE, &all);
}

void
x509_algorithm_put(const struct scheme *s, struct tsb_bytes *out)
{
	tsb_bytes_auto b = {0};

	der_put_oid(&b, s->x509);
	if (s->method == METHOD_PKCS1)
		der_put(&b, DER_NULL, tsb_view_of(NULL, 0));
	if (s->method == METHOD_PSS)
		put_pss(s->hash, &b);
	der_put_gathered(out, DER_SEQUENCE, &b);
}
