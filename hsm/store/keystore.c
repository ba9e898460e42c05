#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/hook.h"
#include "lib/base/log.h"
#include "lib/crypto/hbs.h"

#include "hsm/key/done.h"
#include "hsm/store/dirfile.h"
#include "hsm/store/keyfile.h"
#include "hsm/store/keystore.h"

#define BUCKETS      256
#define CACHE_MAX    2048 /* parsed keys per process */
#define CACHE_BYTES  (2 * 1024 * 1024) /* of their files */
#define COUNT_SUFFIX ".use"

/* A parsed key, valid as long as its file has this identity. */
struct entry {
	struct entry *next;
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct stat st;
	struct hsm_key *key;
	uint64_t *uses; /* mapped; NULL = cannot be mapped */
	uint64_t used_at;
};

struct keystore {
	int dir;
	unsigned char master[CRYPTO_BOX_KEY_SIZE];
	struct entry *bucket[BUCKETS];
	size_t nentries;
	uint64_t bytes; /* of the files of all entries */
	uint64_t clock; /* counts accesses, to find the oldest entry */
	struct census *census; /* NULL until somebody asked */
};

static int
check_private(int dir, const char *path, struct tsb_err *err)
{
	struct stat st;

	if (fstat(dir, &st))
		return tsb_fail(err, TSB_E_IO, "cannot read %s: %s", path, strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "key store %s must belong to the user of tsb-hsm and be closed to others",
		    path);
	return 0;
}

struct keystore *
keystore_open(const char *path, const unsigned char master[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct keystore *ks;

	if (dir < 0) {
		(void)tsb_fail(err, TSB_E_IO, "cannot open key store %s: %s", path,
		    strerror(errno));
		return NULL;
	}
	if (check_private(dir, path, err)) {
		close(dir);
		return NULL;
	}
	ks = calloc(1, sizeof(*ks));
	if (ks == NULL)
		fatal("out of memory");
	ks->dir = dir;
	memcpy(ks->master, master, sizeof(ks->master));
	return ks;
}

/* ---- cache ---- */

static struct entry **
find(struct keystore *ks, const unsigned char hash[CRYPTO_SHA256_SIZE])
{
	struct entry **e = &ks->bucket[hash[0]];

	while (*e != NULL && memcmp((*e)->hash, hash, CRYPTO_SHA256_SIZE) != 0)
		e = &(*e)->next;
	return e;
}

static void
forget(struct keystore *ks, struct entry **at)
{
	struct entry *e = *at;

	if (e == NULL)
		return;
	*at = e->next;
	ks->nentries--;
	ks->bytes -= (uint64_t)e->st.st_size;
	if (e->uses != NULL)
		munmap(e->uses, sizeof(*e->uses));
	key_release(&e->key);
	free(e);
}

static void
forget_oldest(struct keystore *ks)
{
	struct entry **oldest = NULL;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry **e = &ks->bucket[i]; *e != NULL; e = &(*e)->next)
			if (oldest == NULL || (*e)->used_at < (*oldest)->used_at)
				oldest = e;
	if (oldest != NULL)
		forget(ks, oldest);
}

static bool
still_there(const struct keystore *ks, const struct keyfile_name *name, const struct entry *e)
{
	struct stat st;

	return fstatat(ks->dir, name->text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    dirfile_same(&st, &e->st);
}

void
keystore_close(struct keystore **p)
{
	struct keystore *ks = *p;

	*p = NULL;
	if (ks == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (ks->bucket[i] != NULL)
			forget(ks, &ks->bucket[i]);
	census_free(&ks->census);
	close(ks->dir);
	tsb_wipe(ks->master, sizeof(ks->master));
	free(ks);
}

/* ---- counters ---- */

static void
count_name(const struct keyfile_name *name, char out[KEYFILE_NAME_SIZE])
{
	memcpy(out, name->text, KEYFILE_NAME_SIZE);
	memcpy(out + 2 * CRYPTO_SHA256_SIZE, COUNT_SUFFIX, sizeof(COUNT_SUFFIX));
}

/*
 * A missing counter starts at 0: it only informs, and decides nothing. Its block is allocated
 * before it is mapped, also in a file that has the size: a process that writes to a hole on a full
 * disk dies of SIGBUS. Without room the key works uncounted.
 */
static uint64_t *
count_map(const struct keystore *ks, const struct keyfile_name *name)
{
	char file[KEYFILE_NAME_SIZE];
	void *map = MAP_FAILED;
	struct stat st;
	int fd, failed;

	count_name(name, file);
	fd = openat(ks->dir, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return NULL;
	failed = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)sizeof(uint64_t)
	    ? posix_fallocate(fd, 0, sizeof(uint64_t))
	    : EINVAL;
	if (failed == 0)
		map = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	else
		log_warn("uses of a key are not counted: %s: %s", file, strerror(failed));
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

static uint64_t *
counter_of(struct keystore *ks, const struct hsm_key *k)
{
	struct keyfile_name name;
	struct entry *e;

	if (k->master != NULL)
		k = k->master;
	keyfile_name(tsb_view_str(k->label), &name);
	e = *find(ks, name.hash);
	return e != NULL && e->key == k ? e->uses : NULL;
}

uint64_t
keystore_use_count(struct keystore *ks, const struct hsm_key *k)
{
	uint64_t *uses = counter_of(ks, k);

	return uses != NULL ? __atomic_load_n(uses, __ATOMIC_RELAXED) : 0;
}

void
keystore_count_use(struct keystore *ks, const struct hsm_key *k)
{
	uint64_t *uses = counter_of(ks, k);

	if (uses != NULL)
		__atomic_fetch_add(uses, 1, __ATOMIC_RELAXED);
}

/* ---- access ---- */

static int
no_such_key(struct tsb_view label, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_KEY_NOT_EXISTENT, "A key with the name '%.*s' does not exist.",
	    (int)label.n, (const char *)label.p);
}

/* Whoever signs holds the key's lock, so that the file is not replaced meanwhile. */
static int
find_home(struct keystore *ks, const struct keyfile_name *name, struct hsm_key *k,
    struct tsb_err *err)
{
	unsigned char home[DIRFILE_IDENTITY_SIZE];

	if (dirfile_identity(ks->dir, name->text, home, err))
		return -1;
	k->is_copied = !tsb_view_eq(k->home, tsb_view_of(home, sizeof(home)));
	return 0;
}

static int
load(struct keystore *ks, const struct keyfile_name *name, struct tsb_view label,
    struct hsm_key **key, struct stat *st, struct tsb_err *err)
{
	tsb_bytes_auto file = {0};
	tsb_bytes_auto content = {0};
	int rc = dirfile_read(ks->dir, name->text, KEYFILE_MAX, &file, st, err);

	if (rc)
		return rc < 0 ? -1 : no_such_key(label, err);
	if (keyfile_open(ks->master, name->text, tsb_view_bytes(&file), &content, err) ||
	    key_decode(tsb_view_bytes(&content), key, err))
		return -1;
	done_date(*key, st->st_mtim.tv_sec);
	if (key_is_stateful(*key) && find_home(ks, name, *key, err)) {
		key_release(key);
		return -1;
	}
	if (tsb_view_eq(tsb_view_str((*key)->label), label))
		return 0;
	key_release(key);
	return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "key file %s names another key", name->text);
}

static struct entry *
remember(struct keystore *ks, const struct keyfile_name *name, struct hsm_key *key,
    const struct stat *st)
{
	struct entry *e;

	while (ks->nentries >= CACHE_MAX || (ks->nentries > 0 && ks->bytes > CACHE_BYTES))
		forget_oldest(ks);
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		fatal("out of memory");
	memcpy(e->hash, name->hash, sizeof(e->hash));
	e->st = *st;
	e->key = key;
	e->uses = count_map(ks, name);
	e->next = ks->bucket[name->hash[0]];
	ks->bucket[name->hash[0]] = e;
	ks->nentries++;
	ks->bytes += (uint64_t)st->st_size;
	return e;
}

int
keystore_get(struct keystore *ks, struct tsb_view label, struct hsm_key **out, struct tsb_err *err)
{
	struct keyfile_name name;
	struct hsm_key *key;
	struct entry **at, *e;
	struct stat st;

	if (label.n == 0 || label.n > 1024)
		return no_such_key(tsb_view_of(label.p, label.n > 1024 ? 1024 : label.n), err);
	keyfile_name(label, &name);
	at = find(ks, name.hash);
	e = *at;
	if (e != NULL && !still_there(ks, &name, e)) {
		forget(ks, at);
		e = NULL;
	}
	if (e == NULL) {
		if (load(ks, &name, label, &key, &st, err))
			return -1;
		e = remember(ks, &name, key, &st);
	}
	e->used_at = ++ks->clock;
	*out = key_hold(e->key);
	return 0;
}

static int
lock_key(const struct keystore *ks, const struct keyfile_name *name, struct tsb_err *err)
{
	uint32_t number;

	memcpy(&number, name->hash, sizeof(number));
	return dirfile_lock(ks->dir, number >> 1, err); /* below DIRFILE_LOCK_ALL */
}

/* What a key file is made of. */
struct sealing {
	const struct keystore *ks;
	const struct keyfile_name *name;
	const struct hsm_key *k;
	struct tsb_bytes file; /* cleared by its owner */
};

static void
sealing_clear(struct sealing *s)
{
	tsb_bytes_clear(&s->file);
}
#define sealing_auto struct sealing __attribute__((cleanup(sealing_clear)))

/* A tsb_file_content. A key that wears out is told which file it is in; a copy stays one. */
static int
seal(int fd, void *arg, struct tsb_view *file, struct tsb_err *err)
{
	struct sealing *s = arg;
	unsigned char home[DIRFILE_IDENTITY_SIZE];
	struct hsm_key k = *s->k; /* for its home; what it points to is another's */
	tsb_bytes_auto content = {0};

	if (key_is_stateful(&k) && !k.is_copied) {
		if (dirfile_identity(fd, "", home, err))
			return -1;
		k.home = tsb_view_of(home, sizeof(home));
	}
	key_encode(&k, &content);
	keyfile_seal(s->ks->master, s->name->text, tsb_view_bytes(&content), &s->file);
	if (s->file.n > KEYFILE_MAX)
		return tsb_fail(err, TSB_E_INPUT, "policy is larger than the key store takes");
	*file = tsb_view_bytes(&s->file);
	return 0;
}

int
keystore_create(struct keystore *ks, const struct hsm_key *k, struct tsb_err *err)
{
	char count[KEYFILE_NAME_SIZE];
	struct keyfile_name name;
	sealing_auto s = {.ks = ks, .name = &name, .k = k};
	dirfile_lock_auto lock = -1;
	int rc;

	keyfile_name(tsb_view_str(k->label), &name);
	lock = lock_key(ks, &name, err);
	if (lock < 0)
		return -1;
	(void)hook_fault("hsm.create.before");
	if (faccessat(ks->dir, name.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		rc = 1;
	else {
		/* Left over from a removal that was cut short. */
		count_name(&name, count);
		unlinkat(ks->dir, count, 0);
		rc = dirfile_create_with(ks->dir, name.text, seal, &s, 0600, err);
	}
	if (rc > 0)
		return tsb_fail(err, TSB_E_KEY_EXISTS,
		    "Could not create key. The key name is already in use.");
	(void)hook_fault("hsm.create.after");
	return rc;
}

int
keystore_change(struct keystore *ks, struct tsb_view label, keystore_change_fn *change, void *arg,
    struct tsb_err *err)
{
	hsm_key_auto *k = NULL;
	hsm_key_auto *copy = NULL;
	struct keyfile_name name;
	sealing_auto s = {.ks = ks, .name = &name};
	dirfile_lock_auto lock = -1;
	int rc;

	keyfile_name(label, &name);
	lock = lock_key(ks, &name, err);
	if (lock < 0 || keystore_get(ks, label, &k, err) || key_copy(k, &copy, err))
		return -1;
	copy->is_copied = k->is_copied;
	rc = change(copy, arg, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	s.k = copy;
	(void)hook_fault("hsm.change.before");
	if (dirfile_replace_with(ks->dir, name.text, seal, &s, 0600, err))
		return -1;
	(void)hook_fault("hsm.change.after");
	forget(ks, find(ks, name.hash));
	return 0;
}

/* ---- leaves of keys that wear out ---- */

struct leaf_taking {
	const struct hsm_key *of;
	uint32_t leaf, left;
};

/* A key that was deleted and made anew has leaves of its own: they are no leaves of the old one. */
static int
take_leaf(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	struct leaf_taking *t = arg;

	if (!tsb_view_eq(k->spki, t->of->spki))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "key '%s' was made anew at the same time, send the request again", k->label);
	if (k->is_copied)
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY,
		    "key '%s' is in a copied or restored file: which signatures it made meanwhile "
		    "is not known, and one made twice would give the key away; tsb-hsm(8) --settle",
		    k->label);
	if (key_leaves_left(k) == 0)
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY,
		    "key '%s' has made all the %" PRIu32 " signatures that a key of %s can make",
		    k->label, k->leaf, k->set->name);
	t->leaf = k->leaf++;
	t->left = key_leaves_left(k);
	return 0;
}

int
keystore_take_leaf(struct keystore *ks, const struct hsm_key *k, uint32_t *leaf, uint32_t *left,
    struct tsb_err *err)
{
	struct leaf_taking t = {.of = k};

	if (keystore_change(ks, tsb_view_str(k->label), take_leaf, &t, err))
		return -1;
	*leaf = t.leaf;
	*left = t.left;
	return 0;
}

static int
settle(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const uint32_t *leaf = arg;

	if (!key_is_stateful(k))
		return tsb_fail(err, TSB_E_KEY_TYPE,
		    "key '%s' is %s: its signatures are not counted", k->label, key_algorithm(k));
	if (*leaf < k->leaf || *leaf > hbs_leaves(k->set))
		return tsb_fail(err, TSB_E_INPUT,
		    "key '%s' has made at least %" PRIu32 " of %" PRIu32 " signatures: the number "
		    "must be between them",
		    k->label, k->leaf, hbs_leaves(k->set));
	k->leaf = *leaf;
	k->is_copied = false;
	return 0;
}

int
keystore_settle(struct keystore *ks, struct tsb_view label, uint32_t leaf, struct tsb_err *err)
{
	return keystore_change(ks, label, settle, &leaf, err);
}

/* ---- names ---- */

/* What stays when a key gets another name: a rename is cut short between its two files. */
static bool
same_key(const struct hsm_key *a, const struct hsm_key *b)
{
	return a->kind == b->kind && a->create_time == b->create_time &&
	    (a->spki.n > 0 ? tsb_view_eq(a->spki, b->spki)
			   : !a->has_password && !b->has_password &&
			tsb_view_eq(a->private_part, b->private_part));
}

static int
put_renamed(struct keystore *ks, const struct keyfile_name *name, const struct hsm_key *k,
    struct tsb_err *err)
{
	sealing_auto s = {.ks = ks, .name = name, .k = k};
	hsm_key_auto *there = NULL;
	int rc = dirfile_create_with(ks->dir, name->text, seal, &s, 0600, err);

	if (rc <= 0)
		return rc;
	if (keystore_get(ks, tsb_view_str(k->label), &there, err))
		return -1;
	return same_key(k, there)
	    ? 0
	    : tsb_fail(err, TSB_E_KEY_EXISTS, "the key name '%s' is already in use", k->label);
}

int
keystore_rename(struct keystore *ks, struct tsb_view label, struct tsb_view new_label,
    keystore_change_fn *change, void *arg, struct tsb_err *err)
{
	hsm_key_auto *k = NULL;
	hsm_key_auto *copy = NULL;
	char count[KEYFILE_NAME_SIZE], new_count[KEYFILE_NAME_SIZE];
	struct keyfile_name from, to;
	dirfile_lock_auto lock = -1;

	keyfile_name(label, &from);
	keyfile_name(new_label, &to);
	/* one lock at a time: nobody else makes a key of the new name by halves */
	lock = lock_key(ks, &from, err);
	if (lock < 0 || keystore_get(ks, label, &k, err) || key_copy(k, &copy, err) ||
	    change(copy, arg, err) || put_renamed(ks, &to, copy, err))
		return -1;
	(void)hook_fault("hsm.rename.between");
	if (dirfile_remove(ks->dir, from.text, err))
		return -1;
	count_name(&from, count);
	count_name(&to, new_count);
	renameat(ks->dir, count, ks->dir, new_count);
	forget(ks, find(ks, from.hash));
	return 0;
}

int
keystore_remove(struct keystore *ks, struct tsb_view label, keystore_check *check, void *arg,
    struct tsb_err *err)
{
	hsm_key_auto *k = NULL;
	char count[KEYFILE_NAME_SIZE];
	struct keyfile_name name;
	dirfile_lock_auto lock = -1;

	keyfile_name(label, &name);
	lock = lock_key(ks, &name, err);
	if (lock < 0 || keystore_get(ks, label, &k, err) || check(k, arg, err) ||
	    dirfile_remove(ks->dir, name.text, err))
		return -1;
	count_name(&name, count);
	unlinkat(ks->dir, count, 0);
	forget(ks, find(ks, name.hash));
	return 0;
}

/* ---- list ---- */

static int
compare_labels(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
read_label(struct keystore *ks, const char *name, struct arena *a, const char **label,
    struct tsb_err *err)
{
	tsb_bytes_auto file = {0};
	tsb_bytes_auto content = {0};
	struct tsb_view v;
	struct stat st;
	int rc = dirfile_read(ks->dir, name, KEYFILE_MAX, &file, &st, err);

	*label = NULL;
	if (rc)
		return rc < 0 ? -1 : 0; /* somebody removed it meanwhile */
	if (keyfile_open(ks->master, name, tsb_view_bytes(&file), &content, err) ||
	    key_decode_label(tsb_view_bytes(&content), &v, err))
		return -1;
	*label = arena_strn(a, v.p, v.n);
	return 0;
}

struct list {
	const char **v;
	size_t n, room;
};

static void
list_add(struct list *l, struct arena *a, const char *label)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		const char **v = arena_array(a, room, sizeof(*v));

		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		l->room = room;
	}
	l->v[l->n++] = label;
}

/* An unreadable file hides its own key only. */
static void
list_file(struct keystore *ks, const char *name, struct arena *a, struct list *l)
{
	const char *label;
	struct tsb_err err;

	if (read_label(ks, name, a, &label, &err))
		log_failure(LOG_ERROR, "key store", &err);
	else if (label != NULL)
		list_add(l, a, label);
}

int
keystore_list(struct keystore *ks, struct arena *a, const char ***labels, size_t *n,
    struct tsb_err *err)
{
	DIR *d = dirfile_list(ks->dir, err);
	struct list list = {0};
	struct dirent *entry;

	if (d == NULL)
		return -1;
	while ((entry = readdir(d)))
		if (keyfile_is_one(entry->d_name))
			list_file(ks, entry->d_name, a, &list);
	closedir(d);
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), compare_labels);
	*labels = list.v;
	*n = list.n;
	return 0;
}

int
keystore_totals(struct keystore *ks, struct census_totals *out, struct tsb_err *err)
{
	return census_take(&ks->census, ks->dir, ks->master, out, err);
}

struct keystore_place
keystore_place(const struct keystore *ks)
{
	return (struct keystore_place){ks->dir, ks->master};
}
