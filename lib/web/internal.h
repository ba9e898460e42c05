/*
 * What the files of this folder share. Unit tests and fuzz targets use it too; programs include
 * web.h only.
 */
#ifndef TSB_WEB_INTERNAL_H
#define TSB_WEB_INTERNAL_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/web/web.h"

#define WEB_PATH_MAX    4096
#define WEB_QUERY_MAX   4096
#define WEB_SEGMENT_MAX 12
#define WEB_PARAM_MAX   TSB_COUNT(((struct web_request *)0)->param)
#define WEB_APIKEY_MAX  512
#define WEB_USER_MAX    256
#define WEB_CERT_MAX    (32 * 1024)
#define WEB_TYPE_MAX    256
#define WEB_ACCEPT_MAX  1024
#define WEB_ADDRESS_MAX 64
#define WEB_HOST_MAX    261 /* a name of 255 bytes and a port */
#define WEB_ID_SIZE     17

/* Where a request comes from and its reply goes to: libfcgi, stdin and stdout, a test's memory. */
struct web_io {
	char *const *env; /* "NAME=value", NULL at the end */
	/* At most n bytes into p; 0 at the end of the body, -1 when the peer is gone. */
	ssize_t (*read)(struct web_io *, void *p, size_t n);
	int (*write)(struct web_io *, const void *p, size_t n);
	/* What is read from here on is thrown away: reads no longer wait. NULL = they never do. */
	void (*hurry)(struct web_io *);
	/* Lets the peer see that the answer is not whole. NULL = the end of the process does. */
	void (*abandon)(struct web_io *);
	bool patient; /* the time for a request counts anew from each read */
	void *ctx;
};

/* What a caller brought to prove who it is; NULL = nothing. */
struct web_caller {
	const char *apikey;
	const char *user; /* authenticated by the web server */
	const char *cert; /* PEM, verified by the web server */
};

/* One request on its way through the fixed order of checks. */
struct web_call {
	struct web_request rq; /* what the handler sees */
	struct web_caller caller;
	const char *method; /* as sent */
	const char *target; /* path as sent, still encoded: what the access line shows */
	bool head;
	struct tsb_view segment[WEB_SEGMENT_MAX]; /* decoded, non-empty, NUL behind */
	size_t segments; /* may exceed WEB_SEGMENT_MAX: such a path fits no row */
	const char *length; /* CONTENT_LENGTH as sent, NULL = none */
	unsigned allow; /* 1 << verb of all rows that fit the path */
	int status; /* of an error whose row says another; 0 = as the row says */
};

/* request.c */
/* Parameters into call; bounded, decoded, nothing interpreted. call->rq.arena is set before. */
int web_call_parse(struct web_call *call, char *const *env, struct tsb_err *err) TSB_MUSTCHECK;
/* Value of a FastCGI or CGI variable, NULL when absent or empty. */
const char *web_env(char *const *env, const char *name);
/* Reads the body of at most max bytes into body. The caller drains what is left on -1. */
int web_call_read(struct web_call *call, struct web_io *io, size_t max, struct tsb_bytes *body,
    struct tsb_err *err) TSB_MUSTCHECK;

/* -1, with status 413. */
int web_too_large(struct web_call *, size_t max, struct tsb_err *err);

/* stream.c */
struct web_stream {
	struct web_call *call;
	struct web_io *io;
	size_t max, taken;
	long length; /* as announced, -1 = not */
	bool ended; /* the body was read to its end */
	bool begun; /* the head of the answer was written */
	int status; /* it has */
	int64_t left; /* of the answer, -1 = not known */
};
int web_stream_open(struct web_stream *, struct web_call *, struct web_io *, struct tsb_err *)
    TSB_MUSTCHECK;

/* route.c */
/* Picks the row: unknown path is 404, unknown verb 405. Fills route, param, allow. */
int web_call_route(struct web_call *call, const struct web_route *routes, struct tsb_err *err)
    TSB_MUSTCHECK;
/* NULL, or what is wrong with the table: rows without role or handler, doubles, bad patterns. */
const char *web_routes_check(const struct web_route *routes);

/* auth.c */
/* Roles the caller proved; auth NULL = ROLE_ANYONE alone. */
unsigned web_auth_roles(const struct web_auth *auth, const struct web_caller *caller,
    struct arena *a);
/* What web_request shows as caller; auth NULL = "". */
const char *web_auth_caller(const struct web_auth *auth, const struct web_caller *caller,
    struct arena *a);
/* "approver+service" for the log; "-" when none. */
const char *web_roles_text(unsigned roles, struct arena *a);

/* reply.c */
/* Head to io, for a body of size bytes, -1 = not known; -1 when the peer is gone. */
int web_reply_head(struct web_io *, const struct web_call *, const struct web_reply *,
    int64_t size);
/* Head and body to io; -1 when the peer is gone. */
int web_reply_write(struct web_io *io, const struct web_call *call, const struct web_reply *reply);

/* exchange.c */
/* One request from its parameters to its access line. -1 when the peer was lost on the way. */
int web_exchange(const struct web_server *srv, void *app, struct web_io *io, struct arena *a);

/* listen.c */
struct web_listener {
	int fd;
	char *path; /* of a unix socket made here, removed at the end; NULL = none */
	dev_t dev;
	ino_t ino;
};
int web_listen(const char *where, long mode, struct web_listener *out, struct tsb_err *err)
    TSB_MUSTCHECK;
void web_listener_close(struct web_listener *);

/*
 * How long a worker waits for its peer: the parent, with which it shares the memory, looks now and
 * then and sends SIGALRM when the time is over. A timer of its own would take several system calls
 * for each request.
 */
struct web_deadline {
	_Alignas(64) _Atomic int64_t at_ms; /* monotonic; 0 = waits for nobody */
};

/* worker.c */
#define WEB_WORKER_NOT_OPEN 75 /* exit status: open() failed */
/* Serves in a child until SIGTERM or request_max; writes its pid to ready once open. */
int web_worker(const struct web_server *srv, int listener, int ready, long request_max,
    struct web_deadline *);
int web_cgi(const struct web_server *srv);

#endif
