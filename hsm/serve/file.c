/*
 * Files of any size under an EC key (api-notes.md 8.7, docs/file-format.md). What is encrypted
 * passes through a temporary file; what is not never touches the disk.
 */
#include "lib/first.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/web/multipart.h"
#include "lib/wire/wire.h"

#include "hsm/key/filehead.h"
#include "hsm/key/segment.h"
#include "hsm/serve/access.h"

#define CIPHER "ECIES" /* of the key of a file */

/* One call. */
struct job {
	struct hsm_app *app;
	struct web_request *rq;
	struct multipart parts;
	int spool; /* the encrypted file */
	int64_t size; /* of it */
};

static void
job_close(struct job *j)
{
	multipart_close(&j->parts);
	tsb_fd_close(&j->spool);
}
#define job_auto struct job __attribute__((cleanup(job_close)))

/* ---- the body ---- */

/* Reads the part with JSON; the part file is next. */
static int
job_open(struct job *j, enum wire_file_call what, struct wire_file *in, struct tsb_err *err)
{
	tsb_bytes_auto json = {0};

	if (multipart_open_body(&j->parts, j->rq, err) ||
	    multipart_expect(&j->parts, wire_file_part(what), err) ||
	    multipart_read_all(&j->parts, WIRE_FILE_JSON_MAX, &json, err) ||
	    wire_file_parse(what, arena_view(j->rq->arena, tsb_view_bytes(&json)), j->rq->arena, in,
		err) ||
	    multipart_expect(&j->parts, WIRE_FILE_PART, err))
		return -1;
	j->spool = tsb_file_temporary(j->app->conf->temporary_directory, err);
	return j->spool >= 0 ? 0 : -1;
}

/* Up to one segment; less than max bytes only at the end of the file. */
static int
read_piece(struct job *j, size_t max, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_reset(out);
	while (out->n < max) {
		size_t want = max - out->n;
		ssize_t n = multipart_read(&j->parts, tsb_bytes_grow(out, want), want, err);

		out->n -= want - (n > 0 ? (size_t)n : 0);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
	}
	return 0;
}

static int
spool_write(struct job *j, const struct tsb_bytes *bytes, struct tsb_err *err)
{
	j->size += (int64_t)bytes->n;
	return tsb_file_write_fd(j->spool, "a temporary file", tsb_view_bytes(bytes), err);
}

/* Exactly n bytes from this place on. */
static int
spool_read(struct job *j, int64_t at, size_t n, struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char *p;

	tsb_bytes_reset(out);
	p = tsb_bytes_grow(out, n);
	for (size_t have = 0; have < n;) {
		ssize_t got = pread(j->spool, p + have, n - have, at + (int64_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return tsb_fail(err, TSB_E_IO, "cannot read a temporary file: %s",
			    got < 0 ? strerror(errno) : "it is shorter than it was");
		have += (size_t)got;
	}
	return 0;
}

/* ---- the key ---- */

static int
select_cipher(struct hsm_app *app, const struct hsm_key *k, enum token_task task,
    const struct cipher_algorithm **out, struct tsb_err *err)
{
	struct token_ask ask = {.task = task, .key = k, .name = CIPHER};

	if (cipher_select(k, CIPHER, &ask.cipher, err) || token_check(&app->tokens, &ask, err))
		return -1;
	*out = ask.cipher;
	return 0;
}

static struct wire_cipher
cipher_bound_to(struct tsb_view bound)
{
	return (struct wire_cipher){.algorithm = CIPHER, .additional = bound};
}

/* ---- encryption ---- */

/* Makes the key of the file, and writes the header. */
static int
begin_file(struct job *j, const struct hsm_key *k, const struct cipher_algorithm *alg,
    struct segments *s, struct tsb_err *err)
{
	cipher_encrypted_auto sealed = {0};
	tsb_bytes_auto head = {0};
	struct wire_cipher given;
	struct token *token;

	crypto_random(s->secret, sizeof(s->secret));
	file_head_bound(k->curve->oid, &head);
	given = cipher_bound_to(tsb_view_bytes(&head));
	if (tokens_find(&j->app->tokens, k, &token, err) ||
	    token->ops->encrypt(NULL, k, alg, &given, tsb_view_of(s->secret, sizeof(s->secret)),
		&sealed, err))
		return -1;
	file_head_sealed(tsb_view_bytes(&sealed.payload), &head);
	return spool_write(j, &head, err);
}

/* A segment is written when it is known whether another one follows. */
static int
encrypt_segments(struct job *j, struct segments *s, struct tsb_err *err)
{
	tsb_bytes_auto plain = {0}, next = {0}, sealed = {0};
	struct tsb_bytes swap;
	bool last;

	if (read_piece(j, SEGMENT_PLAIN, &plain, err))
		return -1;
	do {
		tsb_bytes_reset(&next);
		if (plain.n == SEGMENT_PLAIN && read_piece(j, SEGMENT_PLAIN, &next, err))
			return -1;
		last = next.n == 0;
		tsb_bytes_reset(&sealed);
		if (segment_seal(s, tsb_view_bytes(&plain), last, &sealed, err) ||
		    spool_write(j, &sealed, err))
			return -1;
		swap = plain;
		plain = next;
		next = swap;
	} while (!last);
	return 0;
}

static int
send_spool(struct job *j, struct tsb_err *err)
{
	const struct web_reply head = {.content_type = WIRE_FILE_TYPE};
	tsb_bytes_auto piece = {0};

	if (web_stream_begin(j->rq, &head, j->size, err))
		return -1;
	for (int64_t at = 0; at < j->size; at += (int64_t)piece.n) {
		int64_t left = j->size - at;
		size_t n = left < (int64_t)SEGMENT_SEALED ? (size_t)left : SEGMENT_SEALED;

		if (spool_read(j, at, n, &piece, err) ||
		    web_stream_write(j->rq, piece.p, piece.n, err))
			return -1;
	}
	return 0;
}

int
serve_file_encrypt(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	job_auto j = {.app = app, .rq = rq, .spool = -1};
	segments_auto s = {0};
	struct wire_file in;
	const struct cipher_algorithm *alg;
	hsm_key_auto *k = NULL;

	(void)reply;
	if (job_open(&j, WIRE_FILE_ENCRYPT, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) || access_check_ordinary(k, err) ||
	    select_cipher(app, k, TOKEN_ENCRYPT, &alg, err))
		return -1;
	if (!k->flag[ATTR_DERIVE])
		return access_refuse(k, "may not derive", err);
	if (begin_file(&j, k, alg, &s, err) || encrypt_segments(&j, &s, err) ||
	    multipart_end(&j.parts, err))
		return -1;
	log_info("file encrypted key=%s bytes=%lld", k->label, (long long)j.size);
	return send_spool(&j, err);
}

/* ---- decryption ---- */

static int
spool_file(struct job *j, struct tsb_err *err)
{
	tsb_bytes_auto piece = {0};

	do
		if (read_piece(j, SEGMENT_SEALED, &piece, err) || spool_write(j, &piece, err))
			return -1;
	while (piece.n == SEGMENT_SEALED);
	return multipart_end(&j->parts, err);
}

/* The header, and with it the key of the file. */
static int
open_file(struct job *j, const struct hsm_key *k, struct token_key *opened,
    const struct cipher_algorithm *alg, struct segments *s, int64_t *from, struct tsb_err *err)
{
	tsb_bytes_auto start = {0}, secret = {0};
	struct file_head head;
	struct wire_cipher given;

	if (spool_read(j, 0, j->size < FILE_HEAD_MAX ? (size_t)j->size : FILE_HEAD_MAX, &start,
		err) ||
	    file_head_read(tsb_view_bytes(&start), &head, err))
		return -1;
	if (!tsb_view_eq(head.curve, tsb_view_str(k->curve->oid)))
		return tsb_fail(err, TSB_E_FILE_HEADER,
		    "the file has no valid header: it is for a key on another curve than '%s'",
		    k->label);
	given = cipher_bound_to(head.bound);
	if (opened->ops->decrypt(opened, k, alg, &given, head.sealed, &secret, err))
		return -1;
	if (secret.n != sizeof(s->secret))
		return tsb_fail(err, TSB_E_FILE_HEADER,
		    "the file has no valid header: its key has a wrong length");
	memcpy(s->secret, secret.p, secret.n);
	s->next = 0;
	*from = (int64_t)head.size;
	return 0;
}

/* Opens all segments, and sends what is in them if it is wanted yet. */
static int
walk_segments(struct job *j, const struct segments *from, int64_t at, bool send,
    struct tsb_err *err)
{
	tsb_bytes_auto sealed = {0}, plain = {0};
	segments_auto s = *from;
	bool last;

	do {
		int64_t left = j->size - at;

		last = left <= (int64_t)SEGMENT_SEALED;
		tsb_bytes_reset(&plain);
		if (spool_read(j, at, last ? (size_t)left : SEGMENT_SEALED, &sealed, err))
			return -1;
		if (segment_open(&s, tsb_view_bytes(&sealed), last, &plain, err))
			return tsb_fail(err, TSB_E_DECRYPT_FAILED,
			    "the file cannot be decrypted: it was changed or cut, or is of another "
			    "key");
		if (send && web_stream_write(j->rq, plain.p, plain.n, err))
			return -1;
		at += (int64_t)sealed.n;
	} while (!last);
	return 0;
}

/* Nothing is sent of a file that does not open to its last byte. */
static int
send_plain(struct job *j, const struct segments *s, int64_t from, struct tsb_err *err)
{
	const struct web_reply head = {.content_type = WIRE_FILE_TYPE};
	const int64_t sealed = j->size - from;
	const int64_t n = (sealed + (int64_t)SEGMENT_SEALED - 1) / (int64_t)SEGMENT_SEALED;

	return walk_segments(j, s, from, false, err) ||
		web_stream_begin(j->rq, &head, sealed - n * GCM_TAG_SIZE, err) ||
		walk_segments(j, s, from, true, err)
	    ? -1
	    : 0;
}

int
serve_file_decrypt(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	/* a call has no place for approvals: a key whose rule wants some opens no file */
	const struct wire_synchronous_in without_approvals = {.request.kind = web_route_arg(rq)};
	struct hsm_app *app = arg;
	job_auto j = {.app = app, .rq = rq, .spool = -1};
	segments_auto s = {0};
	struct wire_file in;
	const struct cipher_algorithm *alg;
	hsm_key_auto *k = NULL;
	token_key_auto *opened = NULL;
	int64_t from;

	(void)reply;
	if (job_open(&j, WIRE_FILE_DECRYPT, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) ||
	    select_cipher(app, k, TOKEN_DECRYPT, &alg, err) ||
	    access_check_use(k, ATTR_DERIVE, err) ||
	    access_enforce(app, rq, k, &without_approvals, (struct tsb_view){0}, err) ||
	    token_use(&app->tokens, k, in.password, &opened, err) || spool_file(&j, err) ||
	    open_file(&j, k, opened, alg, &s, &from, err))
		return -1;
	keystore_count_use(app->ks, k);
	log_info("file decrypted key=%s bytes=%lld", k->label, (long long)j.size);
	return send_plain(&j, &s, from, err);
}
