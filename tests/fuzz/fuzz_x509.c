/*
 * Certificate requests come from anywhere; issuers' certificates from the HSM. Each input is read
 * as a request, as a name and as a certificate.
 */
#include "lib/first.h"

#include "lib/crypto/crypto.h"
#include "lib/crypto/x509.h"
#include "tests/fuzz/fuzz.h"

static void
rename_and_read_again(struct tsb_view name)
{
	tsb_bytes_auto once = {0};
	tsb_bytes_auto twice = {0};
	struct tsb_err err = {0};

	if (x509_name_with_common_name(name, "new", &once, &err)) {
		MUST(err.code == TSB_E_ENCODING && once.n == 0);
		return;
	}
	MUST(x509_name_with_common_name(tsb_view_bytes(&once), "new", &twice, &err) == 0);
	MUST(tsb_view_eq(tsb_view_bytes(&once), tsb_view_bytes(&twice)));
}

static void
issue(const struct x509_request *request)
{
	struct x509_content c = {
	    .subject = request->subject,
	    .issuer = request->subject,
	    .spki = request->spki,
	    .issuer_key_id = tsb_view_of("01234567890123456789", 20),
	    .not_before = 1780000000,
	    .days = 1,
	};
	static const char *const names[] = {"SHA256_WITH_RSA", "SHA256_WITH_ECDSA", "EDDSA"};
	tsb_bytes_auto tbs = {0};
	tsb_bytes_auto pem = {0};
	struct tsb_err err = {0};

	for (size_t i = 0; i < TSB_COUNT(names) && c.algorithm == NULL; i++)
		if (x509_algorithm(names[i], c.spki, &c.algorithm, &err))
			MUST(err.code == TSB_E_ALGORITHM_NOT_SUPPORTED);
	if (c.algorithm == NULL)
		return;
	MUST(x509_certificate_content(&c, &tbs, &err) == 0);
	MUST(x509_assemble(X509_KIND_CERTIFICATE, tsb_view_bytes(&tbs), c.algorithm,
		 tsb_view_of("no signature", 12), c.spki, &pem, &err) == -1);
	MUST(err.code == TSB_E_HSM && pem.n == 0);
}

static void
read_as_certificate(struct tsb_view in, struct arena *a)
{
	struct tsb_view name, id;
	struct tsb_err err = {0};

	if (crypto_cert_subject(in, a, &name, &err))
		MUST(err.code == TSB_E_PARSING_CERTIFICATE);
	else
		rename_and_read_again(name);
	if (crypto_cert_key_id(in, a, &id, &err))
		MUST(err.code == TSB_E_PARSING_CERTIFICATE || err.code == TSB_E_PARSING_KEY);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tsb_view in = tsb_view_of(data, size);
	arena_auto a = {0};
	struct x509_request request;
	struct tsb_err err = {0};

	if (x509_request_read(in, &a, &request, &err) == 0) {
		rename_and_read_again(request.subject);
		issue(&request);
	} else {
		MUST(err.code == TSB_E_CSR_FORMAT || err.code == TSB_E_INVALID_CSR);
	}
	rename_and_read_again(in);
	read_as_certificate(in, &a);
	return 0;
}
