#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "tests/unit/crypto_help.h"

struct arena memory;

int
memory_clear(void **state)
{
	arena_clear(&memory);
	return 0;
}

void
assert_refused(int rc, const struct tsb_err *err, enum tsb_code code)
{
	assert_int_equal(rc, -1);
	if (err->code != code)
		fail_msg("%d instead of %d: %s", tsb_err_number(err->code), tsb_err_number(code),
		    err->msg);
	assert_true(err->msg[0] != '\0');
}

void
assert_refused_as(int rc, const struct tsb_err *err, enum tsb_code code, const char *says)
{
	assert_refused(rc, err, code);
	if (strstr(err->msg, says) == NULL)
		fail_msg("'%s' does not say '%s'", err->msg, says);
}

struct tsb_view
spki_of(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct tsb_view v;

	assert_true(n > 0);
	v = arena_view(&memory, tsb_view_of(der, (size_t)n));
	OPENSSL_free(der);
	return v;
}
