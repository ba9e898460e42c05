/*
 * tsb-floor: what the work of the broker costs bare. A FastCGI responder on a site's own database
 * and web server that does for a few paths what cannot be left out (parse, look up, sign or verify,
 * the same statements, COMMIT) and nothing else: no roles, policies, checks, log, error texts or
 * recovery. What tsb-hsm signs other processes of it sign, which are asked over FastCGI as well. It
 * is measured beside tsb-fcgi, on rows that tsb-fcgi has made, and serves nobody.
 */
#include "lib/first.h"

#include <fcgiapp.h>
#include <json-c/json.h>
#include <mysql.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/hop.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/uuid.h"
#include "lib/conf/settings.h"

#define PREFIX   "/floor"
#define BODY_MAX 65536
#define CELL_MAX 8192
#define COLUMNS  64
#define ARGS_MAX 40
#define TASKS    2 /* of a request that asks two */
#define LISTED   25

/* The statements of the broker, by their names there; the first two are the floor's own. */
enum {
	FLOOR_VIEW,
	FLOOR_MODEL,
#define STMT(name, programs, effect, text) FLOOR_##name,
#include "lib/store/stmt.h"
#undef STMT
	FLOOR__MAX
};
static const char *const texts[FLOOR__MAX] = {
    [FLOOR_VIEW] = "SELECT " REQUEST_COLUMNS ", a.approves, a.spki FROM request r "
		   "LEFT JOIN approval a ON a.request_id = r.id WHERE r.id = ?",
    [FLOOR_MODEL] = "SELECT " REQUEST_COLUMNS ", t.approver_id, t.spki FROM request r "
		    "JOIN task t ON t.request_id = r.id WHERE r.key_name = ? "
		    "AND r.state = 'PENDING' ORDER BY r.created_ms DESC LIMIT 2",
#define STMT(name, programs, effect, text) [FLOOR_##name] = text,
#include "lib/store/stmt.h"
#undef STMT
};

/* Columns of REQUEST_COLUMNS, and behind TASK_COLUMNS. */
enum {
	COL_STATE = 2,
	COL_VERSION,
	COL_DIGEST = 5,
	COL_TOKEN = 10,
	COL_ENVELOPE = 14,
	MODEL_APPROVER = 27,
	TASK_COLS = 7
};

static MYSQL *db;
static MYSQL_STMT *prepared[FLOOR__MAX];
static struct cell {
	char p[CELL_MAX];
	unsigned long n;
	my_bool null;
} cells[COLUMNS];
static EVP_PKEY *own_key; /* in the place of an HSM's */
static const char *signers; /* the address of those who sign; NULL: this process is one of them */
static char body[BODY_MAX + 1];

/* A request that the broker made, whose columns new ones repeat. */
static struct model {
	char *key_name; /* NULL = none yet */
	struct cell column[32];
	struct cell approver[TASKS], spki[TASKS];
} model;

/* ---- statements ---- */

static MYSQL_BIND args[ARGS_MAX];
static unsigned long lengths[ARGS_MAX];
static long long numbers[ARGS_MAX];
static unsigned nargs;

static void
bytes(const void *p, size_t n)
{
	lengths[nargs] = n;
	args[nargs] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_BLOB,
	    .buffer = (void *)(uintptr_t)p,
	    .buffer_length = n,
	    .length = &lengths[nargs]};
	nargs++;
}

static void
text(const char *s)
{
	bytes(s, strlen(s));
}

static void
number(long long v)
{
	numbers[nargs] = v;
	args[nargs] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &numbers[nargs]};
	nargs++;
}

static void
null(void)
{
	args[nargs++] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_NULL};
}

static MYSQL_STMT *
run(int which)
{
	MYSQL_STMT *st = prepared[which];

	if (st == NULL) {
		st = prepared[which] = mysql_stmt_init(db);
		if (mysql_stmt_prepare(st, texts[which], strlen(texts[which])) != 0)
			fatal("floor: %s: %s", texts[which], mysql_stmt_error(st));
	}
	if (mysql_stmt_param_count(st) != nargs)
		fatal("floor: %s takes %lu arguments", texts[which], mysql_stmt_param_count(st));
	if ((nargs > 0 && mysql_stmt_bind_param(st, args) != 0) || mysql_stmt_execute(st) != 0)
		fatal("floor: %s", mysql_stmt_error(st));
	nargs = 0;
	return st;
}

static MYSQL_STMT *
query(int which)
{
	MYSQL_STMT *st = run(which);
	MYSQL_BIND out[COLUMNS];
	unsigned n = mysql_stmt_field_count(st);

	for (unsigned i = 0; i < n && i < COLUMNS; i++)
		out[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_BLOB,
		    .buffer = cells[i].p,
		    .buffer_length = CELL_MAX,
		    .length = &cells[i].n,
		    .is_null = &cells[i].null};
	if (mysql_stmt_bind_result(st, out) != 0 || mysql_stmt_store_result(st) != 0)
		fatal("floor: %s", mysql_stmt_error(st));
	return st;
}

/* The first row of a query is in cells. */
static bool
one(int which)
{
	MYSQL_STMT *st = query(which);
	bool row = mysql_stmt_fetch(st) != MYSQL_NO_DATA;

	mysql_stmt_free_result(st);
	return row;
}

static void
commit(void)
{
	if (mysql_commit(db) != 0)
		fatal("floor: COMMIT: %s", mysql_error(db));
}

static void
audit(const void *request_id, const char *action, const char *from, const char *to)
{
	struct tsb_uuid id = uuid_new();

	bytes(id.b, sizeof(id.b));
	number(1);
	bytes(request_id, sizeof(id.b));
	text(action);
	text("keyOperation");
	if (from == NULL)
		null();
	else
		text(from);
	text(to);
	text("sign");
	text("key:0123456789abcdef");
	text("127.0.0.1");
	null();
	run(FLOOR_AUDIT_INSERT);
}

/* ---- keys ---- */

static size_t
sign(struct tsb_view message, unsigned char *signature, size_t room)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, own_key) != 1 ||
	    EVP_DigestSign(ctx, signature, &room, message.p, message.n) != 1)
		fatal("floor: no signature");
	EVP_MD_CTX_free(ctx);
	return room;
}

/* Approvers come again: the last key stays. */
static bool
verify(struct tsb_view spki, struct tsb_view message, struct tsb_view signature)
{
	static struct tsb_bytes last;
	static EVP_PKEY *key;
	const unsigned char *p = spki.p;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	if (!tsb_view_eq(tsb_view_bytes(&last), spki)) {
		EVP_PKEY_free(key);
		key = d2i_PUBKEY(NULL, &p, (long)spki.n);
		tsb_bytes_reset(&last);
		tsb_bytes_add_view(&last, spki);
	}
	good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, message.p, message.n) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

/* ---- requests ---- */

static const char *
member(json_object *o, const char *name)
{
	json_object *v;

	return o != NULL && json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : "";
}

static struct tsb_view
decoded(json_object *o, const char *name, struct arena *a)
{
	struct tsb_view v = {0};

	if (!enc_base64_decode(tsb_view_str(member(o, name)), a, &v))
		fatal("floor: %s is not base64", name);
	return v;
}

/* The newest request of this key that waits, with its tasks. */
static void
learn(const char *key_name)
{
	MYSQL_STMT *st;

	if (model.key_name != NULL && tsb_streq(model.key_name, key_name))
		return;
	text(key_name);
	st = query(FLOOR_MODEL);
	for (size_t i = 0; i < TASKS; i++) {
		if (mysql_stmt_fetch(st) == MYSQL_NO_DATA)
			fatal("floor: key %s has no request to learn from", key_name);
		memcpy(model.column, cells, sizeof(model.column));
		model.approver[i] = cells[MODEL_APPROVER];
		model.spki[i] = cells[MODEL_APPROVER + 1];
	}
	mysql_stmt_free_result(st);
	model.key_name = tsb_strdup(key_name);
}

static void
column(int which)
{
	bytes(model.column[which].p, model.column[which].n);
}

/* result: of a request that is executed; NULL = two are asked. */
static void
insert_request(const struct tsb_uuid *id, const char *key_name, const char *result)
{
	long long now = clock_now_ms();

	bytes(id->b, sizeof(id->b));
	text("sign");
	text(result == NULL ? "PENDING" : "APPROVED");
	number(1);
	text(key_name);
	column(COL_DIGEST);
	number(now);
	number(now / 1000);
	number(0);
	number(result == NULL ? now + 86400000 : 0);
	column(COL_TOKEN);
	for (int i = 0; i < 3; i++) /* payload type and notes */
		null();
	column(COL_ENVELOPE);
	column(COL_ENVELOPE + 1);
	text("");
	text("");
	null();
	number(0);
	null();
	number(0);
	number(0);
	number(0);
	null();
	if (result == NULL)
		number(now + 86400000);
	else
		null();
	null();
	null(); /* the digest of the token */
	run(FLOOR_REQUEST_INSERT);
	audit(id->b, "create", NULL, result == NULL ? "PENDING" : "APPROVED");
}

static void
insert_tasks(const struct tsb_uuid *id)
{
	long long now = clock_now_ms();
	struct tsb_uuid task[TASKS];

	for (size_t i = 0; i < TASKS; i++) {
		task[i] = uuid_new();
		bytes(task[i].b, sizeof(task[i].b));
		bytes(id->b, sizeof(id->b));
		bytes(model.approver[i].p, model.approver[i].n);
		bytes(model.spki[i].p, model.spki[i].n);
		number(now);
		number(now);
		number(0);
		text("sign");
	}
	run(FLOOR_TASK_INSERT_2);
}

static void
move(const void *id, const char *from, const char *to, const char *result, long long version)
{
	bool ends = result[0] != '\0';
	long long now = clock_now_ms();

	text(to);
	number(0);
	number(ends ? 0 : now + 86400000);
	text(result);
	null();
	number(ends ? now : 0);
	null();
	for (int i = 0; i < 3; i++)
		number(0);
	null();
	if (ends)
		null();
	else
		number(now + 86400000);
	if (ends)
		number(now);
	else
		null();
	for (int i = 0; i < 3; i++)
		null();
	number(ends);
	bytes(id, sizeof(struct tsb_uuid));
	number(version);
	text(from);
	number(0);
	run(FLOOR_REQUEST_MOVE);
}

/* ---- paths ---- */

static const char *
version_info(json_object *in, const char *rest, struct arena *a)
{
	return "{\"Version\":\"0\",\"Vendor\":\"floor\",\"Implementation\":\"0\"}";
}

static const char *
view(json_object *in, const char *rest, struct arena *a)
{
	struct tsb_uuid id;

	if (!uuid_parse(rest, &id))
		return NULL;
	bytes(id.b, sizeof(id.b));
	if (!one(FLOOR_VIEW))
		return NULL;
	return arena_printf(a,
	    "{\"id\":\"%s\",\"status\":\"%.*s\",\"approvedBy\":[],\"notYetApprovedBy\":[\"%s\","
	    "\"%s\"],\"rejectedBy\":[],\"result\":null}",
	    rest, (int)cells[COL_STATE].n, cells[COL_STATE].p,
	    enc_base64_str(a, tsb_view_of(model.spki[0].p, model.spki[0].n)),
	    enc_base64_str(a, tsb_view_of(model.spki[1].p, model.spki[1].n)));
}

static const char *
signature_of(json_object *in, struct arena *a)
{
	unsigned char signature[128];
	size_t n;

	if (signers != NULL)
		return hop_sign(signers, member(in, "payload"), a);
	n = sign(decoded(in, "payload", a), signature, sizeof(signature));
	return enc_base64_str(a, tsb_view_of(signature, n));
}

static const char *
sign_now(json_object *in, const char *rest, struct arena *a)
{
	json_object *inner;

	return json_object_object_get_ex(in, "signRequest", &inner)
	    ? arena_printf(a, "{\"signature\":\"%s\"}", signature_of(inner, a))
	    : NULL;
}

/* Of a key of which the broker made a request that waits two are asked, of others nobody. */
static const char *
sign_later(json_object *in, const char *rest, struct arena *a)
{
	struct tsb_uuid id = uuid_new();
	char id_text[UUID_TEXT];
	const char *key_name, *result;
	json_object *inner;

	if (!json_object_object_get_ex(in, "signRequest", &inner))
		return NULL;
	key_name = member(inner, "signKeyName");
	if (strstr(key_name, "-free-") != NULL) {
		result = signature_of(inner, a);
		insert_request(&id, key_name, result);
		move(id.b, "APPROVED", "EXECUTED", result, 1);
		audit(id.b, "execute", "APPROVED", "EXECUTED");
	} else {
		learn(key_name);
		(void)signature_of(inner, a); /* the timestamp */
		insert_request(&id, key_name, NULL);
		insert_tasks(&id);
	}
	commit();
	return arena_printf(a, "{\"signRequestId\":\"%s\"}", uuid_format(&id, id_text));
}

static void
touch(unsigned char ids[LISTED][16], size_t n)
{
	number(clock_now_ms());
	for (size_t i = 0; i < 24; i++)
		bytes(ids[i < n ? i : n - 1], 16);
	run(FLOOR_TASK_TOUCH);
	commit();
}

static const char *
list(json_object *in, const char *rest, struct arena *a)
{
	struct tsb_view spki = decoded(in, "approverPublicKey", a);
	unsigned char approver[32], ids[LISTED][16];
	tsb_bytes_auto out = {0};
	MYSQL_STMT *st;
	size_t n = 0;

	if (!verify(spki, tsb_view_str(member(in, "timestamp")),
		decoded(in, "timestampSignature", a)))
		return NULL;
	EVP_Digest(spki.p, spki.n, approver, NULL, EVP_sha256(), NULL);
	for (int i = 0; i < 5; i++)
		number(0); /* level */
	bytes(approver, sizeof(approver));
	text("sign");
	number(clock_now_ms());
	number(clock_now_ms());
	number(LISTED);
	number(0);
	st = query(FLOOR_TASK_LIST_MINE_OF_KIND_CREATED_ASC);
	while (n < LISTED && mysql_stmt_fetch(st) != MYSQL_NO_DATA) {
		const struct cell *token = &cells[TASK_COLS + COL_TOKEN];
		char id[UUID_TEXT];

		memcpy(ids[n], cells[0].p, 16);
		tsb_bytes_addf(&out, "%s{\"id\":\"%s\",\"approvalToBeSigned\":\"", n ? "," : "[",
		    uuid_format((const struct tsb_uuid *)(const void *)ids[n], id));
		enc_base64(tsb_view_of(token->p, token->n), &out);
		tsb_bytes_addf(&out, "\",\"keyName\":\"%.*s\"}", (int)cells[TASK_COLS + 4].n,
		    cells[TASK_COLS + 4].p);
		n++;
	}
	mysql_stmt_free_result(st);
	if (n > 0)
		touch(ids, n);
	tsb_bytes_add_str(&out, n > 0 ? "]" : "[]");
	return arena_str(a, tsb_bytes_cstr(&out));
}

/* The first of two: the request stays PENDING. */
static const char *
approve(json_object *in, const char *rest, struct arena *a)
{
	struct tsb_view spki = decoded(in, "approverPublicKey", a);
	struct tsb_view token = decoded(in, "approvalToBeSigned", a);
	unsigned char request[16], approver[32];
	long long version;
	struct tsb_uuid id;

	if (!uuid_parse(member(in, "id"), &id) || !verify(spki, token, decoded(in, "signature", a)))
		return NULL;
	bytes(id.b, sizeof(id.b));
	if (!one(FLOOR_REQUEST_LOCK_OF_TASK))
		return NULL;
	memcpy(request, cells[0].p, sizeof(request));
	version = atoll(cells[COL_VERSION].p);
	bytes(id.b, sizeof(id.b));
	if (!one(FLOOR_TASK_VOTES))
		return NULL;
	memcpy(approver, cells[2].p, sizeof(approver));
	bytes(request, sizeof(request));
	bytes(approver, sizeof(approver));
	number(1);
	bytes(spki.p, spki.n);
	bytes(token.p, token.n);
	number(clock_now_ms());
	null();
	run(FLOOR_APPROVAL_INSERT);
	bytes(id.b, sizeof(id.b));
	run(FLOOR_TASK_DELETE);
	move(request, "PENDING", "PENDING", "", version);
	audit(request, "approve", "PENDING", "PENDING");
	commit();
	return "";
}

static const struct path {
	const char *name;
	bool more; /* with something behind it */
	int status;
	const char *(
	    *serve)(json_object *in, const char *rest, struct arena *); /* NULL = refused */
} paths[] = {
    {"/v1/versionInfo", false, 200, version_info},
    {"/v1/request/", true, 200, view},
    {"/v1/sign", false, 201, sign_later},
    {"/v1/synchronousSign", false, 200, sign_now},
    {"/v1/filteredSignApprovalTask", false, 200, list},
    {"/v1/approval", false, 200, approve},
};

static const struct path *
path_of(const char *uri)
{
	for (size_t i = 0; i < TSB_COUNT(paths); i++)
		if (paths[i].more ? strncmp(uri, paths[i].name, strlen(paths[i].name)) == 0
				  : tsb_streq(uri, paths[i].name))
			return &paths[i];
	return NULL;
}

static void
answer(FCGX_Request *rq, struct arena *a)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", rq->envp);
	const char *length = FCGX_GetParam("CONTENT_LENGTH", rq->envp);
	long n = length == NULL ? 0 : atol(length);
	const struct path *path = uri == NULL ? NULL : path_of(uri + strlen(PREFIX));
	const char *text_out = NULL;
	json_object *in = NULL;

	if (n > 0 && n <= BODY_MAX) {
		n = FCGX_GetStr(body, (int)n, rq->in);
		body[n] = '\0';
		in = json_tokener_parse(body);
	}
	if (path != NULL)
		text_out = path->serve(in, uri + strlen(PREFIX) + strlen(path->name), a);
	if (text_out == NULL)
		FCGX_FPrintF(rq->out, "Status: 400\r\nContent-Length: 0\r\n\r\n");
	else
		FCGX_FPrintF(rq->out,
		    "Status: %d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		    path->status, (int)strlen(text_out), text_out);
	json_object_put(in);
}

/* ---- processes ---- */

static void
connect_database(const struct broker_conf *conf)
{
	db = mysql_init(NULL);
	mysql_options(db, MYSQL_INIT_COMMAND, "SET SESSION autocommit = 0");
	mysql_options(db, MYSQL_INIT_COMMAND,
	    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
	if (mysql_real_connect(db, NULL, conf->api_user, conf->api_password, conf->db_name, 0,
		conf->db_socket, 0) == NULL)
		fatal("floor: %s", mysql_error(db));
}

/* conf NULL: a signer. */
static void
work(const struct broker_conf *conf, int listener)
{
	struct arena a = {0};
	FCGX_Request rq;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (conf != NULL)
		connect_database(conf);
	else
		signers = NULL;
	FCGX_InitRequest(&rq, listener, 0);
	while (FCGX_Accept_r(&rq) >= 0) {
		answer(&rq, &a);
		FCGX_Finish_r(&rq);
		arena_reset(&a);
	}
	exit(1);
}

int
main(int argc, char **argv)
{
	struct broker_conf conf = {.login = LOGIN_API};
	struct tsb_err err = {0};
	struct arena memory = {0};
	int listener, signing;

	if (argc != 4) {
		fprintf(stderr, "usage: tsb-floor SETTINGS SOCKET PROCESSES: see bench/run\n");
		return 2;
	}
	if (broker_conf_load(argv[1], &conf, &err))
		fatal("%s", err.msg);
	umask(0);
	FCGX_Init();
	listener = FCGX_OpenSocket(argv[2], 4096);
	signers = arena_printf(&memory, "%s-sign", argv[2]);
	signing = FCGX_OpenSocket(signers, 4096);
	own_key = EVP_EC_gen("P-256");
	if (listener < 0 || signing < 0 || own_key == NULL ||
	    mysql_library_init(0, NULL, NULL) != 0)
		fatal("floor: cannot start");
	for (int i = 2 * atoi(argv[3]) - 1; i >= 0; i--)
		if (fork() == 0)
			work(i % 2 ? NULL : &conf, i % 2 ? signing : listener);
	while (wait(NULL) > 0)
		continue;
	return 1;
}
