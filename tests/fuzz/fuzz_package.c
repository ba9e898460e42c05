/*
 * Packages. The first byte picks the reader: 'L' takes the rest as the line itself, 'Q' and 'S' as
 * the content of requests and of results, to which hash and signature are made, so that what lies
 * behind the signature is reached. What is accepted is written again with the same meaning.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/wire/package.h"
#include "tests/fuzz/fuzz.h"

/* Of nobody: only this program signs with it, and it sends packages to itself. */
static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MC4CAQAwBQYDK2VwBCIEIG4Yyp52GLUhGXNsSPBSTWTACjxUIrLKAiL2Y5fxIB50\n"
			      "-----END PRIVATE KEY-----\n";

static struct crypto_private *key;

static void
load_key(void)
{
	struct tsb_err err;

	if (key == NULL)
		MUST(crypto_private_load(tsb_view_str(key_pem), NULL, &key, &err) == 0);
}

static int
open_package(struct tsb_view text, enum wire_package_type type, struct arena *a,
    struct wire_package *out, struct tsb_err *err)
{
	const struct wire_package_peer peer = {crypto_private_spki(key)};
	size_t who = 1;
	int rc =
	    wire_package_parse(text, type, crypto_private_spki(key), &peer, 1, a, out, &who, err);

	MUST(rc == 0 ? who == 0 : rc == -1 && err->code != TSB_OK && err->msg[0] != '\0');
	return rc;
}

static void
check_item(struct tsb_view item, enum wire_package_type type, struct arena *a)
{
	struct wire_offline_request request;
	struct wire_offline_result result;
	struct tsb_err err;

	if (type == PACKAGE_REQUESTS) {
		MUST(wire_offline_request_parse(item, a, &request, &err) == 0);
		MUST(request.has_id && request.key_name != NULL && request.input.n > 0);
	} else {
		MUST(wire_offline_result_parse(item, a, &result, &err) == 0);
		MUST(result.has_id || result.has_token);
	}
}

static void
try_package(struct tsb_view text, enum wire_package_type type, struct arena *a)
{
	struct wire_package p, again;
	struct tsb_err err;
	tsb_bytes_auto out = {0};

	if (open_package(text, type, a, &p, &err))
		return;
	MUST(wire_is_package(text));
	MUST(p.type == type && p.nitems > 0 && p.nitems <= PACKAGE_ITEMS_MAX);
	for (size_t i = 0; i < p.nitems; i++)
		check_item(p.items[i], type, a);
	if (p.created_ms < 1000)
		return; /* written as no time at all */
	MUST(wire_package_format(&p, key, &out, &err) == 0);
	MUST(open_package(tsb_view_bytes(&out), type, a, &again, &err) == 0);
	MUST(again.nitems == p.nitems && again.created_ms == p.created_ms / 1000 * 1000);
	MUST(uuid_eq(&again.id, &p.id));
	MUST(strcmp(again.from_name, p.from_name) == 0 && strcmp(again.to_name, p.to_name) == 0);
	for (size_t i = 0; i < p.nitems; i++)
		MUST(tsb_view_eq(again.items[i], p.items[i]));
}

static void
seal(struct tsb_view content, struct tsb_bytes *out)
{
	tsb_bytes_auto signature = {0};
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct tsb_err err;

	tsb_bytes_add_str(out, PACKAGE_MARK);
	crypto_sha256(content, hash);
	enc_hex(tsb_view_of(hash, sizeof(hash)), out);
	tsb_bytes_add_str(out, " ");
	crypto_sha256(crypto_private_spki(key), hash);
	enc_hex(tsb_view_of(hash, sizeof(hash)), out);
	tsb_bytes_add_str(out, " ");
	MUST(crypto_private_sign(key, content, &signature, &err) == 0);
	enc_base64(tsb_view_bytes(&signature), out);
	tsb_bytes_add_str(out, " ");
	tsb_bytes_add_view(out, content);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tsb_view rest;
	tsb_bytes_auto text = {0};
	arena_auto a = {0};

	load_key();
	if (size == 0)
		return 0;
	rest = tsb_view_of(data + 1, size - 1);
	if (data[0] == 'Q' || data[0] == 'S') {
		seal(rest, &text);
		try_package(tsb_view_bytes(&text),
		    data[0] == 'Q' ? PACKAGE_REQUESTS : PACKAGE_RESULTS, &a);
	} else {
		try_package(rest, PACKAGE_REQUESTS, &a);
	}
	return 0;
}
