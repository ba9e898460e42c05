#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/qr/words.h"

#include "cli/lib/ask.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/offline/commands.h"
#include "cli/offline/room.h"

#define KEY_FILE_MAX (64 * 1024)
#define PEERS_MAX    256
#define PEER_ENDING  ".pub"

void
room_clear(struct room *r)
{
	if (r->lock > 0)
		close(r->lock);
	crypto_private_free(&r->key);
	*r = (struct room){0};
}

const char *
room_file(struct arena *a, const struct room *r, const char *name)
{
	return arena_printf(a, "%s/%s", r->dir, name);
}

static const char *
room_dir(struct cli *c)
{
	const char *env = getenv("TSB_OFFLINE_ROOM"), *home = getenv("HOME");

	if (c->opt[OPT_ROOM] != NULL)
		return c->opt[OPT_ROOM];
	if (env != NULL && *env)
		return env;
	return arena_printf(&c->arena, "%s/.tsb-offline", home != NULL && *home ? home : ".");
}

/* ---- opening ---- */

static int
load_key(struct cli *c, struct room *r)
{
	const char *path = room_file(&c->arena, r, "site.key");
	tsb_bytes_auto pem = {0};
	struct stat st;

	if (stat(path, &st) != 0)
		return tsb_fail(&c->err, TSB_E_FILE_NOT_FOUND,
		    "%s is no offline room: `tsb offline init DIR` makes one, --room names it",
		    r->dir);
	if (st.st_mode & 077)
		output_note("tsb: warning: others may read %s; chmod 600 it", path);
	return file_read(path, KEY_FILE_MAX, &pem, &c->err) ||
		crypto_private_load(tsb_view_bytes(&pem), NULL, &r->key, &c->err)
	    ? -1
	    : 0;
}

static bool
ends_with(const char *text, const char *ending)
{
	size_t n = strlen(text), m = strlen(ending);

	return n > m && tsb_streq(text + n - m, ending);
}

static int
is_peer_file(const struct dirent *e)
{
	return e->d_name[0] != '.' && ends_with(e->d_name, PEER_ENDING);
}

static int
load_peers(struct cli *c, struct room *r)
{
	const char *dir = room_file(&c->arena, r, "peers");
	struct dirent **list;
	int i, n = scandir(dir, &list, is_peer_file, alphasort), rc = 0;

	if (n < 0)
		return tsb_fail(&c->err, TSB_E_FILE_NOT_FOUND, "cannot read %s: %s", dir,
		    strerror(errno));
	r->peers = arena_array(&c->arena, (size_t)n + 1, sizeof(*r->peers));
	if (n > PEERS_MAX)
		rc = tsb_fail(&c->err, TSB_E_INPUT, "%s holds more than %d keys", dir, PEERS_MAX);
	for (i = 0; i < n && rc == 0; i++) {
		struct room_peer *p = &r->peers[r->npeers];
		const char *file = list[i]->d_name;

		p->name = arena_strn(&c->arena, file, strlen(file) - strlen(PEER_ENDING));
		rc = file_read_spki(arena_printf(&c->arena, "%s/%s", dir, file), &c->arena,
		    &p->spki, NULL, &c->err);
		r->npeers++;
	}
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return rc;
}

int
room_open(struct cli *c, struct room *out)
{
	room_auto r = {.dir = room_dir(c)};

	if (load_key(c, &r) ||
	    file_read_line(room_file(&c->arena, &r, "name"), &c->arena, &r.name, &c->err) ||
	    load_peers(c, &r))
		return -1;
	*out = r;
	r = (struct room){0};
	return 0;
}

int
room_lock(struct room *r, struct tsb_err *err)
{
	arena_auto a = {0};
	const char *path = room_file(&a, r, "lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return tsb_fail(err, TSB_E_IO, "cannot write %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "another `tsb offline run` is at work in %s", r->dir);
	}
	r->lock = fd;
	return 0;
}

struct wire_package_peer *
room_package_peers(const struct room *r, struct arena *a)
{
	struct wire_package_peer *peers = arena_array(a, r->npeers + 1, sizeof(*peers));
	size_t i;

	for (i = 0; i < r->npeers; i++)
		peers[i].spki = r->peers[i].spki;
	return peers;
}

const char *
room_peer_name(const struct room *r, struct tsb_view spki)
{
	size_t i;

	for (i = 0; i < r->npeers; i++)
		if (tsb_view_eq(r->peers[i].spki, spki))
			return r->peers[i].name;
	return NULL;
}

/* ---- for people ---- */

#define ROW 4 /* bytes in a line, as on a print sheet */

void
room_show_digest(struct doc *t, const char *name, const unsigned char digest[TSB_SHA256])
{
	struct tsb_view all = tsb_view_of(digest, TSB_SHA256);
	tsb_bytes_auto text = {0};
	arena_auto a = {0};
	size_t i;

	if (t->json) {
		doc_text(t, name, enc_hex_str(&a, all));
		qr_words_format(all, " ", &text);
		doc_text(t, arena_printf(&a, "%s words", name), tsb_bytes_cstr(&text));
		return;
	}
	for (i = 0; i < TSB_SHA256; i += ROW) {
		tsb_bytes_addf(&text, "%s%s  ", i > 0 ? "\n" : "",
		    enc_hex_str(&a, tsb_view_of(digest + i, ROW)));
		qr_words_format(tsb_view_of(digest + i, ROW), " ", &text);
	}
	doc_text(t, name, tsb_bytes_cstr(&text));
}

void
room_show_fingerprint(struct doc *t, struct tsb_view spki)
{
	unsigned char digest[TSB_SHA256];

	crypto_sha256(spki, digest);
	room_show_digest(t, "fingerprint", digest);
}

/* ---- tsb offline init ---- */

/* Writes the files of the room into a folder that nobody else knows yet. */
static int
fill_room(const struct room *r, const char *peers, const char *done, struct tsb_err *err)
{
	arena_auto a = {0};
	tsb_bytes_auto private = {0}, public = {0};

	if (mkdir(peers, 0755) != 0 || mkdir(done, 0700) != 0)
		return tsb_fail(err, TSB_E_IO, "cannot make folders in %s: %s", r->dir,
		    strerror(errno));
	if (crypto_private_pem(r->key, NULL, &private, err))
		return -1;
	crypto_spki_pem(crypto_private_spki(r->key), &public);
	return file_create(room_file(&a, r, "site.key"), 0600, tsb_view_bytes(&private), err) ||
		file_create(room_file(&a, r, "site.pub"), 0644, tsb_view_bytes(&public), err) ||
		file_create(room_file(&a, r, "name"), 0644,
		    tsb_view_str(arena_printf(&a, "%s\n", r->name)), err)
	    ? -1
	    : 0;
}

static void
remove_room(const char *dir)
{
	static const char *const files[] = {"site.key", "site.pub", "name"};
	static const char *const folders[] = {"peers", "done", ""};
	arena_auto a = {0};
	size_t i;

	for (i = 0; i < TSB_COUNT(files); i++)
		unlink(arena_printf(&a, "%s/%s", dir, files[i]));
	for (i = 0; i < TSB_COUNT(folders); i++)
		rmdir(arena_printf(&a, "%s/%s", dir, folders[i]));
}

/* Makes the whole room or nothing, and never replaces anything. */
static int
make_room(struct cli *c, const char *dir, struct room *r)
{
	char *next = arena_printf(&c->arena, "%s.XXXXXX", dir);

	if (mkdtemp(next) == NULL)
		return tsb_fail(&c->err, TSB_E_IO, "cannot make %s: %s", dir, strerror(errno));
	r->dir = next;
	if (fill_room(r, room_file(&c->arena, r, "peers"), room_file(&c->arena, r, "done"),
		&c->err)) {
		remove_room(next);
		return -1;
	}
	if (rename(next, dir) != 0) {
		tsb_fail(&c->err, TSB_E_IO,
		    errno == ENOTEMPTY || errno == EEXIST
			? "%s exists and is not empty: nothing is overwritten"
			: "cannot make %s",
		    dir);
		remove_room(next);
		return -1;
	}
	r->dir = dir;
	return 0;
}

static int
room_name(struct cli *c, const char *dir, const char **out)
{
	const char *slash = strrchr(dir, '/'), *name = c->opt[OPT_SITE];

	if (name == NULL)
		name = slash != NULL ? slash + 1 : dir;
	if (!*name || strlen(name) > PACKAGE_NAME_MAX || !tsb_label_valid(tsb_view_str(name)))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "--site must be a name of 1 to %d bytes without control characters",
		    PACKAGE_NAME_MAX);
	*out = name;
	return 0;
}

int
cli_offline_init(struct cli *c)
{
	char *dir = arena_str(&c->arena, c->argv[0]);
	room_auto r = {0};
	doc_auto t = {0};

	while (strlen(dir) > 1 && dir[strlen(dir) - 1] == '/')
		dir[strlen(dir) - 1] = '\0';
	if (room_name(c, dir, &r.name) || crypto_private_new("ed25519", &r.key, &c->err) ||
	    make_room(c, dir, &r))
		return -1;
	doc_start(&t, c->json);
	doc_text(&t, "room", r.dir);
	doc_text(&t, "site", r.name);
	doc_text(&t, "public key", room_file(&c->arena, &r, "site.pub"));
	room_show_fingerprint(&t, crypto_private_spki(r.key));
	doc_print(&t);
	output_note("tsb: next: carry site.pub to the online site (airGapped.offlineSiteKeyFile in "
		    "tsb.conf), bring the public key of its packages here and name it with "
		    "`tsb offline trust FILE`; compare fingerprints on both sides");
	return 0;
}

/* ---- tsb offline trust ---- */

/* "usb/bank.pub.pem" is the site "bank". */
static int
peer_name(struct cli *c, const char *path, const char **out)
{
	static const char *const endings[] = {".pem", ".pub", ".crt"};
	const char *slash = strrchr(path, '/');
	char *name = arena_str(&c->arena,
	    c->opt[OPT_SITE] != NULL ? c->opt[OPT_SITE]
		: slash != NULL      ? slash + 1
				     : path);
	size_t i;

	for (i = 0; c->opt[OPT_SITE] == NULL && i < TSB_COUNT(endings); i++)
		if (ends_with(name, endings[i]))
			name[strlen(name) - strlen(endings[i])] = '\0';
	if (!*name || *name == '.' || strchr(name, '/') != NULL || strlen(name) > 200 ||
	    !tsb_label_valid(tsb_view_str(name)))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "'%s' cannot be the name of a site; --site gives it one", name);
	*out = name;
	return 0;
}

static int
confirm_trust(struct cli *c, const char *name)
{
	bool yes = c->opt[OPT_YES] != NULL;
	const char *question = arena_printf(&c->arena,
	    "Is this the fingerprint that the site %s shows, and are its packages to be believed?",
	    name);

	if (!yes && ask_yes(question, &yes, &c->err))
		return -1;
	return yes ? 0 : tsb_fail(&c->err, TSB_E_INPUT, "nothing was changed");
}

int
cli_offline_trust(struct cli *c)
{
	room_auto r = {0};
	doc_auto t = {0};
	tsb_bytes_auto pem = {0};
	struct tsb_view spki;
	const char *name, *path, *known;

	if (room_open(c, &r) || peer_name(c, c->argv[0], &name) ||
	    file_read_spki(c->argv[0], &c->arena, &spki, NULL, &c->err))
		return -1;
	if (tsb_view_eq(spki, crypto_private_spki(r.key)))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "%s is the key of this room itself: it goes to the online site", c->argv[0]);
	doc_start(&t, c->json);
	doc_text(&t, "site", name);
	room_show_fingerprint(&t, spki);
	doc_print(&t);
	fflush(stdout);
	if ((known = room_peer_name(&r, spki)) != NULL) {
		output_note("tsb: this key is trusted already, as %s", known);
		return 0;
	}
	path = arena_printf(&c->arena, "%s/peers/%s" PEER_ENDING, r.dir, name);
	if (access(path, F_OK) == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "another key is trusted as %s: remove %s if it is over, or name this one with --site",
		    name, path);
	if (confirm_trust(c, name))
		return -1;
	crypto_spki_pem(spki, &pem);
	return file_replace(path, 0644, tsb_view_bytes(&pem), &c->err);
}
