#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/qr/code.h"
#include "lib/qr/part.h"
#include "lib/qr/ur.h"

#include "cli/lib/file.h"
#include "cli/offline/outcome.h"

static int
is_picture(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot != NULL && tsb_streq(dot, ".png");
}

/* The folder must have no pictures yet: its reader would mix parts of two texts. */
int
outcome_check_folder(struct cli *c)
{
	const char *dir = c->opt[OPT_QR];
	struct dirent **list;
	int i, n;

	if (dir == NULL)
		return 0;
	n = scandir(dir, &list, is_picture, NULL);
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return tsb_fail(&c->err, TSB_E_IO, "cannot read %s: %s", dir, strerror(errno));
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return n == 0
	    ? 0
	    : tsb_fail(&c->err, TSB_E_INPUT,
		  "%s holds %d pictures already: name an empty folder, so that none are mixed", dir,
		  n);
}

int
outcome_check(struct cli *c)
{
	if (c->opt[OPT_OUT] == NULL && c->opt[OPT_QR] == NULL && c->opt[OPT_TEXT] == NULL &&
	    c->opt[OPT_ANIMATION] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "say where the results go: --out FILE, "
		    "--qr DIR, --text FILE or --animation FILE");
	return outcome_check_folder(c);
}

static int
split_text(struct cli *c, struct tsb_view text, const struct tsb_uuid *id, struct qr_split *out)
{
	size_t n = qr_part_count(text, QR_CHUNK_MAX);

	if (n > QR_PARTS_MAX)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "it would take %zu QR codes, more than %d: carry it as a file", n,
		    QR_PARTS_MAX);
	return qr_split_init(out, text, id, QR_CHUNK_MAX, &c->err);
}

int
outcome_pictures(struct cli *c, const char *prefix, const struct tsb_uuid *id, struct tsb_view text)
{
	const char *dir = c->opt[OPT_QR];
	struct tsb_bytes *png;
	struct qr_split split;
	struct qr_code *code;
	char name[UUID_TEXT];
	size_t k;
	int rc;

	if (split_text(c, text, id, &split))
		return -1;
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return tsb_fail(&c->err, TSB_E_IO, "cannot make %s: %s", dir, strerror(errno));
	code = arena_array(&c->arena, split.n, sizeof(*code));
	png = arena_array(&c->arena, split.n, sizeof(*png));
	if (qr_encode_parts(&split, 1, split.n, QR_ECC_L, &c->arena, code, &c->err) ||
	    qr_png_all(code, split.n, QR_SCALE_DEFAULT, png, &c->err))
		return -1;
	uuid_format(id, name);
	for (rc = 0, k = 0; k < split.n; k++) {
		if (rc == 0)
			rc = file_write(arena_printf(&c->arena, "%s/%s-%s-%zu.png", dir, prefix,
					    name, k + 1),
			    FILE_SECRET, tsb_view_bytes(&png[k]), &c->err);
		tsb_bytes_clear(&png[k]);
	}
	return rc;
}

int
outcome_animation(struct cli *c, struct tsb_view text)
{
	tsb_bytes_auto gif = {0};

	if (c->opt[OPT_ANIMATION] == NULL)
		return 0;
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	return ur_gif(text, QR_SCALE_DEFAULT, &gif, &c->err) ||
		file_write(c->opt[OPT_ANIMATION], FILE_SECRET, tsb_view_bytes(&gif), &c->err)
	    ? -1
	    : 0;
}

static int
write_text(struct cli *c, const struct tsb_uuid *id, struct tsb_view text)
{
	tsb_bytes_auto lines = {0};
	struct qr_split split;
	size_t k;

	if (split_text(c, text, id, &split))
		return -1;
	for (k = 1; k <= split.n; k++) {
		if (qr_split_part(&split, k, &lines, &c->err))
			return -1;
		tsb_bytes_add_str(&lines, "\n");
	}
	return file_write(c->opt[OPT_TEXT], FILE_SECRET, tsb_view_bytes(&lines), &c->err);
}

int
outcome_write(struct cli *c, const struct room *r, const struct room_peer *to,
    struct tsb_view *results, size_t n)
{
	tsb_bytes_auto text = {0};
	struct wire_package p = {
	    .type = PACKAGE_RESULTS,
	    .id = uuid_new(),
	    .created_ms = clock_now_ms(),
	    .from_name = r->name,
	    .to_name = to->name,
	    .items = results,
	    .nitems = n,
	};
	struct tsb_view line;

	crypto_sha256(to->spki, p.to);
	if (wire_package_format(&p, r->key, &text, &c->err))
		return -1;
	line = tsb_view_of(text.p, text.n);
	if ((c->opt[OPT_QR] != NULL && outcome_pictures(c, "result", &p.id, line)) ||
	    (c->opt[OPT_TEXT] != NULL && write_text(c, &p.id, line)) || outcome_animation(c, line))
		return -1;
	if (c->opt[OPT_OUT] == NULL)
		return 0;
	tsb_bytes_add_str(&text, "\n");
	return file_write(c->opt[OPT_OUT], FILE_SECRET, tsb_view_bytes(&text), &c->err);
}
