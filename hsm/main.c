/*
 * tsb-hsm: a software HSM that enforces Smart Key Attributes, as a FastCGI responder behind a web
 * server.
 *
 * User: its own, which nobody else runs as; started as root it becomes that user before it touches
 * the key store. Holds: the master key and all keys. Descriptors: the FastCGI socket, the key
 * store, the log; it opens no connection. Promises: no key leaves the process, no core file, no
 * debugger.
 */
#include "lib/first.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/program.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "hsm/app.h"
#include "hsm/key/make.h"
#include "hsm/serve/access.h"
#include "hsm/soft/soft.h"
#include "hsm/store/dirfile.h"
#include "hsm/store/masterkey.h"

struct hsm_process {
	struct hsm_settings conf;
	bool init; /* make the store and exit */
	bool checks; /* -n: nothing is made */
	bool was_root; /* and has become the user who serves */
	const char *settle; /* KEY=N: see settle() */
	const char *user; /* from the command line, else from the settings */
	unsigned char master[CRYPTO_BOX_KEY_SIZE];
	const struct web_auth *auth; /* lives as long as the process */
};

/* ---- rights ---- */

/* All that root is needed for: a directory and a master key inside those that belong to root. */
static int
prepare_as_root(const struct hsm_process *hsm, const struct passwd *pw, struct tsb_err *err)
{
	const char *path = hsm->conf.directory;

	if (hsm->checks || (!hsm->init && !hsm->conf.create))
		return 0;
	if (mkdir(path, 0700) == 0 ? chown(path, pw->pw_uid, pw->pw_gid) != 0 : errno != EEXIST)
		return tsb_fail(err, TSB_E_IO, "cannot make %s: %s", path, strerror(errno));
	return masterkey_prepare(&hsm->conf, pw->pw_uid, pw->pw_gid, err);
}

static int
become_user(struct hsm_process *hsm, struct tsb_err *err)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	const char *name = hsm->user != NULL ? hsm->user : hsm->conf.user;
	const struct passwd *pw = name != NULL ? getpwnam(name) : NULL;

	if (name == NULL)
		return 0;
	if (pw == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "user %s does not exist", name);
	if (geteuid() == pw->pw_uid)
		return 0;
	if (geteuid() != 0)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "only root can become user %s", name);
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (prepare_as_root(hsm, pw, err))
		return -1;
	if (initgroups(name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return tsb_fail(err, TSB_E_INIT, "cannot become user %s: %s", name,
		    strerror(errno));
	hsm->was_root = true;
	return 0;
}

/*
 * Keys stay out of swap where the limit allows all memory to be locked; a partial lock would fail
 * later. Locks are not inherited: parent and workers each take theirs.
 */
static void
lock_memory(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE);
}

/* ---- key store and tokens ---- */

static void
close_app(struct hsm_app *app)
{
	keystore_close(&app->ks);
	tokens_close(&app->tokens);
}

static int
open_app(const struct hsm_process *hsm, struct hsm_app *app, struct tsb_err *err)
{
	*app = (struct hsm_app){.conf = &hsm->conf};
	if (tokens_open(&app->tokens, &soft_token, err))
		return -1;
	app->ks = keystore_open(hsm->conf.directory, hsm->master, err);
	if (app->ks != NULL)
		return 0;
	close_app(app);
	return -1;
}

static int
make_system_key(struct hsm_app *app, enum key_system system, const char *label, struct tsb_err *err)
{
	const struct tsb_view no_password = {0};
	hsm_key_auto *k = NULL;

	if (key_make_system(&app->tokens, system, label, clock_now_ms() / 1000, &k, err))
		return -1;
	if (access_store(app, k, no_password, err))
		return err->code == TSB_E_KEY_EXISTS ? 0 : -1; /* another process was faster */
	log_info("system key created name=%s", label);
	return 0;
}

static int
not_system_key(const char *label, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_INTEGRITY_KEY,
	    "key '%s' exists but is not the system key that the settings say", label);
}

/* Does one thing with each system key that the settings name. */
typedef int system_key_fn(struct hsm_app *, enum key_system, const char *label, struct tsb_err *);

static int
each_system_key(struct hsm_app *app, system_key_fn *one, struct tsb_err *err)
{
	const char *const labels[KEY_SYSTEM__MAX] = {
	    [KEY_ATTESTATION] = app->conf->attestation_key,
	    [KEY_TIMESTAMP] = app->conf->timestamp_key,
	    [KEY_RFC_TIMESTAMP] = app->conf->rfc_timestamp_key,
	};

	for (int i = 0; i < KEY_SYSTEM__MAX; i++)
		if (labels[i] != NULL && one(app, (enum key_system)i, labels[i], err))
			return -1;
	return 0;
}

static int
need_system_key(struct hsm_app *app, enum key_system system, const char *label, struct tsb_err *err)
{
	hsm_key_auto *k = NULL;

	if (keystore_get(app->ks, tsb_view_str(label), &k, err)) {
		if (err->code != TSB_E_KEY_NOT_EXISTENT)
			return -1;
		if (make_system_key(app, system, label, err) ||
		    keystore_get(app->ks, tsb_view_str(label), &k, err))
			return -1;
	}
	if (k->system != system)
		return not_system_key(label, err);
	return system == KEY_RFC_TIMESTAMP && k->certificate.n == 0
	    ? access_certify_system(app, label, clock_now_ms() / 1000, err)
	    : 0;
}

/* The parent does this once, so that workers find a complete store. */
static int
prepare_store(struct hsm_process *hsm, struct tsb_err *err)
{
	struct hsm_app app;
	int dir, rc;

	if (masterkey_open(&hsm->conf, hsm->init || hsm->conf.create, hsm->master, err))
		return -1;
	dir = open(hsm->conf.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return tsb_fail(err, TSB_E_IO, "cannot open %s: %s", hsm->conf.directory,
		    strerror(errno));
	rc = dirfile_sweep(dir, err);
	close(dir);
	if (rc || open_app(hsm, &app, err))
		return -1;
	rc = each_system_key(&app, need_system_key, err);
	close_app(&app);
	return rc;
}

/* ---- workers ---- */

static void *
worker_open(void *arg, struct tsb_err *err)
{
	struct hsm_process *hsm = arg;
	struct hsm_app *app = calloc(1, sizeof(*app));
	int rc;

	if (app == NULL)
		fatal("out of memory");
	lock_memory();
	rc = open_app(hsm, app, err);
	tsb_wipe(hsm->master, sizeof(hsm->master)); /* of this process; the parent keeps its own */
	if (rc == 0)
		return app;
	free(app);
	return NULL;
}

static void
worker_close(void *p)
{
	struct hsm_app *app = p;

	close_app(app);
	free(app);
}

static int
serve(struct hsm_process *hsm)
{
	const struct hsm_settings *conf = &hsm->conf;
	struct web_server server = {
	    .program = "tsb-hsm",
	    .routes = hsm_routes,
	    .auth = hsm->auth,
	    .listen = conf->listen,
	    .socket_mode = conf->socket_mode,
	    .workers = conf->workers ? conf->workers : web_default_workers(),
	    .request_max = conf->request_max,
	    .body_max = (size_t)16 * 1024 * 1024,
	    .open = worker_open,
	    .close = worker_close,
	    .arg = hsm,
	};

	return web_run(&server);
}

/* ---- main ---- */

static int
load(const char *path, void *settings, struct tsb_err *err)
{
	return settings_load(path, settings, err);
}

static int
start(struct hsm_process *hsm, struct tsb_err *err)
{
	umask(077);
	if (become_user(hsm, err))
		return -1;
	program_protect_memory();
	lock_memory();
	if (log_open("tsb-hsm", hsm->conf.log_file, settings_log_level(&hsm->conf), err))
		return -1;
	if (geteuid() == 0)
		log_warn("running as root: set server.user");
	crypto_approver_rsa_min((unsigned)hsm->conf.approver_rsa_bits);
	wire_unknown_members_ignore(tsb_streq(hsm->conf.unknown_members, "ignore"));
	key_rsa_min_set(hsm->conf.rsa_bits);
	hsm->auth = web_auth_new(&hsm->conf.auth, err);
	return hsm->auth != NULL ? prepare_store(hsm, err) : -1;
}

/* A system key that is missing is made at start-up; one of another kind is refused. */
static int
check_system_key(struct hsm_app *app, enum key_system system, const char *label,
    struct tsb_err *err)
{
	struct tsb_err why = {0};
	hsm_key_auto *k = NULL;

	if (keystore_get(app->ks, tsb_view_str(label), &k, &why) == 0)
		return k->system == system ? 0 : not_system_key(label, err);
	return why.code == TSB_E_KEY_NOT_EXISTENT
	    ? 0
	    : tsb_fail(err, why.code, "key '%s': %s", label, why.msg);
}

static int
check_store(struct hsm_process *hsm, struct tsb_err *err)
{
	struct hsm_app app;
	int rc = masterkey_check(&hsm->conf, hsm->init || hsm->conf.create, hsm->was_root,
	    hsm->master, err);

	if (rc != 0) /* a store that is still to be made has no keys */
		return rc > 0 ? 0 : -1;
	if (open_app(hsm, &app, err))
		return -1;
	rc = each_system_key(&app, check_system_key, err);
	close_app(&app);
	return rc;
}

/*
 * Who checks as root checks for the user whom systemd starts the program as: the store is theirs.
 */
static void
take_owner(struct hsm_process *hsm)
{
	const struct passwd *pw;
	struct stat st;

	if (geteuid() != 0 || hsm->user != NULL || hsm->conf.user != NULL ||
	    stat(hsm->conf.directory, &st) != 0 || st.st_uid == 0)
		return;
	pw = getpwuid(st.st_uid);
	if (pw != NULL)
		hsm->user = tsb_strdup(pw->pw_name);
}

/* -n: what starting would refuse. The settings are the first member of their process. */
static int
check(void *settings, struct tsb_err *err)
{
	struct hsm_process *hsm = settings;
	struct web_auth *auth;
	int rc;

	hsm->checks = true;
	take_owner(hsm);
	if (become_user(hsm, err) || log_check(hsm->conf.log_file, err) ||
	    web_listen_check(hsm->conf.listen, conf_default(settings_rows, "server", "listen"),
		err))
		return -1;
	if ((auth = web_auth_new(&hsm->conf.auth, err)) == NULL)
		return -1;
	web_auth_free(&auth);
	program_protect_memory();
	rc = check_store(hsm, err);
	tsb_wipe(hsm->master, sizeof(hsm->master));
	return rc;
}

/*
 * A key that wears out and came back from a backup: the operator says how many signatures it made,
 * which the log tells. The service may run meanwhile.
 */
static int
settle_key(struct hsm_process *hsm, struct tsb_err *err)
{
	const char *equals = strrchr(hsm->settle, '=');
	struct hsm_app app;
	long n;
	int rc;

	if (equals == NULL || equals == hsm->settle ||
	    !tsb_str_to_long(equals + 1, 0, UINT32_MAX, &n))
		return tsb_fail(err, TSB_E_INPUT, "--settle takes KEY=N, N the signatures it made");
	if (open_app(hsm, &app, err))
		return -1;
	rc = keystore_settle(app.ks, tsb_view_of(hsm->settle, (size_t)(equals - hsm->settle)),
	    (uint32_t)n, err);
	close_app(&app);
	if (rc == 0)
		log_warn("key settled: %s", hsm->settle);
	return rc;
}

static int
settle(struct hsm_process *hsm)
{
	struct tsb_err err = {0};

	if (settle_key(hsm, &err)) {
		fprintf(stderr, "tsb-hsm: %s\n", err.msg);
		return 1;
	}
	printf("tsb-hsm: settled %s: it signs on from there\n", hsm->settle);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct hsm_process hsm;
	struct program program = {
	    .name = "tsb-hsm",
	    .about = "Software HSM that enforces key policies, as a FastCGI responder.",
	    .settings_path = TSB_SYSCONFDIR "/tsb-hsm.conf",
	    .rows = settings_rows,
	    .load = load,
	    .settings = &hsm.conf,
	    .check = check,
	    .init = &hsm.init,
	    .user = &hsm.user,
	    .settle = &hsm.settle,
	};
	struct tsb_err err = {0};
	int status = program_options(&program, argc, argv);

	if (status >= 0) {
		settings_free(&hsm.conf);
		return status;
	}
	if (start(&hsm, &err)) {
		fprintf(stderr, "tsb-hsm: %s\n", err.msg);
		status = 1;
	} else if (hsm.settle != NULL) {
		status = settle(&hsm);
	} else if (hsm.init) {
		printf("tsb-hsm: key store %s is ready\n", hsm.conf.directory);
		status = 0;
	} else {
		status = serve(&hsm);
	}
	tsb_wipe(hsm.master, sizeof(hsm.master));
	settings_free(&hsm.conf);
	return status;
}
