#include "lib/first.h"

#include <stdio.h>

#include "lib/base/log.h"
#include "lib/base/str.h"

#include "cli/lib/command.h"
#include "cli/lib/failure.h"
#include "cli/lib/help.h"

/* The options that the command takes. */
static struct option_set
options_of(const struct cli_command *row)
{
	return (struct option_set){row->role != TSB_ROLE_NONE, true, row->options};
}

static void
print_version(const struct cli *c)
{
	printf("%s %s\n", c->program->name, TSB_VERSION);
}

/* ---- from words to a command ---- */

static bool
is_group(const struct cli_program *p, const char *word)
{
	size_t i;

	for (i = 0; i < p->ncommands; i++)
		if (p->commands[i].name != NULL && tsb_streq(p->commands[i].group, word))
			return true;
	return false;
}

static bool
is_help(const char *word)
{
	return tsb_streq(word, "-h") || tsb_streq(word, "--help") || tsb_streq(word, "help");
}

/* The command that the first operands name, and how many words that takes; NULL = none. */
static const struct cli_command *
find_command(const struct cli *c, int *words)
{
	size_t i;

	for (i = 0; i < c->program->ncommands; i++) {
		const struct cli_command *row = &c->program->commands[i];

		if (c->argc < 1 || !tsb_streq(row->group, c->argv[0]))
			continue;
		if (row->name != NULL && (c->argc < 2 || !tsb_streq(row->name, c->argv[1])))
			continue;
		*words = row->name != NULL ? 2 : 1;
		return row;
	}
	return NULL;
}

/* Reads options into c->opt and what is left into c->argv. */
static int
read_options(struct cli *c, struct option_set set, bool leading, int argc, char **argv)
{
	int first;

	if (option_read(&set, leading, argc, argv, c->opt, &first, &c->err))
		return -1;
	c->argv = argv + first;
	c->argc = argc - first;
	c->json = c->opt[OPT_JSON] != NULL;
	return 0;
}

static int
check_operands(struct cli *c)
{
	const struct cli_command *row = c->command;

	if (c->argc < row->min)
		return tsb_fail(&c->err, TSB_E_INPUT, "%s is missing: %s %s%s",
		    row->max == 1 ? row->operands : "an operand", c->program->name,
		    help_words(c, row), row->operands);
	if (c->argc > row->max)
		return tsb_fail(&c->err, TSB_E_INPUT, "'%s' is one operand too many",
		    c->argv[row->max]);
	return 0;
}

/* argv[0] is the last word of the command's name. */
static int
run_command(struct cli *c, int argc, char **argv)
{
	if (read_options(c, options_of(c->command), false, argc, argv))
		return -1;
	if (c->opt[OPT_HELP] != NULL) {
		help_command(c);
		return 0;
	}
	if (c->opt[OPT_VERSION] != NULL) {
		print_version(c);
		return 0;
	}
	return check_operands(c) || c->command->run(c) ? -1 : 0;
}

/* Two words, or the first one, name no command. */
static int
unknown(struct cli *c, const char *word, const char *next)
{
	const struct cli_program *p = c->program;
	size_t i;

	for (i = 0; i < p->nmoved; i++)
		if (tsb_streq(word, p->moved[i].word))
			return tsb_fail(&c->err, TSB_E_INPUT, "%s %s is no more: use %s", p->name,
			    word, p->moved[i].instead);
	if (!is_group(p, word))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "there is no command '%s'; %s --help lists them", word, p->name);
	if (next != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "there is no command '%s %s'; see %s %s --help", word, next, p->name, word);
	return tsb_fail(&c->err, TSB_E_INPUT, "%s needs a second word; see %s %s --help", word,
	    p->name, word);
}

/* No command was named: help, version, or what is wrong. */
static int
run_none(struct cli *c)
{
	const char *word = c->argv[0], *next = word != NULL ? c->argv[1] : NULL;

	if (c->opt[OPT_VERSION] != NULL) {
		print_version(c);
		return 0;
	}
	if (c->opt[OPT_HELP] != NULL && next == NULL &&
	    (word == NULL || is_group(c->program, word))) {
		help_commands(c, word);
		return 0;
	}
	if (word == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "name a command; %s --help lists them",
		    c->program->name);
	if (next != NULL && is_help(next) && is_group(c->program, word)) {
		help_commands(c, word);
		return 0;
	}
	return unknown(c, word, next);
}

/* "help request list" and "request help list" are read as "request list --help". */
static void
read_help(struct cli *c)
{
	if (c->argc > 1 && tsb_streq(c->argv[1], "help") && is_group(c->program, c->argv[0]))
		c->argv[1] = c->argv[0];
	else if (c->argc == 0 || !tsb_streq(c->argv[0], "help"))
		return;
	c->argv++;
	c->argc--;
	c->opt[OPT_HELP] = "";
}

static int
run(struct cli *c, int argc, char **argv)
{
	int words;

	if (log_open(c->program->name, NULL, LOG_INFO, &c->err) ||
	    read_options(c, c->program->leading, true, argc, argv))
		return -1;
	read_help(c);
	c->command = find_command(c, &words);
	if (c->command == NULL)
		return run_none(c);
	return run_command(c, c->argc - words + 1, c->argv + words - 1);
}

int
command_main(const struct cli_program *program, int argc, char **argv)
{
	struct cli c = {.program = program, .exit = CLI_USAGE};
	int rc = run(&c, argc, argv), status;

	if (fflush(stdout) != 0 && rc == 0)
		rc = tsb_fail(&c.err, TSB_E_IO, "cannot write to standard output");
	if (rc != 0)
		failure_print(&c);
	status = rc == 0 ? CLI_OK : (int)c.exit;
	if (c.at_end != NULL)
		c.at_end(&c);
	arena_clear(&c.arena);
	return status;
}
