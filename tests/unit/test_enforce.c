/*
 * Enforcement: a request that is good in all respects, and each respect violated alone. Approvals
 * are made here with OpenSSL and the formatters; the timestamp key is the test's own.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/ska/sigalg.h"

#include "hsm/key/enforce.h"

#define PEOPLE      4
#define T0          1700000000
#define TIMELOCK    60
#define TIMEOUT     600
#define KEY_NAME    "invoice-key"
#define STAMP_LABEL "timestamp-key"

struct person {
	EVP_PKEY *key;
	struct tsb_view spki;
	enum ska_key_type type;
	enum ska_digest digest;
	const char *md;
};

/* People 0 to 2 are in the policy, 3 is not. */
static struct person person[PEOPLE], stamper;
static struct arena arena;

static void
person_make(struct person *p, EVP_PKEY *key, enum ska_key_type type, enum ska_digest digest,
    const char *md)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	assert_true(n > 0);
	*p =
	    (struct person){key, arena_view(&arena, tsb_view_of(der, (size_t)n)), type, digest, md};
	OPENSSL_free(der);
}

static int
setup(void **state)
{
	person_make(&person[0], EVP_EC_gen("prime256v1"), KEYTYPE_EC, DIGEST_SHA256, "SHA256");
	person_make(&person[1], EVP_RSA_gen(2048), KEYTYPE_RSA, DIGEST_SHA3_256, "SHA3-256");
	person_make(&person[2], EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), KEYTYPE_ED25519,
	    DIGEST_NONE, NULL);
	person_make(&person[3], EVP_EC_gen("secp384r1"), KEYTYPE_EC, DIGEST_SHA384, "SHA384");
	person_make(&stamper, EVP_EC_gen("prime256v1"), KEYTYPE_EC, DIGEST_SHA256, "SHA256");
	return 0;
}

static int
teardown(void **state)
{
	for (size_t i = 0; i < PEOPLE; i++)
		EVP_PKEY_free(person[i].key);
	EVP_PKEY_free(stamper.key);
	arena_clear(&arena);
	return 0;
}

/* Signature with algorithm over message. */
static struct tsb_view
person_sign(const struct person *p, struct tsb_view message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[1024];
	tsb_bytes_auto der = {0};
	size_t n = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, p->md, NULL, NULL, p->key, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(ctx);
	ska_signature_format(p->type, p->digest, tsb_view_of(sig, n), &der);
	return arena_view(&arena, tsb_view_bytes(&der));
}

/* ---- a case: everything good, until a test changes something ---- */

struct fixture {
	struct ska_approver approver[3];
	struct ska_group group;
	struct ska_token token;
	struct ska_policy policy;
	struct enforce_request request;
	/* of which the approvals are made */
	bool timestamped;
	const char *label;
	enum ska_operation operation;
	struct tsb_view payload;
	uint64_t seconds;
	const char *stamp_label;
	const struct person *stamp_signer;
	struct tsb_view approval[8];
};

static int
timestamp_key(void *arg, struct tsb_view label, struct arena *a, struct tsb_view *spki,
    struct tsb_err *err)
{
	if (!tsb_view_eq(label, tsb_view_str(STAMP_LABEL)))
		return tsb_fail(err, TSB_E_KEY_NOT_EXISTENT, "no such key");
	*spki = stamper.spki;
	return 0;
}

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < 3; i++)
		f->approver[i] = (struct ska_approver){.type = APPROVER_PUBLIC_KEY,
		    .value = person[i].spki,
		    .spki = person[i].spki};
	f->group = (struct ska_group){.quorum = 2, .napprovers = 3, .approvers = f->approver};
	f->token = (struct ska_token){.timelock = TIMELOCK,
	    .timeout = TIMEOUT,
	    .ngroups = 1,
	    .groups = &f->group};
	for (int rule = 0; rule < RULE__MAX; rule++)
		f->policy.rule[rule] = (struct ska_rule){.ntokens = 0};
	f->policy.rule[RULE_USE] = (struct ska_rule){1, &f->token};
	f->request = (struct enforce_request){.key_name = KEY_NAME,
	    .policy = &f->policy,
	    .operation = OP_USE,
	    .payload = tsb_view_str("harro"),
	    .approvals = f->approval,
	    .now = T0 + TIMELOCK,
	    .timestamp_key = timestamp_key};
	f->timestamped = true;
	f->label = KEY_NAME;
	f->operation = OP_USE;
	f->payload = tsb_view_str("harro");
	f->seconds = T0;
	f->stamp_label = STAMP_LABEL;
	f->stamp_signer = &stamper;
}

static struct tsb_view
token_bytes(const struct fixture *f)
{
	struct ska_approval_token t = {.operation = f->operation,
	    .label = tsb_view_str(f->label),
	    .has_timestamp = f->timestamped,
	    .has_payload = f->operation == OP_USE || f->operation == OP_MODIFY,
	    .payload = f->payload};
	tsb_bytes_auto stamp = {0};
	tsb_bytes_auto whole = {0};

	if (t.has_timestamp) {
		t.timestamp = (struct ska_timestamp){.has_payload = t.has_payload,
		    .modify = f->operation == OP_MODIFY,
		    .payload = f->payload,
		    .seconds = f->seconds,
		    .key_label = tsb_view_str(f->stamp_label)};
		ska_timestamp_format(&t.timestamp, &stamp);
		t.timestamp.whole = arena_view(&arena, tsb_view_bytes(&stamp));
		t.timestamp_signature = person_sign(f->stamp_signer, t.timestamp.whole);
	}
	ska_approval_token_format(&t, &whole);
	return arena_view(&arena, tsb_view_bytes(&whole));
}

static struct tsb_view
signed_by(const struct person *p, struct tsb_view token)
{
	struct ska_signed_approval s = {.signature = person_sign(p, token), .approver = p->spki};
	tsb_bytes_auto whole = {0};

	s.token.whole = token;
	ska_signed_approval_format(&s, &whole);
	return arena_view(&arena, tsb_view_bytes(&whole));
}

/* Approvals of these people, "01" for the first two, over one token. */
static void
approve(struct fixture *f, const char *who)
{
	struct tsb_view token = token_bytes(f);

	for (; *who; who++)
		f->approval[f->request.napprovals++] = signed_by(&person[*who - '0'], token);
}

static void
allowed(const struct fixture *f)
{
	arena_auto a = {0};
	struct tsb_err err = {0};

	if (enforce(&f->request, &a, &err))
		fail_msg("refused: %s", err.msg);
}

static void
refused(const struct fixture *f, const char *says)
{
	arena_auto a = {0};
	struct tsb_err err = {0};

	assert_int_equal(enforce(&f->request, &a, &err), -1);
	assert_int_equal(err.code, TSB_E_HSM);
	if (!strstr(err.msg, says))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

#define INSUFFICIENT "The provided approvals are insufficient."

/* ---- the rule ---- */

static void
test_quorum(void **state)
{
	static const struct {
		const char *who;
		bool met;
	} rows[] = {{"", false}, {"0", false}, {"2", false}, {"00", false}, {"0000", false},
	    {"01", true}, {"12", true}, {"20", true}, {"012", true}, {"001", true}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		approve(&f, rows[i].who);
		if (rows[i].met)
			allowed(&f);
		else
			refused(&f, INSUFFICIENT);
	}
}

/* One approval 4096 times cost 4096 verifications. Now a known approver is not looked at again. */
static void
test_known_approvers_are_not_verified_again(void **state)
{
	struct ska_signed_approval s;
	tsb_bytes_auto whole = {0};
	struct tsb_err err;
	struct fixture f;

	begin(&f);
	approve(&f, "012");
	assert_int_equal(ska_signed_approval_parse(f.approval[1], &s, &err), 0);
	s.signature = person_sign(&person[1], tsb_view_str("something else"));
	ska_signed_approval_format(&s, &whole);
	f.approval[2] = tsb_view_bytes(&whole);
	allowed(&f);
	f.approval[1] = f.approval[2];
	refused(&f, "approval 2: signature does not verify");
}

static void
test_time_window(void **state)
{
	static const struct {
		int64_t after;
		bool met;
	} rows[] = {{0, false}, {TIMELOCK - 1, false}, {TIMELOCK, true}, {TIMEOUT - 1, true},
	    {TIMEOUT, false}, {TIMEOUT + 1, false}, {INT64_C(1) << 40, false}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		approve(&f, "01");
		f.request.now = T0 + rows[i].after;
		if (rows[i].met)
			allowed(&f);
		else
			refused(&f, INSUFFICIENT);
	}
}

static void
test_future_timestamps(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *says;
	} rows[] = {{T0 + TIMELOCK + ENFORCE_DRIFT + 1,
			"approval 1: its timestamp is in the future"},
	    {T0 * UINT64_C(2), "approval 1: its timestamp is in the future"},
	    {INT64_MAX, "approval 1: does not parse"},
	    {(uint64_t)INT64_MAX + 1, "approval 1: does not parse"},
	    {UINT64_MAX, "approval 1: does not parse"}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		f.seconds = rows[i].seconds;
		approve(&f, "01");
		refused(&f, rows[i].says);
	}
}

/* The clock was set back a little: this is said, so that a broker tries again. */
static void
test_timestamps_that_the_clock_reaches_soon(void **state)
{
	static const uint64_t ahead[] = {1, 4, ENFORCE_DRIFT};

	for (size_t i = 0; i < TSB_COUNT(ahead); i++) {
		arena_auto a = {0};
		struct tsb_err err = {0};
		struct fixture f;

		begin(&f);
		f.seconds = T0 + TIMELOCK + ahead[i];
		approve(&f, "01");
		assert_int_equal(enforce(&f.request, &a, &err), -1);
		assert_int_equal(err.code, TSB_E_TIMESTAMP_OFF);
		assert_non_null(strstr(err.msg, "later"));
		f.request.now = (int64_t)f.seconds + TIMELOCK;
		allowed(&f);
	}
}

/* Approvals of a key that was deleted and made again; changes that were dropped from done. */
static void
test_timestamps_of_the_past(void **state)
{
	static const struct {
		int64_t created;
		uint64_t forgotten;
		const char *says;
	} rows[] = {{T0, 0, NULL}, {T0 + 1, 0, "approval 1: its timestamp is older than the key"},
	    {T0, T0 - 1, NULL}, {0, T0, "approval 1: its timestamp is not newer than changes"},
	    {0, T0 + 1, "no longer remembers"}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		approve(&f, "01");
		f.request.created = rows[i].created;
		f.request.forgotten = rows[i].forgotten;
		if (rows[i].says == NULL)
			allowed(&f);
		else
			refused(&f, rows[i].says);
	}
}

static void
test_without_timestamp_only_untimed_tokens(void **state)
{
	static const struct {
		uint64_t lock, out;
		bool met;
	} rows[] = {{0, 0, true}, {TIMELOCK, 0, false}, {0, TIMEOUT, false},
	    {TIMELOCK, TIMEOUT, false}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		f.timestamped = false;
		f.token.timelock = rows[i].lock;
		f.token.timeout = rows[i].out;
		approve(&f, "01");
		if (rows[i].met)
			allowed(&f);
		else
			refused(&f, INSUFFICIENT);
	}
}

static void
test_tokens_that_ask_for_nobody(void **state)
{
	static const struct {
		uint64_t lock, out;
		bool met;
	} rows[] = {{0, 0, true}, {0, TIMEOUT, true}, {TIMELOCK, 0, false},
	    {TIMELOCK, TIMEOUT, false}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct fixture f;

		begin(&f);
		f.token.ngroups = 0;
		f.token.timelock = rows[i].lock;
		f.token.timeout = rows[i].out;
		if (rows[i].met)
			allowed(&f);
		else
			refused(&f, INSUFFICIENT);
	}
}

static void
test_rule_without_tokens_is_never_met(void **state)
{
	struct fixture f;

	begin(&f);
	f.policy.rule[RULE_USE].ntokens = 0;
	refused(&f, INSUFFICIENT);
	approve(&f, "01");
	refused(&f, "not in ruleUse");
}

/* The rule is that of the operation, and only that. */
static void
test_rule_belongs_to_the_operation(void **state)
{
	static const struct {
		enum ska_operation operation;
		enum ska_rule_kind rule;
	} rows[] = {{OP_USE, RULE_USE}, {OP_BLOCK, RULE_BLOCK}, {OP_UNBLOCK, RULE_UNBLOCK}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		for (int rule = 0; rule < RULE__MAX; rule++) {
			struct fixture f;

			begin(&f);
			f.policy.rule[RULE_USE].ntokens = 0;
			f.policy.rule[rule] = (struct ska_rule){1, &f.token};
			f.operation = f.request.operation = rows[i].operation;
			if (f.operation != OP_USE)
				f.payload = f.request.payload = (struct tsb_view){0};
			approve(&f, "01");
			if (rule == (int)rows[i].rule)
				allowed(&f);
			else
				refused(&f, "its approver is not in");
		}
}

/* A policy of older versions may name such a key: R = 0, s = 0 is a signature of every message. */
static void
test_ed25519_key_of_small_order_approves_nothing(void **state)
{
	static const unsigned char spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
	    0x03, 0x21, 0x00, 0x01};
	static const unsigned char forged[64] = {0x01};
	struct ska_signed_approval s = {.approver = tsb_view_of(spki, sizeof(spki))};
	tsb_bytes_auto signature = {0};
	tsb_bytes_auto whole = {0};
	struct fixture f;

	begin(&f);
	f.group.quorum = 1;
	f.approver[0].spki = s.approver;
	ska_signature_format(KEYTYPE_ED25519, DIGEST_NONE, tsb_view_of(forged, sizeof(forged)),
	    &signature);
	s.token.whole = token_bytes(&f);
	s.signature = tsb_view_bytes(&signature);
	ska_signed_approval_format(&s, &whole);
	f.approval[f.request.napprovals++] = tsb_view_bytes(&whole);
	refused(&f, "signature does not verify");
}

/* ---- one violation at a time ---- */

typedef void break_fn(struct fixture *);

static void
break_operation(struct fixture *f)
{
	f->operation = OP_BLOCK;
	f->payload = (struct tsb_view){0};
}

static void
break_label(struct fixture *f)
{
	f->label = "other-key";
}

static void
break_label_empty(struct fixture *f)
{
	f->label = "";
}

static void
break_label_prefix(struct fixture *f)
{
	f->label = KEY_NAME "/44'/0'";
}

static void
break_payload(struct fixture *f)
{
	f->payload = tsb_view_str("harrO");
}

static void
break_payload_longer(struct fixture *f)
{
	f->payload = tsb_view_of("harro", 6);
}

static void
break_payload_empty(struct fixture *f)
{
	f->payload = (struct tsb_view){0};
}

static void
break_stamp_label(struct fixture *f)
{
	f->stamp_label = "their-key";
}

static void
break_stamp_signer(struct fixture *f)
{
	f->stamp_signer = &person[0];
}

static const struct {
	break_fn *apply;
	const char *says;
} violations[] = {
    {break_operation, "approves operation 2, not 1"},
    {break_label, "approves the use of another key"},
    {break_label_empty, "approves the use of another key"},
    {break_label_prefix, "approves the use of another key"},
    {break_payload, "approves another payload"},
    {break_payload_longer, "approves another payload"},
    {break_payload_empty, "approves another payload"},
    {break_stamp_label, "its timestamp is not from a timestamp key of this HSM"},
    {break_stamp_signer, "its timestamp signature does not verify"},
};

static void
test_violations(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(violations); i++) {
		struct fixture f;
		char says[128];

		begin(&f);
		violations[i].apply(&f);
		approve(&f, "01");
		snprintf(says, sizeof(says), "approval 1: %s", violations[i].says);
		refused(&f, says);

		/* the same as the third of three, where two good ones would do */
		begin(&f);
		approve(&f, "01");
		violations[i].apply(&f);
		approve(&f, "2");
		snprintf(says, sizeof(says), "approval 3: %s", violations[i].says);
		refused(&f, says);
	}
}

static void
test_stranger_refuses_all(void **state)
{
	struct fixture f;

	begin(&f);
	approve(&f, "013");
	refused(&f, "approval 3: its approver is not in ruleUse of the key");
}

static void
test_signature_of_another_refuses_all(void **state)
{
	struct tsb_view token;
	struct ska_signed_approval s = {0};
	tsb_bytes_auto whole = {0};
	struct fixture f;

	begin(&f);
	token = token_bytes(&f);
	s.token.whole = token;
	s.signature = person_sign(&person[3], token);
	s.approver = person[0].spki;
	ska_signed_approval_format(&s, &whole);
	f.approval[0] = signed_by(&person[1], token);
	f.approval[1] = arena_view(&arena, tsb_view_bytes(&whole));
	f.approval[2] = signed_by(&person[2], token);
	f.request.napprovals = 3;
	refused(&f, "approval 2: signature does not verify");
}

/* The signature covers every byte of the token: no bit of the container may change. */
static void
test_no_bit_of_an_approval_may_change(void **state)
{
	struct fixture f;
	struct tsb_view good;
	unsigned char *copy;

	begin(&f);
	f.group.quorum = 1;
	approve(&f, "2"); /* Ed25519: a signature that has one form only */
	allowed(&f);
	good = f.approval[0];
	copy = arena_alloc(&arena, good.n);
	f.approval[0] = tsb_view_of(copy, good.n);
	for (size_t bit = 0; bit < 8 * good.n; bit++) {
		memcpy(copy, good.p, good.n);
		copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
		refused(&f, "approval 1: ");
	}
	for (size_t n = 0; n < good.n; n++) {
		f.approval[0] = tsb_view_of(good.p, n);
		refused(&f, "approval 1: does not parse");
	}
}

static void
test_tokens_must_be_the_same(void **state)
{
	struct fixture f;

	begin(&f);
	approve(&f, "0");
	f.seconds = T0 - 1; /* another moment, as good as the first */
	approve(&f, "1");
	refused(&f, "approval 2: its token differs from that of approval 1");
}

/* Two signatures of one token by the HSM differ for ECDSA: then the tokens differ too. */
static void
test_tokens_must_be_the_same_to_the_timestamp_signature(void **state)
{
	struct fixture f;

	begin(&f);
	approve(&f, "0");
	approve(&f, "1");
	refused(&f, "approval 2: its token differs");
}

static void
test_approvals_with_an_empty_list_of_approvers(void **state)
{
	struct fixture f;

	begin(&f);
	f.group.napprovers = 0;
	approve(&f, "01");
	refused(&f, "approval 1: its approver is not in");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_quorum),
	    cmocka_unit_test(test_known_approvers_are_not_verified_again),
	    cmocka_unit_test(test_time_window),
	    cmocka_unit_test(test_future_timestamps),
	    cmocka_unit_test(test_timestamps_that_the_clock_reaches_soon),
	    cmocka_unit_test(test_timestamps_of_the_past),
	    cmocka_unit_test(test_ed25519_key_of_small_order_approves_nothing),
	    cmocka_unit_test(test_without_timestamp_only_untimed_tokens),
	    cmocka_unit_test(test_tokens_that_ask_for_nobody),
	    cmocka_unit_test(test_rule_without_tokens_is_never_met),
	    cmocka_unit_test(test_rule_belongs_to_the_operation),
	    cmocka_unit_test(test_violations),
	    cmocka_unit_test(test_stranger_refuses_all),
	    cmocka_unit_test(test_signature_of_another_refuses_all),
	    cmocka_unit_test(test_no_bit_of_an_approval_may_change),
	    cmocka_unit_test(test_tokens_must_be_the_same),
	    cmocka_unit_test(test_tokens_must_be_the_same_to_the_timestamp_signature),
	    cmocka_unit_test(test_approvals_with_an_empty_list_of_approvers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
