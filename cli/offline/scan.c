/* tsb offline scan: reads the codes that a camera sees until all parts of one text are there. */
#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"

#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/spawn.h"
#include "cli/offline/commands.h"
#include "cli/offline/scanned.h"

#define CAMERA         "/dev/video0"
#define LINE_MAX_BYTES (64 * 1024) /* far more than a code holds */

struct scan {
	struct cli *cli;
	struct scanned scanned;
	struct spawn camera;
	int fd;
	FILE *from;
	struct tsb_bytes lines; /* new texts, one a line */
	bool single; /* one code held all of it */
};

static void
scan_end(struct scan *s)
{
	if (s->from != NULL)
		fclose(s->from);
	s->camera.fd = 0; /* closed with it */
	spawn_end(&s->camera);
	scanned_clear(&s->scanned);
	tsb_bytes_clear(&s->lines);
}
#define scan_auto struct scan __attribute__((cleanup(scan_end)))

static int
start_camera(struct scan *s, const char *device)
{
	bool window = getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;
	const char *argv[] = {"zbarcam", "--raw", "--quiet", "--nodbus", "-Sdisable",
	    "-Sqrcode.enable", "--nodisplay", NULL, NULL};

	argv[window ? 6 : 7] = device;
	if (spawn_start(argv, "zbar-tools", &s->camera, &s->cli->err))
		return -1;
	s->fd = s->camera.fd;
	return 0;
}

/* Opens a camera, or the lines of a scanner: a file, a pipe, standard input. */
static int
open_device(struct scan *s)
{
	struct cli *c = s->cli;
	const char *device = c->opt[OPT_DEVICE] != NULL ? c->opt[OPT_DEVICE] : CAMERA;
	struct stat st;

	if (tsb_streq(device, "-")) {
		s->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	} else if (stat(device, &st) != 0) {
		return tsb_fail(&c->err, TSB_E_FILE_NOT_FOUND,
		    "there is no camera %s: %s; --device names another one", device,
		    strerror(errno));
	} else if (S_ISCHR(st.st_mode)) {
		if (start_camera(s, device))
			return -1;
	} else {
		s->fd = open(device, O_RDONLY | O_CLOEXEC);
	}
	if (s->fd < 0 || (s->from = fdopen(s->fd, "r")) == NULL)
		return tsb_fail(&c->err, TSB_E_IO, "cannot read %s: %s", device, strerror(errno));
	return 0;
}

static void
tell_progress(const struct scan *s)
{
	tsb_bytes_auto text = {0};

	scanned_progress(&s->scanned, &text);
	output_note("%s", tsb_bytes_cstr(&text));
}

/* A camera sees many things: names what does not belong to the text, and goes on. */
static void
take_line(struct scan *s, struct tsb_view line)
{
	enum scanned_line kind;
	struct tsb_err why;
	bool fresh;

	if (scanned_take(&s->scanned, line, &kind, &fresh, &why)) {
		output_note("tsb: %s", why.msg);
		return;
	}
	if (kind == SCANNED_OTHER)
		output_note(scanned_other_layout(line)
			? "tsb: the scanner types with another keyboard layout than this computer "
			  "has, or with Caps Lock: set both to the same, US for instance"
			: "tsb: this code is not one of ours");
	if (kind == SCANNED_TEXT && scanned_begun(&s->scanned)) {
		output_note("tsb: this code belongs to something else");
		return;
	}
	if ((kind == SCANNED_PART && fresh) || kind == SCANNED_TEXT) {
		tsb_bytes_add_view(&s->lines, line);
		tsb_bytes_add_str(&s->lines, "\n");
	}
	s->single = kind == SCANNED_TEXT;
	if (kind == SCANNED_PART && fresh)
		tell_progress(s);
}

static bool
is_done(const struct scan *s)
{
	return s->single || scanned_complete(&s->scanned);
}

/* Takes what ends like a line: scanners send CR, LF or TAB behind a code. False at the end. */
static bool
next_line(struct scan *s, struct tsb_bytes *line)
{
	int ch;

	tsb_bytes_reset(line);
	while ((ch = getc(s->from)) != EOF) {
		unsigned char byte = (unsigned char)ch;

		if (scanned_ends_line(ch, tsb_view_bytes(line)))
			return true;
		if (line->n <= LINE_MAX_BYTES)
			tsb_bytes_add(line, &byte, 1);
	}
	return line->n > 0;
}

static int
read_lines(struct scan *s)
{
	struct cli *c = s->cli;
	tsb_bytes_auto text = {0};
	tsb_bytes_auto line = {0};

	while (!is_done(s) && next_line(s, &line))
		if (line.n <= LINE_MAX_BYTES)
			take_line(s, scanned_trim(tsb_view_bytes(&line)));
	if (is_done(s))
		return 0;
	if (!scanned_begun(&s->scanned))
		return cli_end(c, CLI_INCOMPLETE, TSB_E_PAYLOAD, "nothing was scanned");
	scanned_progress(&s->scanned, &text);
	return cli_end(c, CLI_INCOMPLETE, TSB_E_PAYLOAD, "the scan ended too early: %s",
	    tsb_bytes_cstr(&text));
}

int
cli_offline_scan(struct cli *c)
{
	scan_auto s = {.cli = c, .fd = -1};
	struct tsb_view text;
	struct tsb_uuid id;
	bool has_id;

	if (open_device(&s) || read_lines(&s))
		return -1;
	/* check the hash over all parts now, while the codes can still be scanned again */
	if (!s.single && scanned_text(&s.scanned, &c->arena, &text, &has_id, &id, &c->err))
		return -1;
	if (c->opt[OPT_OUT] != NULL)
		return file_write(c->opt[OPT_OUT], FILE_SECRET, tsb_view_bytes(&s.lines), &c->err);
	if (s.single && s.lines.p[0] == '{') /* what a terminal could obey is escaped */
		output_body(tsb_view_of(s.lines.p, s.lines.n - 1));
	else
		fwrite(s.lines.p, 1, s.lines.n, stdout);
	return 0;
}
