#include "lib/first.h"

#include <stdio.h>

#include "hsm/soft/cipherctx.h"

EVP_CIPHER *
cipherctx_fetch(size_t n, const char *mode)
{
	char name[32];

	snprintf(name, sizeof(name), "AES-%zu-%s", n * 8, mode);
	return EVP_CIPHER_fetch(NULL, name, NULL);
}
