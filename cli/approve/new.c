/* tsb approver new: creates an approver's key where it is used; it never leaves this computer. */
#include "lib/first.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/private.h"

#include "cli/approve/commands.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/fingerprint.h"
#include "cli/lib/secret.h"

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
	if (secret_new_passphrase(c, "TSB_APPROVER_PASSPHRASE", &passphrase) ||
	    crypto_private_new(type, &key, &c->err) ||
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
