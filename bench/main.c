/*
 * tsb-bench: measures a running site (tools/site env gives its addresses and API keys in the
 * environment) and prints one row per load, separated by tabs. See bench/run.
 */
#include "lib/first.h"

#include <mysql.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "lib/base/err.h"

const int bench_steps[3] = {1, 16, 64};

static const char *
need(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL || *value == '\0')
		fatal("%s is not set: eval \"$(tools/site env)\" first", name);
	return value;
}

int
main(int argc, char **argv)
{
	struct bench b = {.seconds = 3, .out = stdout};
	bool limits = true;
	int opt;

	while ((opt = getopt(argc, argv, "s:wF")) != -1)
		switch (opt) {
		case 's':
			b.seconds = atof(optarg);
			break;
		case 'w':
			limits = false;
			break;
		case 'F':
			b.floor = true;
			break;
		default:
			fprintf(stderr,
			    "usage: tsb-bench [-w] [-F] [-s SECONDS]\n"
			    "  -s  seconds per load [3]\n  -w  the broker only, not what is below it\n"
			    "  -F  each load against tsb-floor, too (bench/run -F)\n");
			return 2;
		}
	if (b.seconds < 0.1 || b.seconds > 600)
		fatal("-s takes 0.1 to 600 seconds");
	b.url = need("TSB_URL");
	b.db_socket = need("TSB_DB_SOCKET");
	b.site = getenv("TSB_BENCH_SITE");
	b.key_management = need("TSB_KEY_MANAGEMENT_TOKEN");
	b.key_operation = need("TSB_KEY_OPERATION_TOKEN");
	b.approver = need("TSB_APPROVER_TOKEN");
	b.service = need("TSB_SERVICE_TOKEN");
	if (mysql_library_init(0, NULL, NULL) != 0)
		fatal("database library");
	if (limits)
		bench_limits(&b);
	bench_workflow(&b);
	mysql_library_end();
	return b.failures == 0 ? 0 : 1;
}
