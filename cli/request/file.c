/* tsb file encrypt and tsb file decrypt: files of any size, in constant memory. */
#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/stream.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/outfile.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"

struct passing {
	struct cli *c;
	enum wire_file_call what;
	int in;
	int64_t size, read; /* of the file; size -1 = not known */
	int shown; /* per cent that the terminal shows, -1 = it shows none */
	struct tsb_bytes text; /* of the body, around the file */
	size_t sent, file_at; /* of the text; where in it the file stands */
	bool file_ended;
	struct outfile out;
	struct tsb_err why; /* of what failed here */
};

static void
passing_close(struct passing *p)
{
	if (p->shown >= 0)
		fprintf(stderr, "\r       \r");
	if (p->in > STDIN_FILENO)
		close(p->in);
	tsb_bytes_clear(&p->text);
	outfile_close(&p->out);
}
#define passing_auto struct passing __attribute__((cleanup(passing_close)))

/* ---- what is sent ---- */

static int
open_input(struct passing *p, const char *path, struct tsb_err *err)
{
	struct stat st;

	p->in = tsb_streq(path, "-") ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (p->in < 0 || fstat(p->in, &st) != 0)
		return tsb_fail(err, TSB_E_INPUT, "cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return tsb_fail(err, TSB_E_INPUT, "cannot read %s: it is a folder", path);
	p->size = S_ISREG(st.st_mode) ? st.st_size : -1;
	p->shown = p->size > 0 && isatty(STDERR_FILENO) ? 0 : -1;
	return 0;
}

static int
put_asked(struct passing *p, struct tsb_bytes *body)
{
	struct cli *c = p->c;

	body_open(body, NULL);
	body_open(body, wire_file_envelope(p->what));
	body_text(body, p->what == WIRE_FILE_ENCRYPT ? "encryptKeyName" : "decryptKeyName",
	    c->argv[0]);
	if (session_put_password(c, body, "keyPassword"))
		return -1;
	body_close(body);
	body_close(body);
	return 0;
}

static void
show_progress(struct passing *p)
{
	int percent = p->read >= p->size ? 100 : (int)(p->read * 100 / p->size);

	if (percent == p->shown)
		return;
	p->shown = percent;
	fprintf(stderr, "\r%3d %% ", percent);
}

static ssize_t
text_read(struct passing *p, size_t end, void *to, size_t n)
{
	size_t left = end - p->sent;

	if (n > left)
		n = left;
	memcpy(to, p->text.p + p->sent, n);
	p->sent += n;
	return (ssize_t)n;
}

static ssize_t
body_read(void *ctx, void *to, size_t n)
{
	struct passing *p = ctx;
	ssize_t got;

	if (p->sent < p->file_at)
		return text_read(p, p->file_at, to, n);
	if (p->file_ended)
		return text_read(p, p->text.n, to, n);
	do
		got = read(p->in, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return tsb_fail(&p->why, TSB_E_IO, "cannot read the file: %s", strerror(errno));
	p->read += got;
	if (p->shown >= 0)
		show_progress(p);
	if (got > 0)
		return got;
	p->file_ended = true;
	return text_read(p, p->text.n, to, n);
}

/* ---- what comes back ---- */

static int
answer_begin(void *ctx, int64_t size)
{
	struct passing *p = ctx;
	const char *path = p->c->opt[OPT_OUT] != NULL ? p->c->opt[OPT_OUT] : "-";

	(void)size;
	return outfile_open(&p->out, path, p->what == WIRE_FILE_DECRYPT ? FILE_SECRET : FILE_PUBLIC,
	    &p->why);
}

static int
answer_write(void *ctx, const void *from, size_t n)
{
	struct passing *p = ctx;

	return outfile_write(&p->out, tsb_view_of(from, n), &p->why);
}

static int
run(struct cli *c, enum wire_file_call what, const char *path)
{
	passing_auto p = {.c = c,
	    .what = what,
	    .in = -1,
	    .shown = -1,
	    .out = {.fd = -1, .folder = -1}};
	const struct tsb_stream stream = {body_read, answer_begin, answer_write, &p};
	tsb_bytes_auto asked = {0};
	const char *type;

	if (c->opt[OPT_OUT] == NULL && isatty(STDOUT_FILENO))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "the answer is no text for a terminal: name a file with --out");
	if (open_input(&p, c->argv[1], &c->err) || put_asked(&p, &asked))
		return -1;
	type = wire_file_around(what, tsb_view_bytes(&asked), &c->arena, &p.text, &p.file_at);
	if (session_stream(c, path, type, &stream)) {
		if (p.why.code == TSB_OK)
			return -1;
		c->exit = CLI_USAGE;
		c->err = p.why;
		return -1;
	}
	if (p.out.path == NULL) {
		tsb_fail(&c->err, TSB_E_IO, "it has no file");
		return session_misread(c);
	}
	return outfile_commit(&p.out, &c->err);
}

int
cli_file_encrypt(struct cli *c)
{
	return run(c, WIRE_FILE_ENCRYPT, "/v1/fileEncrypt");
}

int
cli_file_decrypt(struct cli *c)
{
	return run(c, WIRE_FILE_DECRYPT, "/v1/synchronousFileDecrypt");
}
