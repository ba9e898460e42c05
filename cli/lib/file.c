#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"

#include "cli/lib/file.h"
#include "cli/lib/output.h"

#define LINE_SIZE    1024
#define DER_FILE_MAX (64 * 1024)

int
file_read(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	if (tsb_streq(path, "-"))
		return tsb_file_read_fd(STDIN_FILENO, "standard input", max, out, err);
	return tsb_file_read(path, max, out, err);
}

int
file_read_line(const char *path, struct arena *a, const char **out, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	struct tsb_view line;

	if (file_read(path, LINE_SIZE, &text, err) ||
	    tsb_file_first_line(tsb_view_bytes(&text), path, &line, err))
		return -1;
	*out = arena_strn(a, line.p, line.n);
	return 0;
}

int
file_read_base64(const char *path, size_t max, struct arena *a, struct tsb_view *out,
    struct tsb_err *err)
{
	tsb_bytes_auto content = {0};
	struct tsb_view text;

	if (file_read(path, max, &content, err))
		return -1;
	text = tsb_text_start(tsb_view_bytes(&content));
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "%s is empty",
		    tsb_streq(path, "-") ? "standard input" : path);
	if (!enc_base64_decode(text, a, out))
		*out = arena_view(a, tsb_view_bytes(&content));
	return 0;
}

/* The DER that a text in any form has; n of them are all of the file's. */
static int
read_blocks(const char *path, unsigned kinds, struct arena *a, struct pem_blocks *out,
    struct tsb_err *err)
{
	tsb_bytes_auto content = {0};
	struct tsb_err why;

	*out = (struct pem_blocks){0};
	if (file_read(path, DER_FILE_MAX, &content, err))
		return -1;
	if (content.n > 0 && content.p[0] == 0x30) {
		out->v = arena_array(a, 1, sizeof(*out->v));
		out->v[out->n++].der = arena_view(a, tsb_view_bytes(&content));
		return 0;
	}
	if (crypto_pem_all(tsb_view_bytes(&content), kinds, a, out, &why))
		return kinds == PEM_REQUEST
		    ? tsb_fail(err, TSB_E_READING_PEM, "%s holds no certificate request: %s", path,
			  why.msg)
		    : tsb_fail(err, TSB_E_READING_PEM, "%s: %s", path, why.msg);
	return 0;
}

/* Which one of several is taken is for the user to know. */
static void
tell_taken(const char *path, const struct pem_blocks *b, struct arena *a)
{
	struct tsb_err ignored;
	const char *name = NULL;

	if (b->n + b->issuers < 2)
		return;
	if (crypto_cert_common_name(b->v[0].der, a, &name, &ignored) || name == NULL)
		name = "without a name";
	output_note("tsb: %s holds %zu certificates or keys; taken: the %s, %s", path,
	    b->n + b->issuers, b->issuers > 0 ? "leaf of the chain" : "first", name);
}

int
file_read_csr(const char *path, struct arena *a, struct tsb_view *der, struct tsb_err *err)
{
	struct pem_blocks b;

	if (read_blocks(path, PEM_REQUEST, a, &b, err))
		return -1;
	if (b.n > 1)
		output_note("tsb: %s holds %zu certificate requests; the first is taken", path,
		    b.n);
	*der = b.v[0].der;
	return 0;
}

static int
not_a_key(const char *path, const struct tsb_err *why, struct tsb_err *err)
{
	return tsb_fail(err, why->code, "%s: %s", path, why->msg);
}

int
file_read_spki(const char *path, struct arena *a, struct tsb_view *spki, struct tsb_view *cert,
    struct tsb_err *err)
{
	struct pem_blocks b;
	struct tsb_view key;
	struct tsb_err why;

	if (read_blocks(path, PEM_CERTIFICATE | PEM_PUBLIC_KEY, a, &b, err))
		return -1;
	tell_taken(path, &b, a);
	if (cert != NULL)
		*cert = tsb_view_of(NULL, 0);
	if (crypto_cert_spki(b.v[0].der, a, &key, &why) == 0) {
		*spki = key;
		if (cert != NULL)
			*cert = b.v[0].der;
		return 0;
	}
	if (crypto_public_key(b.v[0].der, a, spki, &why))
		return not_a_key(path, &why, err);
	return 0;
}

int
file_read_certificate(const char *path, struct tsb_view spki, struct arena *a,
    struct tsb_view *cert, struct tsb_err *err)
{
	struct pem_blocks b;
	struct tsb_view key;
	struct tsb_err ignored;

	if (read_blocks(path, PEM_CERTIFICATE, a, &b, err))
		return -1;
	for (size_t i = 0; i < b.n; i++) {
		if (crypto_cert_spki(b.v[i].der, a, &key, &ignored) == 0 &&
		    tsb_view_eq(key, spki)) {
			*cert = b.v[i].der;
			return 0;
		}
	}
	return tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
	    "%s is not a certificate of the key of --approver", path);
}

int
file_sync_folder(int dir, const char *path, struct tsb_err *err)
{
	/* EINVAL: some file systems of sticks do not sync folders */
	if (fsync(dir) != 0 && errno != EINVAL)
		return tsb_fail(err, TSB_E_IO, "cannot write the folder of %s: %s", path,
		    strerror(errno));
	return 0;
}

int
file_create(const char *path, unsigned mode, struct tsb_view content, struct tsb_err *err)
{
	int rc = tsb_file_create(AT_FDCWD, path, mode, content, err);

	if (rc > 0)
		return tsb_fail(err, TSB_E_IO, "%s exists and is not replaced; choose another name",
		    path);
	return rc;
}

int
file_replace(const char *path, unsigned mode, struct tsb_view content, struct tsb_err *err)
{
	arena_auto a = {0};
	const char *name, *next;
	tsb_fd_auto dir = tsb_file_folder(path, &name, err);

	if (dir < 0)
		return -1;
	next = arena_printf(&a, "%s.new", name);
	unlinkat(dir, next, 0); /* left behind by a program that was killed */
	if (tsb_file_replace(dir, next, name, mode, content, err))
		return -1;
	return file_sync_folder(dir, path, err);
}
