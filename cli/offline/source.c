#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "lib/wire/package.h"

#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/spawn.h"
#include "cli/offline/scanned.h"
#include "cli/offline/source.h"

#define PICTURES_MAX 8192
#define PICTURE_MAX  (32 * 1024 * 1024)
#define SOURCES_MAX  PACKAGE_ITEMS_MAX
#define ZBAR_PACKAGE "zbar-tools"

struct picture {
	const char *path,
	    *link; /* as given; below a name that no reader takes for more than a name */
	const char *form; /* ImageMagick's name of the format, which its magic bytes prove */
};

struct gathering {
	struct cli *cli;
	struct scanned scanned;
	const char *parts_from;
	struct source *sources;
	size_t n;
	struct picture *pictures;
	size_t npictures;
	char *folder; /* of links to the pictures; NULL = none */
};
#define gathering_auto struct gathering __attribute__((cleanup(gathering_end)))

static void
gathering_end(struct gathering *g)
{
	size_t i;

	for (i = 0; g->folder != NULL && i < g->npictures; i++)
		unlink(g->pictures[i].link);
	if (g->folder != NULL)
		rmdir(g->folder);
	scanned_clear(&g->scanned);
}

bool
source_is_package(const struct source *s)
{
	return wire_is_package(s->text);
}

/* ---- texts ---- */

/* The same text again is the same source: files are given twice, codes scanned twice. */
static int
add_source(struct gathering *g, struct source s)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (tsb_view_eq(g->sources[i].text, s.text))
			return 0;
	if (g->n == SOURCES_MAX)
		return tsb_fail(&g->cli->err, TSB_E_INPUT, "more than %d texts", SOURCES_MAX);
	g->sources[g->n++] = s;
	return 0;
}

static int
add_text(struct gathering *g, const char *from, struct tsb_view text)
{
	struct source s = {.from = from};
	struct tsb_err why;

	if (wire_is_package(text))
		s.text = arena_view(&g->cli->arena, text);
	else if (wire_compact(text, &g->cli->arena, &s.text, &why))
		return tsb_fail(&g->cli->err, TSB_E_INPUT, "%s: %s", from, why.msg);
	return add_source(g, s);
}

static int
add_line(struct gathering *g, const char *from, size_t number, struct tsb_view line)
{
	struct tsb_err *err = &g->cli->err;
	enum scanned_line kind;
	struct tsb_err why;
	bool fresh;

	if (scanned_take(&g->scanned, line, &kind, &fresh, &why))
		return tsb_fail(err, why.code, "%s: %s", from, why.msg);
	switch (kind) {
	case SCANNED_NOTHING:
		return 0;
	case SCANNED_PART:
		if (g->parts_from == NULL)
			g->parts_from = from;
		return 0;
	case SCANNED_TEXT:
		return add_text(g, from, line);
	case SCANNED_OTHER:
		break;
	}
	return tsb_fail(err, TSB_E_INPUT,
	    "%s: line %zu is neither a package nor JSON nor the text of a scanned part", from,
	    number);
}

static int
add_lines(struct gathering *g, const char *from, struct tsb_view text)
{
	struct tsb_view line;
	size_t number;

	for (number = 1; text.n > 0; number++) {
		line = tsb_view_of(text.p, 0);
		while (line.n < text.n && !scanned_ends_line(text.p[line.n], line))
			line.n++;
		text = tsb_view_of(text.p + line.n, text.n - line.n);
		if (text.n > 0)
			text = tsb_view_of(text.p + 1, text.n - 1);
		if (add_line(g, from, number, scanned_trim(line)))
			return -1;
	}
	return 0;
}

/* One JSON object over many lines, or lines. */
static int
add_content(struct gathering *g, const char *from, struct tsb_view content)
{
	struct tsb_view text = scanned_trim(content), compact;
	const unsigned char *end = memchr(text.p != NULL ? text.p : (const void *)"", '\n', text.n);
	struct tsb_err ignored;

	if (text.n == 0)
		return tsb_fail(&g->cli->err, TSB_E_INPUT, "%s is empty", from);
	if (text.p[0] != '{')
		return add_lines(g, from, text);
	/* several objects, one a line */
	if (end != NULL &&
	    wire_compact(tsb_view_of(text.p, (size_t)(end - text.p)), &g->cli->arena, &compact,
		&ignored) == 0)
		return add_lines(g, from, text);
	return add_text(g, from, text);
}

/* ---- pictures ---- */

static const struct {
	const char *magic;
	size_t n;
	const char *form;
} picture_forms[] = {
    {"\x89PNG\r\n\x1a\n", 8, "png"}, {"\xff\xd8\xff", 3, "jpeg"}, /* of a phone */
    {"GIF8", 4, "gif"}, /* an animation: zbarimg reads each frame */
};

static const char *
picture_form(struct tsb_view content)
{
	size_t i;

	for (i = 0; i < TSB_COUNT(picture_forms); i++)
		if (content.n >= picture_forms[i].n &&
		    memcmp(content.p, picture_forms[i].magic, picture_forms[i].n) == 0)
			return picture_forms[i].form;
	return NULL;
}

/*
 * zbarimg gives file names to ImageMagick, which reads more into them than a name: "x:y", "%d",
 * "[0]", a leading dash. It gets links with names of ours instead.
 */
static int
add_picture(struct gathering *g, const char *path, const char *form)
{
	struct cli *c = g->cli;
	struct picture p = {.path = path, .form = form};
	char *real;

	if (g->npictures == PICTURES_MAX)
		return tsb_fail(&c->err, TSB_E_INPUT, "more than %d pictures", PICTURES_MAX);
	if (g->folder == NULL) {
		const char *tmp = getenv("TMPDIR");
		char *folder = arena_printf(&c->arena, "%s/tsb-scan.XXXXXX",
		    tmp != NULL && *tmp == '/' && strpbrk(tmp, ":%[]*?") == NULL ? tmp : "/tmp");

		if (mkdtemp(folder) == NULL)
			return tsb_fail(&c->err, TSB_E_IO, "cannot make %s: %s", folder,
			    strerror(errno));
		g->folder = folder;
	}
	p.link = arena_printf(&c->arena, "%s/%zu.%s", g->folder, g->npictures + 1, form);
	real = realpath(path, NULL);
	if (real == NULL || symlink(real, p.link) != 0) {
		free(real);
		return tsb_fail(&c->err, TSB_E_IO, "cannot use %s: %s", path, strerror(errno));
	}
	free(real);
	g->pictures[g->npictures++] = p;
	return 0;
}

/* *clean: every picture held a code. */
static int
decode(struct gathering *g, size_t first, size_t n, struct tsb_bytes *lines, bool *clean)
{
	/*
	 * Other kinds of codes are not ours, and zbar finds stripes where there are none. Unless
	 * told not to, it sends everything it reads over the D-Bus of the system to all who listen.
	 */
	static const char *const options[] = {"zbarimg", "--raw", "--quiet", "--nodbus",
	    "-Sdisable", "-Sqrcode.enable"};
	struct cli *c = g->cli;
	const char **argv = arena_array(&c->arena, TSB_COUNT(options) + n + 1, sizeof(*argv));
	spawn_auto s = {0};
	size_t i;
	int status;

	memcpy(argv, options, sizeof(options));
	for (i = 0; i < n; i++)
		argv[TSB_COUNT(options) + i] = arena_printf(&c->arena, "%s:%s",
		    g->pictures[first + i].form, g->pictures[first + i].link);
	if (spawn_start(argv, ZBAR_PACKAGE, &s, &c->err) ||
	    spawn_read(&s, PACKAGE_MAX, lines, &status, &c->err))
		return -1;
	*clean = status == 0;
	return 0;
}

/*
 * Reads one by one: zbarimg does not tell which pictures hold no code, and some versions end at the
 * first file that is no picture. Names those; lines gets the texts of the others.
 */
static int
decode_alone(struct gathering *g, struct tsb_bytes *lines)
{
	const char *names = "";
	size_t i, bad = 0;

	for (i = 0; i < g->npictures; i++) {
		size_t before = lines->n;
		bool clean;

		if (decode(g, i, 1, lines, &clean))
			return -1;
		if (clean && lines->n > before)
			continue;
		if (bad++ < 5)
			names = arena_printf(&g->cli->arena, "%s%s%s", names, *names ? ", " : "",
			    g->pictures[i].path);
	}
	if (bad > 0)
		output_note("tsb: no readable QR code in %s%s", names,
		    bad > 5 ? " and others" : "");
	return 0;
}

/* Takes the texts of all pictures that can be read. */
static int
read_pictures(struct gathering *g)
{
	struct cli *c = g->cli;
	tsb_bytes_auto lines = {0};
	const char *from;
	bool clean;

	if (g->npictures == 0)
		return 0;
	from = g->npictures == 1 ? g->pictures[0].path
				 : arena_printf(&c->arena, "%zu pictures", g->npictures);
	if (decode(g, 0, g->npictures, &lines, &clean))
		return -1;
	if (!clean) {
		tsb_bytes_clear(&lines);
		if (decode_alone(g, &lines))
			return -1;
	}
	if (lines.n == 0)
		return tsb_fail(&c->err, TSB_E_PAYLOAD, "there is no readable QR code in %s", from);
	return add_lines(g, from, tsb_view_bytes(&lines));
}

/* ---- files ---- */

static int
is_picture_file(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return e->d_name[0] != '.' && dot != NULL &&
	    (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 ||
		strcasecmp(dot, ".jpeg") == 0 || strcasecmp(dot, ".gif") == 0);
}

static int add_file(struct gathering *g, const char *path);

static int
add_folder(struct gathering *g, const char *path)
{
	struct cli *c = g->cli;
	struct dirent **list;
	int i, n = scandir(path, &list, is_picture_file, versionsort), rc = 0;

	if (n < 0)
		return tsb_fail(&c->err, TSB_E_FILE_NOT_FOUND, "cannot read %s: %s", path,
		    strerror(errno));
	if (n == 0)
		rc = tsb_fail(&c->err, TSB_E_INPUT,
		    "the folder %s holds no pictures (.png, .jpg, .gif)", path);
	for (i = 0; i < n && rc == 0; i++)
		rc = add_file(g, arena_printf(&c->arena, "%s/%s", path, list[i]->d_name));
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return rc;
}

static int
add_file(struct gathering *g, const char *path)
{
	struct cli *c = g->cli;
	tsb_bytes_auto content = {0};
	const char *form;

	if (file_read(path, PACKAGE_MAX, &content, &c->err))
		return -1;
	form = picture_form(tsb_view_bytes(&content));
	if (form == NULL)
		return add_content(g, tsb_streq(path, "-") ? "standard input" : path,
		    tsb_view_bytes(&content));
	if (tsb_streq(path, "-") || content.n > PICTURE_MAX)
		return tsb_fail(&c->err, TSB_E_INPUT, "pictures are files of at most %d bytes",
		    PICTURE_MAX);
	return add_picture(g, path, form);
}

static int
add_operand(struct gathering *g, const char *path)
{
	struct stat st;

	if (!tsb_streq(path, "-") && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(g, path);
	return add_file(g, path);
}

/* ---- together ---- */

static int
add_joined(struct gathering *g)
{
	struct cli *c = g->cli;
	struct source s = {.from = g->parts_from};
	struct tsb_view text;
	struct tsb_err why;

	if (!scanned_begun(&g->scanned))
		return 0;
	if (!scanned_complete(&g->scanned)) {
		tsb_bytes_auto missing = {0};

		if (!g->scanned.parts.begun)
			return cli_end(c, CLI_INCOMPLETE, TSB_E_PAYLOAD,
			    "more parts of the animation are needed: %d %% are there",
			    ur_join_percent(&g->scanned.ur));
		qr_join_missing(&g->scanned.parts, &missing);
		return cli_end(c, CLI_INCOMPLETE, TSB_E_PAYLOAD, "parts %s of %zu are missing",
		    tsb_bytes_cstr(&missing), g->scanned.parts.n);
	}
	if (scanned_text(&g->scanned, &c->arena, &text, &s.has_id, &s.id, &why))
		return tsb_fail(&c->err, why.code, "%s: %s", s.from, why.msg);
	if (wire_is_package(text))
		s.text = text;
	else if (wire_compact(text, &c->arena, &s.text, &why))
		return tsb_fail(&c->err, TSB_E_INPUT, "the joined parts of %s: %s", s.from,
		    why.msg);
	return add_source(g, s);
}

int
source_read(struct cli *c, struct source **out, size_t *n)
{
	gathering_auto g = {.cli = c};
	int i;

	g.sources = arena_array(&c->arena, SOURCES_MAX, sizeof(*g.sources));
	g.pictures = arena_array(&c->arena, PICTURES_MAX, sizeof(*g.pictures));
	for (i = 0; i < c->argc; i++)
		if (add_operand(&g, c->argv[i]))
			return -1;
	if (read_pictures(&g) || add_joined(&g))
		return -1;
	if (g.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "there is nothing in what was given");
	*out = g.sources;
	*n = g.n;
	return 0;
}
