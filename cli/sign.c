/* tsb sign and tsb verify. */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "cli/body.h"
#include "cli/file.h"
#include "cli/request.h"
#include "cli/session.h"

#define SIGNATURE_MAX (128 * 1024)

static int
need_algorithm(struct cli *c)
{
	if (!c->opt[OPT_ALGORITHM])
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --algorithm, for example SHA256_WITH_RSA, SHA256_WITH_ECDSA or EDDSA");
	return 0;
}

int
cli_sign(struct cli *c)
{
	tsb_bytes_auto payload = { 0 }, body = { 0 };

	if (need_algorithm(c) ||
	    file_read(c->argc > 1 ? c->argv[1] : "-", WIRE_PAYLOAD_MAX, &payload, &c->err))
		return -1;
	if (payload.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "there is nothing to sign: the input is empty");
	body_open(&body, NULL);
	body_open(&body, "signRequest");
	body_base64(&body, "payload", tsb_view_bytes(&payload));
	body_text(&body, "payloadType", c->opt[OPT_PAYLOAD_TYPE]);
	body_text(&body, "signKeyName", c->argv[0]);
	if (session_put_password(c, &body, "keyPassword"))
		return -1;
	if (c->opt[OPT_META])
		body_base64(&body, "metaData", tsb_view_str(c->opt[OPT_META]));
	body_text(&body, "signatureAlgorithm", c->opt[OPT_ALGORITHM]);
	body_text(&body, "signatureType", c->opt[OPT_TYPE]);
	body_close(&body);
	body_close(&body);
	return request_create(c, KIND_SIGN, "/v1/sign", tsb_view_bytes(&body));
}

/* A signature file holds the bytes or, as `tsb sign` prints it, one line of base64. */
static int
read_signature(struct cli *c, const char *path, struct tsb_view *out)
{
	tsb_bytes_auto content = { 0 };
	struct tsb_view text;

	if (file_read(path, SIGNATURE_MAX, &content, &c->err))
		return -1;
	text = tsb_view_bytes(&content);
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "%s is empty", path);
	if (!enc_base64_decode(text, &c->arena, out))
		*out = arena_view(&c->arena, tsb_view_bytes(&content));
	return 0;
}

int
cli_verify(struct cli *c)
{
	tsb_bytes_auto payload = { 0 }, body = { 0 }, answer = { 0 };
	struct tsb_view signature;
	bool valid;

	if (need_algorithm(c) || file_read(c->argv[1], WIRE_PAYLOAD_MAX, &payload, &c->err) ||
	    read_signature(c, c->argv[2], &signature))
		return -1;
	body_open(&body, NULL);
	body_open(&body, "verifySignatureRequest");
	body_text(&body, "signKeyName", c->argv[0]);
	if (session_put_password(c, &body, "masterKeyPassword"))
		return -1;
	body_text(&body, "signatureAlgorithm", c->opt[OPT_ALGORITHM]);
	body_base64(&body, "payload", tsb_view_bytes(&payload));
	body_base64(&body, "signature", signature);
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
		    "the signature is NOT valid for this file, key and algorithm");
	return 0;
}
