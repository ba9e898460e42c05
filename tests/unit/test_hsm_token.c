/*
 * The seam behind the handlers, shown with a second token: what it does not offer is refused before
 * approvals are asked for or looked at, nothing private is opened before they were enforced, and no
 * private half is left behind.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/crypto/signature_internal.h"
#include "lib/wire/wire.h"

#include "hsm/app.h"
#include "hsm/key/make.h"
#include "hsm/key/sign.h"
#include "hsm/soft/soft.h"
#include "tests/unit/hsm_keys.h"
#include "tests/unit/token_script.h"

/* Bodies of requests, to be completed. */
#define SIGN                                                                                       \
	"{\"signRequest\":{\"signKeyName\":\"k\",\"payload\":\"aGFycm8=\","                        \
	"\"signatureAlgorithm\":\"SHA256_WITH_ECDSA\",\"signedApprovals\":[]"
#define STAMP                                                                                      \
	"{\"timestampRequest\":{\"keyName\":\"k\",\"operation\":\"USE\",\"payload\":\"aGFycm8=\""
#define CREATE                                                                                        \
	"{\"label\":\"k\",\"algorithm\":\"EC\",\"curveOid\":\"1.2.840.10045.3.1.7\",\"attributes\":{" \
	"\"sign\":true,\"decrypt\":false,\"unwrap\":false,\"destroyable\":true"
#define DELETE "{\"label\":\"k\""

static const unsigned char master[CRYPTO_BOX_KEY_SIZE] = {1, 2, 3};
static char directory[] = "/tmp/tsb-test-token.XXXXXX";
static char attestation[] = "attestation-key", timestamp[] = "timestamp-key";
static struct hsm_settings conf = {.attestation_key = attestation, .timestamp_key = timestamp};
static struct hsm_app app = {.conf = &conf};

/* ---- a site: system keys in "soft", new keys in "script" ---- */

static void
store(struct hsm_key *made)
{
	hsm_key_auto *k = made;
	struct tsb_err err = {0};

	if (keystore_create(app.ks, k, &err))
		fail_msg("%s", err.msg);
}

/* Made once and smaller than those of a real store: making RSA keys takes its time. */
static struct hsm_key *system_key[KEY_SYSTEM__MAX];

static int
make_system_keys(void **state)
{
	system_key[KEY_ATTESTATION] = hsm_keys_make("RSA", NULL);
	system_key[KEY_ATTESTATION]->label = attestation;
	system_key[KEY_TIMESTAMP] = hsm_keys_make("1.2.840.10045.3.1.7", NULL);
	system_key[KEY_TIMESTAMP]->label = timestamp;
	return 0;
}

static int
release_system_keys(void **state)
{
	key_release(&system_key[KEY_ATTESTATION]);
	key_release(&system_key[KEY_TIMESTAMP]);
	return 0;
}

static void
store_system_key(enum key_system system)
{
	system_key[system]->system = system;
	store(key_hold(system_key[system]));
}

static int
setup(void **state)
{
	struct tsb_err err = {0};

	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	token_script_reset();
	if (tokens_open(&app.tokens, &token_script, &err) ||
	    tokens_open(&app.tokens, &soft_token, &err))
		return -1;
	app.ks = keystore_open(directory, master, &err);
	if (app.ks == NULL)
		return -1;
	store_system_key(KEY_ATTESTATION);
	store_system_key(KEY_TIMESTAMP);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	keystore_close(&app.ks);
	tokens_close(&app.tokens);
	assert_int_equal(token_script_state.opened, token_script_state.closed);
	token_script_reset();
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

/* Whose approval the use of a key takes. */
enum rule { NO_POLICY, NOBODY, SOMEBODY };

/* A key "k" in "script". */
static void
store_key(const char *password, enum rule use)
{
	struct wire_key_create in = {.label = "k",
	    .algorithm = "EC",
	    .curve_oid = "1.2.840.10045.3.1.7",
	    .password = tsb_view_str(password),
	    .has_policy = use != NO_POLICY};
	hsm_key_auto *somebody = hsm_keys_make("ED", NULL);
	struct ska_approver approver = {.type = APPROVER_PUBLIC_KEY, .value = somebody->spki};
	struct ska_group group = {.quorum = 1, .napprovers = 1, .approvers = &approver};
	arena_auto a = {0};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	in.flag[ATTR_SIGN] = in.flag[ATTR_DESTROYABLE] = true;
	for (int rule = 0; use != NO_POLICY && rule < RULE__MAX; rule++)
		ska_rule_set_always(&in.policy.rule[rule], &a);
	if (use == SOMEBODY) {
		in.policy.rule[RULE_USE].tokens[0].groups = &group;
		in.policy.rule[RULE_USE].tokens[0].ngroups = 1;
	}
	if (key_make(&app.tokens, &in, &a, HSM_KEYS_NOW, &k, &err))
		fail_msg("%s", err.msg);
	store(k);
	token_script_state.opened = token_script_state.closed = 0;
}

/* ---- requests ---- */

/* 0, or the code of the refusal, whose text is in said. */
static char said[sizeof(((struct tsb_err *)0)->msg)];

/* The row by which a caller would reach it. */
static const struct web_route *
route_of(web_serve_fn *serve)
{
	const struct web_route *route = hsm_routes;

	while (route->serve != serve)
		route++;
	return route;
}

static enum tsb_code
ask(web_serve_fn *serve, const char *start, const char *more, const char *end)
{
	arena_auto a = {0};
	char body[1024];
	struct web_request rq = {.arena = &a,
	    .route = route_of(serve),
	    .now_ms = HSM_KEYS_NOW * INT64_C(1000)};
	struct web_reply reply = {0};
	struct tsb_err err = {0};
	int rc;

	snprintf(body, sizeof(body), "%s%s%s", start, more, end);
	rq.body = tsb_view_str(body);
	rc = serve(&app, &rq, &reply, &err);
	tsb_bytes_clear(&reply.body);
	strcpy(said, err.msg);
	return rc ? err.code : TSB_OK;
}

static void
test_key_in_another_token_signs(void **state)
{
	store_key(NULL, NOBODY);
	assert_int_equal(ask(serve_timestamp, STAMP,
			     ",\"signatureAlgorithm\":\"SHA256_WITH_ECDSA\"", "}}"),
	    TSB_OK);
	assert_int_equal(token_script_state.opened, 0);
	assert_int_equal(ask(serve_sign, SIGN, "", "}}"), TSB_OK);
	assert_int_equal(ask(serve_sign, SIGN, "", "}}"), TSB_OK);
	assert_int_equal(token_script_state.opened, 1); /* kept with the key */
}

static void
test_what_is_not_offered_is_refused_first(void **state)
{
	store_key("secret", SOMEBODY);
	token_script_state.offers &= ~(1u << TOKEN_SIGN);
	assert_int_equal(ask(serve_timestamp, STAMP,
			     ",\"keyPassword\":\"secret\","
			     "\"signatureAlgorithm\":\"SHA256_WITH_ECDSA\"",
			     "}}"),
	    TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_string_equal(said,
	    "algorithm SHA256_WITH_ECDSA is not supported by key 'k': its token 'script' does not"
	    " offer it");
	assert_int_equal(tsb_err_number(TSB_E_ALGORITHM_NOT_SUPPORTED), 607);
	assert_int_equal(ask(serve_sign, SIGN, "", "}}"), TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_int_equal(token_script_state.opened, 0);
}

static void
test_keys_that_are_not_offered_are_not_made(void **state)
{
	token_script_state.offers = 0;
	assert_int_equal(ask(serve_key_create, CREATE, "", "}}"), TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_string_equal(said, "token 'script' does not offer EC keys of this size or curve");
	assert_int_equal(token_script_state.made, 0);
}

static void
test_enforcement_precedes_opening(void **state)
{
	static const char *const passwords[] = {"", ",\"keyPassword\":\"wrong\"",
	    ",\"keyPassword\":\"secret\""};

	store_key("secret", SOMEBODY);
	for (size_t i = 0; i < TSB_COUNT(passwords); i++) {
		assert_int_equal(ask(serve_sign, SIGN, passwords[i], "}}"), TSB_E_HSM);
		assert_non_null(strstr(said, "approvals are insufficient"));
	}
	assert_int_equal(token_script_state.opened, 0);
}

static void
test_password_is_checked_after_enforcement(void **state)
{
	store_key("secret", NOBODY);
	assert_int_equal(ask(serve_sign, SIGN, ",\"keyPassword\":\"wrong\"", "}}"),
	    TSB_E_KEY_PASSWORD);
	assert_int_equal(token_script_state.opened, 0);
	assert_int_equal(ask(serve_sign, SIGN, ",\"keyPassword\":\"secret\"", "}}"), TSB_OK);
	assert_int_equal(token_script_state.opened, 1);
	assert_int_equal(token_script_state.closed, 1); /* and needed again for the next one */
}

/* ---- nothing is left behind ---- */

static void
test_removal_ends_the_private_half(void **state)
{
	assert_int_equal(ask(serve_key_create, CREATE, "", "}}"), TSB_OK);
	assert_int_equal(token_script_keys(), 1);
	assert_int_equal(ask(serve_key_delete, DELETE, "", "}"), TSB_OK);
	assert_int_equal(token_script_keys(), 0);
	assert_int_equal(ask(serve_sign, SIGN, "", "}}"), TSB_E_KEY_NOT_EXISTENT);
}

static void
test_key_that_cannot_be_stored(void **state)
{
	assert_int_equal(ask(serve_key_create, CREATE, "", "}}"), TSB_OK);
	assert_int_equal(ask(serve_key_create, CREATE, "", "}}"), TSB_E_KEY_EXISTS);
	assert_int_equal(token_script_state.made, 2);
	assert_int_equal(token_script_keys(), 1);
	assert_int_equal(ask(serve_sign, SIGN, "", "}}"), TSB_OK);
}

/* ---- key files ---- */

static void
test_key_file_names_its_token(void **state)
{
	hsm_key_auto *soft = hsm_keys_make("ED", NULL);
	hsm_key_auto *k = NULL;
	hsm_key_auto *again = NULL;
	struct token_key *opened = NULL;
	struct tsb_err err = {0};

	store_key(NULL, NO_POLICY);
	assert_int_equal(keystore_get(app.ks, tsb_view_str("k"), &k, &err), 0);
	assert_int_equal(key_copy(k, &again, &err), 0);
	assert_string_equal(again->token, TOKEN_SCRIPT);
	assert_true(tsb_view_eq(again->private_part, tsb_view_str("#0")));
	assert_string_equal(soft->token, KEY_TOKEN_SOFT);
	/* a process that does not have the token */
	assert_int_equal(token_use(hsm_keys_tokens(), again, tsb_view_of(NULL, 0), &opened, &err),
	    -1);
	assert_int_equal(err.code, TSB_E_HSM);
	assert_string_equal(err.msg, "key 'k' is in token 'script', which this HSM does not have");
}

static void
test_keys_of_two_tokens_do_not_wrap_each_other(void **state)
{
	hsm_key_auto *kek = hsm_keys_make("RSA", NULL);
	hsm_key_auto *k = NULL;
	token_key_auto *leaving = NULL;
	const struct wrap_method *method;
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	store_key(NULL, NO_POLICY);
	assert_int_equal(wrap_select(kek, "RSA_WRAP_OAEP", &method, &err), 0);
	assert_int_equal(keystore_get(app.ks, tsb_view_str("k"), &k, &err), 0);
	assert_int_equal(token_use(&app.tokens, k, tsb_view_of(NULL, 0), &leaving, &err), 0);
	assert_int_equal(token_wrap(NULL, kek, method, leaving, &out, &err), -1);
	assert_int_equal(err.code, TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_int_equal(out.n, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_key_in_another_token_signs),
	    TEST(test_what_is_not_offered_is_refused_first),
	    TEST(test_keys_that_are_not_offered_are_not_made),
	    TEST(test_enforcement_precedes_opening),
	    TEST(test_password_is_checked_after_enforcement),
	    TEST(test_removal_ends_the_private_half),
	    TEST(test_key_that_cannot_be_stored),
	    TEST(test_key_file_names_its_token),
	    TEST(test_keys_of_two_tokens_do_not_wrap_each_other),
	};

	return cmocka_run_group_tests(tests, make_system_keys, release_system_keys);
}
