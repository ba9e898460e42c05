#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "lib/crypto/keypair.h"
#include "lib/crypto/owned.h"

/* Of PBKDF2 for key and certificate, and of the key derivation of the MAC. */
#define ITERATIONS 100000
#define SALT_SIZE  16
/* More asks for work without end: the password could not be tried. */
#define CONTAINER_MAX (64 * 1024)

/* OpenSSL takes passwords as C strings. */
static int
password_text(struct tsb_view password, struct tsb_bytes *text, struct tsb_err *err)
{
	if (password.n > 0 && memchr(password.p, '\0', password.n) != NULL)
		return tsb_fail(err, TSB_E_INPUT, "the password has a NUL character");
	tsb_bytes_add_view(text, password);
	return 0;
}

int
crypto_pkcs12_seal(struct tsb_view private_key, struct tsb_view cert, const char *alias,
    struct tsb_view password, struct tsb_bytes *container, struct tsb_err *err)
{
	const unsigned char *der = cert.p;
	tsb_bytes_auto text = {0};
	pkey_auto *k = NULL;
	x509_auto *x = NULL;
	pkcs12_auto *p12 = NULL;
	const char *pass;
	unsigned char *p;
	int n = -1;

	if (password_text(password, &text, err) || crypto_private_parse(private_key, &k, err))
		return -1;
	x = cert.n > INT_MAX ? NULL : d2i_X509(NULL, &der, (long)cert.n);
	pass = tsb_bytes_cstr(&text);
	if (x != NULL)
		p12 = PKCS12_create(pass, alias, k, x, NULL, NID_aes_256_cbc, NID_aes_256_cbc,
		    ITERATIONS, -1, 0);
	if (p12 != NULL &&
	    PKCS12_set_mac(p12, pass, -1, NULL, SALT_SIZE, ITERATIONS, EVP_sha256()) == 1)
		n = i2d_PKCS12(p12, NULL);
	if (n <= 0) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_TECHNICAL, "OpenSSL cannot make a PKCS#12 container");
	}
	p = tsb_bytes_grow(container, (size_t)n);
	i2d_PKCS12(p12, &p);
	return 0;
}

int
crypto_pkcs12_open(struct tsb_view container, struct tsb_view password,
    struct tsb_bytes *private_key, struct tsb_err *err)
{
	const unsigned char *der = container.p;
	tsb_bytes_auto text = {0};
	pkcs12_auto *p12 = NULL;
	pkey_auto *k = NULL;
	x509_auto *x = NULL;

	if (password_text(password, &text, err))
		return -1;
	if (container.n <= CONTAINER_MAX)
		p12 = d2i_PKCS12(NULL, &der, (long)container.n);
	if (p12 == NULL || PKCS12_parse(p12, tsb_bytes_cstr(&text), &k, &x, NULL) != 1 ||
	    k == NULL) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "the password does not open the approver's container");
	}
	return crypto_private_format(k, private_key, err);
}
