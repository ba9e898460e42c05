/*
 * tsb-dispatcher: submits satisfied requests to the HSM, records the outcome, ends late requests.
 * Runs as user tsb; holds the dispatcher's database login and the HSM login, nothing else; opens one
 * datagram socket on which tsb-fcgi wakes it.
 */
#include "lib/first.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "dispatcher/dispatcher.h"

volatile sig_atomic_t dispatcher_stop;

static void
on_stop(int sig)
{
	dispatcher_stop = 1;
}

static void
on_hangup(int sig)
{
	log_reopen();
}

static void
usage(FILE *out)
{
	fprintf(out,
	    "usage: tsb-dispatcher [-n] [-c FILE]\n"
	    "  -c FILE  settings (default %s)\n"
	    "  -n       check the settings and exit\n"
	    "  -V       version\n"
	    "  -h       this text\n"
	    "  --help-settings  all settings with their defaults\n",
	    broker_conf_default_path);
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

/* Key passwords pass through here: no core files, no debugger of the same user. */
static void
memory_protect(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
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

static int
run(const struct broker_conf *conf, struct tsb_err *err)
{
	struct flow *flow;
	char owner[64];
	int wake_fd;

	owner_name(conf, owner, sizeof(owner));
	flow = flow_new(conf, LOGIN_DISPATCHER, owner, err);
	if (flow == NULL)
		return -1;
	wake_fd = wake_open(conf->wake_listen, err);
	if (wake_fd < 0) {
		flow_free(&flow);
		return -1;
	}
	log_info("tsb-dispatcher %s ready as %s", TSB_VERSION, owner);
	sd_notify(0, "READY=1");
	dispatcher_run(flow, conf, wake_fd);
	sd_notify(0, "STOPPING=1");
	close(wake_fd);
	unlink(conf->wake_listen);
	flow_free(&flow);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {"help-settings", no_argument, NULL, 'S'},
	    {NULL, 0, NULL, 0}};
	const char *path = broker_conf_default_path;
	struct broker_conf conf;
	struct tsb_err err = {0};
	bool check_only = false;
	int option, rc;

	while ((option = getopt_long(argc, argv, "c:nVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check_only = true;
			break;
		case 'V':
			puts("tsb-dispatcher " TSB_VERSION);
			return 0;
		case 'S':
			conf_print_help(broker_conf_rows, stdout);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (broker_conf_load(path, &conf, &err)) {
		fprintf(stderr, "tsb-dispatcher: %s\n", err.msg);
		return 1;
	}
	if (check_only) {
		printf("%s is good\n", path);
		broker_conf_free(&conf);
		return 0;
	}
	signals_init();
	memory_protect();
	rc = log_open("tsb-dispatcher", conf.log_file, broker_log_level(&conf), &err);
	if (rc == 0)
		rc = run(&conf, &err);
	if (rc != 0)
		log_failure(LOG_ERROR, "start-up", &err);
	broker_conf_free(&conf);
	return rc == 0 ? 0 : 1;
}
