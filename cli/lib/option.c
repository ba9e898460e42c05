#include "lib/first.h"

#include <getopt.h>
#include <string.h>

#include "cli/lib/option.h"

const struct option_row option_rows[OPT__MAX] = {
#define OPT(id, letter, name, arg, help) [OPT_##id] = {letter, name, arg, help},
    CLI_OPTIONS(OPT)
#undef OPT
};

bool
option_in(const struct option_set *set, int id)
{
	if (id < OPT__COMMON)
		return set->server;
	if (id < OPT__OWN)
		return set->common;
	return set->own >> (id - OPT__OWN) & 1;
}

/* getopt returns numbers from here on for long options: above all letters. */
#define OPTION_BASE 256

/* Fills getopt's two tables with the options of the set. */
static void
option_tables(const struct option_set *set, bool leading, struct option *words, char *letters)
{
	size_t n = 0;
	int i;

	if (leading)
		*letters++ = '+'; /* stop at the first operand */
	*letters++ = ':';
	for (i = 0; i < OPT__MAX; i++) {
		const struct option_row *row = &option_rows[i];

		if (!option_in(set, i))
			continue;
		words[n++] = (struct option){row->name,
		    row->arg != NULL ? required_argument : no_argument, NULL, OPTION_BASE + i};
		if (row->letter) {
			*letters++ = (char)row->letter;
			if (row->arg != NULL)
				*letters++ = ':';
		}
	}
	words[n] = (struct option){0};
	*letters = '\0';
}

static int
option_of_letter(int letter)
{
	int i;

	for (i = 0; i < OPT__MAX; i++)
		if (option_rows[i].letter == letter)
			return i;
	return -1;
}

/* getopt takes --al for --all; what it means would change with every new option. */
static int
check_written_out(const char *word, const struct option_row *row, struct tsb_err *err)
{
	size_t n = strlen(row->name);

	if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, row->name, n) == 0 &&
	    (word[2 + n] == '\0' || word[2 + n] == '='))
		return 0;
	return tsb_fail(err, TSB_E_INPUT, "options are written out: --%s, not %.*s", row->name,
	    (int)strcspn(word, "="), word);
}

int
option_read(const struct option_set *set, bool leading, int argc, char **argv,
    const char *opt[OPT__MAX], int *operands, struct tsb_err *err)
{
	struct option words[OPT__MAX + 1];
	char letters[2 * OPT__MAX + 3];
	int got, id;

	option_tables(set, leading, words, letters);
	opterr = 0;
	optind = 0; /* GNU: start anew */
	while ((got = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		if (got == ':')
			return tsb_fail(err, TSB_E_INPUT, "option %s needs a value",
			    argv[optind - 1]);
		if (got == '?' && optopt > 0 && optopt < OPTION_BASE)
			return tsb_fail(err, TSB_E_INPUT, "there is no option -%c here", optopt);
		if (got == '?')
			return tsb_fail(err, TSB_E_INPUT, "there is no option %s here",
			    argv[optind - 1]);
		id = got >= OPTION_BASE ? got - OPTION_BASE : option_of_letter(got);
		/* a value of its own stands behind the option's word */
		if (got >= OPTION_BASE &&
		    check_written_out(argv[optind - (optarg == argv[optind - 1] ? 2 : 1)],
			&option_rows[id], err))
			return -1;
		if (opt[id] != NULL && option_rows[id].arg != NULL)
			return tsb_fail(err, TSB_E_INPUT, "option --%s is given twice",
			    option_rows[id].name);
		opt[id] = option_rows[id].arg != NULL ? optarg : "";
	}
	*operands = optind;
	return 0;
}
