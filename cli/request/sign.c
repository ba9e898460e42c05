/* tsb sign and tsb verify. */
#include "lib/first.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/k256.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/request.h"

#define SIGNATURE_MAX (128 * 1024)

static int
need_algorithm(struct cli *c)
{
	if (c->opt[OPT_ALGORITHM] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --algorithm, for example SHA256_WITH_RSA, SHA256_WITH_ECDSA or EDDSA");
	return 0;
}

/* Digits need twice the room, and a file of them ends with a line break. */
static size_t
input_max(const struct cli *c)
{
	return wire_payload_is_hex(c->opt[OPT_PAYLOAD_TYPE]) ? 2 * WIRE_PAYLOAD_MAX + 2
							     : WIRE_PAYLOAD_MAX;
}

/* With payload type HEX the file has the digits: they are passed on as they are. */
static void
put_payload(struct cli *c, struct tsb_bytes *body, const struct tsb_bytes *payload)
{
	struct tsb_view text = tsb_view_bytes(payload);
	const char *type = c->opt[OPT_PAYLOAD_TYPE];

	if (wire_payload_is_hex(type)) {
		while (text.n > 0 && isspace(text.p[text.n - 1]))
			text.n--;
		body_text(body, "payload", arena_strn(&c->arena, text.p, text.n));
	} else {
		body_base64(body, "payload", text);
	}
	body_text(body, "payloadType", type);
}

/* Members of BIP-340 and BIP-341, by their names in --taproot. */
static const struct {
	const char *name, *member;
} taproot_parts[] = {
    {"tweak", "taprootTweakData"},
    {"root", "merkleRootData"},
    {"aux", "auxiliaryRandomData"},
};

static int
put_taproot_part(struct cli *c, struct tsb_bytes *body, const char *name, size_t n)
{
	const char *digits = memchr(name, '=', n);
	struct tsb_view value;

	for (size_t i = 0; digits != NULL && i < TSB_COUNT(taproot_parts); i++) {
		const size_t length = strlen(taproot_parts[i].name);

		if ((size_t)(digits - name) != length ||
		    memcmp(name, taproot_parts[i].name, length) != 0)
			continue;
		digits++;
		if (!enc_hex_decode(tsb_view_of(digits, n - length - 1), &c->arena, &value) ||
		    value.n != K256_SIZE)
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--taproot: %s must have %d hex digits", taproot_parts[i].name,
			    2 * K256_SIZE);
		body_base64(body, taproot_parts[i].member, value);
		return 0;
	}
	return tsb_fail(&c->err, TSB_E_INPUT,
	    "--taproot: '%.*s' is none of tweak=DIGITS, root=DIGITS and aux=DIGITS", (int)n, name);
}

static int
put_taproot(struct cli *c, struct tsb_bytes *body)
{
	const char *part = c->opt[OPT_TAPROOT];

	while (part != NULL) {
		const size_t n = strcspn(part, ",");

		if (put_taproot_part(c, body, part, n))
			return -1;
		part = part[n] == ',' ? part + n + 1 : NULL;
	}
	return 0;
}

static void
put_context(struct cli *c, struct tsb_bytes *body)
{
	if (c->opt[OPT_CONTEXT] != NULL)
		body_base64(body, "context", tsb_view_str(c->opt[OPT_CONTEXT]));
}

int
cli_sign(struct cli *c)
{
	tsb_bytes_auto payload = {0}, body = {0};

	if (need_algorithm(c) ||
	    file_read(c->argc > 1 ? c->argv[1] : "-", input_max(c), &payload, &c->err))
		return -1;
	if (payload.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "there is nothing to sign: the input is empty");
	if (request_open(c, &body))
		return -1;
	put_payload(c, &body, &payload);
	body_text(&body, "signatureAlgorithm", c->opt[OPT_ALGORITHM]);
	body_text(&body, "signatureType", c->opt[OPT_TYPE]);
	put_context(c, &body);
	return put_taproot(c, &body) ? -1 : request_create(c, &body);
}

int
cli_verify(struct cli *c)
{
	tsb_bytes_auto payload = {0}, body = {0}, answer = {0};
	struct tsb_view signature;
	bool valid;

	if (need_algorithm(c) || file_read(c->argv[1], input_max(c), &payload, &c->err) ||
	    file_read_base64(c->argv[2], SIGNATURE_MAX, &c->arena, &signature, &c->err))
		return -1;
	body_open(&body, NULL);
	body_open(&body, "verifySignatureRequest");
	body_text(&body, "signKeyName", c->argv[0]);
	if (session_put_password(c, &body, "masterKeyPassword") || put_taproot(c, &body))
		return -1;
	body_text(&body, "signatureAlgorithm", c->opt[OPT_ALGORITHM]);
	put_payload(c, &body, &payload);
	body_base64(&body, "signature", signature);
	put_context(c, &body);
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
