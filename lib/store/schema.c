#include "lib/first.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/store/internal.h"

/*
 * An upgrade takes a lock by name, so that two of them follow each other; on a cluster the lock is
 * one node's own: run it on one node. DDL cannot be rolled back: a file counts when its row in
 * schema_version is there, and every statement of a file may run again (schema/001_requests.sql).
 */

#define TEXT_MAX     (1024 * 1024)
#define LOCK_SECONDS 60

struct file {
	long version;
	const char *name;
	struct tsb_view text;
	unsigned char sha256[TSB_SHA256];
};

struct files {
	struct arena *arena;
	const char *dir;
	struct file *v; /* v[0] is version 1 */
	size_t n;
};

int
schema_read(struct store_tx *tx, long *have, struct tsb_err *err)
{
	stmt_cursor_auto c = {0};
	bool row = false;
	int r;

	tx->allow = ER_NO_SUCH_TABLE;
	r = stmt_query(tx, STMT_SCHEMA_VERSION, NULL, 0, &c, err);
	tx->allow = 0;
	/* A login without any right on the table does not learn whether there is one. */
	if (r == -1 &&
	    (tx->number == ER_TABLEACCESS_DENIED_ERROR ||
		tx->number == ER_COLUMNACCESS_DENIED_ERROR)) {
		tx->number = 0;
		r = 1;
	}
	if (r == 1)
		*have = 0;
	if (r != 0)
		return r == 1 ? 0 : -1;
	if (stmt_next(&c, &row, err))
		return -1;
	*have = row ? (long)stmt_take_i64(&c) : 0;
	return 0;
}

static int
version_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return schema_read(tx, ctx, err);
}

int
store_schema_version(struct store *s, long *have, long *want, struct tsb_err *err)
{
	long version = 0;

	if (store_read(s, "schema_version", version_body, &version, err))
		return -1;
	*have = version;
	*want = STORE_SCHEMA_VERSION;
	return 0;
}

/* ---- files ---- */

/* NNN_name.sql */
static int
is_numbered(const struct dirent *e)
{
	const char *s = e->d_name;
	size_t n = strlen(s);

	return n > 8 && isdigit((unsigned char)s[0]) && isdigit((unsigned char)s[1]) &&
	    isdigit((unsigned char)s[2]) && s[3] == '_' && tsb_streq(s + n - 4, ".sql");
}

static int
files_add(struct files *f, const char *name, struct tsb_err *err)
{
	struct file *file = &f->v[f->n];

	file->version = strtol(name, NULL, 10);
	file->name = arena_str(f->arena, name);
	if (file->version != (long)f->n + 1)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "%s/%s: the files of the schema are numbered 001, 002 ... without a gap",
		    f->dir, name);
	if (tsb_file_load(arena_printf(f->arena, "%s/%s", f->dir, name), TEXT_MAX, f->arena,
		&file->text, err))
		return -1;
	crypto_sha256(file->text, file->sha256);
	f->n++;
	return 0;
}

static int
files_read(struct files *f, struct tsb_err *err)
{
	struct dirent **names;
	int n = scandir(f->dir, &names, is_numbered, alphasort), r = 0;

	if (n < 0)
		return tsb_fail(err, TSB_E_FILE_NOT_FOUND, "%s: %s", f->dir, strerror(errno));
	f->v = arena_array(f->arena, (size_t)n + 1, sizeof(*f->v));
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = files_add(f, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	if (r != 0)
		return -1;
	if (f->n != STORE_SCHEMA_VERSION)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "%s ends with version %zu, this program knows %d: take the folder of the same "
		    "release",
		    f->dir, f->n, STORE_SCHEMA_VERSION);
	return 0;
}

/* ---- applying ---- */

static int
sql_run(struct store_tx *tx, const char *name, const struct tsb_bytes *sql, struct tsb_err *err)
{
	MYSQL *conn = tx->store->conn;

	if (mysql_real_query(conn, (const char *)sql->p, sql->n) == 0)
		return 0;
	return tx_fail(tx, name, mysql_errno(conn), mysql_error(conn), err);
}

/* A statement ends with ';' at the end of a line, a line with "--" in front is a comment. */
static int
sql_run_all(struct store_tx *tx, const char *name, struct tsb_view text, struct tsb_err *err)
{
	tsb_bytes_auto sql = {0};
	const unsigned char *p = text.p, *end = text.p + text.n;

	while (p < end) {
		const unsigned char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol == NULL ? end : eol) - p);

		if (n < 2 || p[0] != '-' || p[1] != '-') {
			tsb_bytes_add(&sql, p, n);
			tsb_bytes_add_str(&sql, "\n");
		}
		while (n > 0 && isspace(p[n - 1]))
			n--;
		if (n > 0 && p[n - 1] == ';' && sql.n != 0) {
			while (sql.n > 0 && (isspace(sql.p[sql.n - 1]) || sql.p[sql.n - 1] == ';'))
				sql.n--;
			if (sql_run(tx, name, &sql, err))
				return -1;
			tsb_bytes_reset(&sql);
		}
		p = eol == NULL ? end : eol + 1;
	}
	for (size_t i = 0; i < sql.n; i++)
		if (!isspace(sql.p[i]))
			return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
			    "%s: the last statement does not end with ';'", name);
	return 0;
}

static int
file_apply(struct store_tx *tx, const struct file *f, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_i64(f->version),
	    stmt_text(f->name),
	    stmt_bytes(f->sha256, sizeof(f->sha256)),
	};

	if (sql_run_all(tx, f->name, f->text, err) ||
	    stmt_run(tx, STMT_SCHEMA_RECORD, args, TSB_COUNT(args), NULL, err))
		return -1;
	if (mysql_commit(tx->store->conn) != 0)
		return tx_fail(tx, f->name, mysql_errno(tx->store->conn),
		    mysql_error(tx->store->conn), err);
	printf("schema %s applied\n", f->name);
	return 0;
}

/* What is applied must be what the files say: version by version, the same bytes. */
static int
applied_check(const struct files *f, long version, const unsigned char *sha256, struct tsb_err *err)
{
	if (version < 1 || version > (long)f->n)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the database has schema version %ld, this program knows %d only: use "
		    "tsb-admin of the newer release",
		    version, STORE_SCHEMA_VERSION);
	if (memcmp(f->v[version - 1].sha256, sha256, TSB_SHA256) != 0)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "%s has changed since it was applied: applied files stay as they are, changes are "
		    "new files",
		    f->v[version - 1].name);
	return 0;
}

static int
applied_read(struct store_tx *tx, const struct files *f, long *have, struct tsb_err *err)
{
	stmt_cursor_auto c = {0};
	bool row = true;
	int r;

	*have = 0;
	tx->allow = ER_NO_SUCH_TABLE;
	r = stmt_query(tx, STMT_SCHEMA_APPLIED, NULL, 0, &c, err);
	tx->allow = 0;
	if (r != 0)
		return r == 1 ? 0 : -1;
	for (;;) {
		unsigned char sha256[TSB_SHA256];
		long version;

		if (stmt_next(&c, &row, err))
			return -1;
		if (!row)
			return 0;
		version = (long)stmt_take_i64(&c);
		stmt_take_text(&c, f->arena);
		if (!stmt_take_bytes(&c, sha256, sizeof(sha256)))
			return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
			    "schema_version has a broken digest");
		if (applied_check(f, version, sha256, err))
			return -1;
		if (version != *have + 1)
			return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
			    "schema_version lacks version %ld", *have + 1);
		*have = version;
	}
}

/* ---- guards and grants: applied again by every upgrade ---- */

static int
guards_apply(struct store_tx *tx, const struct files *f, struct tsb_err *err)
{
	struct tsb_view text;

	if (tsb_file_load(arena_printf(f->arena, "%s/guards.sql", f->dir), TEXT_MAX, f->arena,
		&text, err) ||
	    sql_run_all(tx, "guards.sql", text, err))
		return -1;
	printf("schema guards.sql applied\n");
	return 0;
}

/* 'name'@'host' of "name" or "name@host"; without a host it is '%', as in MariaDB itself. */
static int
account_text(struct arena *a, const char *user, const char **out, struct tsb_err *err)
{
	const char *at = strrchr(user, '@');
	size_t n = at == NULL ? strlen(user) : (size_t)(at - user);

	for (const char *c = user; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("'\"\\`;", *c) != NULL)
			return tsb_fail(err, TSB_E_INPUT,
			    "the database user %s has a forbidden character", user);
	if (n == 0 || (at != NULL && at[1] == '\0'))
		return tsb_fail(err, TSB_E_INPUT, "a database user is written name or name@host");
	*out = arena_printf(a, "'%.*s'@'%s'", (int)n, user, at == NULL ? "%" : at + 1);
	return 0;
}

static struct tsb_view
replaced(struct arena *a, struct tsb_view text, const char *mark, const char *by)
{
	tsb_bytes_auto out = {0};
	size_t n = strlen(mark);
	const unsigned char *p = text.p, *end = p + text.n, *hit;

	while ((hit = memmem(p, (size_t)(end - p), mark, n)) != NULL) {
		tsb_bytes_add(&out, p, (size_t)(hit - p));
		tsb_bytes_add_str(&out, by);
		p = hit + n;
	}
	tsb_bytes_add(&out, p, (size_t)(end - p));
	return arena_view(a, tsb_view_bytes(&out));
}

static int
grants_apply(struct store_tx *tx, const struct files *f, const char *name, const char *mark,
    const char *user, struct tsb_err *err)
{
	const char *account;
	struct tsb_view text;

	if (user == NULL || *user == '\0')
		return 0;
	if (account_text(f->arena, user, &account, err) ||
	    tsb_file_load(arena_printf(f->arena, "%s/%s", f->dir, name), TEXT_MAX, f->arena, &text,
		err))
		return -1;
	if (sql_run_all(tx, name, replaced(f->arena, text, mark, account), err)) {
		/* NO_AUTO_CREATE_USER: a mistyped name makes no login without a password. */
		if (tx->number == ER_PASSWORD_NO_MATCH ||
		    tx->number == ER_CANT_CREATE_USER_WITH_GRANT)
			return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
			    "the database has no user %s: create it first", account);
		return -1;
	}
	printf("schema %s applied to %s\n", name, account);
	return 0;
}

/* ---- upgrade ---- */

static int
lock_take(struct store_tx *tx, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_i64(LOCK_SECONDS);
	stmt_cursor_auto c = {0};
	bool row = false;

	if (stmt_query(tx, STMT_SCHEMA_LOCK, &arg, 1, &c, err) || stmt_next(&c, &row, err))
		return -1;
	if (!row || stmt_take_i64(&c) != 1)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "another tsb-admin schema upgrade has been running for %d s", LOCK_SECONDS);
	return 0;
}

static int
upgrade_locked(struct store_tx *tx, struct files *f, const char *api_user,
    const char *dispatcher_user, struct tsb_err *err)
{
	long have = 0;

	if (applied_read(tx, f, &have, err))
		return -1;
	for (size_t i = (size_t)have; i < f->n; i++)
		if (file_apply(tx, &f->v[i], err))
			return -1;
	if (guards_apply(tx, f, err) ||
	    grants_apply(tx, f, "grants_api.sql", "@API_USER@", api_user, err) ||
	    grants_apply(tx, f, "grants_dispatcher.sql", "@DISPATCHER_USER@", dispatcher_user, err))
		return -1;
	return 0;
}

int
store_schema_upgrade(struct store *s, const char *dir, const char *api_user,
    const char *dispatcher_user, struct tsb_err *err)
{
	arena_auto a = {0};
	struct files f = {.arena = &a, .dir = dir};
	struct store_tx tx = {.store = s, .name = "schema_upgrade"};
	int r = -1;

	if (s->login != LOGIN_ADMIN)
		fatal("only an administrator upgrades the schema");
	if (files_read(&f, err) || conn_ready(s, clock_monotonic_ms(), err))
		return -1;
	if (lock_take(&tx, err) == 0)
		r = upgrade_locked(&tx, &f, api_user, dispatcher_user, err);
	/* The lock and whatever is unfinished end with the connection. */
	conn_close(s);
	return r;
}
