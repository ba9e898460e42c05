#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/internal.h"

/* Numbers, because the connector's headers do not name all of them in every version. */
static const struct {
	unsigned number;
	enum db_class class;
} classes[] = {
    {1180, DB_UNSURE}, /* error during COMMIT */
    {1969, DB_UNSURE}, /* max_statement_time is over */
    {1290, DB_READ_ONLY}, {1792, DB_READ_ONLY}, {1836, DB_READ_ONLY},
    {1020, DB_CONFLICT}, /* record has changed since last read */
    {1205, DB_CONFLICT}, /* lock wait timeout */
    {1213, DB_CONFLICT}, /* deadlock, or certification lost to another node */
    {1243, DB_CONFLICT}, /* statement handler unknown: prepared again by the next run */
    {1615, DB_CONFLICT}, /* statement needs to be prepared again */
    {1040, DB_LOST}, /* too many connections */
    {1047, DB_LOST}, /* Galera: this node is outside the quorum */
    {1053, DB_LOST}, /* server shutdown in progress */
    {1152, DB_LOST}, /* aborted connection, and network errors of the server */
    {1158, DB_LOST}, {1159, DB_LOST}, {1160, DB_LOST}, {1161, DB_LOST},
    {1927, DB_LOST}, /* connection was killed */
    {CR_CONNECTION_ERROR, DB_LOST}, {CR_CONN_HOST_ERROR, DB_LOST}, {CR_UNKNOWN_HOST, DB_LOST},
    {CR_SERVER_GONE_ERROR, DB_LOST}, {CR_SERVER_LOST, DB_LOST}, {CR_SERVER_LOST_EXTENDED, DB_LOST},
    {CR_SSL_CONNECTION_ERROR, DB_LOST}, /* a TLS connection that breaks */
    {CR_MALFORMED_PACKET, DB_LOST}, /* an answer cut short */
};

enum db_class
conn_class(unsigned number)
{
	for (size_t i = 0; i < TSB_COUNT(classes); i++)
		if (classes[i].number == number)
			return classes[i].class;
	return DB_REFUSED;
}

/* An empty setting counts as none. */
static char *
copy(const char *s)
{
	return s == NULL || *s == '\0' ? NULL : tsb_strdup(s);
}

/* "name@host" is the account that the schema's rights are for; who logs in gives its name alone. */
static char *
login_of(const char *user)
{
	char *name = copy(user), *at = name == NULL ? NULL : strrchr(name, '@');

	if (at != NULL)
		*at = '\0';
	return name;
}

struct store *
store_new(const struct store_conf *conf, enum store_login login)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("out of memory");
	s->host = copy(conf->host);
	s->socket = copy(conf->socket);
	s->name = copy(conf->name);
	s->user = login_of(conf->user);
	s->tls_ca = copy(conf->tls_ca);
	if (conf->password != NULL)
		tsb_bytes_add_str(&s->password, conf->password);
	s->port = (unsigned)conf->port;
	s->timeout = conf->timeout > 0 ? (unsigned)conf->timeout : 10;
	s->login = login;
	s->disabled = conf->disabled;
	return s;
}

void
store_free(struct store **s)
{
	if (*s == NULL)
		return;
	conn_close(*s);
	store_caller(*s, NULL, NULL);
	free((*s)->host);
	free((*s)->socket);
	free((*s)->name);
	free((*s)->user);
	free((*s)->tls_ca);
	tsb_bytes_clear(&(*s)->password);
	free(*s);
	*s = NULL;
}

void
conn_close(struct store *s)
{
	s->reading_since = 0;
	if (s->conn == NULL)
		return;
	for (int i = 0; i < STMT__MAX; i++)
		stmt_forget(&s->stmts[i]);
	mysql_close(s->conn);
	s->conn = NULL;
}

void
conn_break(struct store *s)
{
	shutdown(mysql_get_socket(s->conn), SHUT_RDWR);
}

void
conn_pause(unsigned tries)
{
	unsigned longest = tries < 7 ? 2000u << tries : 250000u; /* microseconds */
	unsigned chance = 0;
	struct timespec t = {0};

	/* Only spreads the runs; without random bytes the pause is as good as any. */
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance = (unsigned)clock_monotonic_ms() * 7919u;
	t.tv_nsec = (long)(1000 + chance % longest) * 1000;
	nanosleep(&t, NULL);
}

/*
 * The server gives up on a statement before we give up on the server: it would go on with it, and
 * what comes next would find it busier than before.
 */
#define STATEMENT_SHARE 0.8

/*
 * Autocommit is off for the whole session: a transaction begins with its first statement, without a
 * round trip of its own, and whatever is left without COMMIT is rolled back by closing.
 */
static void
conn_options(struct store *s, MYSQL *conn)
{
	unsigned enforce = 1, lock_wait = s->timeout < 8 ? 1 : s->timeout / 4;
	unsigned tcp = MYSQL_PROTOCOL_TCP;
	my_bool yes = s->tls_ca != NULL, no = 0;
	char init[384];

	/* an upgrade of the schema may take its time (0 = no limit) */
	snprintf(init, sizeof(init),
	    "SET SESSION autocommit = 0, innodb_lock_wait_timeout = %u, max_statement_time = %g, "
	    "sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,"
	    "NO_ENGINE_SUBSTITUTION'",
	    lock_wait, s->login == LOGIN_ADMIN ? 0 : s->timeout * STATEMENT_SHARE);
	mysql_options(conn, MYSQL_INIT_COMMAND, init);
	mysql_options(conn, MYSQL_INIT_COMMAND,
	    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
	mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(conn, MYSQL_OPT_CONNECT_TIMEOUT, &s->timeout);
	mysql_options(conn, MYSQL_OPT_READ_TIMEOUT, &s->timeout);
	mysql_options(conn, MYSQL_OPT_WRITE_TIMEOUT, &s->timeout);
	/* A hostile server could ask for files of this machine. */
	mysql_options(conn, MYSQL_OPT_LOCAL_INFILE, &(unsigned){0});
	mysql_options(conn, MYSQL_OPT_RECONNECT, &no);
	/* By itself the connector takes "localhost" for the socket. */
	if (s->host != NULL)
		mysql_options(conn, MYSQL_OPT_PROTOCOL, &tcp);
	mysql_options(conn, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
	if (s->tls_ca == NULL)
		return;
	mysql_options(conn, MYSQL_OPT_SSL_ENFORCE, &enforce);
	mysql_ssl_set(conn, NULL, NULL, s->tls_ca, NULL, NULL);
}

static int
conn_refused(unsigned number, const char *text, struct tsb_err *err)
{
	log_warn("database connect number=%u text=\"%s\"", number, text);
	if (conn_class(number) == DB_LOST || (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR))
		return tsb_fail(err, TSB_E_CONNECTIVITY,
		    "the database cannot be reached (error %u)", number);
	return tsb_fail(err, TSB_E_SUBSYSTEM, "the database refused the connection (error %u)",
	    number);
}

/* 0, or -1 with the number of the server or the connector. */
static int
conn_open(struct store *s, unsigned *number, struct tsb_err *err)
{
	MYSQL *conn = mysql_init(NULL);

	if (conn == NULL)
		fatal("out of memory");
	conn_options(s, conn);
	if (mysql_real_connect(conn, s->host, s->user, tsb_bytes_cstr(&s->password), s->name,
		s->port, s->socket, 0) == NULL) {
		*number = mysql_errno(conn);
		conn_refused(*number, mysql_error(conn), err);
		mysql_close(conn);
		return -1;
	}
	if (s->tls_ca != NULL && mysql_get_ssl_cipher(conn) == NULL) {
		*number = CR_SSL_CONNECTION_ERROR;
		mysql_close(conn);
		return conn_refused(*number, "the server does not speak TLS", err);
	}
	s->conn = conn;
	s->connections++;
	return 0;
}

uint64_t
store_connection(const struct store *s)
{
	return s->connections;
}

/* A program refuses a schema it does not know, older or newer. */
static int
conn_check_schema(struct store *s, unsigned *number, struct tsb_err *err)
{
	struct store_tx tx = {.store = s, .name = "connect", .reading = true};
	long have, want = STORE_SCHEMA_VERSION;
	int r;

	if (s->login == LOGIN_ADMIN)
		return 0;
	r = schema_read(&tx, &have, err);
	*number = tx.number;
	if (r != 0)
		return -1;
	mysql_rollback(s->conn);
	if (have == 0)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the database %s has no schema that %s may use: run tsb-admin schema upgrade",
		    s->name, s->user);
	if (have < want)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the schema of the database %s has version %ld, this program needs %ld: "
		    "run tsb-admin schema upgrade",
		    s->name, have, want);
	if (have > want)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the schema of the database %s has version %ld, this program knows %ld only: "
		    "install the release whose tsb-admin schema upgrade made it",
		    s->name, have, want);
	return 0;
}

int
conn_ready(struct store *s, int64_t until_ms, struct tsb_err *err)
{
	if (s->disabled)
		return tsb_fail(err, TSB_E_CONNECTIVITY,
		    "this site has no database "
		    "(database.enabled is false): it makes synchronous calls only");
	for (unsigned tries = 1; s->conn == NULL; tries++) {
		unsigned number = 0;

		if (conn_open(s, &number, err) == 0 && conn_check_schema(s, &number, err) == 0)
			return 0;
		conn_close(s);
		if (conn_class(number) != DB_LOST || clock_monotonic_ms() >= until_ms)
			return -1;
		conn_pause(tries);
	}
	return 0;
}

int
store_ping(struct store *s, struct tsb_err *err)
{
	if (s->conn != NULL && mysql_ping(s->conn) != 0)
		conn_close(s);
	return conn_ready(s, clock_monotonic_ms(), err);
}
