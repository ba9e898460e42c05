#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/custody/onetime.h"

/*
 * Six digits are few: a code ends after five tries and a day, and all codes of an approver together
 * allow fifteen wrong tries a day, however often an operator renews them. Without the broker's
 * secret key the stored hash cannot be searched, and with it only slowly.
 */
#define CODE_LIFE_MS    (24 * 3600 * 1000LL)
#define CODE_TRIES      5
#define WRONG_TRIES     15
#define WRONG_WINDOW_MS (24 * 3600 * 1000LL)
#define CODE_DIGITS     1000000u
#define SALT_SIZE       16
#define COST_LOG_N      14

static int
code_hash(const struct flow *f, struct tsb_view salt, struct tsb_view code,
    unsigned char hash[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	tsb_bytes_auto peppered = {0};

	tsb_bytes_add(&peppered, f->files.secret, sizeof(f->files.secret));
	tsb_bytes_add_view(&peppered, salt);
	return crypto_scrypt(code, tsb_view_bytes(&peppered), COST_LOG_N, hash, err);
}

/* Every code is as likely as any other: numbers above the last whole million are drawn again. */
static void
code_draw(char code[CUSTODY_CODE_SIZE])
{
	uint32_t n;

	do {
		crypto_random(&n, sizeof(n));
	} while (n >= UINT32_MAX / CODE_DIGITS * CODE_DIGITS);
	snprintf(code, CUSTODY_CODE_SIZE, "%06u", n % CODE_DIGITS);
}

int
custody_code_issue(struct flow *f, struct tsb_approver *row, struct arena *a, int64_t now_ms,
    char code[CUSTODY_CODE_SIZE], struct tsb_err *err)
{
	unsigned char salt[SALT_SIZE], hash[CRYPTO_BOX_KEY_SIZE];

	code_draw(code);
	crypto_random(salt, sizeof(salt));
	if (code_hash(f, tsb_view_of(salt, sizeof(salt)), tsb_view_str(code), hash, err))
		return -1;
	row->onboarded = false;
	row->code_salt = arena_view(a, tsb_view_of(salt, sizeof(salt)));
	row->code_hash = arena_view(a, tsb_view_of(hash, sizeof(hash)));
	row->code_expires_ms = now_ms + CODE_LIFE_MS;
	row->code_tries = 0;
	row->changed_ms = now_ms;
	return 0;
}

void
custody_code_void(struct tsb_approver *row)
{
	row->code_salt = row->code_hash = tsb_view_of(NULL, 0);
	row->code_expires_ms = 0;
	row->code_tries = 0;
}

static int
refuse(const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_INVALID_ONE_TIME_CODE, "oneTimeCode: %s", why);
}

int
custody_code_count_try(struct tsb_approver *row, int64_t now_ms, struct tsb_err *err)
{
	if (row->onboarded || row->code_salt.n == 0)
		return refuse("the approver has no open code, ask for a new one", err);
	if (now_ms >= row->code_expires_ms)
		return refuse("it has expired, ask for a new one", err);
	if (row->code_tries >= CODE_TRIES)
		return refuse("it is void after too many tries, ask for a new one", err);
	if (now_ms - row->wrong_since_ms >= WRONG_WINDOW_MS) {
		row->wrong_since_ms = now_ms;
		row->wrong_tries = 0;
	}
	if (row->wrong_tries >= WRONG_TRIES)
		return refuse("too many wrong codes for this approver, wait until tomorrow", err);
	row->code_tries++;
	row->wrong_tries++;
	row->changed_ms = now_ms;
	return 0;
}

int
custody_code_check(struct flow *f, const struct tsb_approver *row, struct tsb_view code,
    struct tsb_err *err)
{
	unsigned char hash[CRYPTO_BOX_KEY_SIZE];

	if (code_hash(f, row->code_salt, code, hash, err))
		return -1;
	if (!tsb_view_eq_secret(tsb_view_of(hash, sizeof(hash)), row->code_hash))
		return refuse("it is not the code of this approver", err);
	return 0;
}
