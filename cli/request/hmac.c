/* tsb hmac: keyed hashes of files, made and checked by the HSM. */
#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/wire/client.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"

#define HASH_FILE_MAX 4096

/* Opens envelope with what both calls have: key, its password, payload. */
static int
open_body(struct cli *c, const char *envelope, struct tsb_bytes *body)
{
	tsb_bytes_auto payload = {0};

	if (file_read(c->argc > 1 ? c->argv[1] : "-", WIRE_PAYLOAD_MAX, &payload, &c->err))
		return -1;
	if (payload.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "there is nothing to hash: the input is empty");
	body_open(body, NULL);
	body_open(body, envelope);
	body_text(body, "keyName", c->argv[0]);
	if (session_put_password(c, body, "keyPassword"))
		return -1;
	body_base64(body, "payload", tsb_view_bytes(&payload));
	return 0;
}

static int
check_hash(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct tsb_view hash;
	bool valid;

	if (file_read_base64(c->opt[OPT_VERIFY], HASH_FILE_MAX, &c->arena, &hash, &c->err) ||
	    open_body(c, "verifyHmacRequest", &body))
		return -1;
	body_base64(&body, "signature", hash);
	body_close(&body);
	body_close(&body);
	if (session_call(c, "POST", "/v1/verify", tsb_view_bytes(&body), &answer))
		return -1;
	if (wire_client_bool_parse(tsb_view_bytes(&answer), "signatureValid", &valid, &c->err))
		return session_misread(c);
	if (c->json)
		output_body(tsb_view_bytes(&answer));
	else if (valid)
		output_line("valid");
	if (!valid)
		return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "the keyed hash is NOT valid for this file and key");
	return 0;
}

static int
give_hash(struct cli *c, struct tsb_view answer)
{
	const char *text;
	struct tsb_view hash;

	if (wire_client_text_parse(answer, "keyedHash", &c->arena, &text, &c->err))
		return session_misread(c);
	if (text == NULL || !enc_base64_decode(tsb_view_str(text), &c->arena, &hash)) {
		tsb_fail(&c->err, TSB_E_IO, "keyedHash is not base64");
		return session_misread(c);
	}
	if (c->opt[OPT_OUT] != NULL && file_write(c->opt[OPT_OUT], FILE_PUBLIC, hash, &c->err))
		return -1;
	if (c->json)
		output_body(answer);
	else if (c->opt[OPT_OUT] == NULL)
		output_line(text);
	return 0;
}

int
cli_hmac(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};

	if (c->opt[OPT_VERIFY] != NULL)
		return check_hash(c);
	if (open_body(c, "hmacRequest", &body))
		return -1;
	body_close(&body);
	body_close(&body);
	if (session_call(c, "POST", "/v1/synchronousHmac", tsb_view_bytes(&body), &answer))
		return -1;
	return give_hash(c, tsb_view_bytes(&answer));
}
