/*
 * FastCGI server side shared by tsb-fcgi and tsb-hsm: prefork, accept loop, request, reply, routes,
 * roles. The only home of libfcgi. Also answers one request as plain CGI.
 */
#ifndef TSB_WEB_WEB_H
#define TSB_WEB_WEB_H

#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/conf.h"
#include "lib/base/err.h"
#include "lib/model/role.h"

struct web_route;

enum web_verb { VERB_GET, VERB_POST, VERB_PUT, VERB_PATCH, VERB_DELETE, VERB__MAX };

/* Bits of roles; a route names those that may call it, 0 = nobody. */
enum web_role {
	ROLE_KEY_MANAGEMENT = TSB_ROLE_BIT(TSB_ROLE_KEY_MANAGEMENT),
	ROLE_KEY_OPERATION = TSB_ROLE_BIT(TSB_ROLE_KEY_OPERATION),
	ROLE_APPROVER = TSB_ROLE_BIT(TSB_ROLE_APPROVER),
	ROLE_SERVICE = TSB_ROLE_BIT(TSB_ROLE_SERVICE),
	ROLE_APPROVER_MANAGEMENT = TSB_ROLE_BIT(TSB_ROLE_APPROVER_MANAGEMENT),
	ROLE_ANYONE = TSB_ROLE_BIT(TSB_ROLE__MAX), /* no credential needed */
	/*
	 * Held by everybody when approverPathsOpen: task listings, whose proof is the signed
	 * timestamp in the body, name it beside ROLE_APPROVER.
	 */
	ROLE_TIMESTAMP = TSB_ROLE_BIT(TSB_ROLE__MAX + 1)
};

struct web_request {
	struct arena *arena;
	const char *id; /* request id of the log */
	enum web_verb verb;
	const char *path; /* decoded, for the log */
	struct tsb_view param[4]; /* decoded {segments} of the pattern, in order, NUL behind */
	const char *query; /* raw, "" when none */
	const char *content_type; /* as sent, "" when none */
	const char *accept; /* as sent, "" when none or too long */
	struct tsb_view body;
	unsigned roles; /* what the caller proved */
	const char *role; /* those that let it in, "keyManagement+keyOperation"; "-" = none did */
	/*
	 * With what it proved them, for log and audit: "key:<16 hex>+cert:<16 hex>+user:<name>".
	 * The SHA-256 in the settings begin so; "unknown-key:..." has no role. "" = nothing.
	 */
	const char *caller;
	const char *address; /* of the caller, as the web server says; "" = it says nothing */
	const char *base_url; /* scheme and host that it called, for links; "" when not known */
	int64_t now_ms; /* clock read once */
	const struct web_route *route; /* the row being served */
	struct web_stream *stream; /* of rows that stream, else NULL */
};

struct web_reply {
	int status; /* 200, or the error's own, unless set */
	const char *content_type; /* "application/json" unless set */
	const char *disposition; /* Content-Disposition, NULL = none */
	const char *security_policy; /* Content-Security-Policy, NULL = none */
	const char *warning; /* X-TSB-Warning: a sentence for the caller, NULL = none */
	struct tsb_bytes body; /* may stay empty */
};

/* Fills reply or returns -1 with err, from which the error body is rendered. */
typedef int web_serve_fn(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err);

struct web_route {
	enum web_verb verb;
	const char *pattern; /* "/v1/request/{id}": each {} is one segment */
	unsigned roles;
	size_t body_max; /* 0 = a body is read to its end and ignored */
	web_serve_fn *serve;
	int arg; /* for handlers that serve several rows; see web_route_arg() */
	bool streams; /* the handler reads the body, and writes the answer, as below */
};

/*
 * ---- rows that stream: bodies that are larger than memory. rq->body is empty, and body_max holds
 * whatever the server's says. The handler reads the body to its end; then it begins its answer, or
 * leaves that to reply or err, as other handlers do. An answer that has begun and fails is broken
 * off, so that no caller takes it for whole. ----
 */

/* The next bytes of the body, at most n into p; 0 at its end, -1 when it does not arrive whole. */
ssize_t web_body_read(struct web_request *, void *p, size_t n, struct tsb_err *) TSB_MUSTCHECK;
/* Sends the head of reply, whose body stays empty; size bytes follow, -1 = not known yet. */
int web_stream_begin(struct web_request *, const struct web_reply *reply, int64_t size,
    struct tsb_err *) TSB_MUSTCHECK;
/* TSB_E_IO when the caller is gone. */
int web_stream_write(struct web_request *, const void *p, size_t n, struct tsb_err *) TSB_MUSTCHECK;

/* "POST" */
const char *web_verb_name(enum web_verb);
/* Names of the roles that need a proof, "approver+service"; "" = none of them. */
const char *web_roles_proven(unsigned roles, struct arena *a);
/* arg of the row being served. */
int web_route_arg(const struct web_request *rq);
/* Value of a query parameter, percent-decoded, in the arena; NULL when absent. */
const char *web_query(const struct web_request *rq, const char *name);

/* Whether the caller asks for this form: ?format=<format>, or type is one that it accepts. */
bool web_wants(const struct web_request *rq, const char *format, const char *type);
/* A name that every file system takes: characters other than letters, digits, . and - become _. */
const char *web_file_name(struct arena *a, const char *label);

/* [apiAuthentication] of both programs' settings: include WEB_AUTH_ROWS in their tables. */
struct web_auth_conf {
	bool enabled;
	/* API keys, each "sha256:<64 hex>" or the key itself; by role */
	struct conf_list key_management, key_operation, approver, service, approver_management;
	/* "sha256:<64 hex>" fingerprints of client certificates that the web server verified */
	struct conf_list key_management_cert, key_operation_cert, approver_cert, service_cert,
	    approver_management_cert;
	/* REMOTE_USER names; they count only beside AUTH_TYPE, because nginx fills REMOTE_USER from
	 * an unchecked header where it authenticates nobody */
	struct conf_list key_management_user, key_operation_user, approver_user, service_user,
	    approver_management_user;
	bool approver_paths_open; /* task lists without approverToken (api-notes.md 2.1) */
};

/* Uses the macros of conf_row: base is the settings struct, member its web_auth_conf member. */
/* clang-format off */
#define WEB_AUTH_LIST_(base, member, name, field, text) \
	{ "apiAuthentication", name, CONF_LIST, offsetof(base, member.field), NULL, 0, 0, text }
#define WEB_AUTH_ROWS(base, member) \
	{ "apiAuthentication", "enabled", CONF_BOOL, offsetof(base, member.enabled), "true", 0, 0, \
	    "whether callers must prove a role" }, \
	WEB_AUTH_LIST_(base, member, "keyManagementToken", key_management, "API keys of this role"), \
	WEB_AUTH_LIST_(base, member, "keyOperationToken", key_operation, "API keys of this role"), \
	WEB_AUTH_LIST_(base, member, "approverToken", approver, "API keys of this role"), \
	WEB_AUTH_LIST_(base, member, "serviceToken", service, "API keys of this role"), \
	WEB_AUTH_LIST_(base, member, "approverKeyManagementToken", approver_management, \
	    "API keys of this role"), \
	WEB_AUTH_LIST_(base, member, "keyManagementCertificate", key_management_cert, \
	    "SHA-256 fingerprints of client certificates with this role"), \
	WEB_AUTH_LIST_(base, member, "keyOperationCertificate", key_operation_cert, \
	    "SHA-256 fingerprints of client certificates with this role"), \
	WEB_AUTH_LIST_(base, member, "approverCertificate", approver_cert, \
	    "SHA-256 fingerprints of client certificates with this role"), \
	WEB_AUTH_LIST_(base, member, "serviceCertificate", service_cert, \
	    "SHA-256 fingerprints of client certificates with this role"), \
	WEB_AUTH_LIST_(base, member, "approverKeyManagementCertificate", approver_management_cert, \
	    "SHA-256 fingerprints of client certificates with this role"), \
	WEB_AUTH_LIST_(base, member, "keyManagementUser", key_management_user, \
	    "REMOTE_USER names with this role"), \
	WEB_AUTH_LIST_(base, member, "keyOperationUser", key_operation_user, \
	    "REMOTE_USER names with this role"), \
	WEB_AUTH_LIST_(base, member, "approverUser", approver_user, \
	    "REMOTE_USER names with this role"), \
	WEB_AUTH_LIST_(base, member, "serviceUser", service_user, \
	    "REMOTE_USER names with this role"), \
	WEB_AUTH_LIST_(base, member, "approverKeyManagementUser", approver_management_user, \
	    "REMOTE_USER names with this role"), \
	{ "apiAuthentication", "approverPathsOpen", CONF_BOOL, \
	    offsetof(base, member.approver_paths_open), "false", 0, 0, \
	    "accept task listings without approverToken: the signed timestamp is the proof" }
/* clang-format on */

struct web_auth;
/* Hashes the configured keys; TSB_E_CONFIG_NOT_VALID names a bad entry. Freed with the process. */
struct web_auth *web_auth_new(const struct web_auth_conf *conf, struct tsb_err *err);
void web_auth_free(struct web_auth **auth); /* *auth becomes NULL */

/*
 * A program's server. Workers are forked after start-up; each calls open() once (its database and
 * HSM connections), then serves one request at a time. The parent restarts dead workers (with a
 * pause when they die at once), restarts all one by one on SIGHUP, drains on SIGTERM, and exits.
 */
struct web_server {
	const char *program;
	const struct web_route *routes; /* ends with pattern NULL */
	const struct web_auth *auth;
	const char *listen; /* "unix:/path", "host:port"; ignored with a socket from systemd */
	long socket_mode; /* of the unix socket, e.g. 0660 */
	long workers;
	long request_max; /* requests per worker before it is replaced; 0 = never */
	size_t body_max; /* upper bound whatever the route says, unless it streams: 413 */
	long request_timeout; /* seconds to receive a request, and to send a reply; 0 = 60 */
	void *(*open)(void *arg, struct tsb_err *err); /* in the worker; NULL = failed */
	void (*close)(void *app);
	/* No request is there: whether something is to be done before it waits, and that. */
	bool (*busy)(void *app);
	void (*idle)(void *app);
	/* Told of each call that a row fits: before its handler, or why its role does not do. */
	void (*called)(void *app, const struct web_request *rq, const struct tsb_err *refused);
	void *arg;
};

/*
 * Refuses an address that starting would refuse: no address, no socket at its place, or a folder
 * where none can be made; the folder of dflt (the default) is made by systemd. Opens nothing.
 */
int web_listen_check(const char *where, const char *dflt, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Serves until told to stop: on a socket from systemd, on a listening descriptor 0 (spawn-fcgi,
 * mod_fcgid), or on srv->listen. Started as plain CGI it answers one request. Returns the exit
 * status of the program. Web servers must buffer requests (nginx: fastcgi_request_buffering on, the
 * default; Apache: an input filter): a worker serves one at a time, and request_timeout ends what
 * stalls, or a second where the request was refused.
 */
int web_run(const struct web_server *srv);
/* True when a CGI host started this process for one request. */
bool web_is_cgi(void);
/* Number of workers when the setting is 0: 4 per core, at least 8. */
long web_default_workers(void);

/* Appends {"errorCode","reason","message"} of err. */
void web_error_format(const struct tsb_err *err, struct tsb_bytes *out);
/* Makes reply the one of err: its error body, with the status of its row. */
void web_reply_error(struct web_reply *reply, const struct tsb_err *err);

#endif
