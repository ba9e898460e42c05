/*
 * tsb-admin: site and database, for operators of a broker. A program of its own, so that nobody
 * else needs a database client. Runs as the person who types it, takes its login from the settings
 * of the broker, and holds no rights of its own.
 */
#include "lib/first.h"

#include "lib/base/str.h"

#include "cli/admin/commands.h"
#include "cli/lib/command.h"

static const struct cli_command commands[] = {
    {"setup", NULL, "", "make a site of this machine: see tsb-admin setup --help", cli_setup,
	TSB_ROLE_NONE, 0, 0, 0},
    {"schema", "status", "", "show the version of the database schema", cli_schema_status,
	TSB_ROLE_NONE, 0, 0, OPT_BIT(CONFIG)},
    {"schema", "upgrade", "", "upgrade the database schema to this version", cli_schema_upgrade,
	TSB_ROLE_NONE, 0, 0, OPT_BIT(CONFIG) | OPT_BIT(DIR)},
};

static const struct cli_program program = {
    .name = "tsb-admin",
    .manual = "tsb-admin(8)",
    .commands = commands,
    .ncommands = TSB_COUNT(commands),
    .leading = {.common = true},
    .unreached = "check [database] of the settings, and that the server runs",
};

int
main(int argc, char **argv)
{
	if (argc > 1 && tsb_streq(argv[1], "setup")) /* its options are its own */
		return setup_main(argv + 1);
	return command_main(&program, argc, argv);
}
