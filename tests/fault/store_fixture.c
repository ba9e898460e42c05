#include "lib/first.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/fault/store_fixture.h"

struct store *fx_api, *fx_dispatcher, *fx_admin;
MYSQL *fx_sql;
char fx_schema[512], fx_message[512];
struct arena fx_arena;
static char faults[64];

static const char *
need(const char *name)
{
	const char *v = getenv(name);

	if (v == NULL)
		fatal("%s is not set: run this test with make check-store", name);
	return v;
}

static const char *const users[][2] = {
    [LOGIN_API] = {"fx_api", "api-password"},
    [LOGIN_DISPATCHER] = {"fx_dispatcher", "dispatcher-password"},
};

static struct store_conf
conf_of(enum store_login login, const char *user, long timeout)
{
	return (struct store_conf){
	    .socket = need("TSB_TEST_DB_SOCKET"),
	    .name = need("TSB_TEST_DB_NAME"),
	    .user = user,
	    .password = login == LOGIN_ADMIN ? NULL : users[login][1],
	    .timeout = timeout,
	};
}

static struct store *
store_of(enum store_login login, const char *user, long timeout)
{
	struct store_conf conf = conf_of(login, user, timeout);

	return store_new(&conf, login);
}

struct store *
fx_store_at(char **hosts, size_t n)
{
	struct store_conf conf = conf_of(LOGIN_API, users[LOGIN_API][0], 5);

	conf.hosts = (struct conf_list){hosts, n};
	return store_new(&conf, LOGIN_API);
}

struct store *
fx_store(enum store_login login, long timeout)
{
	return store_of(login, login == LOGIN_ADMIN ? need("TSB_TEST_DB_USER") : users[login][0],
	    timeout);
}

struct store *
fx_account(enum store_login login)
{
	return store_of(login, arena_printf(&fx_arena, "%s@localhost", users[login][0]), 5);
}

MYSQL *
fx_connect(const char *user, const char *password)
{
	MYSQL *c = mysql_init(NULL);

	if (mysql_real_connect(c, NULL, user, password, need("TSB_TEST_DB_NAME"), 0,
		need("TSB_TEST_DB_SOCKET"), 0) == NULL)
		fatal("connect as %s: %s", user, mysql_error(c));
	return c;
}

static void TSB_PRINTF(1, 0) query(const char *fmt, va_list ap)
{
	char sql[4096];

	vsnprintf(sql, sizeof(sql), fmt, ap);
	if (mysql_query(fx_sql, sql) != 0)
		fatal("%s: %s", sql, mysql_error(fx_sql));
}

void
fx_do(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	query(fmt, ap);
	va_end(ap);
}

long
fx_number(const char *fmt, ...)
{
	va_list ap;
	MYSQL_RES *res;
	MYSQL_ROW row;
	long n;

	va_start(ap, fmt);
	query(fmt, ap);
	va_end(ap);
	res = mysql_store_result(fx_sql);
	row = res == NULL ? NULL : mysql_fetch_row(res);
	n = row == NULL || row[0] == NULL ? 0 : strtol(row[0], NULL, 10);
	mysql_free_result(res);
	return n;
}

const char *
fx_hex(const void *p, size_t n)
{
	const unsigned char *b = p;
	const char *text = "x'";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(&fx_arena, "%s%02x", text, b[i]);
	return arena_printf(&fx_arena, "%s'", text);
}

/* ---- faults ---- */

void
fx_need_hooks(void)
{
#ifndef TSB_TEST_HOOKS
	print_message("skipped: needs configure --enable-test-hooks\n");
	skip();
#endif
}

void
fx_fault(const char *point, const char *value)
{
	FILE *f = fopen(faults, "w");

	if (f == NULL)
		fatal("cannot write %s", faults);
	if (point != NULL)
		fprintf(f, "%s %s\n", point, value);
	fclose(f);
}

bool
fx_faults_left(void)
{
	FILE *f = fopen(faults, "r");
	int c = f == NULL ? EOF : fgetc(f);

	if (f != NULL)
		fclose(f);
	fx_fault(NULL, NULL);
	return c != EOF;
}

static void
tool(const char *verb, const char *tail)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s/tests/lib/private-db %s '%s' >/dev/null%s",
	    need("SRC"), verb, need("TSB_TEST_DB_DIR"), tail);
	if (system(command) != 0)
		fatal("%s failed", command);
}

void
fx_server_kill(void)
{
	char path[512];
	FILE *f;
	int pid = 0;

	snprintf(path, sizeof(path), "%s/run/db.pid", need("TSB_TEST_DB_DIR"));
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%d", &pid) != 1 || pid < 2)
		fatal("no server to kill in %s", path);
	fclose(f);
	kill(pid, SIGKILL);
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++)
		usleep(20000);
}

void
fx_server_start_later(void)
{
	tool("start", " 2>&1 &");
}

static void
admin_connect(void)
{
	if (fx_sql != NULL)
		mysql_close(fx_sql);
	fx_sql = fx_connect(need("TSB_TEST_DB_USER"), NULL);
}

void
fx_server_start(void)
{
	tool("start", "");
	admin_connect();
}

/* ---- set-up ---- */

int
fx_setup(void **state)
{
	struct tsb_err err = {0};
	int fd;

	snprintf(faults, sizeof(faults), "/tmp/test-store-faults.XXXXXX");
	fd = mkstemp(faults);
	if (fd < 0)
		fatal("no temporary file");
	close(fd);
	setenv("TSB_TEST_FAULTS", faults, 1);
	snprintf(fx_schema, sizeof(fx_schema), "%s/schema", need("SRC"));
	admin_connect();
	fx_do("DROP DATABASE IF EXISTS %s", need("TSB_TEST_DB_NAME"));
	fx_do("CREATE DATABASE %s CHARACTER SET utf8mb4", need("TSB_TEST_DB_NAME"));
	fx_do("USE %s", need("TSB_TEST_DB_NAME"));
	for (int i = LOGIN_API; i <= LOGIN_DISPATCHER; i++)
		fx_do("CREATE OR REPLACE USER %s@localhost IDENTIFIED BY '%s'", users[i][0],
		    users[i][1]);
	fx_admin = fx_store(LOGIN_ADMIN, 20);
	if (store_schema_upgrade(fx_admin, fx_schema, "fx_api@localhost", "fx_dispatcher@localhost",
		&err))
		fatal("%s", err.msg);
	/*
	 * Logins and grants live in Aria tables, which a killed server may lose (seen with 11.8).
	 */
	fx_do("FLUSH TABLES");
	fx_api = fx_store(LOGIN_API, 20);
	fx_dispatcher = fx_store(LOGIN_DISPATCHER, 20);
	return 0;
}

int
fx_teardown(void **state)
{
	store_free(&fx_api);
	store_free(&fx_dispatcher);
	store_free(&fx_admin);
	mysql_close(fx_sql);
	fx_sql = NULL;
	arena_clear(&fx_arena);
	unlink(faults);
	return 0;
}

/* ---- rows ---- */

struct tsb_request
fx_request(const char *key_name)
{
	struct tsb_request rq = {
	    .id = uuid_new(),
	    .kind = KIND_SIGN,
	    .state = STATE_PENDING,
	    .version = 1,
	    .key_name = key_name,
	    .created_ms = clock_now_ms(),
	    .hsm_seconds = 1600000000,
	    .token = tsb_view_str("token"),
	    .by_token = true,
	    .payload_type = "UNSPECIFIED",
	    .envelope = tsb_view_str("{\"signRequest\":{}}"),
	    .inner_clean = tsb_view_str("{\"a\":1}"),
	    .password_box = tsb_view_of("box\0box", 7),
	};

	memset(rq.attributes_digest, 7, sizeof(rq.attributes_digest));
	return rq;
}

struct tsb_task
fx_task(const struct tsb_uuid *request_id, unsigned char approver)
{
	struct tsb_task t = {
	    .id = uuid_new(),
	    .request_id = *request_id,
	    .spki = tsb_view_str("spki"),
	    .created_ms = clock_now_ms(),
	};

	memset(t.approver_id, approver, sizeof(t.approver_id));
	return t;
}

struct tsb_approval
fx_approval(const struct tsb_uuid *request_id, unsigned char approver)
{
	struct tsb_approval row = {
	    .request_id = *request_id,
	    .approves = true,
	    .spki = tsb_view_str("spki"),
	    .signed_approval = tsb_view_str("signed"),
	    .at_ms = clock_now_ms(),
	};

	memset(row.approver_id, approver, sizeof(row.approver_id));
	return row;
}

struct stored {
	const struct tsb_request *rq;
	unsigned char tasks;
};

static int
stored_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	const struct stored *s = ctx;
	struct tsb_task tasks[256];

	for (unsigned char i = 0; i < s->tasks; i++)
		tasks[i] = fx_task(&s->rq->id, (unsigned char)(i + 1));
	return store_request_insert(tx, s->rq, err) ||
		store_tasks_insert(tx, s->rq->kind, tasks, s->tasks, err)
	    ? -1
	    : 0;
}

void
fx_insert(const struct tsb_request *rq, unsigned char tasks)
{
	struct stored s = {rq, tasks};

	fx_ok(store_transact(fx_api, "stored", stored_body, &s, &err));
}

struct tsb_request
fx_stored(const char *key_name, unsigned char tasks)
{
	struct tsb_request rq = fx_request(key_name);

	fx_insert(&rq, tasks);
	return rq;
}

struct store_change
fx_change(const struct tsb_request *rq, enum tsb_state to)
{
	return (struct store_change){
	    .to = to,
	    .due_ms = rq->due_ms,
	    .expires_ms = rq->expires_ms,
	    .owner = rq->owner,
	    .lease_ms = rq->lease_ms,
	};
}

struct move {
	struct tsb_request *rq, before;
	const struct store_change *to;
	bool moved;
};

static int
move_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct move *m = ctx;

	*m->rq = m->before;
	return store_request_move(tx, m->rq, m->to, &m->moved, err);
}

bool
fx_move(struct store *s, struct tsb_request *rq, const struct store_change *to)
{
	struct move m = {.rq = rq, .before = *rq, .to = to};

	fx_ok(store_transact(s, "move", move_body, &m, &err));
	return m.moved;
}

struct load {
	const struct tsb_uuid *id;
	struct tsb_request out;
};

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct load *l = ctx;

	return store_request_load(tx, l->id, false, &fx_arena, &l->out, err);
}

struct tsb_request
fx_load(const struct tsb_uuid *id)
{
	struct load l = {.id = id};

	fx_ok(store_read(fx_api, "load", load_body, &l, &err));
	return l.out;
}

long
fx_audits(const struct tsb_uuid *request_id)
{
	return fx_number("SELECT COUNT(*) FROM audit WHERE request_id = %s", fx_id(request_id));
}
