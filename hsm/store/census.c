#include "lib/first.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "lib/base/log.h"

#include "hsm/key/key.h"
#include "hsm/store/census.h"
#include "hsm/store/dirfile.h"
#include "hsm/store/keyfile.h"

#define FILES_PER_KEY 2 /* a key and its counter */
#define KEY_ROOM      8192 /* bytes on disk for both */

enum what { SECRET = 1, CERTIFIED = 2, DAMAGED = 4, PUBLIC = 8, STATEFUL = 16 };

struct seen {
	char name[KEYFILE_NAME_SIZE];
	struct stat st; /* as long as it is this one, the file says the same */
	unsigned what;
	uint32_t left; /* signatures, if it is STATEFUL */
};

struct census {
	struct seen *v;
	size_t n, room;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

void
census_free(struct census **census)
{
	if (*census != NULL)
		free((*census)->v);
	free(*census);
	*census = NULL;
}

static struct seen *
add(struct census *c, const char *name)
{
	struct seen *s;

	if (c->n == c->room) {
		c->room = c->room > 0 ? 2 * c->room : 64;
		c->v = realloc(c->v, c->room * sizeof(*c->v));
		if (c->v == NULL)
			fatal("out of memory");
	}
	s = &c->v[c->n++];
	*s = (struct seen){0};
	memcpy(s->name, name, KEYFILE_NAME_SIZE);
	return s;
}

static void
look_inside(int dir, const unsigned char *master, struct seen *s)
{
	tsb_bytes_auto file = {0};
	tsb_bytes_auto content = {0};
	hsm_key_auto *k = NULL;
	struct tsb_err err = {0};
	struct stat st;

	if (dirfile_read(dir, s->name, KEYFILE_MAX, &file, &st, &err) ||
	    keyfile_open(master, s->name, tsb_view_bytes(&file), &content, &err) ||
	    key_decode(tsb_view_bytes(&content), &k, &err)) {
		if (err.code != TSB_OK)
			log_failure(LOG_ERROR, "key store", &err);
		s->what = DAMAGED;
		return;
	}
	s->what = (key_is_secret(k) ? SECRET : 0) | (k->certificate.n > 0 ? CERTIFIED : 0) |
	    (k->extra & KEY_PUBLIC_ONLY ? PUBLIC : 0) | (key_is_stateful(k) ? STATEFUL : 0);
	s->left = key_is_stateful(k) ? key_leaves_left(k) : 0;
}

static void
count(const struct seen *s, struct census_totals *out)
{
	out->used += (uint64_t)s->st.st_size;
	out->certificates += (s->what & CERTIFIED) != 0;
	if (s->what & DAMAGED)
		out->damaged++;
	else if (s->what & SECRET)
		out->secret_keys++;
	else {
		out->private_keys += (s->what & PUBLIC) == 0;
		out->public_keys++;
		out->stateful += (s->what & STATEFUL) != 0;
		out->signatures += s->left;
	}
}

static int
room_left(int dir, struct census_totals *out, struct tsb_err *err)
{
	struct statvfs fs;
	uint64_t bytes;

	if (fstatvfs(dir, &fs))
		return tsb_fail(err, TSB_E_IO, "cannot ask for the room that the key store has");
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	out->max = out->used + bytes;
	out->remaining = bytes / KEY_ROOM;
	/* some file systems have no fixed number of files */
	if (fs.f_files > 0 && fs.f_favail / FILES_PER_KEY < out->remaining)
		out->remaining = fs.f_favail / FILES_PER_KEY;
	return 0;
}

int
census_take(struct census **census, int dir, const unsigned char *master, struct census_totals *out,
    struct tsb_err *err)
{
	struct census *now = calloc(1, sizeof(*now));
	DIR *d = now != NULL ? dirfile_list(dir, err) : NULL;
	struct dirent *entry;

	if (now == NULL)
		fatal("out of memory");
	if (d == NULL) {
		census_free(&now);
		return -1;
	}
	*out = (struct census_totals){0};
	while ((entry = readdir(d)) != NULL) {
		const struct seen *before;
		struct seen *s;

		if (!keyfile_is_one(entry->d_name))
			continue;
		s = add(now, entry->d_name);
		if (fstatat(dir, s->name, &s->st, AT_SYMLINK_NOFOLLOW) != 0) {
			now->n--; /* somebody removed it meanwhile */
			continue;
		}
		before = *census == NULL
		    ? NULL
		    : bsearch(s, (*census)->v, (*census)->n, sizeof(*s), compare);
		if (before != NULL && dirfile_same(&before->st, &s->st)) {
			s->what = before->what;
			s->left = before->left;
		} else {
			look_inside(dir, master, s);
		}
		count(s, out);
	}
	closedir(d);
	if (now->n > 0)
		qsort(now->v, now->n, sizeof(*now->v), compare);
	census_free(census);
	*census = now;
	return room_left(dir, out, err);
}
