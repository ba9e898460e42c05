#include "lib/first.h"

#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/hook.h"
#include "lib/model/content.h"

#include "cli/lib/body.h"
#include "cli/lib/session.h"
#include "cli/offline/errand.h"

/* Waits until the HSM's clock shows the next second. */
#define SECOND_PAUSE_NS (50 * 1000 * 1000)
#define SECOND_TRIES    40

/* ---- results ---- */

static void
name_result(const struct carried *k, struct wire_offline_result *r)
{
	if (k->request.has_id) {
		r->has_id = true;
		r->id = k->request.id;
	} else {
		r->has_token = true;
		memcpy(r->token, k->token, TSB_SHA256);
	}
}

static int
record(struct cli *c, const struct carried *k, struct journal *j, struct wire_offline_result *r)
{
	tsb_bytes_auto text = {0};

	name_result(k, r);
	wire_offline_result_format(r, tsb_kind_executed(k->request.executed)->answer_member, &text);
	if (journal_record(c, k, j, tsb_view_bytes(&text)))
		return -1;
	(void)hook_fault("cli.run.recorded");
	return 0;
}

static enum tsb_effect
effect_of(const struct carried *k)
{
	return tsb_kinds[k->request.executed].effect;
}

/* The key whose attributes prove what was done; NULL = the result itself is the proof. */
static const char *
proof_key(const struct carried *k)
{
	switch (effect_of(k)) {
	case EFFECT_BLOCKED:
	case EFFECT_UNBLOCKED:
	case EFFECT_POLICY:
		return k->in.request.key_name;
	case EFFECT_NEW_KEY:
		return k->in.request.unwrap.label;
	case EFFECT_SIGNATURE:
	case EFFECT_PLAIN_TEXT:
	case EFFECT_CERTIFICATE:
	case EFFECT_CODE:
		break;
	}
	return NULL;
}

/* The password is the one of the request's key; a new key has none. */
static int
fetch_attributes(struct cli *c, const struct carried *k, struct tsb_bytes *answer)
{
	tsb_bytes_auto body = {0};

	body_open(&body, NULL);
	body_text(&body, "label", proof_key(k));
	if (effect_of(k) != EFFECT_NEW_KEY && session_put_password(c, &body, "password"))
		return -1;
	body_close(&body);
	return session_become(c, TSB_ROLE_KEY_MANAGEMENT) ||
		session_call(c, "POST", "/v1/key/attributes", tsb_view_bytes(&body), answer)
	    ? -1
	    : 0;
}

/*
 * Fetches the attributes that the key has now. After a change they are of a later second than those
 * before: the online side tells by the time which are newer, and would refuse these otherwise.
 */
static int
fetch_proof(struct cli *c, const struct carried *k, const struct journal *j,
    struct tsb_key_attributes *out)
{
	tsb_bytes_auto answer = {0};
	struct keyattr key;
	int tries;

	for (tries = 0; tries < SECOND_TRIES; tries++) {
		answer.n = 0;
		if (fetch_attributes(c, k, &answer))
			return -1;
		if (wire_key_attributes_parse(tsb_view_bytes(&answer), &c->arena, out, &c->err) ||
		    keyattr_parse(out->xml, &c->arena, &key, &c->err))
			return session_misread(c);
		if (effect_of(k) == EFFECT_NEW_KEY || key.attest_time > j->hsm_seconds)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = SECOND_PAUSE_NS}, NULL);
	}
	return 0;
}

static int
record_done(struct cli *c, const struct carried *k, struct journal *j, struct tsb_view answer,
    int64_t at_ms)
{
	const char *member = tsb_kind_executed(k->request.executed)->answer_member;
	struct wire_offline_result r = {.execution_ms = at_ms};

	if (member != NULL && wire_text_member_parse(answer, member, &c->arena, &r.result, &c->err))
		return session_misread(c);
	if (member != NULL && r.result.n == 0)
		r.result.p = (const unsigned char *)""; /* decryption gave an empty text */
	if (proof_key(k) != NULL) {
		if (fetch_proof(c, k, j, &r.attributes))
			return -1;
		r.has_attributes = true;
	}
	return record(c, k, j, &r);
}

static int
record_failed(struct cli *c, const struct carried *k, struct journal *j, int number,
    const char *reason, const char *why)
{
	struct wire_offline_result r = {
	    .failed = why,
	    .error_code = number,
	    .error_reason = reason,
	    .execution_ms = clock_now_ms(),
	};

	return record(c, k, j, &r);
}

/* ---- after a crash ---- */

/* The new key may be there already. If a key of that name is older, the HSM will refuse. */
static int
find_new_key(struct cli *c, const struct carried *k, const struct journal *j, bool *found)
{
	tsb_bytes_auto answer = {0};
	struct tsb_key_attributes attributes;
	struct keyattr key;

	*found = false;
	if (fetch_attributes(c, k, &answer)) {
		if (c->exit != CLI_REFUSED ||
		    c->refused_number != tsb_err_number(TSB_E_KEY_NOT_EXISTENT))
			return -1;
		c->exit = CLI_USAGE;
		return 0;
	}
	if (wire_key_attributes_parse(tsb_view_bytes(&answer), &c->arena, &attributes, &c->err) ||
	    keyattr_parse(attributes.xml, &c->arena, &key, &c->err))
		return session_misread(c);
	return tsb_effect_shows(k->request.executed, &key, k->task.token.payload, j->hsm_seconds,
	    found, &c->err);
}

int
errand_recover(struct cli *c, const struct carried *k, struct journal *j, bool *found)
{
	const struct tsb_view nothing = {NULL, 0};

	*found = false;
	if (tsb_kind_repeatable(k->request.executed))
		return 0;
	if (effect_of(k) == EFFECT_NEW_KEY) {
		if (find_new_key(c, k, j, found))
			return -1;
		return *found ? record_done(c, k, j, nothing, j->at_ms) : 0;
	}
	if (k->task.has_attributes &&
	    tsb_effect_shows(k->request.executed, &k->task.attributes, k->task.token.payload,
		j->hsm_seconds, found, &c->err))
		return -1;
	if (*found)
		return record_done(c, k, j, nothing, j->at_ms);
	*found = memcmp(k->key_digest, j->key_digest, TSB_SHA256) != 0;
	if (*found)
		return record_failed(c, k, j, tsb_err_number(TSB_E_HSM), tsb_err_reason(TSB_E_HSM),
		    "the outcome is not known: an attempt was interrupted and the key was changed "
		    "since; look at the key before asking again");
	return 0;
}

/* ---- the call ---- */

/* Errors of this call, not of the request: the HSM has not decided anything. */
static bool
is_refusal_of_request(int number)
{
	static const enum tsb_code others[] = {TSB_E_TECHNICAL, TSB_E_CONNECTIVITY, TSB_E_IMPL,
	    TSB_E_NOT_IMPLEMENTED, TSB_E_OPERATION_UNREACHABLE, TSB_E_GENERAL, TSB_E_INIT,
	    TSB_E_CONFIG_NOT_EXISTENT, TSB_E_CONFIG_NOT_VALID, TSB_E_CONFIG_INPUT,
	    TSB_E_MISSING_ACCESS_TOKEN, TSB_E_MISSING_API_KEY, TSB_E_CLIENT_SUBSCRIPTION,
	    TSB_E_ENDPOINT_NOT_LICENSED, TSB_E_ACCESS_TOKEN, TSB_E_LOGIN_INFORMATION,
	    TSB_E_KEY_PASSWORD, TSB_E_API_KEY, TSB_E_SUBSYSTEM, TSB_E_IO, TSB_E_FILE_NOT_FOUND};
	size_t i;

	for (i = 0; i < TSB_COUNT(others); i++)
		if (number == tsb_err_number(others[i]))
			return false;
	return true;
}

/* The request to the byte, with the password of the key if there is one. */
static int
make_body(struct cli *c, const struct carried *k, struct tsb_bytes *body)
{
	const struct tsb_kind_row *row = &tsb_kinds[k->request.executed];
	struct tsb_view inner = k->request.inner;

	body_open(body, NULL);
	body_raw(body, row->envelope, tsb_view_of(inner.p, inner.n - 1));
	if (session_put_password(c, body, row->password_member))
		return -1;
	body_close(body);
	body_close(body);
	return 0;
}

int
errand_execute(struct cli *c, const struct carried *k, struct journal *j)
{
	const struct tsb_kind_row *row = &tsb_kinds[k->request.executed];
	tsb_bytes_auto body = {0}, answer = {0};
	int64_t at_ms;

	if (make_body(c, k, &body) || session_become(c, row->role))
		return -1;
	if (j->state == JOURNAL_NONE && journal_intend(c, k, j))
		return -1;
	(void)hook_fault("cli.run.intended");
	at_ms = clock_now_ms();
	if (session_call(c, "POST", row->at_once_path, tsb_view_bytes(&body), &answer)) {
		if (c->exit != CLI_REFUSED || !is_refusal_of_request(c->refused_number))
			return -1;
		c->exit = CLI_USAGE;
		return record_failed(c, k, j, c->refused_number, c->refused_reason,
		    arena_str(&c->arena, c->err.msg));
	}
	(void)hook_fault("cli.run.called");
	return record_done(c, k, j, tsb_view_bytes(&answer), at_ms);
}
