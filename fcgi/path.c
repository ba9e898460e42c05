/* Names and ids in paths. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/str.h"
#include "lib/ska/token.h"

int
fcgi_path_id(const struct web_request *rq, struct tsb_uuid *id, struct tsb_err *err)
{
	if (!uuid_parse((const char *)rq->param[0].p, id))
		return tsb_fail(err, TSB_E_INVALID_UUID, "the id in the path is not a UUID");
	return 0;
}

int
fcgi_path_key(const struct web_request *rq, const char **label, struct tsb_err *err)
{
	struct tsb_view name = rq->param[0];

	if (name.n == 0 || name.n > TOKEN_LABEL_MAX || !tsb_label_valid(name))
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "the key name in the path is not a valid label");
	*label = (const char *)name.p;
	return 0;
}

int
fcgi_not_there(struct web_reply *reply, const struct tsb_err *err)
{
	if (err->code == TSB_E_FILE_NOT_FOUND)
		reply->status = 404;
	return -1;
}
