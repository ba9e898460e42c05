#include "lib/first.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "lib/base/str.h"

#include "cli/lib/ask.h"
#include "cli/lib/printable.h"

#define LINE_SIZE 4096 /* as much as a terminal gives at once */

/* While a question is open, signals are only noted: none ends the program with the echo off. */
static const int asking_signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
static volatile sig_atomic_t asking_signal;

struct asking {
	struct sigaction actions[TSB_COUNT(asking_signals)];
	sigset_t mask;
};

static void
note_signal(int number)
{
	asking_signal = number;
}

static void
asking_start(struct asking *a)
{
	struct sigaction note = {.sa_handler = note_signal};
	sigset_t blocked;
	size_t i;

	asking_signal = 0;
	sigemptyset(&note.sa_mask);
	sigemptyset(&blocked);
	for (i = 0; i < TSB_COUNT(asking_signals); i++) {
		sigaction(asking_signals[i], &note, &a->actions[i]);
		sigaddset(&blocked, asking_signals[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, &a->mask);
}

/* Signals get through only here: none slips in between the test of the flag and the wait. */
static bool
asking_wait(const struct asking *a, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return ppoll(&p, 1, NULL, &a->mask) == 1;
}

static void
asking_end(const struct asking *a)
{
	size_t i;

	for (i = 0; i < TSB_COUNT(asking_signals); i++)
		sigaction(asking_signals[i], &a->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &a->mask, NULL);
	if (asking_signal)
		raise(asking_signal);
}

/* Prompts on the terminal itself, so that redirected input and output do not matter. */
static bool
ask(const char *prompt, bool echo, char *line, size_t size)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	tsb_bytes_auto shown = {0};
	struct asking asking;
	struct termios old, quiet;
	bool changed = false, got;

	if (tty == NULL)
		return false;
	asking_start(&asking);
	if (!echo && tcgetattr(fileno(tty), &old) == 0) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		changed = tcsetattr(fileno(tty), TCSAFLUSH, &quiet) == 0;
	}
	setvbuf(tty, NULL, _IONBF, 0); /* no copy of the secret in a buffer */
	printable_add(tsb_view_str(prompt), "\\n", &shown);
	fprintf(tty, "%s", tsb_bytes_cstr(&shown));
	fseek(tty, 0, SEEK_CUR);
	got = (echo || changed) && asking_wait(&asking, fileno(tty)) &&
	    fgets(line, (int)size, tty) != NULL;
	if (changed) {
		tcsetattr(fileno(tty), TCSAFLUSH, &old);
		fputs("\n", tty);
	}
	fclose(tty);
	asking_end(&asking);
	if (got)
		line[strcspn(line, "\r\n")] = '\0';
	return got;
}

bool
ask_secret(const char *prompt, struct arena *a, const char **out)
{
	char line[LINE_SIZE];
	bool got = ask(prompt, false, line, sizeof(line)) && line[0] != '\0';

	if (got)
		*out = arena_str(a, line);
	tsb_wipe(line, sizeof(line));
	return got;
}

int
ask_line(const char *prompt, struct arena *a, const char **out, struct tsb_err *err)
{
	char line[LINE_SIZE];

	if (!ask(prompt, true, line, sizeof(line)))
		return tsb_fail(err, TSB_E_INPUT, "nothing was typed at the terminal");
	*out = line[0] != '\0' ? arena_str(a, line) : NULL;
	return 0;
}

int
ask_choice(const char *question, const char *letters, char *out, struct tsb_err *err)
{
	char prompt[512], line[16];

	snprintf(prompt, sizeof(prompt), "%s [y/N] ", question);
	if (!ask(prompt, true, line, sizeof(line)))
		return tsb_fail(err, TSB_E_INPUT,
		    "there is no terminal to ask at; give --yes when you have seen what it is");
	*out = 'n';
	if (tsb_streq(line, "y") || tsb_streq(line, "Y") || tsb_streq(line, "yes"))
		*out = 'y';
	else if (line[0] != '\0' && line[1] == '\0' && strchr(letters, line[0]) != NULL)
		*out = line[0];
	return 0;
}

int
ask_yes(const char *question, bool *yes, struct tsb_err *err)
{
	char got;

	if (ask_choice(question, "", &got, err))
		return -1;
	*yes = got == 'y';
	return 0;
}
