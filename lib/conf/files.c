#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/conf/files.h"

#define PEM_MAX (64 * 1024)

static int
secret_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	const char *path = conf->secret_key_file;
	arena_auto a = {0};
	struct tsb_view text, key;

	if (path == NULL)
		return 0;
	if (tsb_file_load(path, 1024, &a, &text, err))
		return -1;
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (!enc_hex_decode(text, &a, &key) || key.n != sizeof(f->secret))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "general.secretKeyFile: %s must hold 64 hex digits (openssl rand -hex 32)",
		    path);
	memcpy(f->secret, key.p, key.n);
	f->has_secret = true;
	return 0;
}

/* ---- signers ---- */

/* Certificates (as keys when keys is set) of the files, for as long as the process lives. */
static int
certificates_load(struct broker_files *f, const struct conf_list *files, bool keys,
    struct tsb_view **out, size_t *n, struct tsb_err *err)
{
	struct tsb_view pem, der, spki;

	*out = arena_array(&f->arena, files->n, sizeof(**out));
	for (*n = 0; *n < files->n; (*n)++) {
		if (tsb_file_load(files->v[*n], PEM_MAX, &f->arena, &pem, err) ||
		    crypto_pem_to_der(pem, &f->arena, &der, err) ||
		    crypto_cert_spki(der, &f->arena, &spki, err))
			return -1;
		(*out)[*n] = keys ? spki : der;
	}
	return 0;
}

static int
signers_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	if (certificates_load(f, &conf->timestamp_signers, false, &f->signers, &f->nsigners, err))
		return -1;
	return certificates_load(f, &conf->request_signers, true, &f->request_signers,
	    &f->nrequest_signers, err);
}

/* ---- pins of the profile air-gapped ---- */

#define PEM_END "-----END "
/* Most keys in one file, which may be a list of approvers. */
#define KEYS_MAX (PEM_MAX / 64)

/* Takes the next PEM block off text, or all that is left when no block ends there. */
static struct tsb_view
pem_next(struct tsb_view *text)
{
	struct tsb_view block = *text;
	const unsigned char *end = memmem(text->p, text->n, PEM_END, strlen(PEM_END)), *lf;

	lf = end == NULL ? NULL : memchr(end, '\n', text->n - (size_t)(end - text->p));
	if (lf != NULL)
		block.n = (size_t)(lf - text->p) + 1;
	text->p += block.n;
	text->n -= block.n;
	return block;
}

static bool
is_blank(struct tsb_view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (memchr(" \t\r\n", v.p[i], 4) == NULL)
			return false;
	return true;
}

/* Public keys of one file: PEM blocks of keys or certificates, one after the other. */
static int
key_file_load(struct broker_files *f, const char *setting, const char *path, struct tsb_view **keys,
    size_t *n, struct tsb_err *err)
{
	struct tsb_view text, der;
	struct tsb_err why;

	*keys = arena_array(&f->arena, KEYS_MAX, sizeof(**keys));
	*n = 0;
	if (tsb_file_load(path, PEM_MAX, &f->arena, &text, &why))
		return tsb_fail(err, why.code, "%s: %s", setting, why.msg);
	do {
		if (*n == KEYS_MAX)
			return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "%s: %s has too many keys",
			    setting, path);
		if (crypto_pem_to_der(pem_next(&text), &f->arena, &der, &why) ||
		    crypto_public_key(der, &f->arena, &(*keys)[*n], &why))
			return tsb_fail(err, why.code, "%s: %s, key %zu: %s", setting, path, *n + 1,
			    why.msg);
		(*n)++;
	} while (!is_blank(text));
	return 0;
}

static int
keys_load(struct broker_files *f, const char *setting, const struct conf_list *files,
    struct tsb_view **out, size_t *n, struct tsb_err *err)
{
	struct tsb_view *keys, *all;
	size_t nkeys;

	*n = 0;
	*out = NULL;
	for (size_t i = 0; i < files->n; i++) {
		if (key_file_load(f, setting, files->v[i], &keys, &nkeys, err))
			return -1;
		all = arena_array(&f->arena, *n + nkeys, sizeof(*all));
		for (size_t k = 0; k < *n + nkeys; k++)
			all[k] = k < *n ? (*out)[k] : keys[k - *n];
		*out = all;
		*n += nkeys;
	}
	return 0;
}

static int
sites_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	struct tsb_view *keys;
	size_t n;

	if (keys_load(f, "airGapped.offlineSiteKeyFile", &conf->offline_site_keys, &keys, &n, err))
		return -1;
	f->offline_sites = arena_array(&f->arena, n, sizeof(*f->offline_sites));
	for (size_t i = 0; i < n; i++)
		f->offline_sites[i].spki = keys[i];
	f->noffline_sites = n;
	return 0;
}

static int
site_key_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	arena_auto a = {0};
	struct tsb_view pem;
	struct tsb_err why;

	if (conf->site_key_file == NULL)
		return 0;
	if (tsb_file_load(conf->site_key_file, PEM_MAX, &a, &pem, &why) ||
	    crypto_private_load(pem, NULL, &f->site_key, &why))
		return tsb_fail(err, why.code, "airGapped.siteKeyFile: %s", why.msg);
	return 0;
}

/* Only the API uses these: the dispatcher needs no right to read the files. */
static int
pins_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	if (keys_load(f, "airGapped.attestationKeyFile", &conf->attestation_keys,
		&f->attestation_keys, &f->nattestation_keys, err) ||
	    keys_load(f, "airGapped.approverFile", &conf->offline_approvers, &f->offline_approvers,
		&f->noffline_approvers, err) ||
	    sites_load(conf, f, err))
		return -1;
	return site_key_load(conf, f, err);
}

int
broker_files_load(const struct broker_conf *conf, enum store_login login, struct broker_files *f,
    struct tsb_err *err)
{
	if (secret_load(conf, f, err) || signers_load(conf, f, err))
		return -1;
	return broker_air_gapped(conf) && login == LOGIN_API ? pins_load(conf, f, err) : 0;
}

void
broker_files_clear(struct broker_files *f)
{
	if (f->site_key != NULL)
		crypto_private_free(&f->site_key);
	arena_clear(&f->arena);
	tsb_wipe(f->secret, sizeof(f->secret));
	f->has_secret = false;
}
