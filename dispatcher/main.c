/*
 * tsb-dispatcher: submits approved requests to the HSM, records the outcome, expires overdue
 * requests. Runs as user tsb-dispatcher; holds the dispatcher's database login and the HSM login,
 * nothing else; opens one datagram socket on which tsb-fcgi wakes it.
 */
#include "lib/first.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "dispatcher/automated.h"
#include "dispatcher/dispatcher.h"
#include "lib/custody/restore.h"

volatile sig_atomic_t dispatcher_stop, dispatcher_hangup;

static void
on_stop(int sig)
{
	dispatcher_stop = 1;
}

static void
on_hangup(int sig)
{
	dispatcher_hangup = 1;
}

static void
signals_init(void)
{
	struct sigaction stop = {.sa_handler = on_stop}, hangup = {.sa_handler = on_hangup},
			 ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &hangup, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static void
owner_name(const struct broker_conf *conf, char *name, size_t size)
{
	char host[64] = "localhost";

	gethostname(host, sizeof(host) - 1);
	if (conf->dispatcher_name != NULL)
		snprintf(name, size, "%s", conf->dispatcher_name);
	else
		snprintf(name, size, "dispatcher-%.32s-%ld", host, (long)getpid());
}

/* It neither creates nor shows requests: no gap. */
static const struct flow_rooms rooms = {.restore = &custody_restore};

struct flow *
dispatcher_flow(const struct broker_conf *conf, struct tsb_err *err)
{
	char owner[64];

	owner_name(conf, owner, sizeof(owner));
	if (!conf->db_enabled) {
		tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "database.enabled is false: there are no requests to take anywhere");
		return NULL;
	}
	return flow_new(conf, LOGIN_DISPATCHER, owner, &rooms, err);
}

static int
run(const struct broker_conf *conf, struct tsb_err *err)
{
	struct flow *flow;
	struct children *automated;
	int wake_fd;

	flow = dispatcher_flow(conf, err);
	if (flow == NULL)
		return -1;
	wake_fd = wake_open(conf->wake_listen, err);
	if (wake_fd < 0) {
		flow_free(&flow);
		return -1;
	}
	automated = children_new(flow->files.nservices, automated_run, conf);
	log_info("tsb-dispatcher %s ready as %s", TSB_VERSION, flow->owner);
	sd_notify(0, "READY=1");
	dispatcher_run(flow, conf, wake_fd, automated);
	sd_notify(0, "STOPPING=1");
	children_free(&automated);
	close(wake_fd);
	unlink(conf->wake_listen);
	flow_free(&flow);
	return 0;
}

static int
check(void *settings, struct tsb_err *err)
{
	const struct broker_conf *conf = settings;
	struct flow *flow = dispatcher_flow(conf, err);

	if (flow == NULL)
		return -1;
	flow_free(&flow);
	return wake_check(conf->wake_listen, conf_default(broker_conf_rows, "dispatcher", "listen"),
		   err) ||
		log_check(conf->log_file, err)
	    ? -1
	    : 0;
}

int
main(int argc, char **argv)
{
	struct broker_conf conf = {.login = LOGIN_DISPATCHER};
	struct tsb_err err = {0};
	int status = broker_start("tsb-dispatcher",
	    "Submits approved requests to the HSM and records the outcome.", check, argc, argv,
	    NULL, &conf);

	if (status >= 0)
		return status;
	signals_init();
	status = run(&conf, &err) == 0 ? 0 : 1;
	if (status != 0)
		log_failure(LOG_ERROR, "start-up", &err);
	broker_conf_free(&conf);
	return status;
}
