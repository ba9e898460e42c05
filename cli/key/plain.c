/* tsb key import --name, tsb key export: keys in the clear, into an HSM and out of it. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/plain.h"
#include "lib/wire/client.h"

#include "cli/key/commands.h"
#include "cli/key/create.h"
#include "cli/key/flags.h"
#include "cli/key/key.h"
#include "cli/key/plain.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/secret.h"
#include "cli/lib/session.h"

#define KEY_FILE_MAX (64 * 1024)
#define HEX_DIGITS   "0123456789abcdefABCDEF"

/* ---- in: secrets and seeds ---- */

static bool
is_text(struct tsb_view bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i] < ' ' || bytes.p[i] > '~')
			return false;
	return true;
}

/*
 * Bytes or their base64. Of text every other reading would make another key without a word: hex
 * digits are base64 as well, and seed words are bytes.
 */
static int
read_secret(struct cli *c, struct tsb_view *out)
{
	const char *path = c->argv[0];
	tsb_bytes_auto content = {0};
	struct tsb_view text;

	if (file_read(path, KEY_FILE_MAX, &content, &c->err))
		return -1;
	text = tsb_text_start(tsb_view_bytes(&content));
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "%s is empty", path);
	if (!is_text(text)) {
		*out = arena_view(&c->arena, tsb_view_bytes(&content));
		return 0;
	}
	if (strspn(arena_strn(&c->arena, text.p, text.n), HEX_DIGITS) == text.n)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "%s holds hex digits: give the bytes (xxd -r -p) or their base64", path);
	if (!enc_base64_decode(text, &c->arena, out))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "%s is text but not base64: give the bytes or their base64", path);
	return 0;
}

static int
put_secret(struct cli *c, struct tsb_bytes *body)
{
	const char *algorithm = c->opt[OPT_ALGORITHM];
	struct tsb_view secret;

	if (read_secret(c, &secret))
		return -1;
	body_text(body, "algorithm", algorithm);
	body_base64(body, "secretKey", secret);
	return create_put_rest(c, create_uses(algorithm), body);
}

/* BIP-32 is for secp256k1; SLIP-10 extends it to other curves. */
static int
put_seed(struct cli *c, struct tsb_bytes *body)
{
	struct tsb_view seed;
	const char *oid, *k1 = "1.3.132.0.10";

	if (c->opt[OPT_CURVE] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --curve: a seed makes another key on every curve");
	if (create_curve(c, NULL, &oid) || read_secret(c, &seed))
		return -1;
	body_base64(body, "seed", seed);
	body_text(body, "curveOid", oid);
	return create_put_rest(c, tsb_streq(oid, k1) ? "sign,derive,bip32" : "sign,derive,slip10",
	    body);
}

/* ---- in: key pairs, public keys, certificates ---- */

static int
ask_passphrase(struct cli *c, const char **out)
{
	const char *prompt = arena_printf(&c->arena, "Passphrase of %s: ", c->argv[0]);

	if (c->opt[OPT_PASSPHRASE_FILE] != NULL)
		return file_read_line(c->opt[OPT_PASSPHRASE_FILE], &c->arena, out, &c->err);
	if (ask_secret(prompt, &c->arena, out))
		return 0;
	return tsb_fail(&c->err, TSB_E_INPUT,
	    "%s is encrypted: give --passphrase-file or a terminal", c->argv[0]);
}

/* Asks for a passphrase only when the file needs one. */
static int
read_key(struct cli *c, struct plain_key *k)
{
	tsb_bytes_auto content = {0};
	struct tsb_err why;
	const char *passphrase;

	if (file_read(c->argv[0], KEY_FILE_MAX, &content, &c->err))
		return -1;
	if (crypto_plain_read(tsb_view_bytes(&content), NULL, &c->arena, k, &why) == 0)
		return 0;
	if (why.code == TSB_E_DECRYPT_FAILED) {
		if (ask_passphrase(c, &passphrase))
			return -1;
		if (crypto_plain_read(tsb_view_bytes(&content), passphrase, &c->arena, k, &why) ==
		    0)
			return 0;
	}
	return tsb_fail(&c->err, why.code, "%s: %s", c->argv[0], why.msg);
}

static int
put_pair(struct cli *c, struct tsb_bytes *body)
{
	const char *algorithm = c->opt[OPT_ALGORITHM];
	struct plain_key k;

	if (read_key(c, &k))
		return -1;
	if (algorithm == NULL)
		algorithm = k.algorithm;
	if (algorithm == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "%s: its kind has no name here; give --algorithm", c->argv[0]);
	body_text(body, "algorithm", algorithm);
	if (k.certificate.n > 0)
		body_base64(body, "certificate", k.certificate);
	else
		body_base64(body, "publicKey", k.spki);
	if (k.private_key.n == 0)
		return flags_put_named(c, body);
	body_base64(body, "privateKey", k.private_key);
	return create_put_rest(c, create_uses(algorithm), body);
}

static bool
is_secret(const char *algorithm)
{
	static const char *const names[] = {"AES", "Camellia", "ChaCha20", "TDEA", "HMACSHA256"};

	for (size_t i = 0; algorithm != NULL && i < TSB_COUNT(names); i++)
		if (tsb_streq(names[i], algorithm))
			return true;
	return false;
}

int
plain_import(struct cli *c)
{
	const bool seed = c->opt[OPT_SEED] != NULL;
	tsb_bytes_auto body = {0}, answer = {0};
	const char *name = c->opt[OPT_NAME];

	if (c->argc != 1)
		return tsb_fail(&c->err, TSB_E_INPUT, "--name is for one file");
	body_open(&body, NULL);
	body_text(&body, "label", name);
	if (session_put_password(c, &body, "password") ||
	    (seed                                      ? put_seed(c, &body)
		    : is_secret(c->opt[OPT_ALGORITHM]) ? put_secret(c, &body)
						       : put_pair(c, &body)))
		return -1;
	body_close(&body);
	if (session_call(c, "POST", seed ? "/v1/importedKey" : "/v1/key/import/plain",
		tsb_view_bytes(&body), &answer))
		return -1;
	return create_show(c, name, tsb_view_bytes(&answer));
}

/* ---- out ---- */

/* The members of the answer, decoded; those that are null are empty. */
struct exported {
	struct tsb_view private_key, public_key, secret_key;
};

static int
take(struct cli *c, struct tsb_view answer, const char *name, struct tsb_view *out)
{
	const char *text;

	*out = (struct tsb_view){0};
	if (wire_client_text_parse(answer, name, &c->arena, &text, &c->err))
		return -1;
	if (text != NULL && !enc_base64_decode(tsb_view_str(text), &c->arena, out))
		return tsb_fail(&c->err, TSB_E_IO, "%s is not base64", name);
	return 0;
}

static int
read_exported(struct cli *c, struct tsb_view answer, struct exported *out)
{
	return take(c, answer, "privateKey", &out->private_key) ||
		take(c, answer, "publicKey", &out->public_key) ||
		take(c, answer, "secretKey", &out->secret_key)
	    ? session_misread(c)
	    : 0;
}

/* Appends what is written; *kind says what it is. */
static int
format(struct cli *c, const struct exported *e, const char *passphrase, struct tsb_bytes *out,
    const char **kind)
{
	if (e->secret_key.n > 0) {
		*kind = "secret key, base64";
		if (passphrase != NULL)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "%s is a secret key, and those have no encrypted file: give "
			    "--no-passphrase to write it in the clear",
			    c->argv[0]);
		enc_base64(e->secret_key, out);
		tsb_bytes_add_str(out, "\n");
		return 0;
	}
	if (e->private_key.n > 0) {
		*kind = passphrase != NULL ? "private key, PKCS#8, encrypted"
					   : "private key, PKCS#8, not encrypted";
		return crypto_plain_pem(e->private_key, passphrase, out, &c->err);
	}
	*kind = "public key";
	if (e->public_key.n == 0)
		return tsb_fail(&c->err, TSB_E_IO, "the answer has no key");
	crypto_pem_write("PUBLIC KEY", e->public_key, out);
	return 0;
}

static void
report(struct cli *c, const char *kind, const struct exported *e)
{
	doc_auto t = {0};

	doc_start(&t, c->json);
	doc_text(&t, "file", c->opt[OPT_OUT]);
	doc_text(&t, "label", c->argv[0]);
	doc_text(&t, "kind", kind);
	if (e->public_key.n > 0)
		doc_key(&t, "key", e->public_key);
	doc_print(&t);
}

int
cli_key_export(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0}, content = {0};
	const char *passphrase, *kind;
	struct exported e;

	if (c->opt[OPT_OUT] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "say where it goes: --out FILE");
	if (secret_new_passphrase(c, NULL, &passphrase) || key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/export/plain", tsb_view_bytes(&body), &answer) ||
	    read_exported(c, tsb_view_bytes(&answer), &e) ||
	    format(c, &e, passphrase, &content, &kind) ||
	    file_write(c->opt[OPT_OUT], FILE_SECRET, tsb_view_bytes(&content), &c->err))
		return -1;
	if (passphrase == NULL && e.secret_key.n + e.private_key.n > 0)
		output_note("tsb: warning: whoever reads %s has the key %s: it is not encrypted",
		    c->opt[OPT_OUT], c->argv[0]);
	if (!tsb_streq(c->opt[OPT_OUT], "-"))
		report(c, kind, &e);
	return 0;
}
