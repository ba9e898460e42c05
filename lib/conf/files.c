#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/conf/files.h"
#include "lib/crypto/pem.h"
#include "lib/http/endpoint.h"

#define PEM_MAX    (64 * 1024)
#define BUNDLE_MAX (4 * 1024 * 1024) /* all CAs of a system are some 200 KiB */

static int
secret_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	const char *path = conf->secret_key_file;
	arena_auto a = {0};
	struct tsb_view text, key;
	struct tsb_err why;

	if (path == NULL)
		return 0;
	if (tsb_file_load(path, 1024, &a, &text, &why))
		return tsb_fail(err, why.code, "general.secretKeyFile: %s", why.msg);
	text = tsb_text_start(text);
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

/* All that files of a setting hold of these kinds; a message names setting and file. */
static int
blocks_load(const char *setting, const char *path, unsigned kinds, struct arena *a,
    struct pem_blocks *out, struct tsb_err *err)
{
	struct tsb_view text;
	struct tsb_err why;

	if (tsb_file_load(path, PEM_MAX, a, &text, &why))
		return tsb_fail(err, why.code, "%s: %s", setting, why.msg);
	if (crypto_pem_all(text, kinds, a, out, &why))
		return tsb_fail(err, why.code, "%s: %s: %s", setting, path, why.msg);
	if (out->issuers > 0)
		log_info("%s: %s holds a chain of certificates: its leaf counts", setting, path);
	return 0;
}

/* Certificates (as keys when keys is set), the first of each file, for as long as f lives. */
static int
certificates_load(struct broker_files *f, const char *setting, const struct conf_list *files,
    bool keys, struct tsb_view **out, size_t *n, struct tsb_err *err)
{
	struct pem_blocks blocks;
	struct tsb_view spki;
	struct tsb_err why;

	*out = arena_array(&f->arena, files->n, sizeof(**out));
	for (*n = 0; *n < files->n; (*n)++) {
		if (blocks_load(setting, files->v[*n], PEM_CERTIFICATE, &f->arena, &blocks, err))
			return -1;
		if (crypto_cert_spki(blocks.v[0].der, &f->arena, &spki, &why))
			return tsb_fail(err, why.code, "%s: %s: %s", setting, files->v[*n],
			    why.msg);
		(*out)[*n] = keys ? spki : blocks.v[0].der;
	}
	return 0;
}

static int
signers_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	if (certificates_load(f, "general.allowedTimestampSigningCertificates",
		&conf->timestamp_signers, false, &f->signers, &f->nsigners, err))
		return -1;
	return certificates_load(f, "general.allowedRequestCertificates", &conf->request_signers,
	    true, &f->request_signers, &f->nrequest_signers, err);
}

/* ---- pins of the profile air-gapped ---- */

/* Public keys of one file: keys or certificates, one after the other. */
static int
key_file_load(struct broker_files *f, const char *setting, const char *path, struct tsb_view **keys,
    size_t *n, struct tsb_err *err)
{
	struct pem_blocks blocks;
	struct tsb_err why;

	if (blocks_load(setting, path, PEM_CERTIFICATE | PEM_PUBLIC_KEY, &f->arena, &blocks, err))
		return -1;
	*keys = arena_array(&f->arena, blocks.n, sizeof(**keys));
	for (*n = 0; *n < blocks.n; (*n)++)
		if (crypto_public_key(blocks.v[*n].der, &f->arena, &(*keys)[*n], &why))
			return tsb_fail(err, why.code, "%s: %s, key %zu: %s", setting, path, *n + 1,
			    why.msg);
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

/* They approve like those whom policies name. */
static int
approvers_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	const char *setting = "airGapped.approverFile";
	struct tsb_err why;

	if (keys_load(f, setting, &conf->offline_approvers, &f->offline_approvers,
		&f->noffline_approvers, err))
		return -1;
	for (size_t i = 0; i < f->noffline_approvers; i++)
		if (crypto_approver_check(f->offline_approvers[i], &why))
			return tsb_fail(err, why.code, "%s: approver %zu: %s", setting, i + 1,
			    why.msg);
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
	    approvers_load(conf, f, err) || sites_load(conf, f, err))
		return -1;
	return site_key_load(conf, f, err);
}

/* Files that libraries open when they first connect: a mistake shows at the start. */
static int
tls_check(const struct broker_conf *conf, enum store_login login, struct tsb_err *err)
{
	const struct {
		const char *setting, *path;
		enum store_login of; /* 0 = of all */
	} files[] = {
	    {"hsm.caFile", conf->hsm_ca, 0},
	    {"hsm.certificateFile", conf->hsm_cert, 0},
	    {"hsm.keyFile", conf->hsm_key, 0},
	    {"database.tlsCaFile", conf->db_tls_ca, 0},
	    {"automatedApproval.caFile", conf->automated_ca, LOGIN_DISPATCHER},
	    {"automatedApproval.certificateFile", conf->automated_cert, LOGIN_DISPATCHER},
	    {"automatedApproval.keyFile", conf->automated_key, LOGIN_DISPATCHER},
	};

	for (size_t i = 0; i < TSB_COUNT(files); i++) {
		arena_auto a = {0};
		struct tsb_view text;
		struct tsb_err why;

		if (files[i].path == NULL || (files[i].of != 0 && files[i].of != login))
			continue;
		if (tsb_file_load(files[i].path, BUNDLE_MAX, &a, &text, &why))
			return tsb_fail(err, why.code, "%s: %s", files[i].setting, why.msg);
		if (!crypto_pem_has(text))
			return tsb_fail(err, TSB_E_READING_PEM, "%s: %s holds no PEM",
			    files[i].setting, files[i].path);
	}
	return 0;
}

/* ---- automated approvers ---- */

/* Tasks hold payloads, and what callers wrote about them. */
static int
service_address_check(const char *url, struct tsb_err *err)
{
	struct endpoint_list list;
	bool plain = false;

	if (endpoint_list_init(&list, url, err))
		return -1;
	for (size_t i = 0; i < list.n; i++)
		plain |= list.v[i].plain || list.v[i].fastcgi;
	endpoint_list_clear(&list);
	if (plain)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "%s must begin with https://, or be on this machine", url);
	return 0;
}

static int
service_approver_load(struct broker_files *f, const char *setting, const char *path,
    struct broker_service *s, struct tsb_err *err)
{
	struct pem_blocks blocks;
	struct tsb_err why;

	if (blocks_load(setting, path, PEM_CERTIFICATE | PEM_PUBLIC_KEY, &f->arena, &blocks, err))
		return -1;
	if (blocks.n != 1)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "%s: %s must hold one key or certificate", setting, path);
	if (crypto_public_key(blocks.v[0].der, &f->arena, &s->spki, &why) ||
	    crypto_approver_check(s->spki, &why))
		return tsb_fail(err, why.code, "%s: %s: %s", setting, path, why.msg);
	if (!tsb_view_eq(s->spki, blocks.v[0].der))
		s->certificate = blocks.v[0].der;
	return 0;
}

/* "ADDRESS FILE": addresses have no blanks. */
static int
services_load(const struct broker_conf *conf, struct broker_files *f, struct tsb_err *err)
{
	const char *setting = "automatedApproval.service";
	const struct conf_list *list = &conf->automated_services;
	struct tsb_err why;

	f->services = arena_array(&f->arena, list->n, sizeof(*f->services));
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->v[i], *path = text + strcspn(text, " \t");
		struct broker_service *s = &f->services[i];

		s->url = arena_strn(&f->arena, text, (size_t)(path - text));
		path += strspn(path, " \t");
		if (*path == '\0')
			return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
			    "%s: an address, a blank and a file of the approver's key", setting);
		if (service_address_check(s->url, &why))
			return tsb_fail(err, why.code, "%s: %s", setting, why.msg);
		if (service_approver_load(f, setting, path, s, err))
			return -1;
		for (size_t k = 0; k < i; k++)
			if (tsb_view_eq(f->services[k].spki, s->spki))
				return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
				    "%s: two services approve in the name of one approver",
				    setting);
	}
	f->nservices = list->n;
	return 0;
}

int
broker_files_load(const struct broker_conf *conf, enum store_login login, struct broker_files *f,
    struct tsb_err *err)
{
	if (secret_load(conf, f, err) || signers_load(conf, f, err) || tls_check(conf, login, err))
		return -1;
	if (login == LOGIN_DISPATCHER && services_load(conf, f, err))
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
