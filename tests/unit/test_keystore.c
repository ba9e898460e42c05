/* Changes of stored keys: the old one or the new one, seen by all, and done once. */
#include "lib/first.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/ska/tlv.h"
#include "lib/ska/token.h"

#include "hsm/key/done.h"
#include "hsm/key/make.h"
#include "hsm/soft/internal.h"
#include "hsm/store/keystore.h"
#include "tests/unit/hsm_keys.h"

#define AES "000102030405060708090a0b0c0d0e0f"

static const unsigned char master[CRYPTO_BOX_KEY_SIZE] = {1, 2, 3};
static char directory[] = "/tmp/tsb-test-keystore.XXXXXX";
static struct keystore *ks;

static struct keystore *
open_store(void)
{
	struct tsb_err err = {0};
	struct keystore *opened = keystore_open(directory, master, &err);

	if (!opened)
		fail_msg("%s", err.msg);
	return opened;
}

static int
setup(void **state)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	ks = open_store();
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	keystore_close(&ks);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

/* A key with a policy whose rules are all free. */
static struct hsm_key *
ska_key(const char *label)
{
	struct wire_key_create in = {.label = label,
	    .algorithm = "EC",
	    .curve_oid = "1.2.840.10045.3.1.7",
	    .has_policy = true};
	arena_auto a = {0};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	in.flag[ATTR_SIGN] = true;
	for (int rule = 0; rule < RULE__MAX; rule++)
		ska_rule_set_always(&in.policy.rule[rule], &a);
	if (key_make(hsm_keys_tokens(), &in, &a, HSM_KEYS_NOW, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}

static void
create(const char *label)
{
	hsm_key_auto *k = ska_key(label);
	struct tsb_err err = {0};

	if (keystore_create(ks, k, &err))
		fail_msg("%s", err.msg);
}

static bool
is_blocked(struct keystore *store, const char *label)
{
	hsm_key_auto *k = NULL;
	struct tsb_err err = {0};

	if (keystore_get(store, tsb_view_str(label), &k, &err))
		fail_msg("%s", err.msg);
	return k->policy.blocked;
}

/* ---- changing ---- */

static int
set_blocked(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	k->policy.blocked = true;
	return *(int *)arg < 0 ? tsb_fail(err, TSB_E_HSM, "no") : *(int *)arg;
}

static void
test_change_is_seen_by_all(void **state)
{
	struct keystore *other = open_store();
	struct tsb_err err = {0};
	int yes = 0;

	create("k");
	assert_false(is_blocked(ks, "k") || is_blocked(other, "k"));
	assert_int_equal(keystore_change(ks, tsb_view_str("k"), set_blocked, &yes, &err), 0);
	assert_true(is_blocked(ks, "k") && is_blocked(other, "k"));
	keystore_close(&other);
	other = open_store();
	assert_true(is_blocked(other, "k"));
	keystore_close(&other);
}

/* The copy that a refused change has altered is nobody's key. */
static void
test_refused_change_changes_nothing(void **state)
{
	static int answers[] = {1, -1};
	struct tsb_err err = {0};

	create("k");
	for (size_t i = 0; i < TSB_COUNT(answers); i++) {
		assert_int_equal(keystore_change(ks, tsb_view_str("k"), set_blocked, &answers[i],
				     &err),
		    answers[i] < 0 ? -1 : 0);
		assert_false(is_blocked(ks, "k"));
	}
	assert_int_equal(err.code, TSB_E_HSM);
	assert_int_equal(keystore_change(ks, tsb_view_str("absent"), set_blocked, &answers[0],
			     &err),
	    -1);
	assert_int_equal(err.code, TSB_E_KEY_NOT_EXISTENT);
}

static void
test_uses_are_counted_on(void **state)
{
	hsm_key_auto *before = NULL;
	hsm_key_auto *after = NULL;
	struct tsb_err err = {0};
	int yes = 0;

	create("k");
	assert_int_equal(keystore_get(ks, tsb_view_str("k"), &before, &err), 0);
	keystore_count_use(ks, before);
	assert_int_equal(keystore_change(ks, tsb_view_str("k"), set_blocked, &yes, &err), 0);
	assert_int_equal(keystore_get(ks, tsb_view_str("k"), &after, &err), 0);
	assert_int_equal(keystore_use_count(ks, after), 1);
	keystore_count_use(ks, after);
	assert_int_equal(keystore_use_count(ks, after), 2);
}

/* A file system of its own, which is full soon. False where this is not allowed. */
static bool
mount_small(void)
{
	const uid_t uid = geteuid();
	FILE *map;

	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER))
		return false;
	if (uid != 0) {
		map = fopen("/proc/self/uid_map", "w");
		if (map == NULL)
			return false;
		fprintf(map, "0 %u 1", (unsigned)uid);
		if (fclose(map) != 0)
			return false;
	}
	return mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
	    mount("tmpfs", directory, "tmpfs", 0, "size=32k,mode=0700") == 0;
}

static void
fill_up(void)
{
	char path[128], bytes[1024] = {0};
	int fd;

	snprintf(path, sizeof(path), "%s/filler", directory);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

/* The key works on, uncounted; the process died of SIGBUS. */
static int
use_on_full_disk(void)
{
	struct tsb_err err = {0};
	hsm_key_auto *k = NULL;

	if (!mount_small())
		return 77;
	keystore_close(&ks);
	ks = open_store();
	create("k");
	fill_up();
	if (keystore_get(ks, tsb_view_str("k"), &k, &err))
		return 1;
	keystore_count_use(ks, k);
	return keystore_use_count(ks, k) == 0 ? 0 : 2;
}

static void
test_full_disk_stops_the_counter_only(void **state)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(use_on_full_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Where nobody may mount: a counter that has its block cannot lack it later. */
static void
test_counter_has_its_block_before_its_first_use(void **state)
{
	struct tsb_err err = {0};
	hsm_key_auto *k = NULL;
	struct dirent *entry;
	size_t n = 0;
	struct stat st;
	DIR *d;

	create("k");
	assert_int_equal(keystore_get(ks, tsb_view_str("k"), &k, &err), 0);
	d = opendir(directory);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		if (strstr(entry->d_name, ".use") != NULL) {
			assert_int_equal(fstatat(dirfd(d), entry->d_name, &st, 0), 0);
			assert_int_equal(st.st_size, 8);
			assert_true(st.st_blocks > 0);
			n++;
		}
	closedir(d);
	assert_int_equal(n, 1);
}

/* ---- content ---- */

static struct hsm_key *
through_bytes(const struct hsm_key *k)
{
	tsb_bytes_auto one = {0};
	tsb_bytes_auto two = {0};
	struct hsm_key *again = NULL;
	struct tsb_err err = {0};

	if (key_copy(k, &again, &err))
		fail_msg("%s", err.msg);
	key_encode(k, &one);
	key_encode(again, &two);
	assert_true(tsb_view_eq(tsb_view_bytes(&one), tsb_view_bytes(&two)));
	return again;
}

static void
test_secret_keys_survive_encoding(void **state)
{
	static const char *const passwords[] = {NULL, "secret"};

	for (size_t i = 0; i < TSB_COUNT(passwords); i++) {
		hsm_key_auto *k = hsm_keys_secret(AES, passwords[i]);
		hsm_key_auto *again = through_bytes(k);
		token_key_auto *opened = hsm_keys_open(again, passwords[i]);

		hsm_keys_expect(tsb_view_bytes(&hsm_keys_soft(opened)->secret), AES);
		assert_int_equal(again->kind, KEY_AES);
		assert_int_equal(again->size, 128);
		assert_int_equal(again->spki.n, 0);
		assert_null(again->public_key);
		assert_int_equal(again->extra, KEY_ENCRYPT | KEY_WRAP | KEY_IMPORTED);
	}
}

static void
test_password_of_a_secret_key(void **state)
{
	hsm_key_auto *k = hsm_keys_secret(AES, "secret");
	hsm_key_auto *other = hsm_keys_secret(AES, "secret");
	tsb_bytes_auto value = {0};
	struct tsb_err err;

	assert_int_equal(key_private_part(k, tsb_view_str("wrong"), &value, &err), -1);
	assert_int_equal(err.code, TSB_E_KEY_PASSWORD);
	assert_int_equal(key_private_part(k, tsb_view_of(NULL, 0), &value, &err), -1);
	assert_int_equal(value.n, 0);
	/* the box belongs to the label */
	other->label = "another";
	assert_int_equal(key_private_part(other, tsb_view_str("secret"), &value, &err), -1);
}

static void
refused(const struct hsm_key *k, const char *says)
{
	tsb_bytes_auto content = {0};
	struct hsm_key *out = NULL;
	struct tsb_err err = {0};

	key_encode(k, &content);
	assert_int_equal(key_decode(tsb_view_bytes(&content), &out, &err), -1);
	assert_int_equal(err.code, TSB_E_DATA_CONSTELLATION);
	assert_non_null(strstr(err.msg, says));
	assert_null(out);
}

static void
test_content_that_cannot_be(void **state)
{
	hsm_key_auto *aes = hsm_keys_secret(AES, NULL);
	hsm_key_auto *ska = ska_key("k");
	hsm_key_auto *plain = hsm_keys_make("ED", NULL);
	unsigned char many[(KEY_DONE_MAX + 1) * KEY_DONE_SIZE] = {0};

	aes->size = 192;
	refused(aes, "another size");
	aes->size = 129;
	refused(aes, "another size");
	aes->size = 128;
	aes->certificate = tsb_view_str("certificate");
	refused(aes, "certificate");
	plain->done = tsb_view_of(many, KEY_DONE_SIZE);
	refused(plain, "executed approvals");
	ska->done = tsb_view_of(many, KEY_DONE_SIZE - 1);
	refused(ska, "executed approvals");
	ska->done = tsb_view_of(many, sizeof(many));
	refused(ska, "executed approvals");
	ska->done = tsb_view_of(NULL, 0);
	ska->idle = tsb_view_of(many, sizeof(many));
	refused(ska, "executed approvals");
	ska->idle = tsb_view_of(NULL, 0);
	ska->undated = tsb_view_of(many, (KEY_DONE_KEPT + 1) * CRYPTO_SHA256_SIZE);
	refused(ska, "executed approvals");
	ska->undated = tsb_view_of(NULL, 0);
	ska->forgotten = 1;
	refused(ska, "forgotten");
	ska->forgotten = 0;
	ska->approvers = tsb_view_of(many, KEY_DONE_SIZE);
	refused(ska, "approved nothing");
}

static void
test_additions_survive_encoding(void **state)
{
	hsm_key_auto *k = ska_key("k");
	hsm_key_auto *again = NULL;
	unsigned char most[KEY_DONE_MAX * KEY_DONE_SIZE] = {9};

	k->certificate = tsb_view_str("certificate");
	k->done = tsb_view_of(most, sizeof(most));
	k->approvers = tsb_view_of(most, 2 * KEY_DONE_SIZE);
	k->idle = tsb_view_of(most, KEY_DONE_SIZE);
	k->forgotten = 9;
	again = through_bytes(k);
	assert_true(tsb_view_eq(again->certificate, k->certificate));
	assert_true(tsb_view_eq(again->done, k->done));
	assert_true(tsb_view_eq(again->approvers, k->approvers));
	assert_true(tsb_view_eq(again->idle, k->idle));
	assert_int_equal(again->forgotten, 9);
}

/* ---- tokens that were executed ---- */

/* A signed approval as the parser takes it. Its signature, not looked at here, is nobody's. */
static struct tsb_view
approval(struct arena *a, enum ska_operation operation, const char *payload, uint64_t seconds,
    bool stamped)
{
	struct ska_approval_token t = {.operation = operation,
	    .label = tsb_view_str("k"),
	    .has_timestamp = stamped,
	    .has_payload = operation == OP_MODIFY,
	    .payload = tsb_view_str(payload)};
	struct ska_signed_approval s = {0};
	tsb_bytes_auto signature = {0};
	tsb_bytes_auto stamp = {0};
	tsb_bytes_auto token = {0};
	tsb_bytes_auto whole = {0};
	hsm_key_auto *approver = hsm_keys_make("ED", NULL);

	ska_signature_format(KEYTYPE_EC, DIGEST_SHA256, tsb_view_str("signature"), &signature);
	if (stamped) {
		t.timestamp = (struct ska_timestamp){.has_payload = t.has_payload,
		    .modify = operation == OP_MODIFY,
		    .payload = t.payload,
		    .seconds = seconds,
		    .key_label = tsb_view_str("timestamp-key")};
		ska_timestamp_format(&t.timestamp, &stamp);
		t.timestamp.whole = tsb_view_bytes(&stamp);
		t.timestamp_signature = tsb_view_bytes(&signature);
	}
	ska_approval_token_format(&t, &token);
	s.token.whole = tsb_view_bytes(&token);
	s.signature = tsb_view_bytes(&signature);
	s.approver = approver->spki;
	ska_signed_approval_format(&s, &whole);
	return arena_view(a, tsb_view_bytes(&whole));
}

static bool
known(const struct hsm_key *k, enum ska_operation operation, struct tsb_view one)
{
	return done_before(k, operation, tsb_view_of(NULL, 0), &one, 1);
}

static void
test_executed_tokens_are_known_again(void **state)
{
	arena_auto a = {0};
	hsm_key_auto *k = ska_key("k");
	struct tsb_view block = approval(&a, OP_BLOCK, NULL, 1000, true);
	struct tsb_view later = approval(&a, OP_BLOCK, NULL, 1001, true);
	struct tsb_view unblock = approval(&a, OP_UNBLOCK, NULL, 1000, true);

	assert_false(known(k, OP_BLOCK, block));
	assert_true(done_keep(k, &block, 1, true));
	assert_int_equal(k->done.n, KEY_DONE_SIZE);
	assert_true(known(k, OP_BLOCK, block));
	assert_false(known(k, OP_UNBLOCK, block));
	assert_false(known(k, OP_BLOCK, later));
	assert_false(known(k, OP_UNBLOCK, unblock));
	assert_false(done_before(k, OP_BLOCK, tsb_view_of(NULL, 0), NULL, 0));
	assert_false(done_before(k, OP_BLOCK, tsb_view_str("x"), &block, 1));
}

/* Without a timestamp a second block is the same bytes as the first: it must be done again. */
static void
test_tokens_without_timestamp_are_not_kept(void **state)
{
	arena_auto a = {0};
	hsm_key_auto *k = ska_key("k");
	struct tsb_view block = approval(&a, OP_BLOCK, NULL, 0, false);

	assert_false(done_keep(k, &block, 1, true));
	assert_int_equal(k->done.n, 0);
	assert_false(known(k, OP_BLOCK, block));
	assert_false(done_keep(k, NULL, 0, true));
	assert_int_equal(k->done.n, 0);
}

/* The earliest goes, and no token up to its time is obeyed any more (test_enforce). */
static void
test_earliest_token_is_forgotten_first(void **state)
{
	arena_auto a = {0};
	hsm_key_auto *k = ska_key("k");
	hsm_key_auto *again = NULL;
	struct tsb_view all[KEY_DONE_KEPT + 1];

	for (size_t i = 0; i <= KEY_DONE_KEPT; i++) {
		assert_int_equal(k->forgotten, 0);
		all[i] = approval(&a, OP_UNBLOCK, NULL, 1000 + (i + 5) % KEY_DONE_KEPT, true);
		assert_true(done_keep(k, &all[i], 1, true));
	}
	assert_int_equal(k->forgotten, 1000);
	for (size_t i = 0; i <= KEY_DONE_KEPT; i++)
		assert_int_equal(known(k, OP_UNBLOCK, all[i]), i != KEY_DONE_KEPT - 5);
	again = through_bytes(k);
	assert_true(known(again, OP_UNBLOCK, all[KEY_DONE_KEPT]));
	assert_int_equal(again->forgotten, 1000);
}

/* Many changes in one second: those stamped in it must not become too old for each other. */
static void
test_tokens_of_one_second_stay_together(void **state)
{
	arena_auto a = {0};
	hsm_key_auto *k = ska_key("k");
	struct tsb_view now[KEY_DONE_KEPT + 9], next = approval(&a, OP_BLOCK, NULL, 1001, true);

	for (size_t i = 0; i < TSB_COUNT(now); i++) {
		now[i] = approval(&a, i % 2 ? OP_BLOCK : OP_UNBLOCK, NULL, 1000, true);
		assert_true(done_keep(k, &now[i], 1, true));
	}
	assert_int_equal(k->forgotten, 0);
	assert_int_equal(k->done.n, sizeof(now) / sizeof(*now) * KEY_DONE_SIZE);
	assert_true(done_keep(k, &next, 1, true));
	assert_int_equal(k->forgotten, 1000);
	assert_int_equal(k->done.n, KEY_DONE_KEPT * KEY_DONE_SIZE);
}

/* A block of a blocked key: known again, but it pushes out nothing and makes nothing too old. */
static void
test_tokens_that_changed_nothing_push_out_no_others(void **state)
{
	arena_auto a = {0};
	hsm_key_auto *k = ska_key("k");
	struct tsb_view unblock = approval(&a, OP_UNBLOCK, NULL, 1000, true);
	struct tsb_view block = {0};

	assert_true(done_keep(k, &unblock, 1, true));
	for (size_t i = 0; i <= 2 * KEY_DONE_KEPT; i++) {
		block = approval(&a, OP_BLOCK, NULL, 2000 + i, true);
		assert_true(done_keep(k, &block, 1, false));
	}
	assert_true(known(k, OP_UNBLOCK, unblock));
	assert_true(known(k, OP_BLOCK, block));
	assert_int_equal(k->idle.n, KEY_DONE_KEPT * KEY_DONE_SIZE);
	assert_int_equal(k->forgotten, 0);
}

static bool
approved_by(const struct hsm_key *k, struct tsb_view of_token, struct tsb_view of_approver)
{
	struct ska_signed_approval token, approver;
	struct tsb_err err;

	assert_int_equal(ska_signed_approval_parse(of_token, &token, &err), 0);
	assert_int_equal(ska_signed_approval_parse(of_approver, &approver, &err), 0);
	return done_approved_by(k->approvers, token.token.whole, approver.approver);
}

static void
test_approvers_of_a_change_are_known(void **state)
{
	arena_auto a = {0};
	hsm_key_auto *k = ska_key("k");
	hsm_key_auto *again = NULL;
	struct tsb_view block[2] = {approval(&a, OP_BLOCK, NULL, 1000, true),
	    approval(&a, OP_BLOCK, NULL, 1000, true)};
	struct tsb_view unblock = approval(&a, OP_UNBLOCK, NULL, 1000, true), later;

	assert_true(done_keep(k, block, 2, true));
	assert_true(done_keep(k, &unblock, 1, false));
	again = through_bytes(k);
	assert_int_equal(again->approvers.n, 2 * KEY_DONE_SIZE);
	assert_true(approved_by(again, block[0], block[0]));
	assert_true(approved_by(again, block[0], block[1]));
	assert_false(approved_by(again, block[0], unblock));
	assert_false(approved_by(again, unblock, block[0]));
	assert_false(approved_by(again, unblock, unblock));
	for (size_t i = 0; i < KEY_DONE_KEPT; i++) {
		later = approval(&a, OP_BLOCK, NULL, 2000 + i, true);
		assert_true(done_keep(k, &later, 1, true));
	}
	assert_int_equal(k->approvers.n, KEY_DONE_KEPT * KEY_DONE_SIZE);
	assert_false(approved_by(k, block[0], block[0]));
}

/* The time of the file is the best that is known; what a full list had dropped is refused. */
static void
test_lists_of_older_versions_get_the_time_of_their_file(void **state)
{
	arena_auto a = {0};
	struct tsb_view unblock = approval(&a, OP_UNBLOCK, NULL, 1000, true);
	unsigned char most[KEY_DONE_KEPT * CRYPTO_SHA256_SIZE] = {9};
	struct ska_signed_approval parsed;
	struct tsb_err err;

	assert_int_equal(ska_signed_approval_parse(unblock, &parsed, &err), 0);
	crypto_sha256(parsed.token.whole, most);
	for (size_t n = 1; n <= KEY_DONE_KEPT; n += KEY_DONE_KEPT - 1) {
		hsm_key_auto *k = ska_key("k");
		hsm_key_auto *again = NULL;

		k->undated = tsb_view_of(most, n * CRYPTO_SHA256_SIZE);
		again = through_bytes(k);
		assert_int_equal(again->undated.n, n * CRYPTO_SHA256_SIZE);
		done_date(again, 5000);
		assert_int_equal(again->undated.n, 0);
		assert_true(known(again, OP_UNBLOCK, unblock));
		assert_int_equal(again->forgotten, n == KEY_DONE_KEPT ? 5000 : 0);
	}
}

int
main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(test_change_is_seen_by_all),
	    WITH_STORE(test_refused_change_changes_nothing),
	    WITH_STORE(test_uses_are_counted_on),
	    WITH_STORE(test_full_disk_stops_the_counter_only),
	    WITH_STORE(test_counter_has_its_block_before_its_first_use),
	    cmocka_unit_test(test_secret_keys_survive_encoding),
	    cmocka_unit_test(test_password_of_a_secret_key),
	    cmocka_unit_test(test_content_that_cannot_be),
	    cmocka_unit_test(test_additions_survive_encoding),
	    cmocka_unit_test(test_executed_tokens_are_known_again),
	    cmocka_unit_test(test_tokens_without_timestamp_are_not_kept),
	    cmocka_unit_test(test_approvers_of_a_change_are_known),
	    cmocka_unit_test(test_earliest_token_is_forgotten_first),
	    cmocka_unit_test(test_tokens_of_one_second_stay_together),
	    cmocka_unit_test(test_tokens_that_changed_nothing_push_out_no_others),
	    cmocka_unit_test(test_lists_of_older_versions_get_the_time_of_their_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
