/* A schema in a private database, three logins, and rows to play with. */
#ifndef TSB_STORE_FIXTURE_H
#define TSB_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/store/internal.h"

extern struct store *fx_api, *fx_dispatcher, *fx_admin;
extern MYSQL *fx_sql; /* the administrator, behind the store's back */
extern char fx_schema[512];
extern struct arena fx_arena;

int fx_setup(void **state);
int fx_teardown(void **state);

struct store *fx_store(enum store_login login, long timeout);
struct store *fx_account(enum store_login login); /* its user with the host: name@localhost */
struct store *fx_store_at(char **hosts, size_t n); /* the API's, at these */
MYSQL *fx_connect(const char *user, const char *password);
/* Runs a statement as administrator; the second gives the first field of the first row. */
void fx_do(const char *fmt, ...) TSB_PRINTF(1, 2);
long fx_number(const char *fmt, ...) TSB_PRINTF(1, 2);
const char *fx_hex(const void *p, size_t n); /* x'..' for statements; in the arena */
#define fx_id(u) fx_hex((u)->b, 16)

/* Skips the test in builds without fault points. */
void fx_need_hooks(void);
/* The next passing of point gets value; fx_faults_left tells whether any was not taken. */
void fx_fault(const char *point, const char *value);
bool fx_faults_left(void);

void fx_server_kill(void);
void fx_server_start_later(void); /* in the background */
void fx_server_start(void);

#define fx_ok(call)                                                                                \
	do {                                                                                       \
		struct tsb_err err = {0};                                                          \
		if ((call) != 0)                                                                   \
			fail_msg("%s: %s", #call, err.msg);                                        \
	} while (0)
#define fx_refused(call, number)                                                                   \
	do {                                                                                       \
		struct tsb_err err = {0};                                                          \
		assert_int_equal((call), -1);                                                      \
		if (tsb_err_number(err.code) != (number))                                          \
			fail_msg("%s: %d %s", #call, tsb_err_number(err.code), err.msg);           \
		snprintf(fx_message, sizeof(fx_message), "%s", err.msg);                           \
	} while (0)
extern char fx_message[512]; /* of the last fx_refused() */

/* ---- rows ---- */

struct tsb_request fx_request(const char *key_name);
struct tsb_task fx_task(const struct tsb_uuid *request_id, unsigned char approver);
struct tsb_approval fx_approval(const struct tsb_uuid *request_id, unsigned char approver);
/* Inserted and committed by the API login, with n tasks of the approvers 1 ... n. */
struct tsb_request fx_stored(const char *key_name, unsigned char tasks);
void fx_insert(const struct tsb_request *, unsigned char tasks);
struct store_change fx_change(const struct tsb_request *rq, enum tsb_state to);
/* Moves in a transaction of its own. */
bool fx_move(struct store *s, struct tsb_request *rq, const struct store_change *to);
struct tsb_request fx_load(const struct tsb_uuid *id);
long fx_audits(const struct tsb_uuid *request_id);

#endif
