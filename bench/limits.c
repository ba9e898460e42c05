/* What the parts below the broker can do: the broker cannot be faster than these. */
#include "lib/first.h"

#include <mysql.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/base/err.h"

/* ---- durable transactions of one small insert ---- */

static MYSQL *
db_connect(const char *socket)
{
	MYSQL *db = mysql_init(NULL);

	if (db == NULL || mysql_real_connect(db, NULL, NULL, NULL, NULL, 0, socket, 0) == NULL)
		fatal("database: %s", db == NULL ? "out of memory" : mysql_error(db));
	return db;
}

static void
db_do(MYSQL *db, const char *text)
{
	if (mysql_query(db, text) != 0)
		fatal("database: %s: %s", text, mysql_error(db));
}

static void *
commit_open(const void *shared)
{
	MYSQL *db = db_connect(shared);

	db_do(db, "USE tsb_bench");
	return db;
}

static void
commit_close(void *own)
{
	mysql_close(own);
}

static bool
commit_step(struct bench_client *c, size_t i)
{
	char *text = arena_printf(&c->arena,
	    "INSERT INTO entry (at, payload) VALUES (%zu, REPEAT('x', 200))", i);

	return mysql_query(c->own, text) == 0;
}

static void
measure_database(struct bench *b)
{
	MYSQL *db = db_connect(b->db_socket);

	db_do(db, "CREATE OR REPLACE DATABASE tsb_bench");
	db_do(db,
	    "CREATE TABLE tsb_bench.entry (id BIGINT AUTO_INCREMENT PRIMARY KEY, "
	    "at BIGINT NOT NULL, payload VARBINARY(200) NOT NULL) ENGINE=InnoDB");
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		struct bench_load load = {"database: commit", bench_steps[i], b->seconds, 0,
		    b->db_socket, commit_open, commit_close, commit_step};

		bench_run(b, &load);
	}
	db_do(db, "DROP DATABASE tsb_bench");
	mysql_close(db);
}

/* ---- OpenSSL ---- */

static bool
signature_step(struct bench_client *c, size_t i)
{
	return signer_sign(c->shared, &c->arena, tsb_view_of(&i, sizeof(i))) != NULL;
}

static void
measure_signatures(struct bench *b, const char *kind, const char *name)
{
	struct signer *s = signer_new(kind);
	struct bench_load load = {name, 1, b->seconds, 0, s, NULL, NULL, signature_step,
	    .here = true};

	bench_run(b, &load);
	signer_free(s);
}

/* ---- the web server without the broker's work ---- */

struct fixed {
	const char *url, *request;
	int status;
};

static void *
fixed_open(const void *shared)
{
	return http_new(((const struct fixed *)shared)->url);
}

static void
fixed_close(void *own)
{
	http_free(own);
}

static bool
fixed_step(struct bench_client *c, size_t i)
{
	const struct fixed *f = c->shared;

	return http_send(c->own, f->request, strlen(f->request)) == f->status;
}

static void
measure_fixed(struct bench *b, const char *name, const char *path, const char *api_key, int status)
{
	arena_auto a = {0};
	struct fixed fixed = {b->url, http_request(&a, "GET", path, api_key, NULL), status};
	struct fixed bare = {b->url, bench_floor_request(&a, fixed.request), status};

	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		struct bench_load load = {name, bench_steps[i], b->seconds, 0, &fixed, fixed_open,
		    fixed_close, fixed_step};

		bench_run(b, &load);
		if (!b->floor || status != 200)
			continue;
		load.name = bench_floor_name(&a, name);
		load.shared = &bare;
		bench_run(b, &load);
	}
}

void
bench_limits(struct bench *b)
{
	measure_database(b);
	measure_signatures(b, "p256", "openssl: sign ECDSA P-256");
	measure_signatures(b, "rsa2048", "openssl: sign RSA-2048");
	bench_pkcs11(b);
	measure_fixed(b, "web server: fixed reply", "/.tsb/path", b->service, 404);
}
