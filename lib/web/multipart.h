/*
 * Bodies of type multipart/form-data (RFC 7578, RFC 2046 5.1), read as they come: no part is held
 * as a whole. What surrounds the parts is read and ignored.
 */
#ifndef TSB_WEB_MULTIPART_H
#define TSB_WEB_MULTIPART_H

#include "lib/web/web.h"

#define MULTIPART_NAME_MAX     63
#define MULTIPART_BOUNDARY_MAX 70
#define MULTIPART_BUFFER       (64 * 1024)

/* Where the bytes come from: as web_body_read(). */
typedef ssize_t multipart_source(void *ctx, void *p, size_t n, struct tsb_err *err);

struct multipart {
	multipart_source *source;
	void *ctx;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CR LF "--" boundary */
	size_t delimiter_n;
	unsigned char *buffer; /* MULTIPART_BUFFER bytes */
	size_t at, n; /* what of it is not read yet */
	size_t clear; /* bytes from at on that are content for sure */
	bool at_delimiter; /* behind them the part ends */
	bool part_ended;
	char name[MULTIPART_NAME_MAX + 1]; /* of the part that is being read */
};

/* TSB_E_INPUT unless the type is multipart/form-data with a boundary. Ends with multipart_close. */
int multipart_open(struct multipart *, const char *content_type, multipart_source *, void *ctx,
    struct tsb_err *err) TSB_MUSTCHECK;
void multipart_close(struct multipart *); /* wipes */
#define multipart_auto struct multipart __attribute__((cleanup(multipart_close)))
/* The same of the body of a row that streams. */
int multipart_open_body(struct multipart *, struct web_request *, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * Goes to the next part, past what is left of this one: 1 = name is its own, 0 = there is none, -1
 * = the body is not well formed, or its source failed.
 */
int multipart_next(struct multipart *, struct tsb_err *err) TSB_MUSTCHECK;
/* Goes to the next part, which must be of this name. */
int multipart_expect(struct multipart *, const char *name, struct tsb_err *err) TSB_MUSTCHECK;
/* There must be no other part. */
int multipart_end(struct multipart *, struct tsb_err *err) TSB_MUSTCHECK;
/* The next bytes of the part, at most n into p; 0 at its end. */
ssize_t multipart_read(struct multipart *, void *p, size_t n, struct tsb_err *err) TSB_MUSTCHECK;
/* Appends what is left of the part; TSB_E_INPUT if that is more than max bytes. */
int multipart_read_all(struct multipart *, size_t max, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
