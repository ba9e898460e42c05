#include "lib/first.h"

#include <stdlib.h>

#include "lib/http/fastcgi.h"
#include "lib/http/rest.h"
#include "lib/http/transfer.h"

/* Blocking calls: one handle of libcurl, kept with its connections; made when first needed. */
struct rest {
	struct rest_options options;
	struct transfer transfer;
	struct fastcgi fastcgi;
};

struct rest *
rest_new(const struct rest_options *options)
{
	struct rest *rest = calloc(1, sizeof(*rest));

	if (rest == NULL)
		fatal("out of memory");
	rest->options = *options;
	fastcgi_init(&rest->fastcgi, options);
	return rest;
}

void
rest_free(struct rest **rest)
{
	if (*rest == NULL)
		return;
	transfer_clear(&(*rest)->transfer);
	fastcgi_clear(&(*rest)->fastcgi);
	free(*rest);
	*rest = NULL;
}

enum rest_outcome
rest_call(struct rest *rest, const struct rest_call *call, struct rest_reply *reply,
    char why[REST_WHY_SIZE])
{
	struct transfer *t = &rest->transfer;

	t->tls = REST_TLS_FINE;
	if (call->to->fastcgi)
		return fastcgi_call(&rest->fastcgi, call, reply, why);
	if (t->easy == NULL)
		transfer_init(t, &rest->options);
	transfer_start(t, call);
	return transfer_end(t, curl_easy_perform(t->easy), reply, why);
}

enum rest_tls
rest_tls_fault(const struct rest *rest)
{
	return rest->transfer.tls;
}
