/* Blocking calls: one handle, kept with its connections. */
#include "lib/first.h"

#include <stdlib.h>

#include "lib/http/transfer.h"

struct rest {
	struct transfer transfer;
};

struct rest *
rest_new(const struct rest_options *options)
{
	struct rest *rest = calloc(1, sizeof(*rest));

	if (!rest)
		fatal("out of memory");
	transfer_init(&rest->transfer, options);
	return rest;
}

void
rest_free(struct rest **rest)
{
	if (!*rest)
		return;
	transfer_clear(&(*rest)->transfer);
	free(*rest);
	*rest = NULL;
}

void
rest_reply_clear(struct rest_reply *reply)
{
	tsb_bytes_clear(&reply->body);
	*reply = (struct rest_reply){0};
}

enum rest_outcome
rest_call(struct rest *rest, const struct rest_call *call, struct rest_reply *reply,
    char why[REST_WHY_SIZE])
{
	struct transfer *t = &rest->transfer;

	transfer_start(t, call);
	return transfer_end(t, curl_easy_perform(t->easy), reply, why);
}
