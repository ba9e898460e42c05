/* tsb wrap and tsb unwrap: keys that travel under another key. */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/enc.h"

#include "cli/key/flags.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/request.h"

#define WRAPPED_FILE_MAX (256 * 1024)

static int
need_method(struct cli *c)
{
	if (c->opt[OPT_METHOD] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --method, for example RSA_WRAP_OAEP for an AES key under an RSA key");
	return 0;
}

static int
give_wrapped(struct cli *c, struct tsb_view answer)
{
	const char *text;
	struct tsb_view bytes;

	if (wire_client_text_parse(answer, "wrappedKey", &c->arena, &text, &c->err))
		return session_misread(c);
	if (text == NULL || !enc_base64_decode(tsb_view_str(text), &c->arena, &bytes)) {
		tsb_fail(&c->err, TSB_E_IO, "wrappedKey is missing or not base64");
		return session_misread(c);
	}
	if (c->opt[OPT_OUT] != NULL && file_write(c->opt[OPT_OUT], FILE_PUBLIC, bytes, &c->err))
		return -1;
	if (c->json)
		output_body(answer);
	else if (c->opt[OPT_OUT] == NULL)
		output_line(text);
	return 0;
}

int
cli_wrap(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	const char *password;

	if (need_method(c))
		return -1;
	body_open(&body, NULL);
	body_open(&body, "wrapKeyRequest");
	body_text(&body, "wrapKeyName", c->argv[0]);
	body_text(&body, "keyToBeWrapped", c->argv[1]);
	body_text(&body, "wrapMethod", c->opt[OPT_METHOD]);
	if (session_put_password(c, &body, "wrapKeyPassword"))
		return -1;
	if (c->opt[OPT_WRAPPED_PASSWORD_FILE] != NULL) {
		if (file_read_line(c->opt[OPT_WRAPPED_PASSWORD_FILE], &c->arena, &password,
			&c->err))
			return -1;
		body_text(&body, "keyToBeWrappedPassword", password);
	}
	body_close(&body);
	body_close(&body);
	if (session_call(c, "POST", "/v1/wrap", tsb_view_bytes(&body), &answer))
		return -1;
	return give_wrapped(c, tsb_view_bytes(&answer));
}

int
cli_unwrap(struct cli *c)
{
	tsb_bytes_auto body = {0};
	struct tsb_view wrapped;

	if (need_method(c) ||
	    file_read_base64(c->argv[1], WRAPPED_FILE_MAX, &c->arena, &wrapped, &c->err))
		return -1;
	if (c->opt[OPT_ATTRIBUTES] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --attributes: what the new key may do, as decrypt,encrypt,destroyable");
	if (request_open(c, &body))
		return -1;
	body_base64(&body, "wrappedKey", wrapped);
	body_text(&body, "label", c->argv[2]);
	body_text(&body, "wrapMethod", c->opt[OPT_METHOD]);
	if (flags_put_new(c, "", &body))
		return -1;
	return request_create(c, &body);
}
