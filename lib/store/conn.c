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
	hosts_init(&s->hosts, conf);
	s->name = copy(conf->name);
	s->user = login_of(conf->user);
	s->tls_ca = copy(conf->tls_ca);
	if (conf->password != NULL)
		tsb_bytes_add_str(&s->password, conf->password);
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
	hosts_clear(&(*s)->hosts);
	free((*s)->touches);
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

/* One that the server has closed while nobody used it says nothing about the server. */
void
conn_leave(struct store *s, unsigned number)
{
	conn_close(s);
	if (number != CR_SERVER_GONE_ERROR)
		hosts_next(&s->hosts);
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

/* Where there is another host, one that does not answer is soon given up. */
#define CONNECT_SECONDS 2

/*
 * Autocommit is off for the whole session: a transaction begins with its first statement, without a
 * round trip of its own, and whatever is left without COMMIT is rolled back by closing.
 */
static void
conn_options(const struct store *s, const struct db_host *host, MYSQL *conn)
{
	unsigned enforce = 1, lock_wait = s->timeout < 8 ? 1 : s->timeout / 4;
	unsigned tcp = MYSQL_PROTOCOL_TCP, connect = s->timeout;
	/* an upgrade of the schema may take its time (0 = no limit) */
	unsigned answer = s->login == LOGIN_ADMIN ? 0 : s->timeout;
	my_bool yes = s->tls_ca != NULL, no = 0;
	char init[384];

	if (s->hosts.n > 1 && connect > CONNECT_SECONDS)
		connect = CONNECT_SECONDS;
	snprintf(init, sizeof(init),
	    "SET SESSION autocommit = 0, innodb_lock_wait_timeout = %u, max_statement_time = %g, "
	    "sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,"
	    "NO_ENGINE_SUBSTITUTION'",
	    lock_wait, answer * STATEMENT_SHARE);
	mysql_options(conn, MYSQL_INIT_COMMAND, init);
	mysql_options(conn, MYSQL_INIT_COMMAND,
	    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
	mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(conn, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	mysql_options(conn, MYSQL_OPT_READ_TIMEOUT, &answer);
	mysql_options(conn, MYSQL_OPT_WRITE_TIMEOUT, &s->timeout);
	/* A hostile server could ask for files of this machine. */
	mysql_options(conn, MYSQL_OPT_LOCAL_INFILE, &(unsigned){0});
	mysql_options(conn, MYSQL_OPT_RECONNECT, &no);
	/* By itself the connector takes "localhost" for the socket. */
	if (host->name != NULL)
		mysql_options(conn, MYSQL_OPT_PROTOCOL, &tcp);
	mysql_options(conn, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
	if (s->tls_ca == NULL)
		return;
	mysql_options(conn, MYSQL_OPT_SSL_ENFORCE, &enforce);
	mysql_ssl_set(conn, NULL, NULL, s->tls_ca, NULL, NULL);
}

static void
conn_refused(unsigned number, const char *host, const char *text, struct tsb_err *err)
{
	log_warn("database connect host=%s number=%u text=\"%s\"", host, number, text);
	if (conn_class(number) == DB_LOST || (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR))
		(void)!tsb_fail(err, TSB_E_CONNECTIVITY,
		    "the database cannot be reached (error %u)", number);
	else
		(void)!tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database refused the connection (error %u)", number);
}

/* NULL, with the number of the server or the connector. */
static MYSQL *
conn_open(struct store *s, const struct db_host *host, unsigned *number, struct tsb_err *err)
{
	MYSQL *conn = mysql_init(NULL);

	if (conn == NULL)
		fatal("out of memory");
	conn_options(s, host, conn);
	if (mysql_real_connect(conn, host->name, s->user, tsb_bytes_cstr(&s->password), s->name,
		host->port, host->socket, 0) == NULL) {
		*number = mysql_errno(conn);
		conn_refused(*number, host_name(host), mysql_error(conn), err);
		mysql_close(conn);
		return NULL;
	}
	if (s->tls_ca != NULL && mysql_get_ssl_cipher(conn) == NULL) {
		*number = CR_SSL_CONNECTION_ERROR;
		mysql_close(conn);
		conn_refused(*number, host_name(host), "the server does not speak TLS", err);
		return NULL;
	}
	return conn;
}

struct nature {
	bool read_only, clustered;
};

/*
 * Servers that have no Galera do not know its variables. 7: SELECT, UPDATE and DELETE, INSERT; each
 * first statement of a transaction waits until this node has what others had committed before.
 */
static int
conn_nature(MYSQL *conn, struct nature *nature)
{
	MYSQL_RES *rows;
	MYSQL_ROW row;

	*nature = (struct nature){0};
	if (mysql_query(conn,
		"SHOW SESSION VARIABLES WHERE Variable_name IN "
		"('read_only', 'wsrep_on') AND Value = 'ON'") != 0)
		return -1;
	rows = mysql_store_result(conn);
	if (rows == NULL)
		return -1;
	while ((row = mysql_fetch_row(rows)) != NULL)
		*(strcmp(row[0], "wsrep_on") == 0 ? &nature->clustered : &nature->read_only) = true;
	mysql_free_result(rows);
	if (nature->clustered && mysql_query(conn, "SET SESSION wsrep_sync_wait = 7") != 0)
		return -1;
	return 0;
}

/* Takes conn as the connection of s. */
static void
conn_take(struct store *s, MYSQL *conn, const struct nature *nature)
{
	s->conn = conn;
	s->clustered = nature->clustered;
	s->connections++;
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

/* One host. *read_only: it is not taken, because it is that. */
static int
conn_try(struct store *s, bool takes_read_only, bool *read_only, unsigned *number,
    struct tsb_err *err)
{
	const struct db_host *host = &s->hosts.v[s->hosts.at];
	MYSQL *conn = conn_open(s, host, number, err);
	struct nature nature;

	if (conn == NULL)
		return -1;
	if (conn_nature(conn, &nature)) {
		*number = mysql_errno(conn);
		conn_refused(*number, host_name(host), mysql_error(conn), err);
		mysql_close(conn);
		return -1;
	}
	if (nature.read_only && !takes_read_only) {
		*read_only = true;
		mysql_close(conn);
		return -1;
	}
	conn_take(s, conn, &nature);
	if (conn_check_schema(s, number, err)) {
		/* that is how a node outside the quorum answers who waits for the others */
		if (*number == ER_LOCK_WAIT_TIMEOUT)
			(void)!tsb_fail(err, TSB_E_CONNECTIVITY,
			    "the database is not synchronised (error %u)", *number);
		conn_close(s);
		return -1;
	}
	if (s->hosts.n > 1)
		log_info("database: connected to %s", host_name(host));
	hosts_connected(&s->hosts);
	return 0;
}

/*
 * All hosts, from the present one on; those that are read-only if there is no other. *lost: one of
 * them may be there later.
 */
static int
conn_round(struct store *s, bool *lost, struct tsb_err *err)
{
	bool read_only = s->hosts.n == 1; /* where else should it go */

	for (int pass = 0; pass < 2; pass++) {
		bool takes_read_only = read_only, met = false;

		for (size_t i = 0; i < s->hosts.n; i++) {
			unsigned number = 0;

			if (conn_try(s, takes_read_only, &met, &number, err) == 0)
				return 0;
			*lost |= conn_class(number) == DB_LOST || number == ER_LOCK_WAIT_TIMEOUT;
			hosts_next(&s->hosts);
		}
		if (!met)
			return -1;
		read_only = true;
	}
	return -1;
}

int
conn_ready(struct store *s, int64_t until_ms, struct tsb_err *err)
{
	if (s->disabled)
		return tsb_fail(err, TSB_E_CONNECTIVITY,
		    "this site has no database "
		    "(database.enabled is false): it makes synchronous calls only");
	for (unsigned tries = 1; s->conn == NULL; tries++) {
		bool lost = false;

		if (conn_round(s, &lost, err) == 0)
			return 0;
		if (!lost || clock_monotonic_ms() >= until_ms)
			return -1;
		conn_pause(tries);
	}
	return 0;
}

void
conn_go_home(struct store *s)
{
	const struct db_host *home = &s->hosts.v[0];
	struct tsb_err err;
	unsigned number;
	struct nature nature;
	MYSQL *conn = conn_open(s, home, &number, &err);

	hosts_connected(&s->hosts); /* if it comes to nothing: later again */
	if (conn == NULL)
		return;
	if (conn_nature(conn, &nature) || nature.read_only) {
		mysql_close(conn);
		return;
	}
	conn_close(s);
	s->hosts.at = 0;
	conn_take(s, conn, &nature);
	hosts_connected(&s->hosts);
	log_info("database: back at %s", host_name(home));
	if (conn_check_schema(s, &number, &err))
		conn_leave(s, number);
}

int
store_ping(struct store *s, struct tsb_err *err)
{
	if (s->conn != NULL && mysql_ping(s->conn) != 0)
		conn_close(s);
	return conn_ready(s, clock_monotonic_ms(), err);
}
