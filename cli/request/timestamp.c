/* tsb timestamp: a token of RFC 3161 for a file. */
#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/wire/client.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"

#define HASH_DEFAULT "SHA256"

static int
give_token(struct cli *c, struct tsb_view answer)
{
	struct tsb_view token;
	const char *text;

	if (wire_client_text_parse(answer, "timestamp", &c->arena, &text, &c->err))
		return session_misread(c);
	if (text == NULL || !enc_base64_decode(tsb_view_str(text), &c->arena, &token)) {
		tsb_fail(&c->err, TSB_E_IO, "timestamp is missing or not base64");
		return session_misread(c);
	}
	if (c->opt[OPT_OUT] != NULL && file_write(c->opt[OPT_OUT], FILE_PUBLIC, token, &c->err))
		return -1;
	if (c->json)
		output_body(answer);
	else if (c->opt[OPT_OUT] == NULL)
		output_line(text);
	return 0;
}

int
cli_timestamp(struct cli *c)
{
	const char *hash = c->opt[OPT_ALGORITHM] != NULL ? c->opt[OPT_ALGORITHM] : HASH_DEFAULT;
	tsb_bytes_auto content = {0}, body = {0}, answer = {0};

	if (file_read(c->argv[0], WIRE_PAYLOAD_MAX, &content, &c->err))
		return -1;
	if (content.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "there is nothing to stamp: the input is empty");
	body_open(&body, NULL);
	body_base64(&body, "payload", tsb_view_bytes(&content));
	body_text(&body, "hashAlgorithm", hash);
	body_close(&body);
	return session_call(c, "POST", "/v1/createRfcTimestamp", tsb_view_bytes(&body), &answer) ||
		give_token(c, tsb_view_bytes(&answer))
	    ? -1
	    : 0;
}
