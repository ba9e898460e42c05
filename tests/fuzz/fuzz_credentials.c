/*
 * Files as people have them: certificates, chains, requests, PKCS #12, public and private keys, in
 * PEM with anything around it, base64 or DER. Each input is read as a file of every setting and
 * option of this sort, and as a member of a body. The passphrase is "secret", or none.
 */
#include "lib/first.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/provider.h>

#include "lib/crypto/keypair.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/private.h"
#include "lib/crypto/x509.h"
#include "lib/wire/wire.h"

#include "cli/approve/signer.h"
#include "cli/lib/ask.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "tests/fuzz/fuzz.h"

#define NOW    1780000000
#define BLOCKS 8 /* of one text that are looked at */

/* ---- the terminal ---- */

bool
ask_secret(const char *prompt, struct arena *a, const char **out)
{
	(void)prompt;
	*out = arena_str(a, "secret");
	return true;
}

void
output_note(const char *fmt, ...)
{
	MUST(fmt[0] != '\0');
}

/* ---- ---- */

/* A refusal has a row of the table and a sentence. */
static bool
refused(int result, const struct tsb_err *err)
{
	MUST(result == 0 || (result == -1 && err->code != TSB_OK && err->msg[0] != '\0'));
	return result != 0;
}

static void
read_der(struct tsb_view der, struct arena *a)
{
	struct x509_request request;
	struct tsb_view spki, name, id;
	const char *common_name;
	struct tsb_err err = {0};

	if (!refused(crypto_cert_spki(der, a, &spki, &err), &err)) {
		MUST(spki.n > 0);
		(void)refused(crypto_cert_common_name(der, a, &common_name, &err), &err);
		(void)refused(crypto_cert_subject(der, a, &name, &err), &err);
		(void)refused(crypto_cert_key_id(der, a, &id, &err), &err);
		(void)refused(crypto_cert_valid_at(der, NOW, &err), &err);
		(void)refused(crypto_cert_check_key(der, spki, &err), &err);
	}
	if (!refused(crypto_public_key(der, a, &spki, &err), &err))
		MUST(crypto_spki_check(spki, &err) == 0);
	(void)refused(x509_request_read(der, a, &request, &err), &err);
}

static void
read_blocks(struct tsb_view in, struct arena *a)
{
	static const unsigned kinds[] = {PEM_CERTIFICATE, PEM_PUBLIC_KEY, PEM_REQUEST,
	    PEM_CERTIFICATE | PEM_PUBLIC_KEY, PEM_CERTIFICATE | PEM_PUBLIC_KEY | PEM_REQUEST};
	struct pem_blocks blocks;
	struct tsb_view first;
	struct tsb_err err = {0};

	for (size_t k = 0; k < TSB_COUNT(kinds); k++) {
		if (refused(crypto_pem_all(in, kinds[k], a, &blocks, &err), &err)) {
			MUST(err.code == TSB_E_READING_PEM);
			continue;
		}
		MUST(blocks.n > 0);
		MUST(crypto_pem_pick(in, kinds[k], a, &first, &err) == 0);
		MUST(tsb_view_eq(first, blocks.v[0].der));
		for (size_t i = 0; i < blocks.n; i++) {
			MUST(blocks.v[i].der.n > 0 && (blocks.v[i].kind & ~kinds[k]) == 0);
			MUST(blocks.v[i].kind != 0 || blocks.n == 1);
		}
		for (size_t i = 0; k + 1 == TSB_COUNT(kinds) && i < blocks.n && i < BLOCKS; i++)
			read_der(blocks.v[i].der, a);
	}
}

/* ---- private keys ---- */

static void
use_private(struct crypto_private *key)
{
	tsb_bytes_auto signature = {0};
	tsb_bytes_auto pem = {0};
	crypto_private_auto *again = NULL;
	struct tsb_err err = {0};

	if (refused(crypto_private_sign(key, tsb_view_str("message"), &signature, &err), &err) ||
	    refused(crypto_private_pem(key, NULL, &pem, &err), &err))
		return; /* a key whose parts do not fit each other */
	if (!refused(crypto_private_load(tsb_view_bytes(&pem), NULL, &again, &err), &err))
		MUST(tsb_view_eq(crypto_private_spki(again), crypto_private_spki(key)));
}

/* False when no passphrase makes a private key of it. */
static bool
read_private(struct tsb_view in)
{
	static const char *const passphrases[] = {NULL, "", "secret"};
	struct tsb_err err = {0};

	for (size_t i = 0; i < TSB_COUNT(passphrases); i++) {
		crypto_private_auto *key = NULL;

		if (!refused(crypto_private_load(in, passphrases[i], &key, &err), &err))
			use_private(key);
		else if (err.code != TSB_E_DECRYPT_FAILED)
			return err.code == TSB_E_APPROVER_KEY_TYPE;
		if (key != NULL)
			break;
	}
	return true;
}

static void
read_container(struct tsb_view in)
{
	static const char *const passwords[] = {"", "secret"};
	struct tsb_err err = {0};

	for (size_t i = 0; i < TSB_COUNT(passwords); i++) {
		tsb_bytes_auto pkcs8 = {0};
		crypto_private_auto *key = NULL;

		if (!refused(crypto_pkcs12_open(in, tsb_view_str(passwords[i]), &pkcs8, &err),
			&err) &&
		    !refused(crypto_private_decode(tsb_view_bytes(&pkcs8), &key, &err), &err))
			use_private(key);
	}
}

/* ---- files and members ---- */

/* The input as a file that can be opened by its name. */
static const char *
file_of(struct tsb_view in)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		MUST(fd >= 0 && fchmod(fd, 0600) == 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0);
	MUST(in.n == 0 || pwrite(fd, in.p, in.n, 0) == (ssize_t)in.n);
	return path;
}

static void
read_files(const char *path, struct arena *a)
{
	struct tsb_view spki, cert, der;
	struct tsb_err err = {0};

	(void)refused(file_read_csr(path, a, &der, &err), &err);
	if (refused(file_read_spki(path, a, &spki, &cert, &err), &err))
		return;
	MUST(spki.n > 0);
	if (cert.n > 0 && !refused(file_read_certificate(path, spki, a, &cert, &err), &err))
		MUST(cert.n > 0);
}

static void
read_signer(const char *path)
{
	struct cli c = {0};
	bool more = true;

	c.opt[OPT_APPROVER] = path;
	for (int with = 0; with < 2 && more; with++) {
		signer_auto s = {0};

		c.opt[OPT_CERTIFICATE] = with ? path : NULL;
		more = !refused(signer_load(&c, &s), &c.err);
		if (more)
			MUST(s.key != NULL && s.spki.n > 0 && (s.certificate.n > 0) == with);
	}
	arena_clear(&c.arena);
}

static void
read_member(struct tsb_view in, struct arena *a)
{
	tsb_bytes_auto body = {0};
	struct tsb_task_filter filter;
	struct tsb_err err = {0};

	tsb_bytes_add_str(&body,
	    "{\"timestamp\":\"2026-01-05T10:00:43Z\",\"timestampSignature\":\"c2ln\","
	    "\"timestampDigestAlgorithm\":\"SHA-256\",\"approverCertificate\":");
	wire_text_format(in, &body);
	tsb_bytes_add_str(&body, "}");
	if (!refused(wire_task_filter_parse(tsb_view_bytes(&body), a, &filter, &err), &err))
		MUST(filter.proof.certificate.n > 0);
}

static OSSL_PROVIDER *standard, *legacy;

/* OpenSSL's own end leaves the context of "legacy" behind, which counts as a leak. */
static void
drop_providers(void)
{
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
}

/* Loaded and unloaded for each old file, they would take most of the time. */
static void
keep_providers(void)
{
	if (standard == NULL) {
		standard = OSSL_PROVIDER_load(NULL, "default");
		legacy = OSSL_PROVIDER_load(NULL, "legacy");
		MUST(standard != NULL && (legacy != NULL || ERR_peek_error() != 0));
		MUST(atexit(drop_providers) == 0);
		ERR_clear_error();
	}
}

/* OpenSSL's decoders are slow: what cannot be a private key is read as one now and then. */
static bool
may_be_private(struct tsb_view in)
{
	return in.n % 16 == 0 || in.p[0] == 0x30 || memmem(in.p, in.n, "PRIVATE KEY", 11) != NULL;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tsb_view in = tsb_view_of(data, size);
	const char *path = file_of(in);
	arena_auto a = {0};

	keep_providers();
	read_blocks(in, &a);
	read_der(in, &a);
	if (may_be_private(in)) {
		if (read_private(in) || (in.n > 0 && in.p[0] == 0x30))
			read_signer(path);
		read_container(in);
	}
	read_files(path, &a);
	read_member(in, &a);
	return 0;
}
