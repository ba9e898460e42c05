/* Signed files of requests and results. */
#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/wire/package.h"
#include "tests/unit/wire_help.h"

#define ID2       "4e8731d8-0ae6-4444-8a8c-b73ab5f0ba19"
#define TOKEN_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define REQUEST(id)                                                                                \
	"{\"id\":\"" id "\",\"kind\":\"block\",\"keyName\":\"k\",\"inputOfflineHsm\":"             \
	"{\"blockRequest\":{\"blockKeyName\":\"k\",\"signedApprovals\":[\"AQID\"]}}}"
#define RESULT(id) "{\"id\":\"" id "\",\"signature\":\"AQID\"}"
#define CREATED    "2026-01-01T00:00:00Z"
#define CREATED_MS 1767225600000

static struct crypto_private *online, *offline, *stranger;

static int
group_setup(void **state)
{
	struct tsb_err err;

	return crypto_private_new("ed25519", &online, &err) ||
	    crypto_private_new("p256", &offline, &err) ||
	    crypto_private_new("ed25519", &stranger, &err);
}

static int
group_end(void **state)
{
	crypto_private_free(&online);
	crypto_private_free(&offline);
	crypto_private_free(&stranger);
	return group_teardown(state);
}

/* ---- making ---- */

static const char *
fingerprint(const struct crypto_private *key)
{
	unsigned char hash[CRYPTO_SHA256_SIZE];

	crypto_sha256(crypto_private_spki(key), hash);
	return enc_hex_str(&arena, tsb_view_of(hash, sizeof(hash)));
}

static struct tsb_view
packed_items(const struct crypto_private *key, enum wire_package_type type, struct tsb_view *items,
    size_t n)
{
	struct wire_package p = {
	    .type = type,
	    .id = uuid(ID),
	    .created_ms = CREATED_MS,
	    .from_name = "broker \xc3\xa9",
	    .to_name = "vault",
	    .items = items,
	    .nitems = n,
	};
	tsb_bytes_auto out = {0};
	struct tsb_err err = {0};

	crypto_sha256(crypto_private_spki(offline), p.to);
	if (wire_package_format(&p, key, &out, &err))
		fail_msg("%s", err.msg);
	return arena_view(&arena, tsb_view_bytes(&out));
}

static struct tsb_view
packed(enum wire_package_type type)
{
	struct tsb_view requests[] = {text(REQUEST(ID)), text(REQUEST(ID2))};
	struct tsb_view results[] = {text(RESULT(ID)), text("{\"token\":\"" TOKEN_HEX "\"}")};

	return packed_items(online, type, type == PACKAGE_REQUESTS ? requests : results, 2);
}

/* A package of any content, with a hash and a signature that stand. */
static struct tsb_view
sealed(const struct crypto_private *key, const char *content)
{
	tsb_bytes_auto signature = {0};
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct tsb_err err = {0};

	crypto_sha256(text(content), hash);
	assert_int_equal(crypto_private_sign(key, text(content), &signature, &err), 0);
	return text(arena_printf(&arena, "%s%s %s %s %s", PACKAGE_MARK,
	    enc_hex_str(&arena, tsb_view_of(hash, sizeof(hash))), fingerprint(key),
	    enc_base64_str(&arena, tsb_view_bytes(&signature)), content));
}

/* Content for the site offline; each part may be put wrong. */
static const char *
content(const char *head, const char *from, const char *to, const char *items)
{
	return arena_printf(&arena,
	    "{\"tsbPackage\":1,%s,\"id\":\"" ID "\",\"created\":\"" CREATED "\",\"from\":{\"name\":"
	    "\"\",\"key\":\"%s\"},\"to\":{\"key\":\"%s\"},\"items\":%s}",
	    head, from, to, items);
}

static const char *
content_of(const char *items)
{
	return content("\"type\":\"requests\"", fingerprint(online), fingerprint(offline), items);
}

static int
opened_as(struct tsb_view p, enum wire_package_type type, struct wire_package *out,
    struct tsb_err *err)
{
	const struct wire_package_peer peers[] = {{crypto_private_spki(offline)},
	    {crypto_private_spki(online)}};
	size_t peer = 99;
	int rc;

	memset(err, 0, sizeof(*err));
	rc = wire_package_parse(p, type, crypto_private_spki(offline), peers, TSB_COUNT(peers),
	    &arena, out, &peer, err);
	assert_int_equal(peer, rc == 0 ? 1 : 99);
	return rc;
}

static int
opened(struct tsb_view p, struct wire_package *out, struct tsb_err *err)
{
	return opened_as(p, PACKAGE_REQUESTS, out, err);
}

static void
refused(const char *name, struct tsb_view p, enum tsb_code code, const char *message)
{
	struct wire_package out;
	struct tsb_err err;

	assert_refused(name, opened(p, &out, &err), &err, code, message);
}

/* ---- what is accepted ---- */

static struct tsb_view
sample(const char *name)
{
	const char *src = getenv("SRC");
	char buf[4096];
	FILE *f = fopen(arena_printf(&arena, "%s/tests/vectors/offline/%s", src != NULL ? src : ".",
			    name),
	    "r");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf), f);
	assert_true(n > 0 && n < sizeof(buf));
	fclose(f);
	return arena_view(&arena, tsb_view_of(buf, n));
}

static void
test_packages_are_written_and_read_back(void **state)
{
	for (int type = PACKAGE_REQUESTS; type <= PACKAGE_RESULTS; type++) {
		struct tsb_view whole = packed((enum wire_package_type)type);
		struct tsb_uuid id = uuid(ID);
		struct wire_package p;
		struct tsb_err err;

		for (size_t i = 0; i < whole.n; i++)
			assert_true(whole.p[i] >= 0x20 && whole.p[i] < 0x7f);
		assert_true(wire_is_package(whole));
		if (opened_as(whole, (enum wire_package_type)type, &p, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(p.type, type);
		assert_true(uuid_eq(&p.id, &id));
		assert_int_equal(p.created_ms, CREATED_MS);
		assert_string_equal(p.from_name, "broker \xc3\xa9");
		assert_string_equal(p.to_name, "vault");
		assert_string_equal(enc_hex_str(&arena, tsb_view_of(p.from, sizeof(p.from))),
		    fingerprint(online));
		assert_string_equal(enc_hex_str(&arena, tsb_view_of(p.to, sizeof(p.to))),
		    fingerprint(offline));
		assert_int_equal(p.nitems, 2);
		assert_view(p.items[0], type == PACKAGE_REQUESTS ? REQUEST(ID) : RESULT(ID));
		assert_view(p.items[1],
		    type == PACKAGE_REQUESTS ? REQUEST(ID2) : "{\"token\":\"" TOKEN_HEX "\"}");
	}
}

static void
test_sites_may_have_keys_of_all_types(void **state)
{
	static const char *const types[] = {"rsa", "p256", "p384", "p521", "secp256k1", "ed25519"};

	for (size_t i = 0; i < TSB_COUNT(types); i++) {
		crypto_private_auto *key = NULL;
		struct tsb_view item = text(REQUEST(ID)), whole;
		struct wire_package_peer peer;
		struct wire_package p;
		struct tsb_err err = {0};

		assert_int_equal(crypto_private_new(types[i], &key, &err), 0);
		whole = packed_items(key, PACKAGE_REQUESTS, &item, 1);
		peer.spki = crypto_private_spki(key);
		if (wire_package_parse(whole, PACKAGE_REQUESTS, crypto_private_spki(offline), &peer,
			1, &arena, &p, NULL, &err))
			fail_msg("%s: %s", types[i], err.msg);
	}
}

static void
test_a_file_may_end_with_a_line_end(void **state)
{
	static const char *const accepted_ends[] = {"", "\n", "\r\n"};
	static const char *const refused_ends[] = {"\r", "\n\n", "\n\r\n", " \n", "x"};
	const char *whole =
	    arena_strn(&arena, packed(PACKAGE_REQUESTS).p, packed(PACKAGE_REQUESTS).n);

	for (size_t i = 0; i < TSB_COUNT(accepted_ends); i++) {
		struct wire_package p;
		struct tsb_err err;

		assert_int_equal(opened(text(arena_printf(&arena, "%s%s", whole, accepted_ends[i])),
				     &p, &err),
		    0);
	}
	for (size_t i = 0; i < TSB_COUNT(refused_ends); i++) {
		struct wire_package p;
		struct tsb_err err;

		assert_int_equal(opened(text(arena_printf(&arena, "%s%s", whole, refused_ends[i])),
				     &p, &err),
		    -1);
	}
}

static void
test_other_programs_may_order_members_otherwise(void **state)
{
	const char *items = "[" REQUEST(ID) "]";
	struct wire_package p;
	struct tsb_err err;

	assert_int_equal(
	    opened(
		sealed(online,
		    arena_printf(&arena,
			"{\"tsbPackage\":1,\"items\":%s,\"to\":{\"key\":\"%s\",\"name\":null},\"from\":{\"key\":"
			"\"%s\"},\"created\":\"" CREATED "\",\"id\":\"" ID
			"\",\"type\":\"requests\"}",
			items, fingerprint(offline), fingerprint(online))),
		&p, &err),
	    0);
	assert_string_equal(p.from_name, "");
	assert_string_equal(p.to_name, "");
}

/* The samples of docs/offline-formats.md, which openssl and jq made. */
static void
test_the_published_samples_are_read(void **state)
{
	static const struct {
		const char *file, *own, *peer;
		enum wire_package_type type;
	} rows[] = {
	    {"requests.tsbpkg", "vault.pub", "broker.pub", PACKAGE_REQUESTS},
	    {"results.tsbpkg", "broker.pub", "vault.pub", PACKAGE_RESULTS},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view own, whole = sample(rows[i].file);
		struct wire_package_peer peer;
		struct wire_package p;
		struct tsb_err err = {0};

		assert_int_equal(crypto_pem_to_der(sample(rows[i].own), &arena, &own, &err), 0);
		assert_int_equal(crypto_pem_to_der(sample(rows[i].peer), &arena, &peer.spki, &err),
		    0);
		if (wire_package_parse(whole, rows[i].type, own, &peer, 1, &arena, &p, NULL, &err))
			fail_msg("%s: %s", rows[i].file, err.msg);
		assert_int_equal(p.nitems, 1);
		assert_non_null(memmem(p.items[0].p, p.items[0].n, "00000000002a", 12));
	}
}

/* ---- damage ---- */

static void
test_every_part_of_a_package_is_refused(void **state)
{
	struct tsb_view whole = packed(PACKAGE_REQUESTS);

	for (size_t n = 0; n < whole.n; n++) {
		struct wire_package p;
		struct tsb_err err;

		assert_int_equal(opened(tsb_view_of(whole.p, n), &p, &err), -1);
		assert_true(err.code != TSB_OK && err.msg[0] != '\0');
	}
}

static void
test_every_changed_byte_is_refused(void **state)
{
	struct tsb_view whole = packed(PACKAGE_RESULTS);
	unsigned char *copy = arena_alloc(&arena, whole.n);
	static const unsigned char changes[] = {0x01, 0x20, 0x80, 0xff};
	const char *valgrind = getenv("VALGRIND");
	size_t stride =
	    valgrind != NULL && *valgrind != '\0' ? 17 : 1; /* thinned out: it is slow */

	for (size_t i = 0; i < whole.n; i += stride)
		for (size_t k = 0; k < TSB_COUNT(changes); k++) {
			struct wire_package p;
			struct tsb_err err;

			memcpy(copy, whole.p, whole.n);
			copy[i] ^= changes[k];
			if (opened_as(tsb_view_of(copy, whole.n), PACKAGE_RESULTS, &p, &err) == 0)
				fail_msg("byte %zu changed by %02x", i, changes[k]);
			assert_true(err.code != TSB_OK && err.msg[0] != '\0');
		}
}

static void
test_swapped_parts_are_refused(void **state)
{
	struct tsb_view item = text(REQUEST(ID)), other = text(REQUEST(ID2));
	struct tsb_view one = packed_items(online, PACKAGE_REQUESTS, &item, 1);
	struct tsb_view two = packed_items(online, PACKAGE_REQUESTS, &other, 1);
	/* mark and hash of one, all else of two; then mark to signature of one, content of two */
	size_t hash = strlen(PACKAGE_MARK) + 64, content = hash + 1 + 64 + 1 + 88 + 1;

	assert_int_equal(one.n, two.n);
	assert_int_equal(one.p[content], '{');
	for (size_t i = 0; i < 2; i++) {
		unsigned char *mixed = arena_alloc(&arena, one.n);
		size_t cut = i == 0 ? hash : content;

		memcpy(mixed, two.p, two.n);
		memcpy(mixed, one.p, cut);
		refused("mixed", tsb_view_of(mixed, one.n), TSB_E_PAYLOAD, "has another SHA-256");
	}
	/* the hash put right, the signature not */
	unsigned char *mixed = arena_alloc(&arena, one.n);

	memcpy(mixed, two.p, two.n);
	memcpy(mixed + hash, one.p + hash, content - hash);
	refused("signature", tsb_view_of(mixed, one.n), TSB_E_INVALID_SIGNATURE,
	    "the package's signature is not one of the key");
}

static void
test_form_refusals(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
	    {"", "not a package"},
	    {"{\"id\":1}", "not a package: it does not begin with TSBPKG1"},
	    {"TSBPKG1", "not a package"},
	    {"TSBPKG1\n", "not a package"},
	    {"TSBPKG2 x", "packages of version 2 are not known here"},
	    {"TSBPKG x", "not a package"},
	    {"TSBPKG1 ", "the package ends in its SHA-256"},
	    {"TSBPKG1 00 ", "the package's SHA-256 must be 64 hex digits in lower case"},
	    {"TSBPKG1 " TOKEN_HEX, "the package ends in its SHA-256"},
	    {"TSBPKG1 " TOKEN_HEX " ", "the package ends in its signer"},
	    {"TSBPKG1 " TOKEN_HEX " " TOKEN_HEX "00 ", "the package's signer must be"},
	    {"TSBPKG1 " TOKEN_HEX
	     " 000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f "
	     "x",
		"the package's signer must be"},
	    {"TSBPKG1 " TOKEN_HEX " " TOKEN_HEX " AQID", "the package ends in its signature"},
	    {"TSBPKG1 " TOKEN_HEX " " TOKEN_HEX " AQI {}",
		"the package's signature must be base64"},
	    {"TSBPKG1 " TOKEN_HEX " " TOKEN_HEX " AQI=x {}",
		"the package's signature must be base64"},
	    {"TSBPKG1 \xc3\xa9", "byte 8 of the package is not printable ASCII"},
	    {"TSBPKG1 a\nb", "byte 9 of the package is not printable ASCII"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		refused(rows[i].text, text(rows[i].text), TSB_E_INPUT, rows[i].message);
}

static void
test_a_package_that_is_too_long_is_refused(void **state)
{
	size_t n = PACKAGE_MAX + 1;
	char *p = malloc(n);

	assert_non_null(p);
	memset(p, 'x', n);
	memcpy(p, PACKAGE_MARK, strlen(PACKAGE_MARK));
	refused("size", tsb_view_of(p, n), TSB_E_INPUT, "the package is longer than");
	free(p);
}

/* ---- who and for whom ---- */

static void
test_strangers_are_refused(void **state)
{
	struct tsb_view item = text(REQUEST(ID));
	struct tsb_view whole = packed_items(stranger, PACKAGE_REQUESTS, &item, 1);
	struct wire_package p;
	struct tsb_err err = {0};

	refused("stranger", whole, TSB_E_NOT_ALLOWED, fingerprint(stranger));
	assert_refused("no peers",
	    wire_package_parse(packed(PACKAGE_REQUESTS), PACKAGE_REQUESTS,
		crypto_private_spki(offline), NULL, 0, &arena, &p, NULL, &err),
	    &err, TSB_E_NOT_ALLOWED, fingerprint(online));
}

static void
test_who_passes_a_package_on_sees_what_is_in_it(void **state)
{
	struct tsb_view item = text(REQUEST(ID)), bad;
	struct tsb_view whole = packed_items(stranger, PACKAGE_REQUESTS, &item, 1);
	struct wire_package p;
	struct tsb_err err = {0};

	assert_int_equal(wire_package_peek(whole, &arena, &p, &err), 0);
	assert_int_equal(p.type, PACKAGE_REQUESTS);
	assert_int_equal(p.nitems, 1);
	assert_string_equal(p.to_name, "vault");
	bad = arena_view(&arena, whole);
	((unsigned char *)(uintptr_t)bad.p)[bad.n - 3] ^= 1;
	assert_refused("changed", wire_package_peek(bad, &arena, &p, &err), &err, TSB_E_PAYLOAD,
	    "another SHA-256");
	assert_refused("nothing", wire_package_peek(text(""), &arena, &p, &err), &err, TSB_E_INPUT,
	    "not a package");
}

/* The signer's line names a trusted key, but somebody else signed. */
static void
test_a_borrowed_name_does_not_help(void **state)
{
	const char *whole = (const char *)sealed(stranger, content_of("[" REQUEST(ID) "]")).p;
	char *forged = arena_str(&arena, whole);

	memcpy(forged + strlen(PACKAGE_MARK) + 65, fingerprint(online), 64);
	refused("forged", text(forged), TSB_E_INVALID_SIGNATURE, "is not one of the key");
	/* a trusted site that speaks for another one */
	refused("from",
	    sealed(online,
		content("\"type\":\"requests\"", fingerprint(offline), fingerprint(offline),
		    "[" REQUEST(ID) "]")),
	    TSB_E_INPUT, "from.key is not the key that signed");
}

static void
test_a_package_for_another_site_is_refused(void **state)
{
	const struct wire_package_peer peer = {crypto_private_spki(online)};
	struct wire_package p;
	struct tsb_err err = {0};
	int rc = wire_package_parse(packed(PACKAGE_REQUESTS), PACKAGE_REQUESTS,
	    crypto_private_spki(stranger), &peer, 1, &arena, &p, NULL, &err);

	assert_refused("addressee", rc, &err, TSB_E_NOT_ALLOWED,
	    "the package is for the site 'vault'");
	assert_non_null(strstr(err.msg, fingerprint(offline)));
	assert_non_null(strstr(err.msg, fingerprint(stranger)));
}

static void
test_a_package_of_the_other_type_is_refused(void **state)
{
	refused("type", packed(PACKAGE_RESULTS), TSB_E_INPUT,
	    "the package holds results, and this is the place for requests");
}

/* ---- signed, and wrong all the same ---- */

static void
test_content_refusals(void **state)
{
	const char *own = fingerprint(offline), *from = fingerprint(online);
	const struct {
		const char *content, *message;
	} rows[] = {
	    {"", "does not begin with {\"tsbPackage\":"},
	    {"{}", "does not begin with {\"tsbPackage\":"},
	    {"{\"type\":\"requests\",\"tsbPackage\":1}", "does not begin with {\"tsbPackage\":"},
	    {"{\"tsbPackage\":2,\"x\":1}", "tsbPackage 2 is not known here, only 1"},
	    {"{\"tsbPackage\":10,\"x\":1}", "tsbPackage 10 is not known here"},
	    {"{\"tsbPackage\":\"1\",\"x\":1}", "tsbPackage must be a number"},
	    {"{\"tsbPackage\":1,", "is not one JSON object"},
	    {"{\"tsbPackage\":1,\"type\":\"requests\"}", "id is missing"},
	    {"{\"tsbPackage\":1,\"type\":\"no\"}", "Value 'no' is not valid for field type"},
	    {"{\"tsbPackage\":1,\"tsbPackage\":1}", "member 'tsbPackage' appears twice"},
	    {"{\"tsbPackage\":1,\"items\":[],\"items\":[]}", "member 'items' appears twice"},
	    {content("\"type\":\"requests\",\"more\":1", from, own, "[]"),
		"more is not a known member"},
	    {content("\"type\": \"requests\"", from, own, "[]"), "is not compact JSON"},
	    {content("\"type\":\"requests\"", "00", own, "[]"), "from.key must be 64 hex digits"},
	    {content("\"type\":\"requests\"", from, "zz", "[]"), "to.key must be 64 hex digits"},
	    {content_of("{}"), "items must be a list"},
	    {content_of("[]"), "items must not be empty"},
	    {content_of("[,]"), "items must not be empty"},
	    {content_of("[" REQUEST(ID) ",]"), "items[1] is not a value"},
	    {content_of("[" REQUEST(ID) "] "), "items[1] is not a value"},
	    {content_of("[1]"), "items[0]: "},
	    {content_of("[{}]"), "items[0]: kind is missing"},
	    {content_of("[" REQUEST(ID) ",{\"kind\":\"sign\"}]"), "items[1]: id is missing"},
	    {content_of("[" REQUEST(ID) "," RESULT(ID2) "]"), "items[1]: kind is missing"},
	    {content_of("[{\"blockRequest\":{\"blockKeyName\":\"k\"}}]"),
		"items[0]: kind is missing"},
	    {content_of("[{\"id\": 1}]"), "items[0]: it is not compact JSON"},
	    {content_of("[" REQUEST(ID) "," REQUEST(ID2) "," REQUEST(ID) "]"),
		"items[2]: id is that of items[0]"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		refused(rows[i].content, sealed(online, rows[i].content), TSB_E_INPUT,
		    rows[i].message);
}

static void
test_results_of_one_request_stand_once(void **state)
{
	static const struct {
		const char *items, *message; /* NULL: accepted */
	} rows[] = {
	    {"[" RESULT(ID) "," RESULT(ID2) ",{\"token\":\"" TOKEN_HEX "\"}]", NULL},
	    {"[" RESULT(ID) ",{\"id\":\"" ID "\",\"failed\":\"no\"}]",
		"items[1]: id is that of items[0]"},
	    {"[{\"token\":\"" TOKEN_HEX "\"}," RESULT(ID) ",{\"token\":\"" TOKEN_HEX "\"}]",
		"items[2]: token is that of items[0]"},
	    {"[" RESULT(ID) ",{\"id\":\"" ID2 "\",\"signature\":\"*\"}]",
		"items[1]: signature must be base64"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_view p = sealed(online,
		    content("\"type\":\"results\"", fingerprint(online), fingerprint(offline),
			rows[i].items));
		struct wire_package out;
		struct tsb_err err;
		int rc = opened_as(p, PACKAGE_RESULTS, &out, &err);

		if (rows[i].message == NULL)
			assert_int_equal(rc, 0);
		else
			assert_refused(rows[i].items, rc, &err, TSB_E_INPUT, rows[i].message);
	}
}

/* Different ids, one more than allowed; with the last one left out it is accepted. */
static void
test_the_number_of_items_is_bounded(void **state)
{
	for (int more = 0; more < 2; more++) {
		tsb_bytes_auto items = {0};
		struct wire_package p;
		struct tsb_err err;
		struct tsb_view whole;

		tsb_bytes_add_str(&items, "[");
		for (int i = 0; i < PACKAGE_ITEMS_MAX + more; i++)
			tsb_bytes_addf(&items, "%s{\"id\":\"4e8731d8-0ae6-4444-8a8c-%012x\"}",
			    i == 0 ? "" : ",", (unsigned)i);
		tsb_bytes_add_str(&items, "]");
		whole = sealed(online,
		    content("\"type\":\"results\"", fingerprint(online), fingerprint(offline),
			tsb_bytes_cstr(&items)));
		if (more)
			assert_refused("items", opened_as(whole, PACKAGE_RESULTS, &p, &err), &err,
			    TSB_E_INPUT, "items has more than 10000 elements");
		else
			assert_int_equal(opened_as(whole, PACKAGE_RESULTS, &p, &err), 0);
	}
}

static void
test_nothing_is_written_that_would_be_refused(void **state)
{
	struct tsb_view item = text(REQUEST(ID));
	const struct {
		size_t n;
		const char *from, *to, *message;
	} rows[] = {
	    {0, "", "", "a package has 1 to 10000 items"},
	    {PACKAGE_ITEMS_MAX + 1, "", "", "a package has 1 to 10000 items"},
	    {1, "a\nb", "", "from.name must have"},
	    {1, "", arena_printf(&arena, "%0256d", 0), "to.name must have"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct wire_package p = {.created_ms = CREATED_MS,
		    .from_name = rows[i].from,
		    .to_name = rows[i].to,
		    .items = &item,
		    .nitems = rows[i].n};
		tsb_bytes_auto out = {0};
		struct tsb_err err = {0};

		assert_refused(rows[i].message, wire_package_format(&p, online, &out, &err), &err,
		    TSB_E_INPUT, rows[i].message);
		assert_int_equal(out.n, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_packages_are_written_and_read_back),
	    WIRE_TEST(test_sites_may_have_keys_of_all_types),
	    WIRE_TEST(test_a_file_may_end_with_a_line_end),
	    WIRE_TEST(test_other_programs_may_order_members_otherwise),
	    WIRE_TEST(test_the_published_samples_are_read),
	    WIRE_TEST(test_every_part_of_a_package_is_refused),
	    WIRE_TEST(test_every_changed_byte_is_refused),
	    WIRE_TEST(test_swapped_parts_are_refused),
	    WIRE_TEST(test_form_refusals),
	    WIRE_TEST(test_a_package_that_is_too_long_is_refused),
	    WIRE_TEST(test_strangers_are_refused),
	    WIRE_TEST(test_who_passes_a_package_on_sees_what_is_in_it),
	    WIRE_TEST(test_a_borrowed_name_does_not_help),
	    WIRE_TEST(test_a_package_for_another_site_is_refused),
	    WIRE_TEST(test_a_package_of_the_other_type_is_refused),
	    WIRE_TEST(test_content_refusals),
	    WIRE_TEST(test_results_of_one_request_stand_once),
	    WIRE_TEST(test_the_number_of_items_is_bounded),
	    WIRE_TEST(test_nothing_is_written_that_would_be_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, group_end);
}
