/* What the service says of itself. */
#include "lib/first.h"

#include "fcgi/fcgi.h"

/* API level that clients may rely on (api-notes.md 11). */
#define API_LEVEL "2.5.1"

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
