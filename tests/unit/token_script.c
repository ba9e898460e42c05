#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hsm/key/key.h"
#include "hsm/soft/soft.h"
#include "tests/unit/token_script.h"

#define HANDLES 8

struct script_key {
	struct token_key base;
	struct token_key *inner;
};

static struct token script = {.ops = &token_script};
static struct tsb_bytes values[HANDLES]; /* by handle; empty = none */
struct token_script_state token_script_state;

void
token_script_reset(void)
{
	for (size_t i = 0; i < HANDLES; i++)
		tsb_bytes_clear(&values[i]);
	token_script_state = (struct token_script_state){.offers = ~0u};
}

unsigned
token_script_keys(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < HANDLES; i++)
		n += values[i].n > 0;
	return n;
}

static struct token *
open_script(struct tsb_err *err)
{
	return &script;
}

static void
close_script(struct token *t)
{
	assert_ptr_equal(t, &script);
}

static bool
offers(struct token *t, const struct token_ask *ask)
{
	token_script_state.asked++;
	return token_script_state.offers >> ask->task & 1;
}

/* The part is a handle: "#" and its digit. */
static int
keep(struct tsb_bytes *value, struct tsb_bytes *part)
{
	char handle = '0';

	while (values[handle - '0'].n > 0)
		handle++;
	assert_true(handle < '0' + HANDLES);
	tsb_bytes_add_view(&values[handle - '0'], tsb_view_bytes(value));
	tsb_bytes_add_str(part, "#");
	tsb_bytes_add(part, &handle, 1);
	token_script_state.made++;
	return 0;
}

static struct tsb_bytes *
value_of(struct tsb_view part)
{
	assert_int_equal(part.n, 2);
	assert_int_equal(part.p[0], '#');
	return &values[part.p[1] - '0'];
}

static int
make(struct token *t, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	tsb_bytes_auto value = {0};

	return soft_token.make(t, k, &value, err) || keep(&value, part) ? -1 : 0;
}

static int
use(struct token *t, const struct hsm_key *k, struct tsb_view part, struct token_key **out,
    struct tsb_err *err)
{
	struct token_key *inner;
	struct script_key *key;

	if (soft_token.use(t, k, tsb_view_bytes(value_of(part)), &inner, err))
		return -1;
	key = calloc(1, sizeof(*key));
	assert_non_null(key);
	key->base = (struct token_key){.ops = &token_script, .refs = 1};
	key->inner = inner;
	token_script_state.opened++;
	*out = &key->base;
	return 0;
}

static struct token_key *
inner_of(struct token_key *key)
{
	return key != NULL ? ((struct script_key *)key)->inner : NULL;
}

static void
release(struct token_key *key)
{
	struct token_key *inner = inner_of(key);

	token_release(&inner);
	free(key);
	token_script_state.closed++;
}

static int
sign(struct token_key *key, const struct hsm_key *k, const struct token_sign *what,
    struct tsb_bytes *out, struct tsb_err *err)
{
	return soft_token.sign(inner_of(key), k, what, out, err);
}

static int
decrypt(struct token_key *key, const struct hsm_key *k, const struct cipher_algorithm *alg,
    const struct wire_cipher *given, struct tsb_view payload, struct tsb_bytes *out,
    struct tsb_err *err)
{
	return soft_token.decrypt(inner_of(key), k, alg, given, payload, out, err);
}

static int
encrypt(struct token_key *key, const struct hsm_key *k, const struct cipher_algorithm *alg,
    const struct wire_cipher *given, struct tsb_view payload, struct cipher_encrypted *out,
    struct tsb_err *err)
{
	return soft_token.encrypt(inner_of(key), k, alg, given, payload, out, err);
}

static int
wrap(struct token_key *by, const struct hsm_key *k, const struct wrap_method *method,
    struct token_key *leaving, struct tsb_bytes *out, struct tsb_err *err)
{
	return soft_token.wrap(inner_of(by), k, method, inner_of(leaving), out, err);
}

static int
unwrap(struct token *t, struct token_key *by, const struct wrap_method *method,
    struct tsb_view wrapped, struct hsm_key *made, struct tsb_bytes *part, struct tsb_err *err)
{
	tsb_bytes_auto value = {0};

	return soft_token.unwrap(t, inner_of(by), method, wrapped, made, &value, err) ||
		keep(&value, part)
	    ? -1
	    : 0;
}

static int
destroy(struct token *t, struct tsb_view part, struct tsb_err *err)
{
	tsb_bytes_clear(value_of(part));
	token_script_state.destroyed++;
	return 0;
}

const struct token_ops token_script = {
    .name = TOKEN_SCRIPT,
    .open = open_script,
    .close = close_script,
    .offers = offers,
    .make = make,
    .use = use,
    .release = release,
    .sign = sign,
    .decrypt = decrypt,
    .encrypt = encrypt,
    .wrap = wrap,
    .unwrap = unwrap,
    .destroy = destroy,
};
