/* What the service says of itself and of its HSM. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "fcgi/forward.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

/* API level that clients may rely on (api-notes.md 11). */
#define API_LEVEL     "2.5.1"
#define LOG_LINES_MAX 100000

int
api_version(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_addf(&reply->body,
	    "{\"Version\":\"%s\",\"Vendor\":\"Open Transaction Security Broker\","
	    "\"Implementation\":\"%s\"}",
	    API_LEVEL, TSB_VERSION);
	return 0;
}

int
api_license(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	/* nothing is licensed here: every flag that clients look for (api-notes.md 11) */
	tsb_bytes_add_str(&reply->body,
	    "{\"clientFlags\":[\"REST_API\",\"TSB_ENGINE\",\"KEY_AUTH\",\"FIREBLOCKS_AGENT\"]}");
	return 0;
}

/* ---- the HSM: clients ask for its statistics first, and take any failure as "not there" ---- */

int
api_statistics(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)rq;
	return fcgi_forward(app, reply, &(struct hsm_pass){.what = HSM_PASS_STATISTICS}, err);
}

int
api_log(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)rq;
	return fcgi_forward(app, reply, &(struct hsm_pass){.what = HSM_PASS_LOG}, err);
}

int
api_log_lines(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_LOG};

	if (!tsb_str_to_long((const char *)rq->param[0].p, -1000000000L, 1000000000L, &what.length))
		return tsb_fail(err, TSB_E_INPUT, "lines must be a whole number");
	if (what.length < 1 || what.length > LOG_LINES_MAX)
		return tsb_fail(err, TSB_E_NUMBER_RANGE, "lines must be from 1 to %d",
		    LOG_LINES_MAX);
	return fcgi_forward(app, reply, &what, err);
}

/* Where there is no HSM, nobody can find it away. */
#define APART "profile air-gapped: the HSM is in a room without network, and not asked"

int
apart_statistics(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app;
	(void)rq;
	(void)err;
	wire_text_member_format("keyStoreStatistics", tsb_view_str(APART), &reply->body);
	return 0;
}

int
apart_log(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)app;
	(void)rq;
	(void)err;
	wire_text_member_format("log", tsb_view_str(APART), &reply->body);
	return 0;
}
