/*
 * What a FastCGI application sends (FastCGI 1.0, names in capitals are the specification's), read
 * piece by piece. The application is not trusted: every length and every type is checked, and no
 * more than max bytes are kept.
 */
#ifndef TSB_HTTP_FASTCGI_ANSWER_H
#define TSB_HTTP_FASTCGI_ANSWER_H

#include "lib/base/bytes.h"
#include "lib/http/call.h"

#define FASTCGI_REQUEST_ID  1 /* one request a connection */
#define FASTCGI_HEADER      8 /* FCGI_HEADER_LEN */
#define FASTCGI_CONTENT_MAX 65535 /* of one record */

enum fastcgi_record {
	FASTCGI_BEGIN_REQUEST = 1,
	FASTCGI_END_REQUEST = 3,
	FASTCGI_PARAMS = 4,
	FASTCGI_STDIN = 5,
	FASTCGI_STDOUT = 6,
	FASTCGI_STDERR = 7
};

enum fastcgi_state {
	FASTCGI_MORE, /* to come */
	FASTCGI_WHOLE, /* FCGI_END_REQUEST was read; what follows it is not looked at */
	FASTCGI_TOO_LONG,
	FASTCGI_BROKEN /* not FastCGI, or not an answer to this request: see fault */
};

struct fastcgi_answer {
	size_t max; /* bytes of FCGI_STDOUT, and of FCGI_STDERR */
	enum fastcgi_state state;
	const char *fault;
	unsigned char header[FASTCGI_HEADER]; /* of the record that is being read */
	size_t header_n;
	size_t content, padding; /* what is left of it */
	unsigned char end[8]; /* FCGI_EndRequestBody */
	size_t end_n;
	bool out_ended; /* the empty record of FCGI_STDOUT was read */
	size_t errors; /* bytes of FCGI_STDERR, which are not kept */
	struct tsb_bytes out; /* FCGI_STDOUT: head and body of a CGI answer */
};

void fastcgi_answer_init(struct fastcgi_answer *, size_t max);
void fastcgi_answer_clear(struct fastcgi_answer *);
/* Takes the next bytes; returns the state they lead to, which is also in the struct. */
enum fastcgi_state fastcgi_answer_add(struct fastcgi_answer *, struct tsb_view bytes);
/*
 * For answers that are handed on as they come: true as soon as the head of one of status 200 is
 * there, which is then taken out of out. *size: what it says of the length of the body, -1 =
 * nothing.
 */
bool fastcgi_answer_begins(struct fastcgi_answer *, int64_t *size);
/*
 * The reply of a whole answer (RFC 3875, 6): *reply is filled and the caller's to clear. -1 and
 * fault when it is not one.
 */
int fastcgi_answer_read(struct fastcgi_answer *, struct rest_reply *reply) TSB_MUSTCHECK;

#endif
