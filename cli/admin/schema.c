/* tsb-admin schema: needs the admin login of tsb.conf and nothing else of the broker. */
#include "lib/first.h"

#include <pwd.h>
#include <unistd.h>

#include "lib/conf/settings.h"
#include "lib/store/store.h"

#include "cli/admin/commands.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

static void
free_store(struct store **s)
{
	store_free(s);
}

struct admin {
	struct broker_conf conf;
	struct store_conf login;
};
#define store_auto struct store __attribute__((cleanup(free_store)))
#define admin_auto struct admin __attribute__((cleanup(free_admin)))

static void
free_admin(struct admin *a)
{
	broker_conf_free(&a->conf);
}

/* Whom the server knows by the socket, without a password. */
static const char *
caller(struct cli *c)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw != NULL ? arena_str(&c->arena, pw->pw_name) : NULL;
}

static int
load(struct cli *c, struct admin *a)
{
	const char *path =
	    c->opt[OPT_CONFIG] != NULL ? c->opt[OPT_CONFIG] : broker_conf_default_path;

	a->conf.login = LOGIN_ADMIN;
	if (broker_conf_load(path, &a->conf, &c->err))
		return -1;
	a->login = broker_store_conf(&a->conf, LOGIN_ADMIN);
	if (a->login.user == NULL)
		a->login.user = caller(c);
	if (a->login.user == NULL || !*a->login.user)
		return tsb_fail(&c->err, TSB_E_CONFIG_NOT_EXISTENT,
		    "%s has no admin login: set database.adminUser and its password", path);
	return 0;
}

static int
database_failed(struct cli *c)
{
	if (c->err.code == TSB_E_CONNECTIVITY)
		c->exit = CLI_UNREACHED;
	return -1;
}

static void
show(struct cli *c, long have, long want)
{
	doc_auto t = {0};

	doc_start(&t, c->json);
	doc_number(&t, "version", (unsigned long long)have);
	doc_number(&t, "wanted", (unsigned long long)want);
	doc_text(&t, "state",
	    have == want      ? "up to date"
		: have < want ? "old: run tsb-admin schema upgrade"
			      : "newer than this program: install the newer one");
	doc_print(&t);
}

int
cli_schema_status(struct cli *c)
{
	admin_auto a = {0};
	store_auto *s = NULL;
	long have, want;

	if (load(c, &a))
		return -1;
	s = store_new(&a.login, LOGIN_ADMIN);
	if (store_schema_version(s, &have, &want, &c->err))
		return database_failed(c);
	show(c, have, want);
	if (have != want)
		return cli_end(c, CLI_WRONG, TSB_E_DATA_CONSTELLATION,
		    "the schema has version %ld, this program wants %ld", have, want);
	return 0;
}

int
cli_schema_upgrade(struct cli *c)
{
	const char *dir = c->opt[OPT_DIR] != NULL ? c->opt[OPT_DIR] : TSB_DATADIR "/schema";
	admin_auto a = {0};
	store_auto *s = NULL;

	if (load(c, &a))
		return -1;
	s = store_new(&a.login, LOGIN_ADMIN);
	if (store_schema_upgrade(s, dir, a.conf.api_user, a.conf.dispatcher_user, &c->err))
		return database_failed(c);
	return 0;
}
