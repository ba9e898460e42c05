#include "lib/first.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/flow/internal.h"

/* Whole small file into the arena. */
static int
file_read(const char *path, size_t max, struct arena *a, struct tsb_view *out, struct tsb_err *err)
{
	FILE *f = fopen(path, "re");
	char *text = arena_alloc(a, max + 1);
	size_t n;

	if (f == NULL)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND, "%s: %s", path, strerror(errno));
	setvbuf(f, NULL, _IONBF, 0);
	n = fread(text, 1, max + 1, f);
	fclose(f);
	if (n > max)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "%s is longer than %zu bytes", path, max);
	*out = tsb_view_of(text, n);
	return 0;
}

static int
secret_load(struct flow *f, struct tsb_err *err)
{
	const char *path = f->conf->secret_key_file;
	arena_auto a = {0};
	struct tsb_view text, key;

	if (path == NULL)
		return 0;
	if (file_read(path, 1024, &a, &text, err))
		return -1;
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (!enc_hex_decode(text, &a, &key) || key.n != sizeof(f->secret))
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID,
		    "general.secretKeyFile: %s must hold 64 hex digits (openssl rand -hex 32)", path);
	memcpy(f->secret, key.p, key.n);
	f->has_secret = true;
	return 0;
}

/* Certificates (as keys when keys is set) of the files, for as long as the process lives. */
static int
certificates_load(struct flow *f, const struct conf_list *files, bool keys, struct tsb_view **out,
    size_t *n, struct tsb_err *err)
{
	struct tsb_view pem, der, spki;

	*out = arena_array(&f->process, files->n, sizeof(**out));
	for (*n = 0; *n < files->n; (*n)++) {
		if (file_read(files->v[*n], 64 * 1024, &f->process, &pem, err) ||
		    crypto_pem_to_der(pem, &f->process, &der, err) ||
		    crypto_cert_spki(der, &f->process, &spki, err))
			return -1;
		(*out)[*n] = keys ? spki : der;
	}
	return 0;
}

static int
signers_load(struct flow *f, struct tsb_err *err)
{
	if (certificates_load(f, &f->conf->timestamp_signers, false, &f->signers, &f->nsigners, err))
		return -1;
	return certificates_load(f, &f->conf->request_signers, true, &f->request_signers,
	    &f->nrequest_signers, err);
}

struct flow *
flow_new(const struct broker_conf *conf, enum store_login login, const char *owner,
    struct tsb_err *err)
{
	struct store_conf db = broker_store_conf(conf, login);
	struct hsm_conf hsm = broker_hsm_conf(conf);
	struct flow *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->owner = strdup(owner)) == NULL)
		fatal("out of memory: process state");
	f->conf = conf;
	f->wake_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	f->keys = flow_key_cache_new();
	if (secret_load(f, err) || signers_load(f, err) || (f->hsm = hsm_new(&hsm, err)) == NULL) {
		flow_free(&f);
		return NULL;
	}
	f->store = store_new(&db, login);
	return f;
}

void
flow_free(struct flow **fp)
{
	struct flow *f = *fp;

	if (f == NULL)
		return;
	if (f->hsm != NULL)
		hsm_free(&f->hsm);
	if (f->store != NULL)
		store_free(&f->store);
	if (f->wake_fd >= 0)
		close(f->wake_fd);
	flow_key_cache_free(&f->keys);
	arena_clear(&f->process);
	tsb_wipe(f->secret, sizeof(f->secret));
	free(f->owner);
	free(f);
	*fp = NULL;
}

struct hsm *
flow_hsm(struct flow *f)
{
	return f->hsm;
}

static void
wake_one(struct flow *f, const char *path, const char *text)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	/* nobody there or a full queue: the dispatcher's own clock finds the request */
	if (sendto(f->wake_fd, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&to,
		sizeof(to)) < 0)
		log_debug("dispatcher at %s not woken: %s", path, strerror(errno));
}

void
flow_wake(struct flow *f, const struct tsb_uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	for (size_t i = 0; i < f->conf->wake.n; i++)
		wake_one(f, f->conf->wake.v[i], text);
	if (f->conf->wake.n == 0)
		wake_one(f, f->conf->wake_listen, text);
}
