/* AES of OpenSSL by size of key and mode. */
#ifndef TSB_HSM_SOFT_CIPHERCTX_H
#define TSB_HSM_SOFT_CIPHERCTX_H

#include <stddef.h>

#include "lib/crypto/owned.h"

/* AES with a key of n bytes in this mode ("GCM", "CBC", "WRAP-PAD"), NULL when there is none. */
EVP_CIPHER *cipherctx_fetch(size_t n, const char *mode);

#endif
