/* tsb approver new: creates an approver's key where it is used; it never leaves this computer. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/private.h"

#include "cli/approve/commands.h"
#include "cli/lib/ask.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/fingerprint.h"

#define PASSPHRASE_MIN 8

/* Asked twice, so that a slip does not lock the key away. */
static int
ask_new_passphrase(struct cli *c, const char **out)
{
	const char *again = NULL;

	if (!ask_secret("Passphrase for the new key: ", &c->arena, out))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "no passphrase: give --passphrase-file, TSB_APPROVER_PASSPHRASE or --no-passphrase");
	if (!ask_secret("Once more: ", &c->arena, &again) || !tsb_streq(*out, again))
		return tsb_fail(&c->err, TSB_E_INPUT, "the passphrases differ; nothing was made");
	return 0;
}

static int
new_passphrase(struct cli *c, const char **out)
{
	const char *env = getenv("TSB_APPROVER_PASSPHRASE");

	*out = NULL;
	if (c->opt[OPT_NO_PASSPHRASE] != NULL)
		return 0;
	if (c->opt[OPT_PASSPHRASE_FILE] != NULL) {
		if (file_read_line(c->opt[OPT_PASSPHRASE_FILE], &c->arena, out, &c->err))
			return -1;
	} else if (env != NULL && *env) {
		*out = env;
	} else if (ask_new_passphrase(c, out)) {
		return -1;
	}
	if (strlen(*out) < PASSPHRASE_MIN)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "the passphrase is shorter than %d characters", PASSPHRASE_MIN);
	return 0;
}

static void
show(struct cli *c, struct tsb_view spki, const char *private_path, const char *public_path)
{
	doc_auto t;

	doc_start(&t, c->json);
	doc_text(&t, "private key file", private_path);
	doc_text(&t, "public key file", public_path);
	doc_text(&t, "fingerprint", fingerprint_of(&c->arena, spki));
	doc_base64(&t, "public key", spki);
	doc_print(&t);
}

int
cli_approver_new(struct cli *c)
{
	const char *type = c->opt[OPT_TYPE] != NULL ? c->opt[OPT_TYPE] : "p256";
	const char *dir = c->opt[OPT_OUT] != NULL ? c->opt[OPT_OUT] : ".";
	const char *name = c->argv[0], *passphrase, *private_path, *public_path;
	tsb_bytes_auto private_pem = {0}, public_pem = {0};
	crypto_private_auto *key = NULL;

	if (!*name || strchr(name, '/') != NULL || name[0] == '.' ||
	    !tsb_label_valid(tsb_view_str(name)))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "NAME becomes a file name: no '/', no '.' in front; --out gives the folder");
	private_path = arena_printf(&c->arena, "%s/%s.key.pem", dir, name);
	public_path = arena_printf(&c->arena, "%s/%s.pub.pem", dir, name);
	if (new_passphrase(c, &passphrase) || crypto_private_new(type, &key, &c->err) ||
	    crypto_private_pem(key, passphrase, &private_pem, &c->err))
		return -1;
	crypto_spki_pem(crypto_private_spki(key), &public_pem);
	if (file_create(private_path, 0600, tsb_view_bytes(&private_pem), &c->err))
		return -1;
	if (file_create(public_path, 0644, tsb_view_bytes(&public_pem), &c->err)) {
		unlink(private_path); /* both or none */
		return -1;
	}
	show(c, crypto_private_spki(key), private_path, public_path);
	return 0;
}
