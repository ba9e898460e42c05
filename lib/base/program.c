#include "lib/first.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/program.h"

static void
usage(const struct program *p, FILE *out)
{
	fprintf(out,
	    "usage: %s [-n] [-c FILE]%s%s\n"
	    "%s\n\n"
	    "  -c FILE          settings (default: $TSB_CONF or %s)\n"
	    "  -n               check the settings and exit\n"
	    "  --help-settings  all settings with their defaults\n"
	    "  -V, --version    version\n"
	    "  -h, --help       this text\n",
	    p->name, p->user != NULL ? " [-u USER]" : "", p->init != NULL ? " [--init]" : "",
	    p->about, p->settings_path);
	if (p->user != NULL)
		fputs("  -u USER          become this user when started as root\n", out);
	if (p->init != NULL)
		fputs("  --init           create missing parts of the key store and exit\n", out);
	if (p->settle != NULL)
		fputs(
		    "  --settle KEY=N   go on with a key of HSS-LMS or XMSS that was restored from a\n"
		    "                   backup: it made N signatures at most; and exit\n",
		    out);
}

int
program_options(const struct program *p, int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {"help-settings", no_argument, NULL, 'S'},
	    {"init", no_argument, NULL, 'I'}, {"settle", required_argument, NULL, 'T'},
	    {NULL, 0, NULL, 0}};
	const char *path = getenv("TSB_CONF") != NULL ? getenv("TSB_CONF") : p->settings_path;
	struct tsb_err err = {0};
	bool check_only = false;
	int option;

	/*
	 * a CGI server passes the words of a client's query as arguments (RFC 3875 4.4): no options
	 */
	if (getenv("GATEWAY_INTERFACE") != NULL && argc > 1)
		argc = 1;
	while ((option = getopt_long(argc, argv, "c:nVhu:", options, NULL)) != -1) {
		if ((option == 'u' && p->user == NULL) || (option == 'I' && p->init == NULL) ||
		    (option == 'T' && p->settle == NULL))
			option = '?'; /* not offered by this program */
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check_only = true;
			break;
		case 'V':
			printf("%s %s\n", p->name, TSB_VERSION);
			return 0;
		case 'S':
			conf_print_help(p->rows, stdout);
			return 0;
		case 'h':
			usage(p, stdout);
			return 0;
		case 'u':
			*p->user = optarg;
			break;
		case 'I':
			*p->init = true;
			break;
		case 'T':
			*p->settle = optarg;
			break;
		default:
			usage(p, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		usage(p, stderr);
		return 2;
	}
	if (p->load(path, p->settings, &err)) {
		fprintf(stderr, "%s: %s\n", p->name, err.msg);
		return 1;
	}
	if (!check_only)
		return -1;
	if (p->check != NULL && p->check(p->settings, &err)) {
		fprintf(stderr, "%s: %s\n", p->name, err.msg);
		return 1;
	}
	printf("%s: %s is good\n", p->name, path);
	if (p->advise != NULL)
		p->advise(p->settings);
	return 0;
}

void
program_protect_memory(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak check attaches to the process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}
