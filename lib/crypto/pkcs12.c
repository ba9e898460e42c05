#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

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

/*
 * The key bag is what is wanted: certificates beside it are often under ciphers that OpenSSL 3 has
 * in its legacy provider only, and are not opened. NULL: none opens.
 */
static EVP_PKEY *
key_of_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, const char *pass, bool *sealed)
{
	EVP_PKEY *k = NULL;

	for (int i = 0; k == NULL && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
		pkcs8_auto *p8 = NULL;

		switch (PKCS12_SAFEBAG_get_nid(bag)) {
		case NID_keyBag:
			k = EVP_PKCS82PKEY(PKCS12_SAFEBAG_get0_p8inf(bag));
			break;
		case NID_pkcs8ShroudedKeyBag:
			*sealed = true;
			p8 = PKCS12_decrypt_skey(bag, pass, -1);
			k = p8 == NULL ? NULL : EVP_PKCS82PKEY(p8);
			break;
		}
	}
	return k;
}

static EVP_PKEY *
key_of_safes(PKCS12 *p12, const char *pass, bool *sealed)
{
	STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
	EVP_PKEY *k = NULL;

	for (int i = 0; k == NULL && i < sk_PKCS7_num(safes); i++) {
		PKCS7 *p7 = sk_PKCS7_value(safes, i);
		int nid = OBJ_obj2nid(p7->type);
		STACK_OF(PKCS12_SAFEBAG) *bags = nid == NID_pkcs7_data ? PKCS12_unpack_p7data(p7)
		    : nid == NID_pkcs7_encrypted ? PKCS12_unpack_p7encdata(p7, pass, -1)
						 : NULL;

		k = key_of_bags(bags, pass, sealed);
		sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	}
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return k;
}

/* Old containers: RC2 and the like come with the legacy provider, where it is installed. */
static EVP_PKEY *
open_key(PKCS12 *p12, const char *pass, bool *sealed)
{
	EVP_PKEY *k = key_of_safes(p12, pass, sealed);
	OSSL_PROVIDER *legacy, *standard;

	if (k != NULL)
		return k;
	standard = OSSL_PROVIDER_load(NULL, "default"); /* the first one loaded by name ends it */
	legacy = OSSL_PROVIDER_load(NULL, "legacy");
	if (legacy != NULL)
		k = key_of_safes(p12, pass, sealed);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return k;
}

static int
refuse(const char *why, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_DECRYPT_FAILED, "the password does not open the container%s",
	    why);
}

/* An empty password is written as none by some programs, and as an empty one by others. */
static bool
has_mac_of(PKCS12 *p12, const char **pass)
{
	if (PKCS12_verify_mac(p12, *pass, -1) == 1)
		return true;
	if (**pass != '\0' || PKCS12_verify_mac(p12, NULL, 0) != 1)
		return false;
	*pass = NULL;
	return true;
}

int
crypto_pkcs12_open(struct tsb_view container, struct tsb_view password,
    struct tsb_bytes *private_key, struct tsb_err *err)
{
	const unsigned char *der = container.p;
	tsb_bytes_auto text = {0};
	pkcs12_auto *p12 = NULL;
	pkey_auto *k = NULL;
	const char *pass;
	bool sealed = false;

	if (password_text(password, &text, err))
		return -1;
	pass = tsb_bytes_cstr(&text);
	if (container.n <= CONTAINER_MAX)
		p12 = d2i_PKCS12(NULL, &der, (long)container.n);
	if (p12 == NULL)
		return refuse(": it is no PKCS #12", err);
	if (!PKCS12_mac_present(p12))
		return refuse(": it has no MAC (openssl pkcs12 -export makes one)", err);
	if (!has_mac_of(p12, &pass))
		return refuse("", err);
	k = open_key(p12, pass, &sealed);
	if (k == NULL)
		return refuse(sealed
			? ": it is right, but OpenSSL has no such cipher "
			  "(openssl pkcs12 -legacy converts it)"
			: ": it is right, but there is no private key that can be read "
			  "(old ciphers: openssl pkcs12 -legacy converts it)",
		    err);
	return crypto_private_format(k, private_key, err);
}
