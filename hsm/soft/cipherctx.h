/* OpenSSL's handles of AES, released at the end of the scope. */
#ifndef TSB_HSM_SOFT_CIPHERCTX_H
#define TSB_HSM_SOFT_CIPHERCTX_H

#include <stddef.h>

#include <openssl/evp.h>

/* AES with a key of n bytes in this mode ("GCM", "CBC", "WRAP-PAD"), NULL when there is none. */
EVP_CIPHER *cipherctx_fetch(size_t n, const char *mode);

void cipherctx_cipher_free(EVP_CIPHER **);
void cipherctx_free(EVP_CIPHER_CTX **);
#define cipher_auto    EVP_CIPHER __attribute__((cleanup(cipherctx_cipher_free)))
#define cipherctx_auto EVP_CIPHER_CTX __attribute__((cleanup(cipherctx_free)))

#endif
