#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/ska/tlv.h"

#include "hsm/store/dirfile.h"
#include "hsm/store/keyfile.h"
#include "hsm/store/masterkey.h"

#define HEADER               "store"
#define HEADER_MAX           4096
#define HEADER_CHECK         "tsb-hsm key store 1" /* sealed under the master key */
#define PASSPHRASE_LOG_N     16 /* 64 MiB, once per start */
#define PASSPHRASE_LOG_N_MAX 22
#define SALT_SIZE            32

enum header_tag {
	HEADER_TAG_VERSION = 0x6101,
	HEADER_TAG_LOG_N = 0x6102, /* with a passphrase */
	HEADER_TAG_SALT = 0x6103, /* with a passphrase */
	HEADER_TAG_CHECK = 0x6104,
};

struct header {
	bool passphrase;
	uint32_t log_n;
	unsigned char salt[SALT_SIZE];
};

/* ---- the header ---- */

/* The check box is bound to the rest of the header, so that no part can be exchanged. */
static void
header_facts(const struct header *h, struct tsb_bytes *out)
{
	tlv_put_u32(out, HEADER_TAG_VERSION, 1);
	if (h->passphrase) {
		tlv_put_u32(out, HEADER_TAG_LOG_N, h->log_n);
		tlv_put(out, HEADER_TAG_SALT, tsb_view_of(h->salt, sizeof(h->salt)));
	}
}

static void
header_format(const struct header *h, const unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};
	tsb_bytes_auto box = {0};

	header_facts(h, &body);
	crypto_box_seal(key, tsb_view_bytes(&body), tsb_view_str(HEADER_CHECK), &box);
	tlv_put(&body, HEADER_TAG_CHECK, tsb_view_bytes(&box));
	tlv_put_container(out, tsb_view_bytes(&body));
}

static int
header_parse(struct tsb_view file, struct header *h, struct tsb_view *check, struct tsb_err *err)
{
	struct tlv_reader r;
	struct tsb_view salt;
	uint32_t version;

	memset(h, 0, sizeof(*h));
	if (tlv_open(file, "store", &r, err) || tlv_take_u32(&r, HEADER_TAG_VERSION, &version, err))
		return -1;
	if (version != 1)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "the key store has version %u; this program knows version 1", version);
	h->passphrase = tlv_peek(&r) == HEADER_TAG_LOG_N;
	if (h->passphrase) {
		if (tlv_take_u32(&r, HEADER_TAG_LOG_N, &h->log_n, err) ||
		    tlv_take(&r, HEADER_TAG_SALT, &salt, err))
			return -1;
		if (h->log_n < 10 || h->log_n > PASSPHRASE_LOG_N_MAX || salt.n != SALT_SIZE)
			return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
			    "the key store's passphrase parameters are out of range");
		memcpy(h->salt, salt.p, SALT_SIZE);
	}
	if (tlv_take(&r, HEADER_TAG_CHECK, check, err) || tlv_end(&r, err))
		return -1;
	return 0;
}

static int
header_verify(const struct header *h, struct tsb_view check,
    const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	tsb_bytes_auto facts = {0};
	tsb_bytes_auto plain = {0};
	struct tsb_err why;

	header_facts(h, &facts);
	if (crypto_box_open(key, tsb_view_bytes(&facts), check, &plain, &why) ||
	    !tsb_view_eq(tsb_view_bytes(&plain), tsb_view_str(HEADER_CHECK)))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "the %s does not belong to this key store",
		    h->passphrase ? "passphrase" : "master key file");
	return 0;
}

/* ---- the key ---- */

static int
make_key_file(int dir, const char *name, struct tsb_err *err)
{
	unsigned char key[CRYPTO_BOX_KEY_SIZE];
	int rc;

	crypto_random(key, sizeof(key));
	rc = dirfile_create(dir, name, tsb_view_of(key, sizeof(key)), 0400, err);
	tsb_wipe(key, sizeof(key));
	return rc < 0 ? -1 : 0; /* 1: another process was first, and its key counts */
}

static int
read_key_file(int dir, const char *path, const char *name, bool create,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	tsb_bytes_auto file = {0};
	struct stat st;
	int rc = dirfile_read(dir, name, CRYPTO_BOX_KEY_SIZE, &file, &st, err);

	if (rc > 0 && create) {
		if (make_key_file(dir, name, err))
			return -1;
		rc = dirfile_read(dir, name, CRYPTO_BOX_KEY_SIZE, &file, &st, err);
	}
	if (rc > 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT, "master key file %s does not exist",
		    path);
	if (rc < 0)
		return -1;
	if ((st.st_mode & 077) || (st.st_uid != geteuid() && st.st_uid != 0))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "master key file %s must be closed to others (mode 0400)", path);
	if (file.n != CRYPTO_BOX_KEY_SIZE)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "master key file %s must have %d bytes", path, CRYPTO_BOX_KEY_SIZE);
	memcpy(key, file.p, CRYPTO_BOX_KEY_SIZE);
	return 0;
}

static int
key_from_file(const char *path, bool create, unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err)
{
	const char *name;

	if (path[0] != '/')
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "%s must be an absolute path", path);

	tsb_fd_auto dir = tsb_file_folder(path, &name, err);

	return dir < 0 ? -1 : read_key_file(dir, path, name, create, key, err);
}

static int
key_for(const struct hsm_settings *s, const struct header *h, bool create,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	if (!h->passphrase && s->master_key_file == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "the key store was made with a master key file: set keyStore.masterKeyFile");
	if (h->passphrase && s->passphrase == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "the key store was made with a passphrase: set keyStore.passphraseFile");
	if (h->passphrase)
		return crypto_scrypt(tsb_view_str(s->passphrase),
		    tsb_view_of(h->salt, sizeof(h->salt)), h->log_n, key, err);
	return key_from_file(s->master_key_file, create, key, err);
}

/* ---- the store ---- */

static int
refuse_keys_without_header(const char *path, struct tsb_err *err)
{
	struct dirent *entry;
	DIR *d = opendir(path);
	bool found = false;

	if (d == NULL)
		return tsb_fail(err, TSB_E_IO, "cannot list %s: %s", path, strerror(errno));
	while (!found && (entry = readdir(d))) {
		const char *dot = strrchr(entry->d_name, '.');

		found = dot != NULL && strcmp(dot, KEYFILE_SUFFIX) == 0;
	}
	closedir(d);
	if (found)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "key store %s has keys but lost its file \"" HEADER "\": restore it", path);
	return 0;
}

static int
make_header(int dir, const struct hsm_settings *s, unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err)
{
	struct header h = {.passphrase = s->passphrase != NULL, .log_n = PASSPHRASE_LOG_N};
	tsb_bytes_auto file = {0};

	crypto_random(h.salt, sizeof(h.salt));
	if (refuse_keys_without_header(s->directory, err) || key_for(s, &h, true, key, err))
		return -1;
	header_format(&h, key, &file);
	return dirfile_create(dir, HEADER, tsb_view_bytes(&file), 0600, err) < 0 ? -1 : 0;
}

static int
open_header(int dir, const struct hsm_settings *s, bool create,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	dirfile_lock_auto lock = dirfile_lock(dir, DIRFILE_LOCK_ALL, err);
	tsb_bytes_auto file = {0};
	struct tsb_view check;
	struct header h;
	struct stat st;
	int rc;

	if (lock < 0)
		return -1;
	rc = dirfile_read(dir, HEADER, HEADER_MAX, &file, &st, err);
	if (rc > 0 && create)
		return make_header(dir, s, key, err);
	if (rc > 0 && refuse_keys_without_header(s->directory, err))
		return -1;
	if (rc > 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "key store %s is not there yet: run tsb-hsm --init", s->directory);
	if (rc < 0 || header_parse(tsb_view_bytes(&file), &h, &check, err) ||
	    key_for(s, &h, false, key, err))
		return -1;
	return header_verify(&h, check, key, err);
}

static bool
has_header(const char *directory)
{
	tsb_fd_auto dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir >= 0 && faccessat(dir, HEADER, F_OK, 0) == 0;
}

int
masterkey_prepare(const struct hsm_settings *s, uid_t uid, gid_t gid, struct tsb_err *err)
{
	const char *path = s->master_key_file, *name;
	struct stat st;

	if (path == NULL || path[0] != '/' || has_header(s->directory))
		return 0;

	tsb_fd_auto dir = tsb_file_folder(path, &name, err);

	if (dir < 0)
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (make_key_file(dir, name, err))
		return -1;
	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
		return tsb_fail(err, TSB_E_IO, "cannot give %s to the user of tsb-hsm: %s", path,
		    strerror(errno));
	return 0;
}

int
masterkey_open(const struct hsm_settings *s, bool create, unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err)
{
	int dir, rc;

	if (create && mkdir(s->directory, 0700) && errno != EEXIST)
		return tsb_fail(err, TSB_E_IO, "cannot make %s: %s", s->directory, strerror(errno));
	dir = open(s->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "cannot open key store %s: %s (tsb-hsm --init makes it)", s->directory,
		    strerror(errno));
	rc = open_header(dir, s, create, key, err);
	close(dir);
	return rc;
}

/* What is made in the folder of path can be made there, by root or by the user that this is now. */
static int
check_place(const char *path, bool by_root, struct tsb_err *err)
{
	const char *name;
	tsb_fd_auto folder = tsb_file_folder(path, &name, err);

	if (folder < 0)
		return -1;
	if (!by_root && faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return tsb_fail(err, TSB_E_IO, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

int
masterkey_check(const struct hsm_settings *s, bool create, bool by_root,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	if (masterkey_open(s, false, key, err) == 0)
		return 0;
	/* an old store gets no new key */
	if (!create || err->code != TSB_E_CONFIG_NOT_EXISTENT || has_header(s->directory))
		return -1;
	if (access(s->directory, F_OK) != 0 && check_place(s->directory, by_root, err))
		return -1;
	if (s->master_key_file != NULL && key_from_file(s->master_key_file, false, key, err) != 0 &&
	    (err->code != TSB_E_CONFIG_NOT_EXISTENT ||
		check_place(s->master_key_file, by_root, err)))
		return -1;
	return 1;
}
