#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/crypto/keypair.h"

#include "cli/approve/signer.h"
#include "cli/lib/ask.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"

#define KEY_FILE_MAX (64 * 1024)
#define DER_SEQUENCE 0x30 /* no PEM text begins with it */

void
signer_clear(struct signer *s)
{
	crypto_private_free(&s->key);
	*s = (struct signer){0};
}

/* --passphrase-file, the environment or the terminal. */
static int
find_passphrase(struct cli *c, const char *path, const char **out)
{
	const char *env = getenv("TSB_APPROVER_PASSPHRASE");
	char prompt[256];

	*out = NULL;
	if (c->opt[OPT_PASSPHRASE_FILE] != NULL)
		return file_read_line(c->opt[OPT_PASSPHRASE_FILE], &c->arena, out, &c->err);
	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", path);
	if (env != NULL && *env)
		*out = env;
	else
		ask_secret(prompt, &c->arena, out);
	if (*out == NULL)
		return tsb_fail(&c->err, TSB_E_READING_PEM,
		    "%s is encrypted: give --passphrase-file, TSB_APPROVER_PASSPHRASE or a terminal",
		    path);
	return 0;
}

/* A container as tsb approver onboard writes it, or a browser exports. */
static int
load_container(struct cli *c, const char *path, struct tsb_view file, struct crypto_private **out)
{
	tsb_bytes_auto pkcs8 = {0};
	const char *passphrase;

	if (find_passphrase(c, path, &passphrase) ||
	    crypto_pkcs12_open(file, tsb_view_str(passphrase), &pkcs8, &c->err))
		return -1;
	return crypto_private_decode(tsb_view_bytes(&pkcs8), out, &c->err);
}

/* PKCS #8 in the clear, or a container. */
static int
load_der(struct cli *c, const char *path, struct tsb_view file, struct crypto_private **out)
{
	if (crypto_private_decode(file, out, &c->err) == 0)
		return 0;
	return load_container(c, path, file, out);
}

/* Asks for a passphrase only when the file needs one. */
static int
load_pem(struct cli *c, const char *path, struct tsb_view file, struct crypto_private **out)
{
	const char *passphrase;

	if (crypto_private_load(file, NULL, out, &c->err) == 0)
		return 0;
	if (c->err.code != TSB_E_DECRYPT_FAILED || find_passphrase(c, path, &passphrase))
		return -1;
	return crypto_private_load(file, passphrase, out, &c->err);
}

static int
load_key(struct cli *c, const char *path, struct tsb_view file, struct crypto_private **out)
{
	struct tsb_err why;
	int failed = file.n > 0 && file.p[0] == DER_SEQUENCE ? load_der(c, path, file, out)
							     : load_pem(c, path, file, out);

	if (failed && (c->err.code == TSB_E_DECRYPT_FAILED || c->err.code == TSB_E_PARSING_KEY)) {
		why = c->err;
		return tsb_fail(&c->err, TSB_E_READING_PEM, "%s: %s", path, why.msg);
	}
	return failed;
}

static void
warn_readable(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077))
		output_note("tsb: warning: others may read %s; chmod 600 it", path);
}

static int
load_certificate(struct cli *c, struct signer *s)
{
	if (c->opt[OPT_CERTIFICATE] == NULL)
		return 0;
	return file_read_certificate(c->opt[OPT_CERTIFICATE], s->spki, &c->arena, &s->certificate,
	    &c->err);
}

int
signer_load(struct cli *c, struct signer *out)
{
	const char *path =
	    c->opt[OPT_APPROVER] != NULL ? c->opt[OPT_APPROVER] : getenv("TSB_APPROVER");
	tsb_bytes_auto content = {0};
	signer_auto s = {0};

	if (path == NULL || !*path)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give the approver's private key with --approver FILE (tsb approver new makes one)");
	if (file_read(path, KEY_FILE_MAX, &content, &c->err))
		return -1;
	warn_readable(path);
	if (load_key(c, path, tsb_view_bytes(&content), &s.key))
		return -1;
	s.spki = crypto_private_spki(s.key);
	if (load_certificate(c, &s))
		return -1;
	*out = s;
	s = (struct signer){0};
	return 0;
}

int
signer_sign(const struct signer *s, struct tsb_view message, struct tsb_bytes *out,
    struct tsb_err *err)
{
	return crypto_private_sign(s->key, message, out, err);
}
