/* tsb-admin setup: a shell program, because all that it does is joining programs of others. */
#include "lib/first.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/admin/commands.h"
#include "cli/lib/cli.h"

int
setup_main(char **argv)
{
	static char path[] = TSB_DATADIR "/setup";

	argv[0] = path;
	execv(path, argv);
	fprintf(stderr, "tsb-admin: %s: %s\n", path, strerror(errno));
	return CLI_USAGE;
}

int
cli_setup(struct cli *c)
{
	return tsb_fail(&c->err, TSB_E_INPUT, "setup stands first: tsb-admin setup [option...]");
}
