#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/http/rest.h"
#include "lib/wire/client.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"

#define CALL_TIMEOUT_MS    60000
#define STREAM_TIMEOUT_MS  150000 /* without a byte: the server may work on a large file */
#define CONNECT_TIMEOUT_MS 10000
#define ANSWER_MAX         (80 * 1024 * 1024) /* above the largest package */

struct session {
	struct endpoint to;
	struct rest *rest;
	const char *apikey; /* NULL = none */
};

/* Having none is no error yet: a broker may run without API keys. */
static int
find_apikey(struct cli *c, const char **out)
{
	const char *env = cli_token_variables[c->role];

	*out = NULL;
	if (c->opt[OPT_TOKEN] != NULL && c->opt[OPT_TOKEN_FILE] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "give --token or --token-file, not both");
	if (c->opt[OPT_TOKEN_FILE] != NULL)
		return file_read_line(c->opt[OPT_TOKEN_FILE], &c->arena, out, &c->err);
	*out = c->opt[OPT_TOKEN] != NULL ? c->opt[OPT_TOKEN] : getenv(env);
	if (*out != NULL && !**out)
		*out = NULL;
	return 0;
}

static void
close_session(struct cli *c)
{
	rest_free(&c->session->rest);
	endpoint_clear(&c->session->to);
	c->session = NULL;
}

static int
session_open(struct cli *c)
{
	const char *url = c->opt[OPT_URL] != NULL ? c->opt[OPT_URL] : getenv("TSB_URL");
	struct rest_options options = {
	    .ca_file = c->opt[OPT_CA],
	    .cert_file = c->opt[OPT_CERT],
	    .key_file = c->opt[OPT_KEY_FILE],
	    .timeout_ms = CALL_TIMEOUT_MS,
	    .connect_timeout_ms = CONNECT_TIMEOUT_MS,
	    .reply_max = ANSWER_MAX,
	    .use_proxy = true,
	};
	struct session *s = arena_alloc(&c->arena, sizeof(*s));

	if (c->role == TSB_ROLE_NONE)
		c->role = c->command->role;
	if (url == NULL || !*url)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "no broker: set TSB_URL or give --url, as in https://tsb.example.com");
	if (find_apikey(c, &s->apikey) || endpoint_init(&s->to, url, &c->err))
		return -1;
	if (s->to.plain && s->apikey != NULL)
		output_note(
		    "tsb: warning: %s is not encrypted: anybody on the way can read the API key",
		    s->to.base);
	s->rest = rest_new(&options);
	c->session = s;
	c->at_end = close_session;
	return 0;
}

int
session_become(struct cli *c, enum tsb_role role)
{
	if (c->role == role)
		return 0;
	c->role = role;
	return c->session != NULL ? find_apikey(c, &c->session->apikey) : 0;
}

int
session_misread(struct cli *c)
{
	const char *why = arena_str(&c->arena, c->err.msg);

	return cli_end(c, CLI_UNREACHED, TSB_E_IO, "the answer of %s is not understood: %s",
	    endpoint_name(&c->session->to), why);
}

static int
refused(struct cli *c, const char *path, const struct rest_reply *reply)
{
	struct wire_client_error e;
	bool json = wire_client_error_parse(tsb_view_bytes(&reply->body), &c->arena, &e);

	if (!json && reply->status >= 502 && reply->status <= 504)
		return cli_end(c, CLI_UNREACHED, TSB_E_CONNECTIVITY,
		    "%s answered %d: the broker behind it is not running",
		    endpoint_name(&c->session->to), reply->status);
	/* What the broker works with is away: its HSM or its database; or it did not answer. */
	if (json &&
	    (e.number == tsb_err_number(TSB_E_CONNECTIVITY) ||
		e.number == tsb_err_number(TSB_E_IO))) {
		c->refused_number = e.number;
		c->refused_reason = e.reason;
		return cli_end(c, CLI_UNREACHED, TSB_E_CONNECTIVITY, "%s",
		    *e.message ? e.message : e.reason);
	}
	c->refused_number = json ? e.number : tsb_err_number(TSB_E_OPERATION_UNREACHABLE);
	c->refused_reason = json ? e.reason : tsb_err_reason(TSB_E_OPERATION_UNREACHABLE);
	if (!json || e.number == tsb_err_number(TSB_E_OPERATION_UNREACHABLE))
		return cli_end(c, CLI_REFUSED, TSB_E_OPERATION_UNREACHABLE,
		    "this server does not offer %s (HTTP %d)", path, reply->status);
	return cli_end(c, CLI_REFUSED, TSB_E_GENERAL, "%s", *e.message ? e.message : e.reason);
}

/* What to do when TLS did not come about. */
static const char *
tls_advice(enum rest_tls fault)
{
	switch (fault) {
	case REST_TLS_FINE:
		return NULL;
	case REST_TLS_EXPIRED:
		return "the certificate of the server has expired: its operator renews it; if it "
		       "has not, set this computer's clock (timedatectl)";
	case REST_TLS_TOO_EARLY:
		return "the certificate of the server is not valid yet: check this computer's clock "
		       "(timedatectl)";
	case REST_TLS_UNTRUSTED:
		return "name the CA that issued the server's certificate with --ca FILE; ask the "
		       "operator for it, not the server";
	case REST_TLS_NAME:
		return "the certificate belongs to another name: use the name that it was issued for "
		       "in --url or TSB_URL";
	case REST_TLS_FILE:
		return "check the files of --ca, --cert and --key-file: PEM, readable, key and "
		       "certificate of one pair";
	case REST_TLS_NONE:
		return "the server may not speak TLS there, or want a certificate (--cert, "
		       "--key-file): check scheme and port in --url or TSB_URL";
	}
	return NULL;
}

/* No byte was sent. */
static int
not_sent(struct cli *c, const char *why)
{
	enum rest_tls fault = rest_tls_fault(c->session->rest);

	c->next = tls_advice(fault);
	if (fault == REST_TLS_FILE)
		return tsb_fail(&c->err, TSB_E_INPUT, "TLS cannot begin: %s", why);
	return cli_end(c, CLI_UNREACHED, TSB_E_CONNECTIVITY, "cannot reach %s: %s",
	    endpoint_name(&c->session->to), why);
}

/* Calls, and tells what went wrong; the reply of a success is the caller's to clear. */
static int
perform(struct cli *c, struct rest_call *call, struct rest_reply *reply)
{
	char why[REST_WHY_SIZE];
	int rc = -1;

	if (c->session == NULL && session_open(c))
		return -1;
	c->refused_number = 0;
	c->next = NULL;
	call->to = &c->session->to;
	call->apikey = c->session->apikey;
	switch (rest_call(c->session->rest, call, reply, why)) {
	case REST_ANSWERED:
		if (reply->status < 200 || reply->status > 299) {
			rc = refused(c, call->path, reply);
			break;
		}
		if (*reply->warning)
			output_note("tsb: warning: %s", reply->warning);
		return 0;
	case REST_NOT_SENT:
		rc = not_sent(c, why);
		break;
	case REST_UNKNOWN:
	case REST_GIVEN_UP:
		rc = cli_end(c, CLI_UNREACHED, TSB_E_IO, "%s: %s; the call may have been executed",
		    endpoint_name(call->to), why);
		break;
	}
	rest_reply_clear(reply);
	return rc;
}

int
session_call(struct cli *c, const char *method, const char *path, struct tsb_view body,
    struct tsb_bytes *answer)
{
	struct rest_call call = {.method = method, .path = path, .body = body};
	struct rest_reply reply = {0};

	if (perform(c, &call, &reply))
		return -1;
	tsb_bytes_reset(answer);
	tsb_bytes_add_view(answer, tsb_view_bytes(&reply.body));
	rest_reply_clear(&reply);
	return 0;
}

int
session_stream(struct cli *c, const char *path, const char *content_type,
    const struct tsb_stream *stream)
{
	struct rest_call call = {.method = "POST",
	    .path = path,
	    .content_type = content_type,
	    .accept = "*/*",
	    .stream = stream,
	    .timeout_ms = STREAM_TIMEOUT_MS};
	struct rest_reply reply = {0};
	int rc = perform(c, &call, &reply);

	rest_reply_clear(&reply);
	return rc;
}

int
session_put_password(struct cli *c, struct tsb_bytes *body, const char *name)
{
	const char *password;

	if (c->opt[OPT_PASSWORD_FILE] == NULL)
		return 0;
	if (file_read_line(c->opt[OPT_PASSWORD_FILE], &c->arena, &password, &c->err))
		return -1;
	body_text(body, name, password);
	return 0;
}
