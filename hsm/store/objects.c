#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/ska/tlv.h"

#include "hsm/store/dirfile.h"
#include "hsm/store/keyfile.h"
#include "hsm/store/objects.h"

#define SUFFIX     ".obj" /* as long as that of keys */
#define OBJECT_MAX (128 * 1024)

/* Elements of the content (docs/key-store.md). */
enum object_tag { OBJECT_TAG_NAME = 0x6101, OBJECT_TAG_FLAGS = 0x6102, OBJECT_TAG_VALUE = 0x6103 };
enum object_flag { OBJECT_PRIVATE = 1, OBJECT_MODIFIABLE = 2, OBJECT_DESTROYABLE = 4 };
#define OBJECT_FLAGS_ALL 7u

static void
file_name(struct tsb_view name, struct keyfile_name *out)
{
	keyfile_name(name, out);
	memcpy(out->text + 2 * CRYPTO_SHA256_SIZE, SUFFIX, sizeof(SUFFIX));
}

static bool
is_object_file(const char *name)
{
	return strlen(name) == KEYFILE_NAME_SIZE - 1 &&
	    strcmp(name + 2 * CRYPTO_SHA256_SIZE, SUFFIX) == 0;
}

static void
encode(const struct data_object *o, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	tlv_put(&body, OBJECT_TAG_NAME, tsb_view_str(o->name));
	tlv_put_u32(&body, OBJECT_TAG_FLAGS,
	    (o->is_private ? OBJECT_PRIVATE : 0) | (o->modifiable ? OBJECT_MODIFIABLE : 0) |
		(o->destroyable ? OBJECT_DESTROYABLE : 0));
	tlv_put(&body, OBJECT_TAG_VALUE, o->value);
	tlv_put_container(out, tsb_view_bytes(&body));
}

static int
decode(struct tsb_view content, struct arena *a, struct data_object *out, struct tsb_err *err)
{
	struct tsb_view name, value;
	struct tlv_reader r;
	uint32_t flags;

	if (tlv_open(content, "data object", &r, err) ||
	    tlv_take(&r, OBJECT_TAG_NAME, &name, err) ||
	    tlv_take_u32(&r, OBJECT_TAG_FLAGS, &flags, err) ||
	    tlv_take(&r, OBJECT_TAG_VALUE, &value, err) || tlv_end(&r, err) ||
	    flags > OBJECT_FLAGS_ALL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "a data object does not decode");
	*out = (struct data_object){
	    .name = arena_strn(a, name.p, name.n),
	    .value = arena_view(a, value),
	    .is_private = flags & OBJECT_PRIVATE,
	    .modifiable = flags & OBJECT_MODIFIABLE,
	    .destroyable = flags & OBJECT_DESTROYABLE,
	};
	return 0;
}

/* 1 when there is no such file. */
static int
read_file(struct keystore_place p, const char *file_name, struct arena *a, struct data_object *out,
    struct tsb_err *err)
{
	tsb_bytes_auto file = {0};
	tsb_bytes_auto content = {0};
	struct stat st;
	int rc = dirfile_read(p.dir, file_name, OBJECT_MAX, &file, &st, err);

	if (rc != 0)
		return rc;
	return keyfile_open(p.master, file_name, tsb_view_bytes(&file), &content, err) ||
		decode(tsb_view_bytes(&content), a, out, err)
	    ? -1
	    : 0;
}

int
objects_create(const struct keystore *ks, const struct data_object *o, struct tsb_err *err)
{
	const struct keystore_place p = keystore_place(ks);
	tsb_bytes_auto content = {0};
	tsb_bytes_auto file = {0};
	struct keyfile_name name;
	int rc;

	file_name(tsb_view_str(o->name), &name);
	encode(o, &content);
	keyfile_seal(p.master, name.text, tsb_view_bytes(&content), &file);
	rc = dirfile_create(p.dir, name.text, tsb_view_bytes(&file), 0600, err);
	if (rc > 0)
		return tsb_fail(err, TSB_E_DATA_OBJECT_EXISTS,
		    "there is a data object '%s' already", o->name);
	return rc;
}

int
objects_get(const struct keystore *ks, struct tsb_view name, struct arena *a,
    struct data_object *out, struct tsb_err *err)
{
	struct keyfile_name file;
	int rc;

	file_name(name, &file);
	rc = read_file(keystore_place(ks), file.text, a, out, err);
	if (rc > 0)
		return tsb_fail(err, TSB_E_DATA_OBJECT_NOT_EXISTENT,
		    "there is no data object '%.*s'", (int)name.n, (const char *)name.p);
	return rc;
}

int
objects_remove(const struct keystore *ks, struct tsb_view name, struct tsb_err *err)
{
	struct data_object o;
	struct keyfile_name file;
	arena_auto a = {0};

	if (objects_get(ks, name, &a, &o, err))
		return -1;
	if (!o.destroyable)
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY, "data object '%s' is not destroyable",
		    o.name);
	file_name(name, &file);
	return dirfile_remove(keystore_place(ks).dir, file.text, err);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
objects_count(const struct keystore *ks, size_t *n, struct tsb_err *err)
{
	DIR *d = dirfile_list(keystore_place(ks).dir, err);
	struct dirent *entry;

	if (d == NULL)
		return -1;
	*n = 0;
	while ((entry = readdir(d)) != NULL)
		*n += is_object_file(entry->d_name);
	closedir(d);
	return 0;
}

int
objects_list(const struct keystore *ks, struct arena *a, const char ***names, size_t *n,
    struct tsb_err *err)
{
	const struct keystore_place p = keystore_place(ks);
	struct data_object o;
	struct dirent *entry;
	struct tsb_err why;
	size_t most;
	DIR *d;

	if (objects_count(ks, &most, err))
		return -1;
	*names = arena_array(a, most, sizeof(**names));
	*n = 0;
	d = dirfile_list(p.dir, err);
	if (d == NULL)
		return -1;
	while ((entry = readdir(d)) != NULL && *n < most) {
		int rc;

		if (!is_object_file(entry->d_name))
			continue;
		rc = read_file(p, entry->d_name, a, &o, &why);
		if (rc < 0)
			log_failure(LOG_ERROR, "data objects", &why);
		else if (rc == 0)
			(*names)[(*n)++] = o.name;
	}
	closedir(d);
	if (*n > 0)
		qsort(*names, *n, sizeof(**names), compare_names);
	return 0;
}
