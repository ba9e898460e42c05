/*
 * tsb-admin: the database, for operators of a broker. A program of its own, so that nobody else
 * needs a database client. Runs as the person who types it, takes its login from the settings of
 * the broker, and holds no rights of its own.
 */
#include "lib/first.h"

#include "cli/admin/commands.h"
#include "cli/lib/command.h"

static const struct cli_command commands[] = {
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
	return command_main(&program, argc, argv);
}
