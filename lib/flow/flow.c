#include "lib/first.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "lib/flow/flow.h"
#include "lib/flow/keycache.h"

struct flow *
flow_new(const struct broker_conf *conf, enum store_login login, const char *owner,
    const struct flow_rooms *rooms, struct tsb_err *err)
{
	struct store_conf db = broker_store_conf(conf, login);
	struct hsm_conf hsm = broker_hsm_conf(conf);
	struct flow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		fatal("out of memory: process state");
	f->owner = tsb_strdup(owner);
	f->conf = conf;
	f->rooms = rooms;
	f->air_gapped = broker_air_gapped(conf);
	f->wake_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	f->keys = flow_key_cache_new();
	crypto_approver_rsa_min((unsigned)conf->approver_rsa_bits);
	if (broker_files_load(conf, login, &f->files, err) ||
	    (!f->air_gapped && (f->hsm = hsm_new(&hsm, err)) == NULL)) {
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
	broker_files_clear(&f->files);
	free(f->owner);
	free(f);
	*fp = NULL;
}

void
flow_linger(struct flow *f)
{
	store_linger(f->store);
}

bool
flow_lingers(const struct flow *f)
{
	return store_lingers(f->store);
}

void
flow_idle(struct flow *f)
{
	store_idle(f->store);
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
