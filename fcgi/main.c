/*
 * tsb-fcgi: the REST API as a FastCGI responder behind a web server; started by a CGI-only server
 * it answers one request. Runs as user tsb-fcgi; holds the database login of the API and the HSM
 * login; its one descriptor towards the world is the FastCGI socket.
 */
#include "lib/first.h"

#include <stdio.h>
#include <unistd.h>

#include "fcgi/fcgi.h"
#include "fcgi/trace.h"
#include "lib/base/str.h"
#include "lib/custody/backupkey.h"
#include "lib/custody/restore.h"
#include "lib/flow/flow.h"
#include "lib/gap/gap.h"
#include "lib/wire/package.h"
#include "lib/wire/wire.h"

/* What the settings alone do not show. */
static void
warn_of_state(const void *settings)
{
	const struct broker_conf *conf = settings;
	arena_auto a = {0};
	const char *warning = custody_start_warning(conf, &a);

	broker_warn_pins(conf);
	if (warning != NULL)
		log_warn("%s", warning);
}

static const struct flow_rooms rooms = {.restore = &custody_restore, .gap = &gap_for_flow};

static void *
worker_open(void *arg, struct tsb_err *err)
{
	const struct broker_conf *conf = arg;
	char host[64] = "localhost", owner[64];
	struct flow *flow;

	gethostname(host, sizeof(host) - 1);
	snprintf(owner, sizeof(owner), "api-%.32s-%ld", host, (long)getpid());
	flow = flow_new(conf, LOGIN_API, owner, &rooms, err);
	if (flow != NULL && !web_is_cgi()) /* which ends behind its one request */
		flow_linger(flow);
	return flow;
}

static bool
worker_busy(void *app)
{
	return flow_lingers(app);
}

static void
worker_idle(void *app)
{
	flow_idle(app);
}

static void
worker_close(void *app)
{
	struct flow *flow = app;

	flow_free(&flow);
}

static int
run(const struct broker_conf *conf, struct tsb_err *err)
{
	struct web_server server = {
	    .program = "tsb-fcgi",
	    .routes = fcgi_routes(broker_air_gapped(conf)),
	    .auth = web_auth_new(&conf->auth, err),
	    .listen = conf->listen,
	    .socket_mode = broker_socket_mode(conf),
	    .workers = conf->workers != 0 ? conf->workers : web_default_workers(),
	    .request_max = conf->requests_per_worker,
	    .body_max =
		PACKAGE_MAX, /* each route has its own: 4 MiB at most, except for packages */
	    .open = worker_open,
	    .close = worker_close,
	    .busy = worker_busy,
	    .idle = worker_idle,
	    .called = fcgi_called,
	    .arg = (void *)conf,
	};

	wire_unknown_members_ignore(tsb_streq(conf->unknown_members, "ignore"));
	if (server.auth == NULL) {
		log_failure(LOG_ERROR, "start-up", err);
		return 1;
	}
	if (!web_is_cgi()) /* it would say so with every request */
		warn_of_state(conf);
	return web_run(&server);
}

/* What workers open when they start, and nothing besides. */
static int
check(void *settings, struct tsb_err *err)
{
	const struct broker_conf *conf = settings;
	struct web_auth *auth = web_auth_new(&conf->auth, err);
	struct flow *flow = auth == NULL ? NULL : flow_new(conf, LOGIN_API, "check", &rooms, err);

	if (auth != NULL)
		web_auth_free(&auth);
	if (flow == NULL)
		return -1;
	flow_free(&flow);
	return web_listen_check(conf->listen, conf_default(broker_conf_rows, "fcgi", "listen"),
		   err) ||
		log_check(conf->log_file, err)
	    ? -1
	    : 0;
}

int
main(int argc, char **argv)
{
	struct broker_conf conf = {.login = LOGIN_API};
	struct tsb_err err = {0};
	int status =
	    broker_start("tsb-fcgi", "The REST API of the broker, as a FastCGI (or CGI) responder.",
		check, argc, argv, warn_of_state, &conf);

	if (status >= 0)
		return status;
	status = run(&conf, &err);
	broker_conf_free(&conf);
	return status;
}
