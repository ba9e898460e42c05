/* OpenSSL's objects as we own them: freed at the end of their block. */
#ifndef TSB_CRYPTO_OWNED_H
#define TSB_CRYPTO_OWNED_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"

#define OWNED(name, type, release)                                                                 \
	static inline void name(type **p)                                                          \
	{                                                                                          \
		release(*p);                                                                       \
	}
OWNED(owned_pkey_free, EVP_PKEY, EVP_PKEY_free)
OWNED(owned_pkey_ctx_free, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
OWNED(owned_x509_free, X509, X509_free)
OWNED(owned_pkcs8_free, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
OWNED(owned_pkcs12_free, PKCS12, PKCS12_free)
OWNED(owned_bn_free, BIGNUM, BN_free)
OWNED(owned_md_ctx_free, EVP_MD_CTX, EVP_MD_CTX_free)
OWNED(owned_req_free, X509_REQ, X509_REQ_free)
OWNED(owned_pubkey_free, X509_PUBKEY, X509_PUBKEY_free)
OWNED(owned_der_free, unsigned char, OPENSSL_free)
OWNED(owned_bio_free, BIO, BIO_free_all)
OWNED(owned_cipher_free, EVP_CIPHER, EVP_CIPHER_free)
OWNED(owned_cipher_ctx_free, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
OWNED(owned_ecdsa_sig_free, ECDSA_SIG, ECDSA_SIG_free)
OWNED(owned_name_free, X509_NAME, X509_NAME_free)
OWNED(owned_sealed_free, X509_SIG, X509_SIG_free)
#undef OWNED

#define pkey_auto       EVP_PKEY __attribute__((cleanup(owned_pkey_free)))
#define pkey_ctx_auto   EVP_PKEY_CTX __attribute__((cleanup(owned_pkey_ctx_free)))
#define x509_auto       X509 __attribute__((cleanup(owned_x509_free)))
#define pkcs8_auto      PKCS8_PRIV_KEY_INFO __attribute__((cleanup(owned_pkcs8_free)))
#define pkcs12_auto     PKCS12 __attribute__((cleanup(owned_pkcs12_free)))
#define bn_auto         BIGNUM __attribute__((cleanup(owned_bn_free)))
#define md_ctx_auto     EVP_MD_CTX __attribute__((cleanup(owned_md_ctx_free)))
#define req_auto        X509_REQ __attribute__((cleanup(owned_req_free)))
#define pubkey_auto     X509_PUBKEY __attribute__((cleanup(owned_pubkey_free)))
#define der_auto        unsigned char __attribute__((cleanup(owned_der_free)))
#define bio_auto        BIO __attribute__((cleanup(owned_bio_free)))
#define cipher_auto     EVP_CIPHER __attribute__((cleanup(owned_cipher_free)))
#define cipher_ctx_auto EVP_CIPHER_CTX __attribute__((cleanup(owned_cipher_ctx_free)))
#define ecdsa_sig_auto  ECDSA_SIG __attribute__((cleanup(owned_ecdsa_sig_free)))
#define name_auto       X509_NAME __attribute__((cleanup(owned_name_free)))
#define sealed_auto     X509_SIG __attribute__((cleanup(owned_sealed_free)))

/* PKCS#8 DER to its last byte; TSB_E_DATA_CONSTELLATION (keypair.c). */
int crypto_private_parse(struct tsb_view der, EVP_PKEY **out, struct tsb_err *err) TSB_MUSTCHECK;
int crypto_private_format(EVP_PKEY *k, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * A private key of any kind from PEM (private.c); passphrase NULL: an encrypted one is
 * TSB_E_DECRYPT_FAILED, as is a wrong passphrase. TSB_E_PARSING_KEY says what the text has instead.
 */
int crypto_private_read(struct tsb_view pem, const char *passphrase, EVP_PKEY **out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends PEM, encrypted unless passphrase is NULL; info NULL is TSB_E_TECHNICAL (private.c). */
int crypto_private_armour(PKCS8_PRIV_KEY_INFO *info, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
