#include "lib/first.h"

#include "lib/http/call.h"

void
rest_reply_clear(struct rest_reply *reply)
{
	tsb_bytes_clear(&reply->body);
	*reply = (struct rest_reply){0};
}
